/* SPDX-License-Identifier: MIT */
/*
 * The layout of batches. FlatBuffers are written here from front to back, in
 * place: every offset leads forward, and only vtables lie before what uses
 * them.
 *
 * An event is an envelope and its table, side by side so that the table's
 * 8-byte numbers lie at multiples of 8 without padding; then the vector of
 * fields and their tables, and then texts as they come. On 0.12 a preamble with
 * the vtables comes first; on 0.11 they lie once in front of the batch, with
 * the root and a vector with room for `events_max` envelopes.
 */
#include "draft.h"
#include "layout.h"

#define EVENT_BYTES_MIN 36u /* 0.11, a close with its place in the vector */

static const struct {
	uint8_t preamble_bytes;
	uint8_t table_bytes;
	uint8_t fields_at;
	uint8_t texts;
} layouts[] = {
	[GT_BATCH_OPEN] = {40, 40, OPEN_FIELDS, 2},
	[GT_BATCH_CLOSE] = {24, 20, 0, 0},
	[GT_BATCH_LOG] = {40, 28, LOG_FIELDS, 1},
	[GT_BATCH_EDIT] = {32, 16, EDIT_FIELDS, 0},
	[GT_BATCH_START] = {24, 12, 0, 0},
};

static uint32_t front_bytes(const struct gt_batch *batch)
{
	return (FRONT_ENVELOPES + 4 * batch->events_max + 7) & ~7u;
}

static void put_front(uint8_t *at)
{
	static const uint64_t words[] = {
		(uint64_t)(FRONT_ROOT - 4) << 32,
		ROOT_VTABLE(FRONT_EVENTS - FRONT_ROOT),
		ENVELOPE_VTABLE,
		FIELD_VTABLE,
		OPEN_VTABLE_1(OPEN_PARENT),
		OPEN_VTABLE_2(OPEN_FIELDS),
		OPEN_VTABLE_1(OPEN_PARENT),
		OPEN_VTABLE_2(0),
		OPEN_VTABLE_1(0),
		OPEN_VTABLE_2(OPEN_FIELDS),
		OPEN_VTABLE_1(0),
		OPEN_VTABLE_2(0),
		CLOSE_VTABLE,
		LOG_VTABLE_1,
		LOG_VTABLE_2(LOG_FIELDS),
		LOG_VTABLE_1,
		LOG_VTABLE_2(0),
		(uint64_t)(FRONT_ROOT - FRONT_ROOT_VTABLE) << 32,
		0,
		(uint64_t)(FRONT_COUNT - FRONT_EVENTS),
	};

	_Static_assert(sizeof(words) == FRONT_ENVELOPES, "the front's layout");
	__builtin_memcpy(at, words, sizeof(words));
}

void gt_batch_init(struct gt_batch *batch, enum gt_wire wire, void *memory,
                   size_t bytes, uint32_t events_max)
{
	*batch = (struct gt_batch){.memory = memory, .wire = wire};
	if (bytes > UINT32_MAX)
		bytes = UINT32_MAX;
	if (bytes < FRONT_ENVELOPES + GT_BATCH_SLACK)
		return;
	batch->bytes_max = (uint32_t)(bytes - GT_BATCH_SLACK) & ~7u;
	if (wire == GT_WIRE_HYPERLIGHT_0_11) {
		uint32_t room = batch->bytes_max - FRONT_ENVELOPES;

		batch->events_max = room / EVENT_BYTES_MIN < events_max
		                            ? room / EVENT_BYTES_MIN
		                            : events_max;
		put_front(memory);
		__builtin_memset(batch->memory + FRONT_ENVELOPES, 0,
		                 front_bytes(batch) - FRONT_ENVELOPES);
	}
	gt_batch_clear(batch);
}

void gt_batch_clear(struct gt_batch *batch)
{
	batch->events = 0;
	batch->bytes =
		batch->wire == GT_WIRE_HYPERLIGHT_0_11 && batch->bytes_max
			? front_bytes(batch)
			: 0;
}

