/* SPDX-License-Identifier: MIT */
#include "waiting.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local int fd = -1;

static void close_file(void *at)
{
	close(*(int *)at);
}

static void make_key(void)
{
	pthread_key_create(&key, close_file);
}

/* Linux, Documentation/scheduler/sched-stats: ns on a CPU, ns in its queue. */
uint64_t waiting_ns(void)
{
	unsigned long long ran, waited;
	char text[80];
	ssize_t count;

	if (fd < 0) {
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return 0;
		pthread_once(&once, make_key);
		pthread_setspecific(key, &fd);
	}
	count = pread(fd, text, sizeof(text) - 1, 0);
	if (count <= 0)
		return 0;
	text[count] = '\0';
	return sscanf(text, "%llu %llu", &ran, &waited) == 2 ? waited : 0;
}
