/* SPDX-License-Identifier: MIT */
/*
 * A VMM that knows the true time of all that it and its guests do: random
 * schedules of entries, exits, drains, samples, idle hours, snapshots and
 * restores. The guest library records, the host library reads; neither knows
 * the truth, which is in tests/support/truth.c alone.
 */
#ifndef GUESTTRACE_TESTS_SCHEDULE_H
#define GUESTTRACE_TESTS_SCHEDULE_H

#include "tests/support/memfile.h"
#include "tests/support/truth.h"

#include <guesttrace/host.h>

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_VCPUS   64u
#define SCHEDULE_RECORDS (1u << 21)

extern struct truth schedule_truth;
/* When record `i` was made, in ps. */
extern uint64_t schedule_made[SCHEDULE_RECORDS];

/* When a vCPU entered and left, in turn. */
struct schedule_turns {
	uint64_t *ps;
	size_t count, room;
};
extern struct schedule_turns schedule_turns[SCHEDULE_VCPUS];

/* When the VMM's piece of work `i` began and ended. */
#define SCHEDULE_WORK 4096u
extern uint64_t schedule_work[SCHEDULE_WORK][2];

/*
 * A TSC has moved, and its VMM could not say so before others had the records
 * taken; or a snapshot has records of a life before the latest few. Such times
 * are flagged.
 */
extern bool schedule_moved, schedule_restored;

/* What a sink saw of one trace. */
struct schedule_seen {
	struct gt_sink sink;
	/* Farthest off of all that is not flagged, and of which record. */
	uint64_t worst_ps, worst_at;
	const char *worst_of;
	uint64_t records, hash;
	size_t turns[SCHEDULE_VCPUS]; /* seen so far */
	struct gt_summary summary;
	bool ended;
};
void schedule_sink(struct schedule_seen *seen);

/*
 * Runs schedule `number`. `shown` is what the sinks saw, `capture` what was
 * written. Snapshots are replayed and judged by `judge` on the way.
 */
void schedule_run(uint64_t number, struct schedule_seen *shown,
                  struct memfile *capture,
                  void (*judge)(struct schedule_seen *seen, const char *what));

void schedule_replay(struct memfile *file, struct schedule_seen *seen);

#endif