size_t gt_batch_finish(struct gt_batch *batch, uint64_t start_tsc)
{
	uint8_t *front = batch->memory;
	uint32_t events_at = batch->events ? FRONT_EVENTS - FRONT_ROOT : 0;

	if (batch->wire == GT_WIRE_HYPERLIGHT_0_11 && batch->bytes) {
		gt__put64(front + FRONT_ROOT_VTABLE, ROOT_VTABLE(events_at));
		gt__put32(front, batch->bytes - 4);
		gt__put64(front + FRONT_START_TSC, start_tsc);
		gt__put32(front + FRONT_COUNT, batch->events);
	}
	return batch->bytes;
}

/* ---- One event ----------------------------------------------------------- */

/* Bytes before the texts. */
static uint64_t fixed_bytes(const struct gt_draft *draft)
{
	uint64_t bytes = ENVELOPE_BYTES + layouts[draft->kind].table_bytes;

	if (draft->batch->wire == GT_WIRE_HYPERLIGHT_0_12)
		bytes += layouts[draft->kind].preamble_bytes;
	if (draft->field_max)
		bytes += gt__fields_bytes(draft);
	return bytes;
}

/* Sizes and the vtable of the event follow when it ends. */
static void put_preamble(struct gt_draft *draft)
{
	uint32_t bytes = layouts[draft->kind].preamble_bytes;

	gt__put32(draft->at + 4, bytes - 4);
	gt__put64(draft->at + PREAMBLE_ENVELOPE_VTABLE, ENVELOPE_VTABLE);
	if (layouts[draft->kind].fields_at)
		gt__put64(draft->at + GT__PREAMBLE_FIELD_VTABLE, FIELD_VTABLE);
	draft->at += bytes;
}

static void put_envelope(struct gt_draft *draft)
{
	uint8_t *at = draft->at;
	uint8_t *vtable = draft->batch->wire == GT_WIRE_HYPERLIGHT_0_11
	                          ? draft->batch->memory + FRONT_ENVELOPE_VTABLE
	                          : draft->start + PREAMBLE_ENVELOPE_VTABLE;

	gt__link_vtable(at, vtable);
	gt__put32(at + ENVELOPE_EVENT, ENVELOPE_BYTES - ENVELOPE_EVENT);
	gt__put32(at + ENVELOPE_KIND, draft->kind);
	draft->table = at + ENVELOPE_BYTES;
	draft->at = draft->table + layouts[draft->kind].table_bytes;
}

static void reserve_fields(struct gt_draft *draft)
{
	draft->fields = draft->at;
	if (draft->field_max)
		draft->at += gt__fields_bytes(draft);
}

static void prepare(struct gt_draft *draft, struct gt_batch *batch,
                    enum gt_batch_event kind, uint32_t field_max)
{
	draft->batch = batch;
	draft->start = batch->memory + batch->bytes;
	draft->at = draft->start;
	draft->end = batch->memory + batch->bytes_max;
	draft->table = draft->fields = draft->start;
	draft->kind = kind;
	draft->field_count = draft->value_count = 0;
	draft->field_max = field_max;
	draft->is_full = false;
	draft->is_cutting = false;
	draft->cut_bytes = 0;
	if (batch->wire == GT_WIRE_HYPERLIGHT_0_11 &&
	    (kind > GT_BATCH_LOG || batch->events >= batch->events_max))
		gt__give_up(draft);
	if (!layouts[kind].fields_at)
		draft->field_max = 0;
}

static void begin(struct gt_draft *draft)
{
	if (gt__does_not_fit(draft, fixed_bytes(draft))) {
		gt__give_up(draft);
		return;
	}
	if (draft->batch->wire == GT_WIRE_HYPERLIGHT_0_12)
		put_preamble(draft);
	put_envelope(draft);
	reserve_fields(draft);
}

