/* SPDX-License-Identifier: MIT */
/*
 * The stack of entered spans of each context (a guest's thread, task, request)
 * on each vCPU. A span may stand in several and more than once in each: as
 * often as it was entered.
 */
#ifndef GT_HOST_CONTEXTS_H
#define GT_HOST_CONTEXTS_H

#include "opentable.h"

/* Apart from its context, which may give it to another one as a whole. */
struct gt__stack {
	struct gt__context *context; /* that has it */
	struct gt__entry *top;
	/* Of entries up to this place in the order something may be missing
	 * above them. */
	uint64_t doubted, pushes;
	uint32_t loose; /* entries that are no scopes */
};

struct gt__context {
	uint64_t number; /* the guest's */
	uint32_t vcpu;
	bool in_use; /* current on its vCPU */
	struct gt__stack *stack;
	/* Parent where the stack is empty: entered before we could see it. */
	uint64_t unseen_parent;
	bool doubtful;            /* where it is empty: so much is missing */
	struct gt__context *next; /* of the same bucket */
};

#define GT__CONTEXT_BUCKETS  64u /* at first, and what needs no memory */
#define GT__ENTRIES_PER_SPAN 64u /* they are searched one by one */

struct gt__contexts {
	struct gt__context **buckets;
	uint32_t bucket_mask;
	struct gt__context *first_buckets[GT__CONTEXT_BUCKETS];
	uint32_t count, count_max;
	uint32_t patience; /* misses to go until the next sweep */
	struct gt__hash_key key;
	struct gt__context overflow; /* shared by all that found no room */
	struct gt__stack overflow_stack;
	/* Memory for entries beyond the first of each span. */
	struct gt__entry *free_entries;
	uint32_t entries, entries_max;
};

/*
 * At most `entries_max` enterings are kept beyond the first of each span. The
 * contexts must stay where they are.
 */
void gt__contexts_init(struct gt__contexts *contexts, uint32_t count_max,
                       uint32_t entries_max, struct gt__hash_key key);
void gt__contexts_fini(struct gt__contexts *contexts);

/*
 * The context, a new one if need be. With no room left after the idle ones are
 * forgotten, the shared one; idle ones are looked for now and then only, so
 * that a call costs little however many there are. Never NULL.
 */
struct gt__context *gt__context_get(struct gt__contexts *contexts,
                                    uint32_t vcpu, uint64_t number);

/*
 * Puts the span on top, once more if it is entered already. Its entry; over the
 * limits it is the latest one of the span, moved. Never NULL.
 */
struct gt__entry *gt__context_push(struct gt__contexts *contexts,
                                   struct gt__stack *stack,
                                   struct gt__open_span *span, uint32_t level,
                                   uint32_t turn);
/* The entry is that of a scope, by the record that opened its span. */
void gt__context_is_scope(struct gt__entry *entry);
/*
 * Gives the stack of `from` to the context, whose own is empty: its thread now
 * runs elsewhere. However many spans are entered, that is one step.
 */
void gt__context_move(struct gt__context *context, struct gt__context *from);
/* Whether `entry` is where it is by records of which none is missing. */
static inline bool gt__context_is_sure(const struct gt__entry *entry)
{
	return entry->order > entry->stack->doubted;
}
/* The latest entry of the span in the stack; NULL: none. */
struct gt__entry *gt__context_find(const struct gt__stack *stack,
                                   const struct gt__open_span *span);
/* Undoes one entering. */
void gt__context_leave(struct gt__contexts *contexts, struct gt__entry *entry);
/* The entry is gone, however often the span was entered there. */
void gt__context_remove(struct gt__contexts *contexts, struct gt__entry *entry);

#endif
