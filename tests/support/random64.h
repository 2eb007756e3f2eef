/* SPDX-License-Identifier: MIT */
/* The same random numbers in every run of a test: xorshift64*. */
#ifndef GUESTTRACE_TESTS_RANDOM64_H
#define GUESTTRACE_TESTS_RANDOM64_H

#include <stdint.h>

static uint64_t random64_state = 1;

static inline uint64_t random64(void)
{
	random64_state ^= random64_state << 13;
	random64_state ^= random64_state >> 7;
	random64_state ^= random64_state << 17;
	return random64_state * UINT64_C(0x2545f4914f6cdd1d);
}

#endif
