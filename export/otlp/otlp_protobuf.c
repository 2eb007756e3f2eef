/* SPDX-License-Identifier: MIT */
/*
 * OTLP/protobuf (opentelemetry/proto/trace/v1/trace.proto, common.proto,
 * resource.proto). MAX_ values say how much each function here may store.
 */
#include "otlp_protobuf_attributes.h"
#include <errno.h>

/* Fields of the messages, with their wire types. */
enum {
	REQUEST_RESOURCE_SPANS = 1 << 3 | 2,
	RESOURCE_SPANS_RESOURCE = 1 << 3 | 2,
	RESOURCE_SPANS_SCOPE_SPANS = 2 << 3 | 2,
	SPANS_SCHEMA = 3 << 3 | 2, /* of ResourceSpans and ScopeSpans */
	RESOURCE_ATTRIBUTES = 1 << 3 | 2,
	SCOPE_SPANS_SCOPE = 1 << 3 | 2,
	SCOPE_SPANS_SPANS = 2 << 3 | 2,
	SCOPE_NAME = 1 << 3 | 2,
	SCOPE_VERSION = 2 << 3 | 2,
	SPAN_TRACE_ID = 1 << 3 | 2,
	SPAN_SPAN_ID = 2 << 3 | 2,
	SPAN_TRACE_STATE = 3 << 3 | 2,
	SPAN_PARENT_SPAN_ID = 4 << 3 | 2,
	SPAN_NAME = 5 << 3 | 2,
	SPAN_KIND = 6 << 3 | 0,
	SPAN_START = 7 << 3 | 1,
	SPAN_END = 8 << 3 | 1,
	SPAN_ATTRIBUTES = 9 << 3 | 2,
	SPAN_DROPPED_ATTRIBUTES = 10 << 3 | 0,
	SPAN_EVENTS = 11 << 3 | 2,
	SPAN_DROPPED_EVENTS = 12 << 3 | 0,
	SPAN_LINKS = 13 << 3 | 2,
	SPAN_DROPPED_LINKS = 14 << 3 | 0,
	SPAN_STATUS = 15 << 3 | 2,
	SPAN_FLAGS = 16 << 3 | 5, /* takes two bytes */
	EVENT_TIME = 1 << 3 | 1,
	EVENT_NAME = 2 << 3 | 2,
	EVENT_ATTRIBUTES = 3 << 3 | 2,
	EVENT_DROPPED_ATTRIBUTES = 4 << 3 | 0,
	LINK_TRACE_ID = 1 << 3 | 2,
	LINK_SPAN_ID = 2 << 3 | 2,
	LINK_FLAGS = 6 << 3 | 5,
	STATUS_MESSAGE = 2 << 3 | 2,
	STATUS_CODE = 3 << 3 | 0,
	LOG_ATTRIBUTES = 6 << 3 | 2,
	LOG_EVENT_NAME = 12 << 3 | 2,
	NUMBER_ATTRIBUTES = 7 << 3 | 2,    /* of NumberDataPoint */
	HISTOGRAM_ATTRIBUTES = 1 << 3 | 2, /* ExponentialHistogramDataPoint */
};

#define MAX_SPAN   192u /* of a span beside its name, lists and message */
#define MAX_LINK   40u
#define LINK_BYTES 33u

/* Where the attributes of an item stand in it, and its name. */
static const unsigned char attribute_tags[] = {
	[GT__OTLP_SPAN] = SPAN_ATTRIBUTES,
	[GT__OTLP_EVENT] = EVENT_ATTRIBUTES,
	[GT__OTLP_LOG] = LOG_ATTRIBUTES,
	[GT__OTLP_NUMBER] = NUMBER_ATTRIBUTES,
	[GT__OTLP_HISTOGRAM] = HISTOGRAM_ATTRIBUTES,
};

static const unsigned char name_tags[] = {
	[GT__OTLP_SPAN] = SPAN_NAME,
	[GT__OTLP_EVENT] = EVENT_NAME,
	[GT__OTLP_LOG] = LOG_EVENT_NAME,
};

