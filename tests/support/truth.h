/* SPDX-License-Identifier: MIT */
/*
 * Two clocks as they truly go on: a TSC, and a CLOCK_MONOTONIC that the kernel
 * slews as docs/clocks.md says. In picoseconds, finer than anything claimed.
 */
#ifndef GUESTTRACE_TESTS_TRUTH_H
#define GUESTTRACE_TESTS_TRUTH_H

#include <stdint.h>

struct truth {
	uint64_t tsc;
	uint64_t ps;
	uint64_t hz;
	int64_t ppb; /* how much faster the kernel's clock is now */
	uint64_t next_step_ps;
	uint64_t gap_ns; /* most of a reading that nothing came between */
};

/* xorshift64*; not 0. */
extern uint64_t truth_state;
uint64_t truth_random(uint64_t below);
/* 1..2^bits, small as often as large. */
uint64_t truth_step(unsigned bits);

struct truth truth_make(void);
/* So many ticks later; the rate wanders, and now and then steps. */
void truth_go_on(struct truth *truth, uint64_t ticks);

/* A reading with a random gap, and off by less than that; it takes no time. */
struct truth_reading {
	uint64_t tsc, ns, gap_ns;
};
struct truth_reading truth_read(const struct truth *truth);

#endif