void gt_batch_begin(struct gt_draft *draft, struct gt_batch *batch,
                    enum gt_batch_event kind, uint32_t field_max)
{
	prepare(draft, batch, kind, field_max);
	begin(draft);
}

void gt__batch_begin_like(struct gt_draft *draft, struct gt_batch *batch,
                          enum gt_batch_event kind, const uint64_t *words,
                          uint32_t bytes, uint32_t fields)
{
	uint8_t *at;

	prepare(draft, batch, kind, fields);
	if (gt__does_not_fit(draft, bytes)) {
		gt__give_up(draft);
		return;
	}
	at = draft->start;
	for (uint32_t done = 0; done < bytes; done += 8) {
		gt__put64(at + done, *words++);
		__asm__("" ::: "memory"); /* no call for so little */
	}
	draft->at = at + bytes;
	if (batch->wire == GT_WIRE_HYPERLIGHT_0_12)
		at += layouts[kind].preamble_bytes;
	else
		gt__link_vtable(at, batch->memory + FRONT_ENVELOPE_VTABLE);
	draft->table = at + ENVELOPE_BYTES;
	draft->fields = draft->table + layouts[kind].table_bytes;
	draft->field_count = fields;
	if (batch->wire == GT_WIRE_HYPERLIGHT_0_11)
		for (uint32_t i = 0; i < fields; i++)
			gt__link_vtable(gt__field(draft, i),
			                batch->memory + GT__FRONT_FIELD_VTABLE);
}

void gt__batch_begin_cut(struct gt_draft *draft, struct gt_batch *batch,
                         enum gt_batch_event kind, uint32_t field_max)
{
	uint32_t field = 4 + GT__FIELD_BYTES + 2 * GT__TEXT_BYTES_MIN;
	uint64_t room, least;

	prepare(draft, batch, kind, 0);
	draft->field_max =
		1; /* that of the cut, which has the vector's count */
	least = fixed_bytes(draft) + 2 * GT__TEXT_BYTES_MIN + GT__CUT_BYTES +
	        layouts[kind].texts * GT__TEXT_BYTES_MIN;
	room = (uint64_t)(draft->end - draft->at);
	if (room < least) {
		gt__give_up(draft);
		return;
	}
	room -= least;
	if (field_max > room / field)
		field_max = (uint32_t)(room / field);
	draft->field_max += field_max;
	draft->spare_bytes = (uint32_t)(room - field * field_max) & ~3u;
	draft->is_cutting = true;
	begin(draft);
}

void gt_draft_name(struct gt_draft *draft, const void *text, size_t count)
{
	gt__draft_text(draft,
	               draft->table + (draft->kind == GT_BATCH_OPEN
	                                       ? GT__OPEN_NAME_AT
	                                       : GT__LOG_NAME_AT),
	               text, count);
}

void gt_draft_target(struct gt_draft *draft, const void *text, size_t count)
{
	gt__draft_text(draft, draft->table + GT__OPEN_TARGET_AT, text, count);
}

void gt_draft_field(struct gt_draft *draft, const void *key, size_t key_count,
                    const void *value, size_t value_count)
{
	gt__draft_key(draft, key, key_count);
	gt__draft_string(draft, value, value_count);
}

