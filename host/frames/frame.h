/* SPDX-License-Identifier: MIT */
/*
 * Frames: what a capture is made of, and what the pipeline is fed with, live as
 * well as from a capture. docs/format.md, "Capture".
 *
 * A frame is a head of GT__FRAME_HEAD bytes and a payload: magic, payload bytes
 * and CRC-32C, type and vCPU. The CRC covers all but the magic and itself, and
 * behind START goes on from its seed: a guest does not know that, so it cannot
 * put frames into its records that a reader finds behind a damaged one.
 */
#ifndef GT_HOST_FRAME_H
#define GT_HOST_FRAME_H

#include "host/decode/bytes.h"
#include "crc32c.h"

#include <guesttrace/host.h>
#include <stdlib.h>

#define GT__FRAME_MAGIC     0x6d617266u /* "fram" */
#define GT__FRAME_HEAD      16u
#define GT__FRAME_BYTES_MAX (UINT32_C(1) << 30)
#define GT__START_SEED_AT   52u /* in the payload of GT__FRAME_START */
#define GT__CAPTURE_MAGIC   UINT64_C(0x7275747061637467) /* "gtcaptur" */

enum gt__frame_type {
	GT__FRAME_START = 1,
	GT__FRAME_GUEST = 2,
	GT__FRAME_SITES = 3,
	GT__FRAME_RECORDS = 4,
	GT__FRAME_EXITS = 5,
	GT__FRAME_END = 6,
	GT__FRAME_BATCH = 7,
	GT__FRAME_MERGE = 8,
	GT__FRAME_TSC = 9,
	GT__FRAME_WORK = 10,
	GT__FRAME_FILTER = 11,
};

/* Bytes of GT__FRAME_RECORDS before the rings' own. */
#define GT__RECORDS_HEAD    (7u * 8 + GT_LEVELS * 16u)
/* Bytes of GT__FRAME_EXITS before the exits, of each, and a flag of each. */
#define GT__EXITS_HEAD      24u
#define GT__EXIT_BYTES      40u
#define GT__EXIT_TRACING    1u
#define GT__WORK_NAME_BYTES 4096u
/* Bytes of GT__FRAME_BATCH before the batch. */
#define GT__BATCH_HEAD      40u
/* A flag of GT__FRAME_TSC. */
#define GT__TSC_ESTIMATED   1u

/* A frame being written: bytes[GT__FRAME_HEAD..count) is its payload. */
struct gt__frame_buffer {
	uint8_t *bytes;
	size_t count, room;
	uint32_t seed; /* of the CRC; 0 for START */
	bool no_memory;
};

/* Room for `count` more bytes, which the caller fills; NULL: no memory. */
static inline uint8_t *gt__frame_extend(struct gt__frame_buffer *buffer,
                                        size_t count)
{
	if (count > buffer->room - buffer->count) {
		size_t room = 2 * (buffer->count + count);
		uint8_t *grown = realloc(buffer->bytes, room);

		if (!grown) {
			buffer->no_memory = true;
			return NULL;
		}
		buffer->bytes = grown;
		buffer->room = room;
	}
	buffer->count += count;
	return buffer->bytes + buffer->count - count;
}

static inline void gt__frame_begin(struct gt__frame_buffer *buffer)
{
	buffer->count = 0;
	buffer->no_memory = false;
	gt__frame_extend(buffer, GT__FRAME_HEAD);
}

static inline void gt__frame_put(struct gt__frame_buffer *buffer,
                                 const void *bytes, size_t count)
{
	uint8_t *at = gt__frame_extend(buffer, count);

	if (at && count)
		memcpy(at, bytes, count);
}

static inline void gt__frame_put32(struct gt__frame_buffer *buffer,
                                   uint32_t value)
{
	gt__frame_put(buffer, &value, sizeof(value));
}

static inline void gt__frame_put64(struct gt__frame_buffer *buffer,
                                   uint64_t value)
{
	gt__frame_put(buffer, &value, sizeof(value));
}

static inline void gt__frame_put_text(struct gt__frame_buffer *buffer,
                                      const void *text, size_t count)
{
	gt__frame_put32(buffer, (uint32_t)count);
	gt__frame_put(buffer, text, count);
}

static inline uint32_t gt__frame_crc(uint32_t seed, const uint8_t *head,
                                     const uint8_t *payload, size_t count)
{
	uint32_t crc = gt__crc32c(seed, head + 4, 4);

	crc = gt__crc32c(crc, head + 12, 4);
	return gt__crc32c(crc, payload, count);
}

/* Fills in the head. */
static inline void gt__frame_seal(struct gt__frame_buffer *buffer,
                                  enum gt__frame_type type, uint32_t vcpu)
{
	uint8_t *head = buffer->bytes;
	size_t count = buffer->count - GT__FRAME_HEAD;

	gt__store32(head, GT__FRAME_MAGIC);
	gt__store32(head + 4, (uint32_t)count);
	gt__store16(head + 12, (uint16_t)type);
	gt__store16(head + 14, (uint16_t)vcpu);
	gt__store32(head + 8, gt__frame_crc(buffer->seed, head,
	                                    head + GT__FRAME_HEAD, count));
}

/*
 * One word of GT__FRAME_RECORDS: who is inside a record, bytes overwritten, and
 * in the highest bit whether threads are preempted in there.
 */
static inline uint64_t gt__inside_word(uint64_t inside, uint64_t overwritten,
                                       bool preemptible)
{
	return inside | overwritten << GT_LEVELS | (uint64_t)preemptible << 63;
}

static inline uint64_t gt__overwritten_of(uint64_t word)
{
	return (word & ~(UINT64_C(1) << 63)) >> GT_LEVELS;
}

static inline bool gt__preemptible_of(uint64_t word)
{
	return word >> 63;
}

/* A payload being read. Past its end everything is 0 and `bad` stays set. */
struct gt__cursor {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static inline const uint8_t *gt__cursor_take(struct gt__cursor *cursor,
                                             size_t count)
{
	const uint8_t *at = cursor->at;

	if (cursor->bad || count > cursor->left) {
		cursor->bad = true;
		return NULL;
	}
	cursor->at += count;
	cursor->left -= count;
	return at;
}

static inline uint32_t gt__cursor_u32(struct gt__cursor *cursor)
{
	const uint8_t *at = gt__cursor_take(cursor, 4);

	return at ? gt__load32(at) : 0;
}

static inline uint64_t gt__cursor_u64(struct gt__cursor *cursor)
{
	const uint8_t *at = gt__cursor_take(cursor, 8);

	return at ? gt__load64(at) : 0;
}

static inline struct gt_text gt__cursor_text(struct gt__cursor *cursor)
{
	uint32_t count = gt__cursor_u32(cursor);
	const uint8_t *at = gt__cursor_take(cursor, count);

	return at ? (struct gt_text){(const char *)at, count}
	          : (struct gt_text){"", 0};
}

/* What is not said is 0, and more than all is all. */
static inline struct gt_sampler gt__cursor_sampler(struct gt__cursor *cursor)
{
	struct gt_sampler sampler = {0};

	if (cursor->left < 12)
		return sampler;
	sampler.dropped = gt__cursor_u64(cursor);
	sampler.ignores_parent = gt__cursor_u32(cursor) & 1;
	if (sampler.dropped > GT_SAMPLER_ALL)
		sampler.dropped = GT_SAMPLER_ALL;
	return sampler;
}

#endif
