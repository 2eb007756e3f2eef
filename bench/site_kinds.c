/* SPDX-License-Identifier: MIT */
/* One function for each kind of call site: see bench/count-instructions. */
#define GT_TARGET "kinds"
#include <guesttrace/guest.h>

void event_0(void);
void event_2u64(uint64_t a, uint64_t b);
void event_u64_str(uint64_t a, const char *text);
void counter_1u64(uint64_t a);
void span_0(void);
void span_2u64(uint64_t a, uint64_t b);
void open_2u64(struct gt_span *span, uint64_t a, uint64_t b);
void record_1u64(const struct gt_span *span, uint64_t a);

void event_0(void)
{
	GT_EVENT(GT_INFO, "event");
}

void event_2u64(uint64_t a, uint64_t b)
{
	GT_EVENT(GT_INFO, "event", gt_u64("a", a), gt_u64("b", b));
}

void event_u64_str(uint64_t a, const char *text)
{
	GT_EVENT(GT_INFO, "event", gt_u64("a", a), gt_str("text", text));
}

void counter_1u64(uint64_t a)
{
	GT_COUNTER(GT_INFO, "counter", gt_u64("a", a));
}

void span_0(void)
{
	GT_SPAN(span, GT_INFO, "span");
}

void span_2u64(uint64_t a, uint64_t b)
{
	GT_SPAN(span, GT_INFO, "span", gt_u64("a", a), gt_u64("b", b));
}

void open_2u64(struct gt_span *span, uint64_t a, uint64_t b)
{
	GT_OPEN(*span, GT_INFO, "span", gt_u64("a", a), gt_u64("b", b));
}

void record_1u64(const struct gt_span *span, uint64_t a)
{
	GT_RECORD(*span, gt_u64("a", a));
}