/* The words of the vtable of what this event turned out to have. */
static void put_vtable(const struct gt_draft *draft, bool has_parent)
{
	uint8_t *at = draft->start + PREAMBLE_VTABLE;
	bool has_fields = draft->field_count > 0;

	switch (draft->kind) {
	case GT_BATCH_OPEN:
		gt__put64(at, OPEN_VTABLE_1(has_parent ? OPEN_PARENT : 0));
		gt__put64(at + 8, OPEN_VTABLE_2(has_fields ? OPEN_FIELDS : 0));
		break;
	case GT_BATCH_LOG:
		gt__put64(at, LOG_VTABLE_1);
		gt__put64(at + 8, LOG_VTABLE_2(has_fields ? LOG_FIELDS : 0));
		break;
	case GT_BATCH_EDIT:
		gt__put64(at, EDIT_VTABLE(has_fields ? EDIT_FIELDS : 0));
		break;
	case GT_BATCH_CLOSE:
		gt__put64(at + PREAMBLE_SHORT_VTABLE - PREAMBLE_VTABLE,
		          CLOSE_VTABLE);
		break;
	case GT_BATCH_START:
		gt__put64(at + PREAMBLE_SHORT_VTABLE - PREAMBLE_VTABLE,
		          START_VTABLE);
		break;
	}
}

/* 0.11: the vtable in front for such an event. */
static uint8_t *shared_vtable(const struct gt_draft *draft, bool has_parent)
{
	uint8_t *front = draft->batch->memory;
	bool has_fields = draft->field_count > 0;

	switch (draft->kind) {
	case GT_BATCH_OPEN:
		return front + FRONT_OPEN_VTABLES + (has_fields ? 0 : 16) +
		       (has_parent ? 0 : 32);
	case GT_BATCH_LOG:
		return front + FRONT_LOG_VTABLES + (has_fields ? 0 : 16);
	default:
		return front + FRONT_CLOSE_VTABLE;
	}
}

static void put_numbers(const struct gt_draft *draft,
                        const struct gt_batch_numbers *numbers)
{
	uint8_t *table = draft->table;

	switch (draft->kind) {
	case GT_BATCH_OPEN:
		gt__put64(table + ID, numbers->id);
		gt__put64(table + OPEN_PARENT, numbers->parent);
		gt__put64(table + OPEN_TSC, numbers->tsc);
		break;
	case GT_BATCH_CLOSE:
	case GT_BATCH_LOG:
		gt__put64(table + ID, numbers->id);
		gt__put64(table + TSC, numbers->tsc);
		break;
	case GT_BATCH_EDIT:
		gt__put64(table + ID, numbers->id);
		break;
	case GT_BATCH_START:
		gt__put64(table + START_TSC, numbers->tsc);
		break;
	}
}

/* The vector of fields, and who leads there. */
static void link_fields(const struct gt_draft *draft)
{
	uint8_t *at = draft->table + layouts[draft->kind].fields_at;

	if (draft->field_max) {
		gt__put32(draft->fields, draft->field_count);
		gt__link(at, draft->fields);
	} else if (layouts[draft->kind].fields_at) {
		gt__put32(at, 0); /* nobody looks, but it travels */
	}
}

static void say_what_was_cut(struct gt_draft *draft)
{
	if (!draft->is_cutting || !draft->cut_bytes)
		return;
	draft->spare_bytes += GT__CUT_BYTES;
	draft->is_cutting = false; /* its place is set aside */
	gt__draft_key(draft, GT__CUT_KEY, sizeof(GT__CUT_KEY) - 1);
	gt__draft_u64(draft, draft->cut_bytes);
}

/* Pads the draft to a multiple of 8 and returns where that is. */
static uint32_t padded_end(const struct gt_draft *draft)
{
	uint32_t bytes = (uint32_t)(draft->at - draft->batch->memory);

	if (bytes & 4)
		gt__put32(draft->at, 0);
	return (bytes + 7) & ~7u;
}

/* Handlers that interrupt see the event from its last store on. */
static void commit(struct gt_draft *draft)
{
	struct gt_batch *batch = draft->batch;
	uint32_t bytes = padded_end(draft);

	if (batch->wire == GT_WIRE_HYPERLIGHT_0_11) {
		uint8_t *slot =
			batch->memory + FRONT_ENVELOPES + 4 * batch->events;

		gt__link(slot, draft->start);
	} else {
		gt__put32(draft->start, bytes - batch->bytes - 4);
	}
	__asm__ volatile("" ::: "memory");
	batch->bytes = bytes;
	batch->events++;
}

