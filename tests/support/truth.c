/* SPDX-License-Identifier: MIT */
#include "truth.h"

__extension__ typedef __int128 i128;

#define SECOND_PS UINT64_C(1000000000000)

uint64_t truth_state = UINT64_C(88172645463325252);

uint64_t truth_random(uint64_t below)
{
	truth_state ^= truth_state << 13;
	truth_state ^= truth_state >> 7;
	truth_state ^= truth_state << 17;
	return (truth_state * UINT64_C(0x2545f4914f6cdd1d) >> 11) % below;
}

uint64_t truth_step(unsigned bits)
{
	return 1 + truth_random(UINT64_C(1) << (1 + truth_random(bits)));
}

/* Half of the steps are as large as can be. */
static void step(struct truth *truth)
{
	static const int64_t most = 500000;

	truth->ppb = (int64_t)truth_random(2 * (uint64_t)most + 1) - most;
	if (truth_random(2))
		truth->ppb = truth->ppb < 0 ? -most : most;
	truth->next_step_ps =
		truth->ps + SECOND_PS / 2 + truth_random(SECOND_PS);
}

struct truth truth_make(void)
{
	struct truth truth = {
		.tsc = truth_random(2) ? truth_random(UINT64_C(1) << 50)
	                               : UINT64_MAX - truth_random(1u << 30),
		.ps = SECOND_PS + truth_random(1u << 30),
		.hz = UINT64_C(1000000000) + truth_random(4000000000),
		.gap_ns = UINT64_C(1) << (1 + truth_random(6)),
	};

	step(&truth);
	truth.next_step_ps -= truth_random(SECOND_PS / 2);
	return truth;
}

static void run(struct truth *truth, uint64_t ticks)
{
	int64_t ppb = truth->ppb + (int64_t)truth_random(20001) - 10000;
	i128 ps = (i128)ticks * (i128)SECOND_PS / (i128)truth->hz;

	truth->tsc += ticks;
	truth->ps += (uint64_t)(ps + ps * ppb / 1000000000);
}

void truth_go_on(struct truth *truth, uint64_t ticks)
{
	while (ticks > 0) {
		/* A step comes within a part in ten of where it is due. */
		uint64_t due_ps = truth->next_step_ps - truth->ps;
		uint64_t due = (uint64_t)((i128)due_ps * (i128)truth->hz /
		                          (i128)SECOND_PS);
		uint64_t part = ticks < due ? ticks : due + 1;

		run(truth, part);
		ticks -= part;
		if (truth->ps >= truth->next_step_ps)
			step(truth);
	}
}

struct truth_reading truth_read(const struct truth *truth)
{
	struct truth_reading reading = {.tsc = truth->tsc};
	int64_t off_ns;

	/* Now and then the thread lost its CPU in between. */
	reading.gap_ns = truth->gap_ns / 2 + 1 + truth_random(truth->gap_ns);
	if (truth_random(500) == 0)
		reading.gap_ns = 1000 + truth_random(5000000);
	off_ns = (int64_t)truth_random(2 * reading.gap_ns - 1) -
	         (int64_t)(reading.gap_ns - 1);
	if (truth_random(2))
		off_ns = (off_ns < 0 ? -1 : 1) * (int64_t)(reading.gap_ns - 1);
	reading.ns = truth->ps / 1000 + (uint64_t)off_ns;
	return reading;
}
