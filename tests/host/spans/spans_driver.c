/* SPDX-License-Identifier: MIT */
#include "spans_driver.h"

/* ---- What the sink was shown --------------------------------------------- */

struct gt_span_view closed[64]; /* the last ones; borrowed parts gone */
unsigned closed_count;
uint64_t kept_events, dropped_events, dropped_fields, shown_fields;
uint64_t last_event_parent;
bool last_event_has_trace;
struct shown_trace closed_traces[64];

static void keep_trace(struct shown_trace *to, const struct gt_span_view *span)
{
	const struct gt_span_trace *trace = span->trace;
	size_t links = span->link_count < 2 ? span->link_count : 2;

	*to = (struct shown_trace){.is_own = trace,
	                           .link_count = span->link_count};
	if (links)
		memcpy(to->links, span->links, links * sizeof(*to->links));
	if (!trace)
		return;
	memcpy(to->trace_id, trace->trace_id, 16);
	to->flags = trace->flags;
	memcpy(to->state, trace->trace_state.bytes, trace->trace_state.count);
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	keep_trace(&closed_traces[closed_count % 64], span);
	closed[closed_count++ % 64] = *span;
	kept_events += span->event_count;
	dropped_events += span->dropped_events;
	dropped_fields += span->dropped_fields;
	shown_fields += span->field_count;
	return 0;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	(void)trace;
	last_event_parent = event->span_id;
	last_event_has_trace = event->trace;
	return 0;
}

/* ---- The spans under test ------------------------------------------------ */

static const struct gt__site_field word_field = {GT_TYPE_U64, {"n", 1}};
static const struct gt__site_field text_field = {GT_TYPE_STRING, {"s", 1}};
static const struct gt__site_field parent_field = {GT_TYPE_PARENT, {"", 0}};
static const struct gt__site_field link_field = {GT_TYPE_LINK, {"", 0}};

const struct gt__site span_site = {.view = {.name = {"span", 4}},
                                   .kind = GT_SITE_SPAN};
const struct gt__site child_site = {.view = {.name = {"child", 5}},
                                    .kind = GT_SITE_SPAN,
                                    .field_count = 1,
                                    .fields = &parent_field,
                                    .says_parent = true};
const struct gt__site event_site = {.view = {.name = {"event", 5}},
                                    .kind = GT_SITE_EVENT,
                                    .field_count = 1,
                                    .fields = &word_field};
const struct gt__site text_site = {.view = {.name = {"text", 4}},
                                   .kind = GT_SITE_EVENT,
                                   .field_count = 1,
                                   .fields = &text_field};
const struct gt__site late_site = {.view = {.name = {"", 0}},
                                   .kind = GT_SITE_FIELDS,
                                   .field_count = 1,
                                   .fields = &word_field};
const struct gt__site link_site = {.view = {.name = {"link", 4}},
                                   .kind = GT_SITE_SPAN,
                                   .field_count = 1,
                                   .fields = &link_field};

struct gt__spans spans;
struct gt_summary summary;
uint64_t now_ns;

void start_spans(uint32_t open_spans, size_t span_bytes, uint32_t contexts)
{
	static struct gt_sink sink = {.close = on_close, .event = on_event};
	static struct gt_sink *const sinks[] = {&sink};
	static struct gt__fanout fanout;
	static const struct gt_trace trace = {.vcpus = 4};
	static const struct gt__names names = {.trace_id = {[15] = 7},
	                                       .run_id = RUN_ID};
	const struct gt_limits limits = {.open_spans = open_spans,
	                                 .fields = 4096,
	                                 .span_bytes = span_bytes,
	                                 .contexts = contexts};

	now_ns = 1000;
	closed_count = 0;
	kept_events = dropped_events = dropped_fields = shown_fields = 0;
	summary = (struct gt_summary){.spans = 0};
	assert_int_equal(gt__fanout_init(&fanout, sinks, 1), 0);
	assert_int_equal(gt__spans_init(&spans, &fanout, &trace, &summary,
	                                &names, &limits,
	                                (struct gt__hash_key){1, 2}),
	                 0);
}

int setup(void **unused)
{
	(void)unused;
	start_spans(65536, (size_t)64 << 20, 4096);
	return 0;
}

int teardown(void **unused)
{
	(void)unused;
	gt__spans_fini(&spans);
	return 0;
}

/* One record on `vcpu`; `id` is the span that it opens or names. */
void send_record(uint32_t vcpu, enum gt_record_kind kind,
                 const struct gt__site *site, uint64_t id, const void *body,
                 size_t count)
{
	struct gt__when when = {.ns = ++now_ns, .id = id, .vcpu = vcpu};
	struct gt__record record = {.site = site,
	                            .kind = kind,
	                            .id = id,
	                            .body = body,
	                            .body_bytes = count};

	gt__spans_record(&spans, &when, &record);
}

void scope(uint64_t id)
{
	send_record(0, GT_RECORD_SPAN, &span_site, id, NULL, 0);
}

void open_with_parent(uint64_t id, uint64_t parent)
{
	send_record(0, GT_RECORD_OPEN, &child_site, id, &parent, 8);
}

void event(uint32_t vcpu)
{
	uint64_t word = 5;

	send_record(vcpu, GT_RECORD_EVENT, &event_site, 0, &word, 8);
}

void close_span(uint32_t vcpu, uint64_t id)
{
	send_record(vcpu, GT_RECORD_CLOSE, NULL, id, NULL, 0);
}

void switch_to(uint32_t vcpu, uint64_t context, uint64_t current)
{
	uint64_t body[2] = {context, current};

	send_record(vcpu, GT_RECORD_SWITCH, NULL, 0, body, sizeof(body));
}

void send_sync_in(uint64_t context, uint64_t current, uint64_t lost)
{
	uint64_t body[4] = {current, lost, 0, context};

	send_record(0, GT_RECORD_SYNC, NULL, 0, body, sizeof(body));
}

void send_sync(uint64_t current, uint64_t lost)
{
	send_sync_in(0, current, lost);
}
