/* SPDX-License-Identifier: MIT */
/*
 * A sink may see several runs at once: what it keeps of each hangs in a list.
 * A sink's own struct begins with this one.
 */
#ifndef GUESTTRACE_RUNS_H
#define GUESTTRACE_RUNS_H

#include <stdlib.h>
#include <guesttrace/export.h>

struct gt__run {
	struct gt__run *next;
	const struct gt_trace *trace; /* gone when a sink is freed early */
	uint32_t vcpus;
};

/* NULL if `trace` was never begun. The one last found is found first. */
static inline void *gt__run_find(struct gt__run **runs,
                                 const struct gt_trace *trace)
{
	struct gt__run **at = runs, *run;

	while (*at && (*at)->trace != trace)
		at = &(*at)->next;
	run = *at;
	if (run && at != runs) {
		*at = run->next;
		run->next = *runs;
		*runs = run;
	}
	return run;
}

/* Zeroed, `size` bytes, begun with a struct gt__run; or NULL. */
static inline void *gt__run_add(struct gt__run **runs,
                                const struct gt_trace *trace, size_t size)
{
	struct gt__run *run = calloc(1, size);

	if (run) {
		run->trace = trace;
		run->vcpus = trace->vcpus;
		run->next = *runs;
		*runs = run;
	}
	return run;
}

/* Takes a run found just now out of the list; the caller frees it. */
static inline void gt__run_remove(struct gt__run **runs, struct gt__run *run)
{
	while (*runs != run)
		runs = &(*runs)->next;
	*runs = run->next;
}

#endif
