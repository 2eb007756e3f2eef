/* SPDX-License-Identifier: MIT */
/*
 * OTLP/protobuf (opentelemetry/proto/trace/v1/trace.proto, common.proto,
 * resource.proto). A u64 above INT64_MAX, which OTLP lacks, is a decimal
 * string.
 *
 * Room is made once for the whole of a span or a list, and then bytes are
 * stored behind a pointer without looking: MAX_ values say how much each
 * function here may store.
 */
#include "export/out/escape.h"
#include "otlp.h"
#include "otlp_attributes.h"
#include "export/out/protobuf_bytes.h"
#include <errno.h>
#include <math.h>
#include <string.h>

/* Fields of the messages, with their wire types. */
enum tag {
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
	SPAN_STATUS = 15 << 3 | 2,
	SPAN_FLAGS = 16 << 3 | 5, /* takes two bytes */
	EVENT_TIME = 1 << 3 | 1,
	EVENT_NAME = 2 << 3 | 2,
	EVENT_ATTRIBUTES = 3 << 3 | 2,
	LINK_TRACE_ID = 1 << 3 | 2,
	LINK_SPAN_ID = 2 << 3 | 2,
	LINK_FLAGS = 6 << 3 | 5,
	STATUS_MESSAGE = 2 << 3 | 2,
	STATUS_CODE = 3 << 3 | 0,
	KEY_VALUE_KEY = 1 << 3 | 2,
	KEY_VALUE_VALUE = 2 << 3 | 2,
	VALUE_STRING = 1 << 3 | 2,
	VALUE_BOOL = 2 << 3 | 0,
	VALUE_INT = 3 << 3 | 0,
	VALUE_DOUBLE = 4 << 3 | 1,
	VALUE_BYTES = 7 << 3 | 2,
};

#define MAX_FIELD  96u  /* of a field beside its texts */
#define MAX_SPAN   192u /* of a span beside its name, lists and message */
#define MAX_LINK   40u
#define LINK_BYTES 33u

/* ---- Attributes ---------------------------------------------------------- */

static size_t texts_max(const struct gt_field *f)
{
	size_t count = f->key.count;

	if (f->type == GT_TYPE_STRING || f->type == GT_TYPE_BYTES)
		count += f->value.text.count;
	return count * GT__PB_GROWTH;
}

static size_t fields_max(const struct gt_field *fields, size_t count)
{
	size_t i, max = count * MAX_FIELD;

	for (i = 0; i < count; i++)
		max += texts_max(&fields[i]);
	return max;
}

/* Digits of any base up to the end at `to`; returns where they begin. */
static char *digits_before(char *to, uint64_t value, unsigned base)
{
	do
		*--to = "0123456789abcdef"[value % base];
	while (value /= base);
	return to;
}

/* Decimal, or hexadecimal behind 0x. */
static unsigned char *put_digits(unsigned char *p, uint64_t value,
                                 unsigned base)
{
	char digits[20], *end = digits + sizeof digits;
	char *from = digits_before(end, value, base);

	if (base == 16) {
		*--from = 'x';
		*--from = '0';
	}
	*p++ = VALUE_STRING;
	return gt__pb_bytes(p, from, (size_t)(end - from));
}

static unsigned char *put_f64(unsigned char *p, double value)
{
	uint64_t bits;

	if (!isfinite(value)) {
		const char *word = isnan(value) ? "NaN"
		                   : value > 0  ? "Infinity"
		                                : "-Infinity";

		*p++ = VALUE_STRING;
		return gt__pb_bytes(p, word, strlen(word));
	}
	memcpy(&bits, &value, sizeof bits);
	*p++ = VALUE_DOUBLE;
	return gt__pb_fixed64(p, bits);
}

static unsigned char *put_other(unsigned char *p, const struct gt_field *f)
{
	switch (f->type) {
	case GT_TYPE_U64:
		return put_digits(p, f->value.u64, 10);
	case GT_TYPE_I64:
		*p++ = VALUE_INT;
		return gt__pb_varint(p, (uint64_t)f->value.i64);
	case GT_TYPE_F64:
		return put_f64(p, f->value.f64);
	case GT_TYPE_BOOL:
		*p++ = VALUE_BOOL;
		*p++ = f->value.boolean;
		return p;
	case GT_TYPE_STRING:
		*p++ = VALUE_STRING;
		return gt__pb_utf8(p, f->value.text);
	case GT_TYPE_BYTES:
		*p++ = VALUE_BYTES;
		return gt__pb_bytes(p, f->value.text.bytes,
		                    f->value.text.count);
	case GT_TYPE_POINTER:
		return put_digits(p, f->value.u64, 16);
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* never among a view's fields */
	}
	return p;
}

