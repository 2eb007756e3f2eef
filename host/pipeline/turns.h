/* SPDX-License-Identifier: MIT */
/*
 * A tick for each of some vCPUs, and which of them has the least: a tournament,
 * so that one of a thousand costs ten steps.
 */
#ifndef GT_HOST_TURNS_H
#define GT_HOST_TURNS_H

#include <stdint.h>

/* The tick of one that has none. */
#define GT__NEVER UINT64_MAX

struct gt__turns {
	uint64_t *least; /* of node n those at 2 n and 2 n + 1 take part */
	uint32_t leaves; /* a power of two; theirs are the last nodes */
};

/* All have tick `at`; -ENOMEM. `count` is 1 to GT_VCPUS_MAX. */
int gt__turns_init(struct gt__turns *turns, uint32_t count, uint64_t at);
void gt__turns_fini(struct gt__turns *turns);

void gt__turns_set(struct gt__turns *turns, uint32_t number, uint64_t tick);

/* The least tick of all. */
static inline uint64_t gt__turns_least(const struct gt__turns *turns)
{
	return turns->least[1];
}

/* Who has it: of several the one with the least number. */
uint32_t gt__turns_first(const struct gt__turns *turns);
/* The least tick of the others; GT__NEVER if there is none. */
uint64_t gt__turns_after(const struct gt__turns *turns, uint32_t number);

#endif