static void open_attributes(struct gt__out *o, enum gt__otlp_item item,
                            struct gt_text name, const struct gt_field *host,
                            size_t count)
{
	unsigned char *p =
		gt__pb_room(o, GT__PB_FIELD_MAX + name.count * GT__PB_GROWTH +
	                               gt__pb_fields_max(host, count));

	if (!p)
		return;
	*p++ = name_tags[item];
	p = gt__pb_utf8(p, name);
	gt__pb_end_room(o, gt__pb_host(p, attribute_tags[item], host, count));
}

static void more_attributes(struct gt__out *o, enum gt__otlp_item item,
                            const struct gt_field *host, size_t count)
{
	unsigned char *p = gt__pb_room(o, gt__pb_fields_max(host, count));

	if (p)
		gt__pb_end_room(
			o, gt__pb_host(p, attribute_tags[item], host, count));
}

/* ---- Requests ------------------------------------------------------------ */

/* Lengths that are known at the end of a request only take four bytes. */
static unsigned char *late_length(unsigned char *p, unsigned tag)
{
	*p++ = (unsigned char)tag;
	return p + GT__PB_LATE_BYTES;
}

static unsigned char *put_scope(unsigned char *p)
{
	unsigned char *from;

	*p++ = SCOPE_SPANS_SCOPE;
	from = ++p;
	*p++ = SCOPE_NAME;
	p = gt__pb_bytes(p, "guesttrace", sizeof "guesttrace" - 1);
	*p++ = SCOPE_VERSION;
	p = gt__pb_bytes(p, GT_VERSION, sizeof GT_VERSION - 1);
	return gt__pb_close(from, p);
}

static unsigned char *put_schema(unsigned char *p)
{
	*p++ = SPANS_SCHEMA;
	return gt__pb_bytes(p, GT__OTLP_SCHEMA, sizeof GT__OTLP_SCHEMA - 1);
}

/*
 * Returns where the ScopeSpans begin, in the buffer. The messages of the other
 * signals have fields of the same numbers.
 */
static size_t begin(struct gt__out *o, enum gt_otlp_signal signal,
                    const struct gt_field *resource, size_t count)
{
	unsigned char *p =
		gt__pb_room(o, MAX_SPAN + 2 * sizeof GT__OTLP_SCHEMA +
	                               gt__pb_fields_max(resource, count));
	unsigned char *from;
	size_t mark;

	(void)signal;
	if (!p)
		return 0;
	p = late_length(p, REQUEST_RESOURCE_SPANS);
	*p++ = RESOURCE_SPANS_RESOURCE;
	from = ++p;
	p = gt__pb_host(p, RESOURCE_ATTRIBUTES, resource, count);
	p = gt__pb_close(from, p);
	p = put_schema(p);
	p = late_length(p, RESOURCE_SPANS_SCOPE_SPANS);
	mark = (size_t)(p - (unsigned char *)o->bytes);
	gt__pb_end_room(o, put_scope(put_schema(p)));
	return mark;
}

static void end(struct gt__out *o, size_t mark)
{
	unsigned char *bytes = (unsigned char *)o->bytes;
	const size_t first = 1 + GT__PB_LATE_BYTES;

	if (o->error)
		return;
	if (o->used - first > GT__PB_LATE_MAX) {
		o->error = -EMSGSIZE;
		return;
	}
	gt__pb_late(bytes + mark, o->used - mark);
	gt__pb_late(bytes + first, o->used - first);
}

/* ---- Spans --------------------------------------------------------------- */

static unsigned char *put_links(unsigned char *p, const struct gt_link *links,
                                size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		*p++ = SPAN_LINKS;
		*p++ = LINK_BYTES;
		p = gt__pb_trace_id(p, LINK_TRACE_ID, links[i].trace_id);
		p = gt__pb_id(p, LINK_SPAN_ID, links[i].span_id);
		*p++ = LINK_FLAGS;
		p = gt__pb_fixed32(p, gt__otlp_link_flags(&links[i]));
	}
	return p;
}