static inline unsigned char *put_value(unsigned char *p,
                                       const struct gt_field *f)
{
	if (f->type != GT_TYPE_U64 || f->value.u64 > INT64_MAX)
		return put_other(p, f);
	*p++ = VALUE_INT;
	return gt__pb_varint(p, f->value.u64);
}

static unsigned char *put_renamed(unsigned char *p, struct gt_text key)
{
	unsigned char *from = p + 1;

	p = gt__pb_put(from, GT__GUEST, sizeof GT__GUEST - 1);
	p = gt__pb_put_utf8(p, key);
	return gt__pb_close(from, p);
}

static inline unsigned char *put_field(unsigned char *p, enum tag tag,
                                       const struct gt_field *f, bool guest)
{
	unsigned char *from, *value;

	*p++ = (unsigned char)tag;
	from = ++p;
	*p++ = KEY_VALUE_KEY;
	p = guest && gt__is_host_key(f->key) ? put_renamed(p, f->key)
	                                     : gt__pb_utf8(p, f->key);
	*p++ = KEY_VALUE_VALUE;
	value = ++p;
	p = put_value(p, f);
	p = gt__pb_close(value, p);
	return gt__pb_close(from, p);
}

/* As put_field(), of one key. */
static inline unsigned char *put_guest_id(unsigned char *p, uint64_t id)
{
	static const unsigned char key[] = {
		SPAN_ATTRIBUTES,
		0,
		KEY_VALUE_KEY,
		sizeof GT__OTLP_GUEST_ID - 1,
	};
	unsigned char *from = p + 2, *value;

	if (id > INT64_MAX) {
		struct gt_field field = {
			.key = {GT__OTLP_GUEST_ID,
		                sizeof GT__OTLP_GUEST_ID - 1},
			.type = GT_TYPE_U64,
			.value.u64 = id,
		};

		return put_field(p, SPAN_ATTRIBUTES, &field, false);
	}
	memcpy(p, key, sizeof key);
	p += sizeof key;
	memcpy(p, GT__OTLP_GUEST_ID, sizeof GT__OTLP_GUEST_ID - 1);
	p += sizeof GT__OTLP_GUEST_ID - 1;
	*p++ = KEY_VALUE_VALUE;
	value = ++p;
	*p++ = VALUE_INT;
	p = gt__pb_varint(p, id);
	value[-1] = (unsigned char)(p - value);
	from[-1] = (unsigned char)(p - from);
	return p;
}

static unsigned char *put_host(unsigned char *p, enum tag tag,
                               const struct gt_field *fields, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		p = put_field(p, tag, &fields[i], false);
	return p;
}

static size_t attributes_max(const struct gt__otlp_attributes *a)
{
	return a->opening.count + fields_max(a->guest, a->guest_count) +
	       a->place.count + 2 * MAX_FIELD; /* guest_id and last */
}

static inline unsigned char *put_attributes(unsigned char *p, enum tag tag,
                                            const struct gt__otlp_attributes *a)
{
	size_t i;

	p = gt__pb_put(p, a->opening.bytes, a->opening.count);
	for (i = 0; i < a->guest_count; i++)
		if (!gt__otlp_comes_again(a->guest, i, a->guest_count))
			p = put_field(p, tag, &a->guest[i], true);
	p = gt__pb_put(p, a->place.bytes, a->place.count);
	if (a->guest_id)
		p = put_guest_id(p, a->guest_id);
	if (a->last)
		p = put_field(p, tag, a->last, false);
	return p;
}

static unsigned char *begin_room(struct gt__out *o, size_t count)
{
	return (unsigned char *)gt__out_room(o, count);
}

static void end_room(struct gt__out *o, const unsigned char *p)
{
	o->used = (size_t)(p - (unsigned char *)o->bytes);
}

static void open_attributes(struct gt__out *o, bool event, struct gt_text name,
                            const struct gt_field *host, size_t count)
{
	unsigned char *p =
		begin_room(o, MAX_FIELD + name.count * GT__PB_GROWTH +
	                              fields_max(host, count));

	if (!p)
		return;
	*p++ = event ? EVENT_NAME : SPAN_NAME;
	p = gt__pb_utf8(p, name);
	p = put_host(p, event ? EVENT_ATTRIBUTES : SPAN_ATTRIBUTES, host,
	             count);
	end_room(o, p);
}

static void more_attributes(struct gt__out *o, bool event,
                            const struct gt_field *host, size_t count)
{
	unsigned char *p = begin_room(o, fields_max(host, count));

	if (p)
		end_room(o,
		         put_host(p, event ? EVENT_ATTRIBUTES : SPAN_ATTRIBUTES,
		                  host, count));
}

