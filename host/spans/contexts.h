/* SPDX-License-Identifier: MIT */
/*
 * The stack of entered spans of each context (a guest's thread, task, request)
 * on each vCPU. The spans themselves are the links: a context is one pointer.
 */
#ifndef GT_HOST_CONTEXTS_H
#define GT_HOST_CONTEXTS_H

#include "opentable.h"

struct gt__context {
	uint64_t number; /* the guest's */
	uint32_t vcpu;
	bool in_use; /* current on its vCPU */
	struct gt__open_span *top;
	/* Parent where the stack is empty: entered before we could see it. */
	uint64_t unseen_parent;
	struct gt__context *next; /* of the same bucket */
};

#define GT__CONTEXT_BUCKETS 64u

struct gt__contexts {
	struct gt__context *buckets[GT__CONTEXT_BUCKETS];
	uint32_t count, count_max;
	uint32_t patience; /* misses to go until the next sweep */
	uint64_t key;
	struct gt__context overflow; /* shared by all that found no room */
};

/* `key` is random, so that no guest can choose numbers that collide. */
void gt__contexts_init(struct gt__contexts *contexts, uint32_t count_max,
                       uint64_t key);
void gt__contexts_fini(struct gt__contexts *contexts);

/*
 * The context, a new one if need be. With no room left after the idle ones are
 * forgotten, the shared one; idle ones are looked for now and then only, so
 * that a call costs little however many there are. Never NULL.
 */
struct gt__context *gt__context_get(struct gt__contexts *contexts,
                                    uint32_t vcpu, uint64_t number);

/* Puts the span on top, taking it from wherever it stood. */
void gt__context_push(struct gt__context *context, struct gt__open_span *span);
/* Puts the whole stack of `from` on top: its thread now runs elsewhere. */
void gt__context_move(struct gt__context *context, struct gt__context *from);
/* Takes the span out of its stack, if it stands in one. */
void gt__context_remove(struct gt__open_span *span);

#endif
