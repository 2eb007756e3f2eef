/* SPDX-License-Identifier: MIT */
/* Sends records to spans of four vCPUs, and keeps what a sink is shown. */
#ifndef SPANS_DRIVER_H
#define SPANS_DRIVER_H

#include "host/spans/spans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

extern struct gt__spans spans;
extern struct gt_summary summary;
extern uint64_t now_ns;
extern const struct gt__site span_site, child_site, event_site, text_site,
	late_site, link_site;

/* The last spans that ended; what they point to is gone. */
extern struct gt_span_view closed[64];
extern unsigned closed_count;
extern uint64_t kept_events, dropped_events, dropped_fields, shown_fields;
extern uint64_t last_event_parent;
extern bool last_event_has_trace;

/* Of the same spans: their traces, and the first links. */
struct shown_trace {
	bool is_own; /* not the run's */
	uint8_t trace_id[16];
	uint32_t flags;
	char state[64];
	size_t link_count;
	struct gt_link links[2];
};
extern struct shown_trace closed_traces[64];

#define RUN_ID UINT64_C(0x1d)

void start_spans(uint32_t open_spans, size_t span_bytes, uint32_t contexts);
int setup(void **unused);
int teardown(void **unused);
void send_record(uint32_t vcpu, enum gt_record_kind kind,
                 const struct gt__site *site, uint64_t id, const void *body,
                 size_t count);
void scope(uint64_t id);
void open_with_parent(uint64_t id, uint64_t parent);
void event(uint32_t vcpu);
void close_span(uint32_t vcpu, uint64_t id);
void switch_to(uint32_t vcpu, uint64_t context, uint64_t current);
void send_sync_in(uint64_t context, uint64_t current, uint64_t lost);
void send_sync(uint64_t current, uint64_t lost);

#endif
