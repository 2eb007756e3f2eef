/* SPDX-License-Identifier: MIT */
/*
 * OTLP/JSON: proto3's JSON form, but for ids, which are hex, and enumerations,
 * which are numbers. 64-bit integers are strings, bytes are base64. A u64 above
 * INT64_MAX, which OTLP lacks, is a decimal stringValue, and what is no number
 * of JSON's is one too: backends that show traces in JSON fail on a NaN.
 */
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "otlp.h"
#include "otlp_attributes.h"
#include <math.h>

/* ---- Attributes ---------------------------------------------------------- */

static void put_value(struct gt__out *o, const struct gt_field *f)
{
	switch (f->type) {
	case GT_TYPE_U64:
		gt__put(o, f->value.u64 > INT64_MAX ? "\"stringValue\":"
		                                    : "\"intValue\":");
		break;
	case GT_TYPE_I64:
		gt__put(o, "\"intValue\":");
		break;
	case GT_TYPE_F64:
		gt__put(o, isfinite(f->value.f64) ? "\"doubleValue\":"
		                                  : "\"stringValue\":");
		break;
	case GT_TYPE_BOOL:
		gt__put(o, "\"boolValue\":");
		break;
	case GT_TYPE_STRING:
	case GT_TYPE_POINTER:
		gt__put(o, "\"stringValue\":");
		break;
	case GT_TYPE_BYTES:
		gt__put(o, "\"bytesValue\":");
		break;
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		return; /* never among a view's fields */
	}
	gt__put_json_value(o, f, true);
}

static void put_host(struct gt__out *o, const struct gt_field *fields,
                     size_t count, bool first)
{
	size_t i;

	for (i = 0; i < count; i++) {
		gt__put(o, first && !i ? "{\"key\":" : ",{\"key\":");
		gt__put_json(o, fields[i].key);
		gt__put(o, ",\"value\":{");
		put_value(o, &fields[i]);
		gt__put(o, "}}");
	}
}

static void put_guest(struct gt__out *o, const struct gt_field *fields,
                      size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (gt__otlp_comes_again(fields, i, count))
			continue;
		gt__put(o, ",{\"key\":");
		gt__put_json_guest_key(o, fields[i].key);
		gt__put(o, ",\"value\":{");
		put_value(o, &fields[i]);
		gt__put(o, "}}");
	}
}

static void put_attributes(struct gt__out *o,
                           const struct gt__otlp_attributes *a)
{
	gt__put_bytes(o, a->opening.bytes, a->opening.count);
	put_guest(o, a->guest, a->guest_count);
	gt__put_bytes(o, a->place.bytes, a->place.count);
	if (a->guest_id) {
		struct gt_field id = {
			.key = {GT__OTLP_GUEST_ID,
		                sizeof GT__OTLP_GUEST_ID - 1},
			.type = GT_TYPE_U64,
			.value.u64 = a->guest_id,
		};

		put_host(o, &id, 1, false);
	}
	if (a->last)
		put_host(o, a->last, 1, false);
	gt__put_char(o, ']');
}

static void open_attributes(struct gt__out *o, bool event, struct gt_text name,
                            const struct gt_field *host, size_t count)
{
	(void)event;
	gt__put(o, ",\"name\":");
	gt__put_json(o, name);
	gt__put(o, ",\"attributes\":[");
	put_host(o, host, count, true);
}

static void more_attributes(struct gt__out *o, bool event,
                            const struct gt_field *host, size_t count)
{
	(void)event;
	put_host(o, host, count, false);
}

/* ---- Requests ------------------------------------------------------------ */

static size_t begin(struct gt__out *o, const struct gt_field *resource,
                    size_t count)
{
	gt__put(o, "{\"resourceSpans\":[{\"schemaUrl\":\"" GT__OTLP_SCHEMA
	           "\",\"resource\":{\"attributes\":[");
	put_host(o, resource, count, true);
	gt__put(o, "]},\"scopeSpans\":[{\"schemaUrl\":\"" GT__OTLP_SCHEMA
	           "\",\"scope\":{\"name\":\"guesttrace\","
	           "\"version\":\"" GT_VERSION "\"},\"spans\":[");
	return 0;
}

static void end(struct gt__out *o, size_t mark)
{
	(void)mark;
	gt__put(o, "]}]}]}\n");
}
_Static_assert(sizeof "]}]}]}\n" - 1 == GT__OTLP_END_BYTES, "counted");

/* ---- Spans --------------------------------------------------------------- */

static void put_u64(struct gt__out *o, const char *key, uint64_t value)
{
	gt__put(o, key);
	gt__put_char(o, '"');
	gt__put_u64(o, value);
	gt__put_char(o, '"');
}

static void put_u32(struct gt__out *o, const char *key, uint32_t value)
{
	gt__put(o, key);
	gt__put_u64(o, value);
}

static void put_id(struct gt__out *o, const char *key, uint64_t id)
{
	gt__put(o, key);
	gt__put_char(o, '"');
	gt__put_hex(o, id, 16);
	gt__put_char(o, '"');
}

static void put_trace_id(struct gt__out *o, const uint8_t *trace_id)
{
	gt__put(o, "{\"traceId\":\"");
	gt__put_hex_bytes(o, trace_id, 16);
	gt__put_char(o, '"');
}

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
		put_trace_id(o, links[i].trace_id);
		put_id(o, ",\"spanId\":", links[i].span_id);
		put_u32(o, ",\"attributes\":[],\"flags\":",
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
	put_u32(o, ",\"status\":{\"code\":", (uint32_t)status);
	if (status == GT_STATUS_ERROR && message.count) {
		gt__put(o, ",\"message\":");
		gt__put_json(o, message);
	}
	gt__put_char(o, '}');
}

static void put_span(struct gt__out *o, const struct gt__otlp_span *s,
                     bool first)
{
	if (!first)
		gt__put_char(o, ',');
	put_trace_id(o, s->trace_id);
	put_id(o, ",\"spanId\":", s->id);
	if (s->parent_id)
		put_id(o, ",\"parentSpanId\":", s->parent_id);
	if (s->trace_state.count) {
		gt__put(o, ",\"traceState\":");
		gt__put_json(o, s->trace_state);
	}
	put_u32(o, ",\"flags\":", s->flags);
	put_u32(o, ",\"kind\":", s->kind ? s->kind : GT__OTLP_INTERNAL);
	put_u64(o, ",\"startTimeUnixNano\":", s->start_ns);
	put_u64(o, ",\"endTimeUnixNano\":", s->end_ns);
	put_attributes(o, &s->attributes);
	if (s->dropped_attributes)
		put_u32(o,
		        ",\"droppedAttributesCount\":", s->dropped_attributes);
	if (s->events.count) {
		gt__put(o, ",\"events\":[");
		gt__put_bytes(o, s->events.bytes, s->events.count);
		gt__put_char(o, ']');
	}
	if (s->dropped_events)
		put_u32(o, ",\"droppedEventsCount\":", s->dropped_events);
	put_links(o, s->links, s->link_count);
	put_status(o, s->status, s->message);
	gt__put_char(o, '}');
}

static void put_event(struct gt__out *o, const struct gt__otlp_event *event,
                      bool first)
{
	put_u64(o, first ? "{\"timeUnixNano\":" : ",{\"timeUnixNano\":",
	        event->time_ns);
	put_attributes(o, &event->attributes);
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