/* ---- Requests ------------------------------------------------------------ */

/* Lengths that are known at the end of a request only take four bytes. */
static unsigned char *late_length(unsigned char *p, enum tag tag)
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

/* Returns where the ScopeSpans begin, in the buffer. */
static size_t begin(struct gt__out *o, const struct gt_field *resource,
                    size_t count)
{
	unsigned char *p = begin_room(o, MAX_SPAN + 2 * sizeof GT__OTLP_SCHEMA +
	                                         fields_max(resource, count));
	unsigned char *from;
	size_t mark;

	if (!p)
		return 0;
	p = late_length(p, REQUEST_RESOURCE_SPANS);
	*p++ = RESOURCE_SPANS_RESOURCE;
	from = ++p;
	p = put_host(p, RESOURCE_ATTRIBUTES, resource, count);
	p = gt__pb_close(from, p);
	p = put_schema(p);
	p = late_length(p, RESOURCE_SPANS_SCOPE_SPANS);
	mark = (size_t)(p - (unsigned char *)o->bytes);
	end_room(o, put_scope(put_schema(p)));
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

static inline unsigned char *put_id(unsigned char *p, enum tag tag, uint64_t id)
{
	*p++ = (unsigned char)tag;
	*p++ = 8;
	return gt__pb_fixed64(p, __builtin_bswap64(id)); /* big endian */
}

static inline unsigned char *put_trace_id(unsigned char *p, enum tag tag,
                                          const uint8_t *trace_id)
{
	*p++ = (unsigned char)tag;
	*p++ = 16;
	memcpy(p, trace_id, 16);
	return p + 16;
}

static unsigned char *put_count(unsigned char *p, enum tag tag, uint32_t count)
{
	if (!count)
		return p;
	*p++ = (unsigned char)tag;
	return gt__pb_varint(p, count);
}

static unsigned char *put_links(unsigned char *p, const struct gt_link *links,
                                size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		*p++ = SPAN_LINKS;
		*p++ = LINK_BYTES;
		p = put_trace_id(p, LINK_TRACE_ID, links[i].trace_id);
		p = put_id(p, LINK_SPAN_ID, links[i].span_id);
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
	p = put_trace_id(p, SPAN_TRACE_ID, s->trace_id);
	p = put_id(p, SPAN_SPAN_ID, s->id);
	if (s->trace_state.count) {
		*p++ = SPAN_TRACE_STATE;
		p = gt__pb_utf8(p, s->trace_state);
	}
	if (s->parent_id)
		p = put_id(p, SPAN_PARENT_SPAN_ID, s->parent_id);
	*p++ = SPAN_KIND;
	*p++ = (unsigned char)(s->kind ? s->kind : GT__OTLP_INTERNAL);
	*p++ = SPAN_START;
	p = gt__pb_fixed64(p, s->start_ns);
	*p++ = SPAN_END;
	p = gt__pb_fixed64(p, s->end_ns);
	p = gt__pb_varint(p, SPAN_FLAGS);
	return gt__pb_fixed32(p, s->flags);
}

static void put_span(struct gt__out *o, const struct gt__otlp_span *s,
                     bool first)
{
	unsigned char *p = begin_room(
		o, MAX_SPAN + attributes_max(&s->attributes) + s->events.count +
			   s->link_count * MAX_LINK +
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
	p = put_attributes(p, SPAN_ATTRIBUTES, &s->attributes);
	p = put_count(p, SPAN_DROPPED_ATTRIBUTES, s->dropped_attributes);
	p = gt__pb_put(p, s->events.bytes, s->events.count);
	p = put_count(p, SPAN_DROPPED_EVENTS, s->dropped_events);
	p = put_links(p, s->links, s->link_count);
	if (s->status != GT_STATUS_UNSET)
		p = put_status(p, s->status, s->message);
	end_room(o, gt__pb_close_usual(from, p));
}

static void put_event(struct gt__out *o, const struct gt__otlp_event *event,
                      bool first)
{
	unsigned char *p =
		begin_room(o, MAX_FIELD + attributes_max(&event->attributes));
	unsigned char *from;

	(void)first;
	if (!p)
		return;
	*p++ = SPAN_EVENTS;
	p += GT__PB_USUAL_BYTES;
	from = p;
	*p++ = EVENT_TIME;
	p = gt__pb_fixed64(p, event->time_ns);
	p = put_attributes(p, EVENT_ATTRIBUTES, &event->attributes);
	end_room(o, gt__pb_close_usual(from, p));
}

const struct gt__otlp_encoding gt__otlp_protobuf = {
	.begin = begin,
	.end = end,
	.open = open_attributes,
	.more = more_attributes,
	.span = put_span,
	.event = put_event,
};
