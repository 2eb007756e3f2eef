/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

void gt__seen_fini(struct gt__seen *seen)
{
	free(seen->gaps);
	*seen = (struct gt__seen){.count = 0};
}

void gt__seen_restart(struct gt__seen *seen)
{
	memset(seen->last, 0, sizeof(seen->last));
	seen->count = 0;
}

static bool has_room(struct gt__seen *seen)
{
	uint32_t room = seen->room ? 2 * seen->room : 4;
	struct gt__gap *grown;

	if (seen->count < seen->room)
		return true;
	if (room > GT__GAPS_MAX) {
		seen->count--;
		memmove(seen->gaps, seen->gaps + 1,
		        seen->count * sizeof(*seen->gaps));
		return true;
	}
	grown = realloc(seen->gaps, room * sizeof(*grown));
	if (!grown)
		return false;
	seen->gaps = grown;
	seen->room = room;
	return true;
}

void gt__seen_gap(struct gt__seen *seen, uint64_t from, uint64_t to)
{
	if (from < to && has_room(seen))
		seen->gaps[seen->count++] = (struct gt__gap){from, to};
}

enum gt__seen_state gt__seen_state(const struct gt__seen *seen, uint64_t id)
{
	/* Positions are multiples of 8: the low bits say what the id is of. */
	if (!(id & GT_ID_MARK))
		return GT__SEEN_NEVER;
	for (uint32_t i = 0; i < seen->count; i++)
		if (id >= seen->gaps[i].from && id < seen->gaps[i].to &&
		    (id & (GT_LEVELS - 1)) ==
		            (seen->gaps[i].from & (GT_LEVELS - 1)))
			return GT__SEEN_NEVER;
	return id > seen->last[id & (GT_LEVELS - 1)] ? GT__SEEN_TO_COME
	                                             : GT__SEEN_BEFORE;
}
