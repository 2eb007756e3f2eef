/* SPDX-License-Identifier: MIT */
/*
 * Instead of guesttrace/guest.h: a guest in the test's process in which a
 * reading of the clock is where an interrupt comes, behind the take of a ring
 * and before the publishing.
 */
#ifndef GUESTTRACE_TESTS_INTERRUPTED_H
#define GUESTTRACE_TESTS_INTERRUPTED_H

#include "guest_settings.h"

#include <stddef.h>

static void (*interrupt_handler)(void); /* comes at the next reading, once */

static inline uint64_t interrupted_tsc(void)
{
	uint64_t tsc = inproc_tsc();
	void (*now)(void) = interrupt_handler;

	interrupt_handler = NULL;
	if (now)
		now();
	return tsc;
}

#undef GT_TSC
#define GT_TSC() interrupted_tsc()
#include <guesttrace/guest.h>

#endif
