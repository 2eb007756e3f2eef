/* SPDX-License-Identifier: MIT */
/* The clock of deadlines. */
#ifndef GT_CLI_MONOTONIC_H
#define GT_CLI_MONOTONIC_H

#include <poll.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

/* CLOCK_MONOTONIC. May be called by a signal handler. */
static inline uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Or until a signal was handled: by a call that a sandbox has anyway. */
static inline void nap_ns(long ns)
{
	const struct timespec time = {.tv_nsec = ns};

	ppoll(NULL, 0, &time, NULL);
}

#endif
