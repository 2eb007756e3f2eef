/* SPDX-License-Identifier: MIT */
/* What a first pass over a guest's records sees: when they were, what is lost.
 */
#ifndef GT_CLI_FIRST_PASS_H
#define GT_CLI_FIRST_PASS_H

#include <guesttrace/export.h>

/* The least and greatest TSC of all records, read as if a tick were a ns. */
struct seen {
	struct gt_sink sink; /* first, so that a sink is what it has seen */
	uint64_t first, last;
	uint64_t records;
	uint64_t bytes; /* of records */
	uint64_t taken, lost, overwritten_bytes, bad_records;
};

/* With nothing seen, its sink ready. */
struct seen seen_begin(void);
/* Complains of records that are missing in what `name` holds, if some are. */
void seen_say_losses(const struct seen *seen, const char *name);

#endif
