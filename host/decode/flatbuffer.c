/* SPDX-License-Identifier: MIT */
#include "flatbuffer.h"
#include "utf8.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Of a string, per visit. */
#define ASCII_BYTES 16u
#define OTHER_BYTES 2u

__attribute__((cold)) void gt__store_error(struct gt__flatbuffer *buffer,
                                           enum gt_error code, uint32_t at)
{
	buffer->error = -(int)code;
	buffer->error_at = at;
}

static bool visit(struct gt__flatbuffer *buffer, uint32_t visits, uint32_t at)
{
	if (buffer->visits_left < visits)
		return gt__refuse(buffer, GT_ERROR_OVER_VISITS, at);
	buffer->visits_left -= visits;
	return true;
}

/* What a table says of its vtable, which may lie on either side of it. */
static bool read_vtable(struct gt__flatbuffer *buffer, struct gt__table *table)
{
	int64_t vtable = (int64_t)table->at -
	                 (int32_t)gt__load32(buffer->bytes + table->at);

	if (vtable < 0 || vtable > (int64_t)buffer->count - 4)
		return gt__refuse(buffer, GT_ERROR_VTABLE_OUTSIDE, table->at);
	table->vtable = (uint32_t)vtable;
	if (table->vtable % 2 != 0)
		return gt__refuse(buffer, GT_ERROR_VTABLE_MISALIGNED,
		                  table->at);
	table->vtable_bytes = gt__load16(buffer->bytes + table->vtable);
	table->bytes = gt__load16(buffer->bytes + table->vtable + 2);
	if (table->vtable_bytes % 2 != 0)
		return gt__refuse(buffer, GT_ERROR_VTABLE_ODD, table->vtable);
	if (table->vtable_bytes < 4)
		return gt__refuse(buffer, GT_ERROR_VTABLE_SIZE, table->vtable);
	if (table->vtable_bytes > buffer->count - table->vtable)
		return gt__refuse(buffer, GT_ERROR_VTABLE_CUT, table->vtable);
	return true;
}

bool gt__table_read(struct gt__flatbuffer *buffer, uint32_t at,
                    struct gt__table *ret_table)
{
	struct gt__table table = {.at = at};

	if (!visit(buffer, 1, at))
		return false;
	if (at % 4 != 0)
		return gt__refuse(buffer, GT_ERROR_TABLE_MISALIGNED, at);
	if (buffer->count - at < 4)
		return gt__refuse(buffer, GT_ERROR_TABLE_OUTSIDE, at);
	if (!read_vtable(buffer, &table))
		return false;
	if (table.bytes < 4)
		return gt__refuse(buffer, GT_ERROR_TABLE_SIZE, at);
	if (table.bytes > buffer->count - at)
		return gt__refuse(buffer, GT_ERROR_TABLE_OUTSIDE, at);
	if (table.vtable < at ? table.vtable_bytes > at - table.vtable
	                      : table.bytes > table.vtable - at)
		return gt__refuse(buffer, GT_ERROR_VTABLE_OVERLAPS, at);
	*ret_table = table;
	return true;
}

bool gt__root_read(struct gt__flatbuffer *buffer, struct gt__table *ret_table)
{
	uint32_t at;

	if (buffer->count < 8)
		return gt__refuse(buffer, GT_ERROR_BATCH_CUT, 0);
	return gt__offset_follow(buffer, 4, &at) &&
	       gt__table_read(buffer, at, ret_table);
}

bool gt__field_follow(struct gt__flatbuffer *buffer,
                      const struct gt__table *table, uint32_t slot,
                      uint32_t *ret_at)
{
	uint32_t from;

	if (!gt__field_find(buffer, table, slot, 4, &from))
		return false;
	*ret_at = 0;
	return from == 0 || gt__offset_follow(buffer, from, ret_at);
}

bool gt__field_u64(struct gt__flatbuffer *buffer, const struct gt__table *table,
                   uint32_t slot, uint64_t *ret_value, bool *ret_is_there)
{
	uint32_t at;

	if (!gt__field_find(buffer, table, slot, 8, &at))
		return false;
	*ret_value = at ? gt__load64(buffer->bytes + at) : 0;
	if (ret_is_there)
		*ret_is_there = at != 0;
	return true;
}

/* No string begins in the first 8 bytes, so that 8 before it are readable. */
static bool is_ascii(const uint8_t *text, uint32_t count)
{
	uint64_t word = gt__load64(text + count - 8);

	if (count < 8)
		return (word >> 8 >> (56 - 8 * count) & HIGH_BITS) == 0;
	for (uint32_t done = 0; done < count - 8; done += 8)
		word |= gt__load64(text + done);
	return (word & HIGH_BITS) == 0;
}

static bool check_text(struct gt__flatbuffer *buffer, uint32_t at,
                       uint32_t count)
{
	const uint8_t *text = buffer->bytes + at;

	if (!visit(buffer, 1 + count / ASCII_BYTES, at))
		return false;
	if (is_ascii(text, count))
		return true;
	if (!visit(buffer, count / OTHER_BYTES, at))
		return false;
	if (!gt__utf8_is_valid(text, count))
		return gt__refuse(buffer, GT_ERROR_STRING_NOT_UTF8, at);
	return true;
}

static bool read_string(struct gt__flatbuffer *buffer, uint32_t at,
                        struct gt_text *ret_text)
{
	uint32_t count, left;

	if (at % 4 != 0)
		return gt__refuse(buffer, GT_ERROR_STRING_MISALIGNED, at);
	if (buffer->count - at < 4)
		return gt__refuse(buffer, GT_ERROR_STRING_OUTSIDE, at);
	count = gt__load32(buffer->bytes + at);
	at += 4;
	left = buffer->count - at;
	if (count > left)
		return gt__refuse(buffer, GT_ERROR_STRING_OUTSIDE, at - 4);
	if (count == left || buffer->bytes[at + count] != 0)
		return gt__refuse(buffer, GT_ERROR_STRING_UNTERMINATED, at - 4);
	if (!check_text(buffer, at, count))
		return false;
	*ret_text = (struct gt_text){(const char *)buffer->bytes + at, count};
	return true;
}

bool gt__field_string(struct gt__flatbuffer *buffer,
                      const struct gt__table *table, uint32_t slot,
                      enum gt_error missing, struct gt_text *ret_text)
{
	uint32_t at;

	if (!gt__field_follow(buffer, table, slot, &at))
		return false;
	if (at == 0)
		return gt__refuse(buffer, missing, table->at);
	return read_string(buffer, at, ret_text);
}

bool gt__field_vector(struct gt__flatbuffer *buffer,
                      const struct gt__table *table, uint32_t slot,
                      struct gt__vector *ret_vector)
{
	uint32_t at, count;

	*ret_vector = (struct gt__vector){0};
	if (!gt__field_follow(buffer, table, slot, &at))
		return false;
	if (at == 0)
		return true;
	if (at % 4 != 0)
		return gt__refuse(buffer, GT_ERROR_VECTOR_MISALIGNED, at);
	if (buffer->count - at < 4)
		return gt__refuse(buffer, GT_ERROR_VECTOR_OUTSIDE, at);
	count = gt__load32(buffer->bytes + at);
	if (count > (buffer->count - at - 4) / 4)
		return gt__refuse(buffer, GT_ERROR_VECTOR_OUTSIDE, at);
	*ret_vector = (struct gt__vector){at + 4, count};
	return true;
}