bool gt_draft_end(struct gt_draft *draft,
                  const struct gt_batch_numbers *numbers)
{
	uint8_t *vtable = draft->start + PREAMBLE_VTABLE;

	say_what_was_cut(draft);
	if (draft->is_full)
		return false;
	if (draft->batch->wire == GT_WIRE_HYPERLIGHT_0_11)
		vtable = shared_vtable(draft, numbers->has_parent);
	else if (!layouts[draft->kind].fields_at)
		vtable = draft->start + PREAMBLE_SHORT_VTABLE;
	if (draft->batch->wire == GT_WIRE_HYPERLIGHT_0_12)
		put_vtable(draft, numbers->has_parent);
	gt__link_vtable(draft->table, vtable);
	put_numbers(draft, numbers);
	link_fields(draft);
	commit(draft);
	return true;
}

/* ---- 0.11: more fields for a span that is still here --------------------- */

/* The latest of that id; NULL: none. */
static uint8_t *find_open(const struct gt_batch *batch, uint64_t id)
{
	for (uint32_t i = batch->events; i-- > 0;) {
		uint8_t *envelope =
			gt__follow(batch->memory + FRONT_ENVELOPES + 4 * i);
		uint8_t *table = envelope + ENVELOPE_BYTES;

		if (envelope[ENVELOPE_KIND] == GT_BATCH_OPEN &&
		    gt__get64(table + ID) == id)
			return table;
	}
	return NULL;
}

static bool has_fields(const struct gt_batch *batch, const uint8_t *table)
{
	const uint8_t *vtable = table - gt__get32(table);
	uint64_t which =
		(uint64_t)(vtable - batch->memory) - FRONT_OPEN_VTABLES;

	return which % 32 == 0;
}

/* Offsets lead forward only, so what is there comes along. */
static void copy_fields(struct gt_draft *draft, uint8_t *vector)
{
	uint32_t count = gt__get32(vector);

	for (uint32_t i = 0; i < count; i++) {
		uint8_t *field = gt__follow(vector + 4 + 4 * (size_t)i);
		uint8_t *key = gt__follow(field + GT__KEY_AT);
		uint8_t *value = gt__follow(field + GT__VALUE_AT);

		gt_draft_field(draft, key + 4, gt__get32(key), value + 4,
		               gt__get32(value));
	}
}

bool gt__batch_grow(struct gt_draft *draft, struct gt_batch *batch, uint64_t id,
                    uint32_t more)
{
	uint8_t *table = NULL, *vector = NULL;
	uint32_t there = 0;

	if (batch->wire == GT_WIRE_HYPERLIGHT_0_11)
		table = find_open(batch, id);
	if (!table)
		return false;
	if (has_fields(batch, table)) {
		vector = gt__follow(table + OPEN_FIELDS);
		there = gt__get32(vector);
	}
	prepare(draft, batch, GT_BATCH_OPEN, there + more);
	draft->table = table;
	if (gt__does_not_fit(draft, gt__fields_bytes(draft))) {
		gt__give_up(draft);
		return true;
	}
	reserve_fields(draft);
	if (vector)
		copy_fields(draft, vector);
	return true;
}

/* In an order in which the batch is whole between any two stores. */
bool gt__batch_grown(struct gt_draft *draft)
{
	struct gt_batch *batch = draft->batch;
	uint8_t *vtable = draft->table - gt__get32(draft->table);

	if (draft->is_full || !draft->field_count)
		return false;
	if (!has_fields(batch, draft->table))
		vtable -= 16;
	batch->bytes = padded_end(draft);
	__asm__ volatile("" ::: "memory");
	link_fields(draft);
	__asm__ volatile("" ::: "memory");
	gt__link_vtable(draft->table, vtable);
	return true;
}
