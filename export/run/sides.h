/* SPDX-License-Identifier: MIT */
/* What a difference keeps of its traces when these are gone: one side of it. */
#ifndef GUESTTRACE_SIDES_H
#define GUESTTRACE_SIDES_H

#include "collect.h"

struct gt__durations {
	uint64_t *ns; /* sorted by gt__side_close(), but those of traces */
	uint32_t count, size;
};

struct gt__kept {
	/* Of all traces of the side; count and times are those of an average
	 * one, without a split. First: what points to it points to this. */
	struct gt__name name;
	uint64_t guest_ns;           /* of its total: in the guest */
	uint64_t exits_ns;           /* and out of it, with exits for tracing */
	struct gt__durations spans;  /* of each that was seen whole */
	struct gt__durations guests; /* of the same: in the guest */
	struct gt__durations medians; /* of each trace that has it */
	struct gt__durations totals;  /* of each trace, never sorted, */
	struct gt__durations traces;  /* and which one that is, from 0 */
};

struct gt__side {
	void *tree;              /* of tsearch(3): struct gt__kept */
	struct gt__kept **names; /* by name, target, by, when it is closed */
	uint32_t count, size;
	uint32_t traces;
};

/* False: out of memory. */
bool gt__add_duration(struct gt__durations *durations, uint64_t ns);
/* Of qsort(3), of struct gt__name. */
int gt__compare_names(const void *left, const void *right);
/* Adds a trace. False: out of memory, here and below. */
bool gt__side_add(struct gt__side *side, const struct gt__collect *c);
/* When all are there: sorts, and finds the numbers of an average trace. */
void gt__side_close(struct gt__side *side, enum gt_sort sort);
void gt__side_fini(struct gt__side *side);

#endif
