/* SPDX-License-Identifier: MIT */
#include "system.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The TSC between two readings of the clock; the closest of three. */
void gt__system_clock(void *context, struct gt_clock_reading *ret_reading)
{
	uint64_t best = UINT64_MAX, since;

	(void)context;
	for (int i = 0; i < 3; i++) {
		uint64_t before = nanoseconds(CLOCK_MONOTONIC);
		uint64_t tsc = __builtin_ia32_rdtsc();
		uint64_t after = nanoseconds(CLOCK_MONOTONIC);

		if (after - before >= best)
			continue;
		best = after - before;
		ret_reading->tsc = tsc;
		ret_reading->monotonic_ns = before + best / 2;
		ret_reading->gap_ns = best / 2 + 1;
	}
	since = nanoseconds(CLOCK_MONOTONIC) - ret_reading->monotonic_ns;
	ret_reading->realtime_ns = nanoseconds(CLOCK_REALTIME) - since;
	ret_reading->boottime_ns = nanoseconds(CLOCK_BOOTTIME) - since;
}

void gt__system_random(void *context, void *bytes, size_t count)
{
	(void)context;
	if (getrandom(bytes, count, 0) != (ssize_t)count)
		memset(bytes, 0x5a, count);
}
