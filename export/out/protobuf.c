/* SPDX-License-Identifier: MIT */
/* The protobuf encoding. */
#include "protobuf.h"
#include "escape.h"
#include <errno.h>
#include <string.h>

enum wire_type {
	VARINT = 0,
	FIXED64 = 1,
	LENGTH = 2
};

/*
 * A length always takes four bytes, of which each but the last has its
 * continuation bit set: readers accept such a padded varint.
 */
#define LENGTH_BYTES 4u
#define LENGTH_MAX   ((1u << 28) - 1)

static void put_varint(struct gt__out *out, uint64_t value)
{
	unsigned char bytes[10];
	size_t n = 0;

	while (value >= 0x80) {
		bytes[n++] = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	bytes[n++] = (unsigned char)value;
	gt__put_bytes(out, bytes, n);
}

static void put_tag(struct gt__out *out, unsigned field, enum wire_type type)
{
	put_varint(out, (uint64_t)field << 3 | (uint64_t)type);
}

void gt__pb_u64(struct gt__out *out, unsigned field, uint64_t value)
{
	put_tag(out, field, VARINT);
	put_varint(out, value);
}

void gt__pb_i64(struct gt__out *out, unsigned field, int64_t value)
{
	gt__pb_u64(out, field, (uint64_t)value);
}

void gt__pb_f64(struct gt__out *out, unsigned field, double value)
{
	unsigned char bytes[8];
	uint64_t word;
	unsigned i;

	memcpy(&word, &value, sizeof word);
	for (i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(word >> i * 8);
	put_tag(out, field, FIXED64);
	gt__put_bytes(out, bytes, sizeof bytes);
}

void gt__pb_string(struct gt__out *out, unsigned field, const char *text)
{
	size_t count = strlen(text);

	put_tag(out, field, LENGTH);
	put_varint(out, count);
	gt__put_bytes(out, text, count);
}

void gt__pb_text(struct gt__out *out, unsigned field, struct gt_text text)
{
	size_t mark = gt__pb_begin(out, field);

	gt__put_utf8(out, text);
	gt__pb_end(out, mark);
}

size_t gt__pb_begin(struct gt__out *out, unsigned field)
{
	put_tag(out, field, LENGTH);
	gt__put_bytes(out, "\0\0\0", LENGTH_BYTES);
	return out->used;
}

void gt__pb_end(struct gt__out *out, size_t mark)
{
	size_t count = out->used - mark;
	unsigned i;

	if (out->error)
		return;
	if (count > LENGTH_MAX) {
		out->error = -EMSGSIZE;
		return;
	}
	for (i = 0; i < LENGTH_BYTES; i++)
		out->bytes[mark - LENGTH_BYTES + i] =
			(char)((count >> i * 7 & 0x7f) |
		               (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}
