/* SPDX-License-Identifier: MIT */
/*
 * Which records of the rings have been shown: an id is the place of the record
 * that opened its span, so of a span that is not open this tells whether it has
 * ended, is still to come, or was never seen.
 */
#ifndef GT_HOST_SEEN_H
#define GT_HOST_SEEN_H

#include <guesttrace/abi.h>

#include <stdbool.h>
#include <stdint.h>

/* Of one vCPU; what lies before older ones counts as seen. */
#define GT__GAPS_MAX 64u

/* Zeroed is a valid beginning. */
struct gt__seen {
	uint64_t last[GT_LEVELS]; /* ids that the latest records would give */
	struct gt__gap {
		uint64_t from, to; /* ids of what is missing: [from, to) */
	} * gaps;                  /* the oldest first */
	uint32_t count, room;
};

void gt__seen_fini(struct gt__seen *seen);
/* The ring starts anew. */
void gt__seen_restart(struct gt__seen *seen);

/* Ids [from, to) of a level will never be shown. Without memory they count as
 * seen. */
void gt__seen_gap(struct gt__seen *seen, uint64_t from, uint64_t to);

enum gt__seen_state {
	GT__SEEN_NEVER, /* lost; or no id of this vCPU's rings */
	GT__SEEN_TO_COME,
	GT__SEEN_BEFORE, /* and so, if it is not open, ended */
};

/* Of an id of this vCPU. */
enum gt__seen_state gt__seen_state(const struct gt__seen *seen, uint64_t id);

#endif
