/* SPDX-License-Identifier: MIT */
/*
 * When a vCPU was in the guest: entries, exits and the VMM's own work, waiting
 * for the records that lie between them. An edge is shown when the records
 * before it have been: so the host's stretches find the guest span they belong
 * to. Ticks count from the first reading of the trace, as in clock.h.
 */
#ifndef GT_HOST_EDGES_H
#define GT_HOST_EDGES_H

#include <guesttrace/host.h>

enum gt__edge_kind {
	GT__EDGE_ENTER,
	GT__EDGE_EXIT,
	GT__EDGE_WORK,
};

struct gt__edge {
	uint64_t tick;
	uint64_t waited_ns; /* in the stretch that ends here */
	enum gt__edge_kind kind;
	uint16_t reason, port; /* EXIT */
	bool tracing;          /* EXIT: a doorbell */
	struct gt__work *work; /* WORK: owned by the edge */
};

struct gt__work {
	uint64_t number, parent; /* parent 0: what the guest was doing */
	uint64_t end_tick;
	size_t name_bytes;
	char name[]; /* valid UTF-8 */
};

/* An edge and its place: by turn, then tick, then sequence. */
struct gt__waiting {
	struct gt__edge edge;
	uint64_t turn; /* entries and exits up to it */
	uint64_t tick; /* of WORK; an entry or exit is the first of its turn */
	uint64_t sequence; /* as it was added */
};

struct gt__edges {
	struct gt__waiting *edges; /* [first, count) wait, in order */
	uint32_t first, count, room;
	/* Work that began before what was added before it: a heap. */
	struct gt__waiting *late;
	uint32_t late_count, late_room;
	uint64_t turns, added;
	uint64_t last_tick; /* of the latest entry or exit that was added */
	bool any, inside;   /* the latest was an entry */
	/* As shown so far: */
	bool entered; /* there was an entry */
	bool out;     /* the vCPU is out of the guest since `since_ns` */
	uint64_t since_tick, since_ns;
	unsigned since_flags; /* enum gt_span_flag */
	struct gt__edge exit; /* why it is out */
	uint64_t parent_id;   /* exported: innermost guest span at that exit */
};

void gt__edges_fini(struct gt__edges *timeline);

/*
 * Adds an entry or exit, at most `max` of all kinds. Not if it is out of order,
 * or repeats the entry that is known. 0, -EINVAL, -ENOSPC, -ENOMEM; after an
 * error the edge's work is still the caller's.
 */
int gt__edges_add(struct gt__edges *timeline, const struct gt__edge *edge,
                  uint32_t max);

static inline uint32_t gt__edges_count(const struct gt__edges *timeline)
{
	return timeline->count - timeline->first + timeline->late_count;
}

/* The next edge; NULL: none waits. Until the next call for this timeline. */
const struct gt__edge *gt__edges_peek(const struct gt__edges *timeline);

/* Takes it; its work becomes the caller's. */
struct gt__edge gt__edges_take(struct gt__edges *timeline);

#endif
