/* SPDX-License-Identifier: MIT */
#include "system.h"

#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

/* Intel SDM, CPUID: leaf 15h, "Time Stamp Counter and Core Crystal Clock". */
#define LEAF_CRYSTAL    0x15u
/* AMD APM volume 3, E.4.7: leaf 80000007h, edx bit 8. */
#define LEAF_POWER      0x80000007u
#define TSC_INVARIANT   (1u << 8)
/* Of hypervisors, by VMware's convention: eax = TSC rate in kHz. */
#define LEAF_HYPERVISOR 0x40000000u
#define LEAF_TIMING     0x40000010u
#define HAS_HYPERVISOR  (1u << 31)

static uint64_t cpuid_rate_hz(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid(LEAF_CRYSTAL, &a, &b, &c, &d) && a && b && c)
		return (uint64_t)c * b / a;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & HAS_HYPERVISOR))
		return 0;
	__cpuid(LEAF_HYPERVISOR, a, b, c, d);
	if (a < LEAF_TIMING)
		return 0;
	__cpuid(LEAF_TIMING, a, b, c, d);
	return (uint64_t)a * 1000;
}

void gt__system_rate(struct gt_host_options *options, unsigned *flags)
{
	unsigned a, b, c, d = 0;

	if (options->read_clock != gt__system_clock)
		return;
	if (!__get_cpuid(LEAF_POWER, &a, &b, &c, &d) || !(d & TSC_INVARIANT))
		*flags |= GT_CLOCK_NOT_INVARIANT;
	if (options->tsc_hz != 0)
		return;
	options->tsc_hz = cpuid_rate_hz();
	options->tsc_source =
		options->tsc_hz ? GT_CLOCK_CPUID : GT_CLOCK_READINGS;
}

void gt__system_random(void *context, void *bytes, size_t count)
{
	(void)context;
	/* getrandom() of glibc from 2.41 on makes calls of its own instead. */
	if (syscall(SYS_getrandom, bytes, count, 0) != (long)count)
		memset(bytes, 0x5a, count);
}
