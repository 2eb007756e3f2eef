/* SPDX-License-Identifier: MIT */
/*
 * What some work costs beside other work of the same process: no figure in
 * seconds, which would hold for one machine, one compiler and one load alone.
 */
#ifndef GUESTTRACE_TESTS_CPU_TIME_H
#define GUESTTRACE_TESTS_CPU_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CPU_TRIES 5

typedef void cpu_work(void *context);

static inline uint64_t cpu_ns(cpu_work *work, void *context)
{
	struct timespec from, to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	work(context);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000 +
	       (uint64_t)to.tv_nsec - (uint64_t)from.tv_nsec;
}

/* Whatever else the machine does can only make a try longer. */
static inline uint64_t cpu_fastest_ns(cpu_work *work, void *context)
{
	uint64_t fastest = UINT64_MAX;

	for (unsigned i = 0; i < CPU_TRIES; i++) {
		uint64_t ns = cpu_ns(work, context);

		fastest = ns < fastest ? ns : fastest;
	}
	return fastest;
}

/* Whether one of the tries takes no longer than `limit_ns`. */
static inline bool cpu_within(cpu_work *work, void *context, uint64_t limit_ns)
{
	uint64_t ns = cpu_ns(work, context);

	/* Far over it, another try would only take long as well. */
	for (unsigned i = 1; i < CPU_TRIES && ns > limit_ns; i++) {
		if (ns / 8 > limit_ns)
			break;
		ns = cpu_ns(work, context);
	}
	return ns <= limit_ns;
}

#endif
