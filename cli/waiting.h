/* SPDX-License-Identifier: MIT */
#ifndef GT_CLI_WAITING_H
#define GT_CLI_WAITING_H

#include <stdint.h>

/*
 * How long the calling thread has been ready to run without running, in all.
 * 0 where the kernel does not say (CONFIG_SCHED_INFO). Keeps a file open per
 * thread, until the thread ends.
 */
uint64_t waiting_ns(void);

#endif
