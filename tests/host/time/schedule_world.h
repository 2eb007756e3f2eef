/* SPDX-License-Identifier: MIT */
/* What the files of the schedules share: vCPUs, and what they record. */
#ifndef GUESTTRACE_TESTS_SCHEDULE_WORLD_H
#define GUESTTRACE_TESTS_SCHEDULE_WORLD_H

#include "host/time/tscmap.h"
#include "schedule.h"

#define OPEN_WORK 4u

extern struct schedule_world {
	struct gt_host *host;
	uint32_t vcpus;
	struct gt__tsc tsc[SCHEDULE_VCPUS]; /* since the latest entry */
	bool inside[SCHEDULE_VCPUS];
	unsigned restores;
	uint64_t first_read_ps; /* of a call of the host's; 0: none yet */
	struct schedule_turns *turning;
	uint64_t made, made_max, work;
	uint64_t open_work[OPEN_WORK], open_number[OPEN_WORK];
	uint32_t open_vcpu[OPEN_WORK];
	uint64_t *making;    /* where the record's time goes */
	unsigned depth;      /* of what happens within records */
	bool scaled, moving; /* TSCs of guests */
	bool interrupts;     /* something happens within records */
	unsigned pace_bits;  /* ticks between two things */
	size_t ring_bytes, nested_bytes;
	void (*judge)(struct schedule_seen *seen, const char *what);
} world;

/* Of the guest. */
extern struct gt_vcpu vcpus[SCHEDULE_VCPUS];

bool one_in(uint64_t n);
/* The test itself cannot go on with such a result. */
void must(int r, const char *what);

uint64_t guest_tsc(uint32_t vcpu, uint64_t host_tsc);
void random_tsc(struct gt__tsc *tsc);
void read_clock(void *context, struct gt_clock_reading *ret_reading);
void pause_for(unsigned bits); /* up to 2^bits ticks */

void enter(uint32_t vcpu);
void leave_for(uint32_t vcpu, enum gt_exit_reason reason);

/* A record of the vCPU, or two. */
void record(uint32_t vcpu);

#endif
