/* SPDX-License-Identifier: MIT */
/*
 * On which track a span is drawn. A timeline viewer keeps one stack per track:
 * a begin pushes, an end pops whatever is on top, after sorting by time. Spans
 * need not nest, so they are spread over tracks that do:
 *
 *  - one thread track per vCPU, for spans entered there whose parent is the top
 *    of that track, or that stand at its bottom; also for handlers, which
 *    interrupt whatever is on top;
 *  - lanes of the vCPU for all others; a child goes onto the lane of which its
 *    parent is the top, and an empty lane is used again.
 *
 * When a span ends that is not on top, all above it end with it and begin again
 * at that moment, each on a lane of its own ("continued"), so that every
 * stretch has its true times. At the bottom of a lane a span is never split
 * again: the work is linear whatever a guest does.
 *
 * One vCPU's times rise, but a span may be closed by another vCPU, whose time
 * is behind or ahead. Where a span has to end before another above it that has
 * been ended already, its end cannot go there any more: it moves to that one's
 * end, and the caller notes the true time.
 *
 * Memory: 56 bytes per open span, 40 per track, at most GT__LANES_OPEN_MAX open
 * spans; a span beyond that has no track and is not drawn.
 */
#ifndef GUESTTRACE_LANES_H
#define GUESTTRACE_LANES_H

#include <guesttrace/export.h>
#include <guesttrace/keyed_hash.h>

#define GT__LANES_OPEN_MAX (1u << 20)
#define GT__NONE           UINT32_MAX

struct gt__lane_span {
	uint64_t id;
	uint64_t begin_ns; /* of its last stretch */
	const struct gt_site_view *site;
	uint32_t track;
	uint32_t above; /* span, or GT__NONE */
	uint32_t below; /* span, or GT__NONE */
	uint32_t chain; /* next in its hash chain, or among the unused */
	uint32_t hash;
	uint32_t opening_fields;
	bool continued; /* its stretch is not the first */
	bool begun;     /* the sink's own: it has written the beginning */
};

struct gt__track {
	uint32_t vcpu;
	uint32_t lane;    /* 0 = thread track, else from 1 within the vCPU */
	uint32_t top;     /* span, or GT__NONE */
	uint32_t next;    /* empty lane of the vCPU */
	uint64_t last_ns; /* latest begin or end on it */
	uint64_t last_end_ns; /* latest end on it */
	bool described;       /* the sink's own: it has named the track */
};

struct gt__vcpu_tracks {
	uint32_t thread; /* track, or GT__NONE until first used */
	uint32_t empty;  /* lane, or GT__NONE */
	uint32_t lanes;  /* how many there are */
};

struct gt__lanes {
	struct gt__lane_span *spans;
	uint32_t span_count, span_size, unused, open;
	uint32_t *chains;
	uint32_t chain_mask;
	struct gt__hash_key key; /* since there are chains */
	uint64_t hashed_id;      /* the last one, */
	uint32_t hash;           /* and what it gave */
	uint32_t recent;         /* span; it may be closed */
	struct gt__track *tracks;
	uint32_t track_count, track_size;
	struct gt__vcpu_tracks *vcpus;
	uint32_t vcpu_count;
};

/* Zeroed is a valid beginning. */
void gt__lanes_fini(struct gt__lanes *lanes);

/* Finds the span of an exported id: an index into `spans`, or GT__NONE. */
uint32_t gt__lanes_find(struct gt__lanes *lanes, uint64_t id);

/*
 * Puts a span onto a track; its id must not be open. Returns 0 and its index,
 * or GT__NONE if there are too many; or -ENOMEM.
 */
int gt__lanes_open(struct gt__lanes *lanes, const struct gt_span_view *span,
                   uint32_t *ret_index);

/*
 * To end a span at `at` = gt__lanes_end_ns(): end gt__lanes_above() spans and
 * then itself, all on its track; begin again what gt__lanes_pull() yields until
 * that is GT__NONE; call gt__lanes_close().
 */
uint64_t gt__lanes_end_ns(const struct gt__lanes *lanes, uint32_t index,
                          uint64_t end_ns);
uint32_t gt__lanes_above(const struct gt__lanes *lanes, uint32_t index,
                         uint64_t at);
int gt__lanes_pull(struct gt__lanes *lanes, uint32_t index, uint64_t at,
                   uint32_t *ret_index);
void gt__lanes_close(struct gt__lanes *lanes, uint32_t index, uint64_t at);

/* The track where an event of this vCPU and span is drawn; 0 or -ENOMEM. */
int gt__lanes_event(struct gt__lanes *lanes, uint32_t vcpu, uint64_t span_id,
                    uint32_t *ret_track);

#endif
