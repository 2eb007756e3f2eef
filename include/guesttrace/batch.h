/* SPDX-License-Identifier: MIT */
/*
 * Batches of Hyperlight's two wire formats, written event by event into memory
 * of the caller's: what the recorder does underneath on these wires, for tools
 * that have the events already. Freestanding.
 *
 *   gt_batch_init(&batch, GT_WIRE_HYPERLIGHT_0_12, memory, sizeof(memory), 0);
 *   gt_batch_begin(&draft, &batch, GT_BATCH_LOG, 1);
 *   gt_draft_name(&draft, "tick", 4);
 *   gt_draft_field(&draft, "count", 5, "40", 2);
 *   if (!gt_draft_end(&draft, &(struct gt_batch_numbers){.tsc = now}))
 *           it does not fit, or this wire has no such event: as if never begun
 *   send(memory, gt_batch_finish(&batch, 0));
 *   gt_batch_clear(&batch);
 *
 * Texts need not be UTF-8: U+FFFD takes the place of what is not. At any moment
 * the batch is whole without the draft.
 */
#ifndef GUESTTRACE_BATCH_H
#define GUESTTRACE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <guesttrace/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers of the wire. 0.11 has the first three. */
enum gt_batch_event {
	GT_BATCH_OPEN = 1,
	GT_BATCH_CLOSE = 2,
	GT_BATCH_LOG = 3,
	GT_BATCH_EDIT = 4,
	GT_BATCH_START = 5,
};

/* Some stores are 8 bytes wide whatever is left: the end is never reached. */
#define GT_BATCH_SLACK 8u

struct gt_batch {
	uint8_t *memory; /* aligned to 8 bytes */
	enum gt_wire wire;
	uint32_t bytes_max;  /* of a batch */
	uint32_t bytes;      /* below lie whole events; a multiple of 8 */
	uint32_t events;     /* that many */
	uint32_t events_max; /* 0.11 */
};

/* What an event has beside texts; a kind of event uses some of it. */
struct gt_batch_numbers {
	uint64_t id;     /* of the span; of a log event: its parent, 0 = none */
	uint64_t parent; /* of a span, if it has one */
	uint64_t tsc;
	bool has_parent;
};

/* An event that is being written behind the whole ones. */
struct gt_draft {
	struct gt_batch *batch;
	uint8_t *start; /* of what it adds */
	uint8_t *at;    /* of the next byte */
	uint8_t *end;   /* of the memory */
	uint8_t *table;
	uint8_t *fields; /* vector: a count, offsets; then their tables */
	enum gt_batch_event kind;
	uint32_t field_count; /* of keys */
	uint32_t value_count;
	uint32_t field_max;
	bool is_full;         /* it did not fit */
	bool is_cutting;      /* texts are cut to `spare` */
	uint32_t spare_bytes; /* beyond what is set aside for short texts */
	uint64_t cut_bytes;
};

/* `events_max` is of 0.11, and less if the memory cannot hold so many. */
void gt_batch_init(struct gt_batch *batch, enum gt_wire wire, void *memory,
                   size_t bytes, uint32_t events_max);

/* Forgets the events. */
void gt_batch_clear(struct gt_batch *batch);

/* Makes the bytes a batch and returns how many; `start_tsc` is of 0.11. */
size_t gt_batch_finish(struct gt_batch *batch, uint64_t start_tsc);

/* Begins an event of up to `field_max` fields. OPEN and LOG need a name. */
void gt_batch_begin(struct gt_draft *draft, struct gt_batch *batch,
                    enum gt_batch_event kind, uint32_t field_max);

void gt_draft_name(struct gt_draft *draft, const void *text, size_t count);

/* OPEN only, where it is needed. */
void gt_draft_target(struct gt_draft *draft, const void *text, size_t count);

void gt_draft_field(struct gt_draft *draft, const void *key, size_t key_count,
                    const void *value, size_t value_count);

/* Adds the event to the batch. False: it did not fit, nothing has changed. */
bool gt_draft_end(struct gt_draft *draft,
                  const struct gt_batch_numbers *numbers);

#ifdef __cplusplus
}
#endif

#endif
