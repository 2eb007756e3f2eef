/* SPDX-License-Identifier: MIT */
/*
 * One FlatBuffer, read with every access checked: pure functions on a private
 * copy, without recursion. Positions are counted from the first byte, which is
 * the size prefix, and so is alignment. A function that returns false has
 * stored why in `error` and where in `error_at`.
 *
 * A table, a vector or a string may be named by any number of offsets, so a
 * small buffer can unfold to a huge tree: `visits_left` bounds the way.
 */
#ifndef GT_HOST_FLATBUFFER_H
#define GT_HOST_FLATBUFFER_H

#include "bytes.h"

#include <guesttrace/host.h>

struct gt__flatbuffer {
	const uint8_t *bytes;
	uint32_t count; /* < 2^31 */
	uint32_t error_at;
	int error; /* negative code */
	uint64_t visits_left;
};

struct gt__table {
	uint32_t at;
	uint32_t bytes;
	uint32_t vtable; /* where it lies */
	uint32_t vtable_bytes;
};

struct gt__vector {
	uint32_t at; /* of its first element; 0: there is no vector */
	uint32_t count;
};

void gt__store_error(struct gt__flatbuffer *buffer, enum gt_error code,
                     uint32_t at);

/* Inline, so that a compiler sees that nothing is stored where it is false. */
static inline bool gt__refuse(struct gt__flatbuffer *buffer, enum gt_error code,
                              uint32_t at)
{
	gt__store_error(buffer, code, at);
	return false;
}

/* The table that the offset at byte 4 leads to. */
bool gt__root_read(struct gt__flatbuffer *buffer, struct gt__table *ret_table);

/* The table at `at`, which is inside the buffer. */
bool gt__table_read(struct gt__flatbuffer *buffer, uint32_t at,
                    struct gt__table *ret_table);

/* Follows the offset at `from`, whose 4 bytes are inside the buffer. */
static inline bool gt__offset_follow(struct gt__flatbuffer *buffer,
                                     uint32_t from, uint32_t *ret_at)
{
	uint32_t offset = gt__load32(buffer->bytes + from);

	if (offset == 0)
		return gt__refuse(buffer, GT_ERROR_OFFSET_ZERO, from);
	if (offset >= buffer->count - from)
		return gt__refuse(buffer, GT_ERROR_OFFSET_OUTSIDE, from);
	*ret_at = from + offset;
	return true;
}

/*
 * Where the field of a table lies whose entry in the vtable is `slot`; 0: it is
 * absent. `bytes`: its size and alignment, a power of two.
 */
static inline bool gt__field_find(struct gt__flatbuffer *buffer,
                                  const struct gt__table *table, uint32_t slot,
                                  uint32_t bytes, uint32_t *ret_at)
{
	uint32_t offset = 0;

	if (slot < table->vtable_bytes)
		offset = gt__load16(buffer->bytes + table->vtable + slot);
	*ret_at = 0;
	if (offset == 0)
		return true;
	if (offset < 4 || offset > table->bytes ||
	    bytes > table->bytes - offset)
		return gt__refuse(buffer, GT_ERROR_FIELD_OUTSIDE,
		                  table->vtable + slot);
	if (((table->at + offset) & (bytes - 1)) != 0)
		return gt__refuse(buffer, GT_ERROR_FIELD_MISALIGNED,
		                  table->vtable + slot);
	*ret_at = table->at + offset;
	return true;
}

/* The same for an offset, followed. */
bool gt__field_follow(struct gt__flatbuffer *buffer,
                      const struct gt__table *table, uint32_t slot,
                      uint32_t *ret_at);

/* A scalar; 0 if it is absent, and `ret_is_there` (or NULL) tells. */
bool gt__field_u64(struct gt__flatbuffer *buffer, const struct gt__table *table,
                   uint32_t slot, uint64_t *ret_value, bool *ret_is_there);

/* A string that must be there; `missing` is the code if it is not. */
bool gt__field_string(struct gt__flatbuffer *buffer,
                      const struct gt__table *table, uint32_t slot,
                      enum gt_error missing, struct gt_text *ret_text);

/* A vector of offsets. Each element is read with gt__offset_follow(). */
bool gt__field_vector(struct gt__flatbuffer *buffer,
                      const struct gt__table *table, uint32_t slot,
                      struct gt__vector *ret_vector);

#endif