static unsigned char *put_status(unsigned char *p, enum gt_status status,
                                 struct gt_text message)
{
	unsigned char *from;

	*p++ = SPAN_STATUS;
	from = ++p;
	if (status == GT_STATUS_ERROR && message.count) {
		*p++ = STATUS_MESSAGE;
		p = gt__pb_utf8(p, message);
	}
	*p++ = STATUS_CODE;
	*p++ = (unsigned char)status;
	return gt__pb_close(from, p);
}

static inline unsigned char *put_head(unsigned char *p,
                                      const struct gt__otlp_span *s)
{
	p = gt__pb_trace_id(p, SPAN_TRACE_ID, s->trace_id);
	p = gt__pb_id(p, SPAN_SPAN_ID, s->id);
	if (s->trace_state.count) {
		*p++ = SPAN_TRACE_STATE;
		p = gt__pb_utf8(p, s->trace_state);
	}
	if (s->parent_id)
		p = gt__pb_id(p, SPAN_PARENT_SPAN_ID, s->parent_id);
	*p++ = SPAN_KIND;
	*p++ = (unsigned char)(s->kind ? s->kind : GT__OTLP_INTERNAL);
	*p++ = SPAN_START;
	p = gt__pb_fixed64(p, s->start_ns);
	*p++ = SPAN_END;
	p = gt__pb_fixed64(p, s->end_ns);
	p = gt__pb_varint(p, SPAN_FLAGS);
	return gt__pb_fixed32(p, s->flags);
}

static void put_span(struct gt__out *o, const void *item, bool first)
{
	const struct gt__otlp_span *s = item;
	unsigned char *p = gt__pb_room(
		o, MAX_SPAN + gt__pb_attributes_max(&s->attributes) +
			   s->events.count + s->link_count * MAX_LINK +
			   (s->message.count + s->trace_state.count) *
				   GT__PB_GROWTH);
	unsigned char *from;

	(void)first;
	if (!p)
		return;
	*p++ = SCOPE_SPANS_SPANS;
	p += GT__PB_USUAL_BYTES;
	from = p;
	p = put_head(p, s);
	p = gt__pb_attributes(p, SPAN_ATTRIBUTES, &s->attributes);
	p = gt__pb_count(p, SPAN_DROPPED_ATTRIBUTES, s->attributes.dropped);
	p = gt__pb_put(p, s->events.bytes, s->events.count);
	p = gt__pb_count(p, SPAN_DROPPED_EVENTS, s->dropped_events);
	p = put_links(p, s->links, s->link_count);
	p = gt__pb_count(p, SPAN_DROPPED_LINKS, s->dropped_links);
	if (s->status != GT_STATUS_UNSET)
		p = put_status(p, s->status, s->message);
	gt__pb_end_room(o, gt__pb_close_usual(from, p));
}

static void put_event(struct gt__out *o, const struct gt__otlp_event *event,
                      bool first)
{
	unsigned char *p = gt__pb_room(
		o,
		GT__PB_FIELD_MAX + gt__pb_attributes_max(&event->attributes));
	unsigned char *from;

	(void)first;
	if (!p)
		return;
	*p++ = SPAN_EVENTS;
	p += GT__PB_USUAL_BYTES;
	from = p;
	*p++ = EVENT_TIME;
	p = gt__pb_fixed64(p, event->time_ns);
	p = gt__pb_attributes(p, EVENT_ATTRIBUTES, &event->attributes);
	p = gt__pb_count(p, EVENT_DROPPED_ATTRIBUTES,
	                 event->attributes.dropped);
	gt__pb_end_room(o, gt__pb_close_usual(from, p));
}

const struct gt__otlp_encoding gt__otlp_protobuf = {
	.begin = begin,
	.end = end,
	.open = open_attributes,
	.more = more_attributes,
	.span = put_span,
	.event = put_event,
};
