/* SPDX-License-Identifier: MIT */
/*
 * Values and attributes in OTLP/protobuf (opentelemetry/proto/common/v1/
 * common.proto). A u64 above INT64_MAX, which OTLP lacks, is a decimal string.
 */
#include "otlp_protobuf_attributes.h"
#include "otlp_attributes.h"
#include <math.h>
#include <string.h>

/* Fields of the messages, with their wire types. */
enum {
	KEY_VALUE_KEY = 1 << 3 | 2,
	KEY_VALUE_VALUE = 2 << 3 | 2,
	VALUE_STRING = 1 << 3 | 2,
	VALUE_BOOL = 2 << 3 | 0,
	VALUE_INT = 3 << 3 | 0,
	VALUE_DOUBLE = 4 << 3 | 1,
	VALUE_BYTES = 7 << 3 | 2,
};

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

static inline unsigned char *put_field(unsigned char *p, unsigned tag,
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
static inline unsigned char *put_guest_id(unsigned char *p, unsigned tag,
                                          uint64_t id)
{
	unsigned char *from = p + 2, *value;

	if (id > INT64_MAX) {
		struct gt_field field = {
			.key = {GT__OTLP_GUEST_ID,
		                sizeof GT__OTLP_GUEST_ID - 1},
			.type = GT_TYPE_U64,
			.value.u64 = id,
		};

		return put_field(p, tag, &field, false);
	}
	*p = (unsigned char)tag;
	p = from;
	*p++ = KEY_VALUE_KEY;
	*p++ = sizeof GT__OTLP_GUEST_ID - 1;
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

unsigned char *gt__pb_host(unsigned char *p, unsigned tag,
                           const struct gt_field *fields, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		p = put_field(p, tag, &fields[i], false);
	return p;
}

unsigned char *gt__pb_attributes(unsigned char *p, unsigned tag,
                                 const struct gt__otlp_attributes *a)
{
	size_t i;

	p = gt__pb_put(p, a->opening.bytes, a->opening.count);
	for (i = 0; i < a->guest_count; i++)
		if (!gt__otlp_comes_again(a->guest, i, a->guest_count))
			p = put_field(p, tag, &a->guest[i], true);
	p = gt__pb_put(p, a->place.bytes, a->place.count);
	if (a->guest_id)
		p = put_guest_id(p, tag, a->guest_id);
	for (i = 0; i < a->last_count; i++)
		p = put_field(p, tag, &a->last[i], false);
	return p;
}
