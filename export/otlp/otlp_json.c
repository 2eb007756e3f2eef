/* SPDX-License-Identifier: MIT */
/*
 * OTLP/JSON: proto3's JSON form, but for ids, which are hex, and enumerations,
 * which are numbers. 64-bit integers are strings, bytes are base64.
 */
#include "otlp_json_attributes.h"
#include "export/out/escape.h"

static void open_attributes(struct gt__out *o, enum gt__otlp_item item,
                            struct gt_text name, const struct gt_field *host,
                            size_t count)
{
	gt__put(o, item == GT__OTLP_LOG ? ",\"eventName\":" : ",\"name\":");
	gt__put_json(o, name);
	gt__put(o, ",\"attributes\":[");
	gt__json_host(o, host, count, true);
}

static void more_attributes(struct gt__out *o, enum gt__otlp_item item,
                            const struct gt_field *host, size_t count)
{
	(void)item;
	gt__json_host(o, host, count, false);
}

/* ---- Requests ------------------------------------------------------------ */

/* The keys of a request, of its scopes and of what they hold. */
static const struct {
	const char *resources, *scopes, *items;
} words[] = {
	[GT_OTLP_TRACES] = {"resourceSpans", "scopeSpans", "spans"},
	[GT_OTLP_METRICS] = {"resourceMetrics", "scopeMetrics", "metrics"},
	[GT_OTLP_LOGS] = {"resourceLogs", "scopeLogs", "logRecords"},
};

static size_t begin(struct gt__out *o, enum gt_otlp_signal signal,
                    const struct gt_field *resource, size_t count)
{
	gt__put(o, "{\"");
	gt__put(o, words[signal].resources);
	gt__put(o, "\":[{\"schemaUrl\":\"" GT__OTLP_SCHEMA
	           "\",\"resource\":{\"attributes\":[");
	gt__json_host(o, resource, count, true);
	gt__put(o, "]},\"");
	gt__put(o, words[signal].scopes);
	gt__put(o, "\":[{\"schemaUrl\":\"" GT__OTLP_SCHEMA
	           "\",\"scope\":{\"name\":\"guesttrace\","
	           "\"version\":\"" GT_VERSION "\"},\"");
	gt__put(o, words[signal].items);
	gt__put(o, "\":[");
	return 0;
}

static void end(struct gt__out *o, size_t mark)
{
	(void)mark;
	gt__put(o, "]}]}]}\n");
}
_Static_assert(sizeof "]}]}]}\n" - 1 == GT__OTLP_END_BYTES, "counted");

/* ---- Spans --------------------------------------------------------------- */

static void put_links(struct gt__out *o, const struct gt_link *links,
                      size_t count)
{
	size_t i;

	if (!count)
		return;
	gt__put(o, ",\"links\":[");
	for (i = 0; i < count; i++) {
		if (i)
			gt__put_char(o, ',');
		gt__json_trace_id(o, "{\"traceId\":", links[i].trace_id);
		gt__json_id(o, ",\"spanId\":", links[i].span_id);
		gt__json_u32(o, ",\"attributes\":[],\"flags\":",
		             gt__otlp_link_flags(&links[i]));
		gt__put_char(o, '}');
	}
	gt__put_char(o, ']');
}

/* Some readers refuse a status without a code: an unset one is left out. */
static void put_status(struct gt__out *o, enum gt_status status,
                       struct gt_text message)
{
	if (status == GT_STATUS_UNSET)
		return;
	gt__json_u32(o, ",\"status\":{\"code\":", (uint32_t)status);
	if (status == GT_STATUS_ERROR && message.count) {
		gt__put(o, ",\"message\":");
		gt__put_json(o, message);
	}
	gt__put_char(o, '}');
}

static void put_span(struct gt__out *o, const void *item, bool first)
{
	const struct gt__otlp_span *s = item;

	if (!first)
		gt__put_char(o, ',');
	gt__json_trace_id(o, "{\"traceId\":", s->trace_id);
	gt__json_id(o, ",\"spanId\":", s->id);
	if (s->parent_id)
		gt__json_id(o, ",\"parentSpanId\":", s->parent_id);
	if (s->trace_state.count) {
		gt__put(o, ",\"traceState\":");
		gt__put_json(o, s->trace_state);
	}
	gt__json_u32(o, ",\"flags\":", s->flags);
	gt__json_u32(o, ",\"kind\":", s->kind ? s->kind : GT__OTLP_INTERNAL);
	gt__json_u64(o, ",\"startTimeUnixNano\":", s->start_ns);
	gt__json_u64(o, ",\"endTimeUnixNano\":", s->end_ns);
	gt__json_attributes(o, &s->attributes);
	gt__json_dropped(o, "Attributes", s->attributes.dropped);
	if (s->events.count) {
		gt__put(o, ",\"events\":[");
		gt__put_bytes(o, s->events.bytes, s->events.count);
		gt__put_char(o, ']');
	}
	gt__json_dropped(o, "Events", s->dropped_events);
	put_links(o, s->links, s->link_count);
	gt__json_dropped(o, "Links", s->dropped_links);
	put_status(o, s->status, s->message);
	gt__put_char(o, '}');
}

static void put_event(struct gt__out *o, const struct gt__otlp_event *event,
                      bool first)
{
	gt__json_u64(o, first ? "{\"timeUnixNano\":" : ",{\"timeUnixNano\":",
	             event->time_ns);
	gt__json_attributes(o, &event->attributes);
	gt__json_dropped(o, "Attributes", event->attributes.dropped);
	gt__put_char(o, '}');
}

const struct gt__otlp_encoding gt__otlp_json = {
	.begin = begin,
	.end = end,
	.open = open_attributes,
	.more = more_attributes,
	.span = put_span,
	.event = put_event,
};
