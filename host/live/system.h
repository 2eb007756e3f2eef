/* SPDX-License-Identifier: MIT */
/* What the host library takes from the machine unless it is given its own. */
#ifndef GT_HOST_SYSTEM_H
#define GT_HOST_SYSTEM_H

#include <guesttrace/host.h>

/* rdtsc between two readings of CLOCK_MONOTONIC. `context` is not used. */
void gt__system_clock(void *context, struct gt_clock_reading *ret_reading);
/*
 * Fills in `tsc_hz` and `tsc_source` from CPUID, where the options name no rate
 * of their own and the clock is gt__system_clock(). Sets GT_CLOCK_NOT_INVARIANT
 * where the CPU does not promise that the TSC's rate is fixed.
 */
void gt__system_rate(struct gt_host_options *options, unsigned *flags);
void gt__system_random(void *context, void *bytes, size_t count);

#endif
