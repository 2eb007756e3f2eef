/* SPDX-License-Identifier: MIT */
/* What the host library takes from the machine unless it is given its own. */
#ifndef GT_HOST_SYSTEM_H
#define GT_HOST_SYSTEM_H

#include <guesttrace/host.h>

/* rdtsc between two readings of CLOCK_MONOTONIC. `context` is not used. */
void gt__system_clock(void *context, struct gt_clock_reading *ret_reading);
void gt__system_random(void *context, void *bytes, size_t count);

#endif
