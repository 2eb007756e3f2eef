/* SPDX-License-Identifier: MIT */
/* Which system calls a thread may make from now on, by seccomp. */
#ifndef GT_CLI_SYSTEM_CALLS_H
#define GT_CLI_SYSTEM_CALLS_H

#include <stddef.h>
#include <stdint.h>

#define SYSTEM_CALLS_MAX 128u
#define CALL_VALUES_MAX  16u

/* Of one call; what is not listed kills the process. */
struct system_call {
	uint16_t number;
	uint16_t error; /* 0: allowed; else it is not made, and fails so */
	/* Allowed with these values in its second argument alone. */
	uint32_t value_count; /* 0: any */
	const uint32_t *values;
};

/*
 * For the calling thread and all that it makes from here on, for good, beside
 * what was forbidden to it before. `others` is what becomes of calls that are
 * not in the list: SECCOMP_RET_KILL_PROCESS, or as seccomp(2) says. Nobody in
 * the process can gain privileges by executing a program from then on. -E2BIG,
 * or what the kernel says.
 */
int system_calls_allow(const struct system_call *calls, size_t count,
                       uint32_t others);

#endif
