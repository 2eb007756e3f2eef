/* SPDX-License-Identifier: MIT */
/*
 * The open spans of one VM and what they have said so far. Bounded by a number
 * of spans and a number of bytes; spans stay where they are while they live.
 */
#ifndef GT_HOST_OPENTABLE_H
#define GT_HOST_OPENTABLE_H

#include "host/decode/sites.h"

#include <guesttrace/keyed_hash.h>

struct gt__stack;
struct gt__chunk;
struct gt__trace;

/* A place in a context's stack, for the times a span was entered in a row. */
struct gt__entry {
	struct gt__open_span *span;
	struct gt__stack *stack; /* NULL: it is nowhere */
	struct gt__entry *below, *above;
	struct gt__entry *earlier; /* of the same span */
	uint32_t level;            /* of the record that entered it */
	uint32_t turn;             /* gt__vcpu_spans.turns then */
	uint32_t times;
	/* Of the stack's pushes; 0: on the guest's word alone. */
	uint64_t order;
	bool scope; /* by the record that opened the span */
};

struct gt__open_span {
	uint64_t id;     /* as the guest numbers it */
	uint64_t parent; /* likewise; 0 = none */
	uint64_t start_ns;
	/* Of a scope whose close was lost, or is to come: since when, where. */
	uint64_t left_ns, left_in;
	uint64_t sequence;
	uint64_t dropped_events;
	uint64_t dropped_fields;
	const struct gt__site *site;
	/* What it has said: items, one behind the other, through the chunks. */
	struct gt__chunk *first, *last;
	size_t item_bytes;
	/* By age, for eviction. */
	struct gt__open_span *older, *newer;
	struct gt__entry *entries; /* where it is entered, the latest first */
	uint32_t entry_count;
	uint32_t hash;          /* of the id */
	struct gt__entry entry; /* memory for one of them: most have one */
	uint32_t vcpu;
	uint32_t level;
	unsigned flags; /* enum gt_span_flag */
	uint32_t fields; /* it has said */
	bool scoped;    /* opened by GT_RECORD_SPAN */
	bool parent_remote;
	bool has_events; /* among what it has said */
	bool begins;     /* its part of `trace`, where its parent has none */
	uint8_t said;    /* enum gt__saying: such fields were understood */
	struct gt__trace *trace; /* NULL: the run's; a reference */
};

/* One thing a span has said; `body_bytes` of a record's values follow it. */
struct gt__item {
	const struct gt__site *site;
	uint64_t time_ns;
	uint64_t sequence;
	uint32_t body_bytes;
	uint32_t vcpu;
	uint32_t level;
	uint32_t flags;
};

struct gt__open_table {
	uint32_t count;
	uint32_t count_max;
	size_t bytes; /* of chunks in use */
	size_t bytes_max;
	struct gt__open_span *oldest, *newest;
	/* The rest is the table's own. */
	struct gt__hash_key key;
	struct gt__open_span **index; /* open addressing by id */
	uint32_t index_mask;
	struct gt__open_span *free_spans;
	struct gt__chunk *free_chunks;
	void *blocks; /* all memory, linked */
};

void gt__open_table_init(struct gt__open_table *table, uint32_t count_max,
                         size_t bytes_max, struct gt__hash_key key);
void gt__open_table_fini(struct gt__open_table *table);

/* What the other two want of an id: hashing it is most of their work. */
uint32_t gt__open_table_hash(const struct gt__open_table *table, uint64_t id);
struct gt__open_span *gt__open_table_at(const struct gt__open_table *table,
                                        uint64_t id, uint32_t hash);
/* A new, zeroed span, the newest. NULL: no memory, or the table is full. */
struct gt__open_span *gt__open_table_add(struct gt__open_table *table,
                                         uint64_t id, uint32_t hash);
struct gt__open_span *gt__open_table_find(const struct gt__open_table *table,
                                          uint64_t id);
void gt__open_table_remove(struct gt__open_table *table,
                           struct gt__open_span *span);

/* Adds an item to the span. False: over the quota, or no memory. */
bool gt__open_table_say(struct gt__open_table *table,
                        struct gt__open_span *span, const struct gt__item *item,
                        const void *body);

/*
 * All items of the span in one piece. `*buffer` of `*buffer_bytes` grows as
 * needed and stays the caller's. NULL: nothing said, or no memory.
 */
const uint8_t *gt__open_table_items(const struct gt__open_span *span,
                                    uint8_t **buffer, size_t *buffer_bytes);

#endif
