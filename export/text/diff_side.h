/* SPDX-License-Identifier: MIT */
/* What a difference keeps of a trace when that is gone. */
#ifndef GUESTTRACE_DIFF_SIDE_H
#define GUESTTRACE_DIFF_SIDE_H

#include "export/run/collect.h"

/* The names of one trace, without their splits; the texts are behind them. */
struct gt__side {
	struct gt__name *names; /* by name, target, by; to be freed */
	uint32_t count;
};

/* Of qsort(3). */
int gt__compare_names(const void *left, const void *right);
/* False: out of memory. */
bool gt__keep_names(struct gt__side *side, const struct gt__collect *c);

#endif
