/* SPDX-License-Identifier: MIT */
#include "first_pass.h"
#include "command.h"

#include <inttypes.h>

static void see(struct gt_sink *sink, uint64_t tsc)
{
	struct seen *seen = (struct seen *)sink;

	if (seen->records++ == 0 || tsc < seen->first)
		seen->first = tsc;
	if (tsc > seen->last)
		seen->last = tsc;
}

static int see_open(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)trace;
	see(sink, span->start_ns);
	return 0;
}

static int see_close(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	(void)trace;
	if (!(span->flags & GT_SPAN_INTERRUPTED))
		see(sink, span->end_ns);
	return 0;
}

static int see_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	(void)trace;
	see(sink, event->time_ns);
	return 0;
}

static int see_end(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_summary *summary)
{
	struct seen *seen = (struct seen *)sink;

	(void)trace;
	seen->bytes = summary->record_bytes;
	seen->taken = summary->records;
	seen->lost = summary->losses.records;
	seen->overwritten_bytes = summary->losses.overwritten_bytes;
	seen->bad_records = summary->losses.bad_records;
	return 0;
}

void seen_say_losses(const struct seen *seen, const char *name)
{
	if (seen->lost + seen->overwritten_bytes + seen->bad_records == 0)
		return;
	complain("%s: LOST %" PRIu64 " of %" PRIu64 " records, %" PRIu64
	         " bytes overwritten, %" PRIu64 " pieces that did not decode",
	         name, seen->lost, seen->lost + seen->taken,
	         seen->overwritten_bytes, seen->bad_records);
}

struct seen seen_begin(void)
{
	return (struct seen){.sink = {.open = see_open,
	                              .close = see_close,
	                              .event = see_event,
	                              .counter = see_event,
	                              .end = see_end}};
}
