/* SPDX-License-Identifier: MIT */
#include "waiting.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* Until the process ends: a thread that is confined cannot close it. */
static _Thread_local int fd = -1;
static _Thread_local bool tried; /* to open it: not again */

/* Linux, Documentation/scheduler/sched-stats: ns on a CPU, ns in its queue. */
uint64_t waiting_ns(void)
{
	unsigned long long ran, waited;
	char text[80];
	ssize_t count;

	if (!tried) {
		tried = true;
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return 0;
	count = pread(fd, text, sizeof(text) - 1, 0);
	if (count <= 0)
		return 0;
	text[count] = '\0';
	return sscanf(text, "%llu %llu", &ran, &waited) == 2 ? waited : 0;
}
