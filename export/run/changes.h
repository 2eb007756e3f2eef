/* SPDX-License-Identifier: MIT */
/* What changed from one side to the other, and what of that is noise. */
#ifndef GUESTTRACE_CHANGES_H
#define GUESTTRACE_CHANGES_H

#include "ranks.h"
#include "sides.h"

enum gt__verdict {
	GT__NOT_TESTED, /* a side has no whole span of that name */
	GT__NOISE,
	GT__SLOWER,
	GT__FASTER,
};

/* From so many traces a side on each of them counts as one. */
#define GT__TRACES_ENOUGH 8u

struct gt__change {
	const struct gt__kept *before, *after; /* NULL: it has no such name */
	uint64_t impact;                       /* how much its weight changed */
	bool by_traces;          /* what is compared: medians of traces */
	struct gt__ranks ranks;  /* `p` is corrected for all that were tested */
	struct gt__ranks guests; /* the same of the time in the guest, if asked */
	enum gt__verdict verdict;
};

/*
 * Of sides that are closed; those whose weight changed the most first. To be
 * freed; NULL: out of memory.
 *
 * It is a change if a corrected p is below GT__RANKS_P. Between two traces each
 * span is held against each one; of a few traces a side all medians of one must
 * be beyond all of the other as well, for traces differ where spans of one do
 * not; of many traces it is their medians that are held against each other.
 */
struct gt__change *gt__find_changes(const struct gt__side *before,
                                    const struct gt__side *after, bool guests,
                                    uint32_t *ret_count);

#endif
