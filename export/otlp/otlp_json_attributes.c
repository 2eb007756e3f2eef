/* SPDX-License-Identifier: MIT */
/*
 * Values and attributes in OTLP/JSON. A u64 above INT64_MAX, which OTLP lacks,
 * is a decimal stringValue, and what is no number of JSON's is one too:
 * backends that show traces in JSON fail on a NaN.
 */
#include "otlp_json_attributes.h"
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "otlp_attributes.h"
#include <math.h>
#include <string.h>

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

void gt__json_host(struct gt__out *o, const struct gt_field *fields,
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

/* What comes first has no comma before it: some sites say nothing at all. */
static void drop_comma(struct gt__out *o, size_t from)
{
	if (o->error || !from || o->bytes[from - 1] != '[' ||
	    o->bytes[from] != ',')
		return;
	o->used--;
	memmove(o->bytes + from, o->bytes + from + 1, o->used - from);
}

void gt__json_attributes(struct gt__out *o, const struct gt__otlp_attributes *a)
{
	size_t from;

	gt__put_bytes(o, a->opening.bytes, a->opening.count);
	from = o->used;
	put_guest(o, a->guest, a->guest_count);
	gt__put_bytes(o, a->place.bytes, a->place.count);
	if (a->guest_id) {
		struct gt_field id = {
			.key = {GT__OTLP_GUEST_ID,
		                sizeof GT__OTLP_GUEST_ID - 1},
			.type = GT_TYPE_U64,
			.value.u64 = a->guest_id,
		};

		gt__json_host(o, &id, 1, false);
	}
	gt__json_host(o, a->last, a->last_count, false);
	gt__put_char(o, ']');
	drop_comma(o, from);
}

void gt__json_u64(struct gt__out *o, const char *key, uint64_t value)
{
	gt__put(o, key);
	gt__put_char(o, '"');
	gt__put_u64(o, value);
	gt__put_char(o, '"');
}

void gt__json_u32(struct gt__out *o, const char *key, uint32_t value)
{
	gt__put(o, key);
	gt__put_u64(o, value);
}

void gt__json_id(struct gt__out *o, const char *key, uint64_t id)
{
	gt__put(o, key);
	gt__put_char(o, '"');
	gt__put_hex(o, id, 16);
	gt__put_char(o, '"');
}

void gt__json_trace_id(struct gt__out *o, const char *key,
                       const uint8_t *trace_id)
{
	gt__put(o, key);
	gt__put_char(o, '"');
	gt__put_hex_bytes(o, trace_id, 16);
	gt__put_char(o, '"');
}

void gt__json_dropped(struct gt__out *o, const char *what, uint32_t count)
{
	if (!count)
		return;
	gt__put(o, ",\"dropped");
	gt__put(o, what);
	gt__json_u32(o, "Count\":", count);
}
