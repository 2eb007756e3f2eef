/* SPDX-License-Identifier: MIT */
/*
 * Inside the writing of batches: what guesttrace/batch.h does not need to show.
 */
#ifndef GT_GUEST_DRAFT_H
#define GT_GUEST_DRAFT_H

#include <guesttrace/batch.h>

/* The texts of tables; see the layouts in batch.c. */
enum gt__text_at {
	GT__OPEN_NAME_AT = 28,
	GT__OPEN_TARGET_AT = 32,
	GT__LOG_NAME_AT = 20,
	GT__KEY_AT = 4,
	GT__VALUE_AT = 8,
};

/* Where the vtable of fields lies: 0.11 in the batch, 0.12 in the event. */
#define GT__FRONT_FIELD_VTABLE    24u
#define GT__PREAMBLE_FIELD_VTABLE 16u
#define GT__FIELD_BYTES           12u

#define GT__CUT_KEY        "guesttrace.cut"
/* Its key and value, beyond the shortest texts. */
#define GT__CUT_BYTES      32u
#define GT__TEXT_BYTES_MIN 8u
#define GT__DECIMAL_BYTES  20u
#define GT__F64_BYTES      32u

static inline void gt__put16(uint8_t *at, uint32_t value)
{
	uint16_t half = (uint16_t)value;

	__builtin_memcpy(at, &half, sizeof(half));
}

static inline void gt__put32(uint8_t *at, uint64_t value)
{
	uint32_t low = (uint32_t)value;

	__builtin_memcpy(at, &low, sizeof(low));
}

static inline void gt__put64(uint8_t *at, uint64_t value)
{
	__builtin_memcpy(at, &value, sizeof(value));
}

static inline uint32_t gt__get32(const uint8_t *at)
{
	uint32_t value;

	__builtin_memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t gt__get64(const uint8_t *at)
{
	uint64_t value;

	__builtin_memcpy(&value, at, sizeof(value));
	return value;
}

/* Where the offset at `at` leads to, and the other way round. */
static inline uint8_t *gt__follow(uint8_t *at)
{
	return at + gt__get32(at);
}

static inline void gt__link(uint8_t *at, const uint8_t *to)
{
	gt__put32(at, (uint64_t)(to - at));
}

/* A table's first four bytes. */
static inline void gt__link_vtable(uint8_t *table, const uint8_t *vtable)
{
	gt__put32(table, (uint64_t)(table - vtable));
}

/* The vector of fields and their tables. */
static inline uint64_t gt__fields_bytes(const struct gt_draft *draft)
{
	return 4 + (4 + GT__FIELD_BYTES) * (uint64_t)draft->field_max;
}

static inline uint8_t *gt__field(const struct gt_draft *draft, uint32_t index)
{
	return draft->fields + 4 + 4 * (size_t)draft->field_max +
	       GT__FIELD_BYTES * (size_t)index;
}

static inline bool gt__does_not_fit(struct gt_draft *draft, uint64_t bytes)
{
	return (uint64_t)(draft->end - draft->at) < bytes;
}

/* What follows is nothing: there is no room. */
static inline void gt__give_up(struct gt_draft *draft)
{
	draft->end = draft->at;
	draft->is_full = true;
}

/*
 * Like gt_batch_begin(), for an event that is too long for any batch: texts get
 * cut, later ones first, and a last field says by how much.
 */
void gt__batch_begin_cut(struct gt_draft *draft, struct gt_batch *batch,
                         enum gt_batch_event kind, uint32_t field_max);

/*
 * Like gt_batch_begin(), with all that an earlier draft of such an event had
 * behind its `start` when it had `fields` keys and no value: `bytes` of them.
 */
void gt__batch_begin_like(struct gt_draft *draft, struct gt_batch *batch,
                          enum gt_batch_event kind, const uint64_t *words,
                          uint32_t bytes, uint32_t fields);

/*
 * Begins what becomes the fields of the span `id` that opened in this batch:
 * those it has are there already, up to `more` can follow. gt__batch_grown()
 * ends it. False: no such span.
 */
bool gt__batch_grow(struct gt_draft *draft, struct gt_batch *batch, uint64_t id,
                    uint32_t more);
bool gt__batch_grown(struct gt_draft *draft);

/* The next field's key; the next value, of the first key that has none yet. */
void gt__draft_key(struct gt_draft *draft, const void *key, size_t count);
void gt__draft_string(struct gt_draft *draft, const void *text, size_t count);
void gt__draft_bytes(struct gt_draft *draft, const void *bytes, size_t count);
void gt__draft_u64(struct gt_draft *draft, uint64_t value);
void gt__draft_i64(struct gt_draft *draft, int64_t value);
void gt__draft_bool(struct gt_draft *draft, bool value);
void gt__draft_pointer(struct gt_draft *draft, uint64_t value);
void gt__draft_f64(struct gt_draft *draft, uint64_t bits);

/* A text that the offset at `at` is to lead to. */
void gt__draft_text(struct gt_draft *draft, uint8_t *at, const void *text,
                    size_t count);

/* Writes up to GT__DECIMAL_BYTES digits and returns how many. */
size_t gt__decimal(uint8_t *to, uint64_t value);

/* Writes the shortest decimal that reads back as the same double. */
size_t gt__decimal_f64(uint8_t *to, uint64_t bits);

#endif
