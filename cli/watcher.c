/* SPDX-License-Identifier: MIT */
#include "watcher.h"
#include "command.h"
#include "sandbox.h"
#include "streams.h"
#include "destination.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/*
 * A guest that records all the time is read every half millisecond, and never
 * asked to ring; one that was silent for a while is asked, and read every 20 ms
 * besides, because what does not fill a block rings nothing.
 */
#define BUSY_NS     500000
#define IDLE_NS     20000000
#define SAMPLE_NS   5000000 /* see gt_host_sample() */
#define IDLE_ROUNDS 40u     /* silent ones, before the guest is asked */

static void ring(int fd)
{
	uint64_t one = 1;

	/* It can only be full, and then the thread wakes anyway. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void write_snapshot(struct watcher *watcher)
{
	struct destination to;
	struct gt_output output;
	char *path = NULL;
	int r;

	if (asprintf(&path, "%s.snapshot-%u.gtrace", watcher->snapshot_base,
	             watcher->snapshots + 1) < 0)
		return;
	r = destination_open(&to, path, false, DESTINATION_PRIVATE);
	if (r == 0) {
		output = destination_output(&to);
		r = gt_host_snapshot(watcher->host, &output);
		if (r < 0 && !to.error)
			complain_of_writing(path, r);
		if (destination_close(&to, r == 0) == 0 && r == 0) {
			watcher->snapshots++;
			complain("wrote %s", path);
		}
	}
	free(path);
}

/* Until `ns` have passed or somebody rings. */
static void nap(const struct watcher *watcher, long ns)
{
	struct pollfd fd = {.fd = watcher->wake_fd, .events = POLLIN};
	struct timespec span = {.tv_nsec = ns};
	uint64_t count;

	if (ppoll(&fd, 1, &span, NULL) > 0 &&
	    read(watcher->wake_fd, &count, sizeof(count)) < 0)
		return;
}

/* One look at the rings. What is wrong with them is counted by the host. */
static void take(struct watcher *watcher)
{
	if (gt_host_drain(watcher->host) != 0)
		watcher->idle_rounds = 0;
	else if (watcher->idle_rounds < IDLE_ROUNDS)
		watcher->idle_rounds++;
	if (watcher->idle_rounds < IDLE_ROUNDS) {
		nap(watcher, BUSY_NS);
		return;
	}
	if (gt_host_want_wake(watcher->host, true) <= 0)
		nap(watcher, IDLE_NS);
	gt_host_want_wake(watcher->host, false);
}

static void *watch(void *argument)
{
	struct watcher *watcher = argument;

	sandbox_enter(SANDBOX_DECODING);
	while (!atomic_load(&watcher->stop)) {
		if (watcher->shared)
			take(watcher);
		else
			nap(watcher, SAMPLE_NS);
		gt_host_sample(watcher->host);
		rotation_look(watcher->capture, watcher->host);
		quota_lines_look(&watcher->over, watcher->host);
	}
	return NULL;
}

static sigset_t the_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return set;
}

/* Of signals that come at once one snapshot: it has all. */
static void *write_snapshots(void *argument)
{
	struct watcher *watcher = argument;
	sigset_t set = the_signal();

	for (;;) {
		if (sigwaitinfo(&set, NULL) < 0)
			continue;
		if (atomic_load(&watcher->stop))
			return NULL;
		write_snapshot(watcher);
	}
}

/* No handler runs on them: one may not even return from it. */
static int make_threads(struct watcher *watcher, bool *ret_made_first)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&watcher->thread, NULL, watch, watcher);
	*ret_made_first = r == 0;
	if (r == 0)
		r = -pthread_create(&watcher->snapshot_thread, NULL,
		                    write_snapshots, watcher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int start_threads(struct watcher *watcher)
{
	bool made_first;
	int r = make_threads(watcher, &made_first);

	if (r < 0 && made_first) {
		atomic_store(&watcher->stop, true);
		ring(watcher->wake_fd);
		pthread_join(watcher->thread, NULL);
	}
	return r;
}

int watcher_open(struct watcher *watcher)
{
	sigset_t set = the_signal();

	/* What is ignored does not wait, either. */
	signal(SIGUSR1, SIG_DFL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	atomic_init(&watcher->stop, false);
	watcher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return watcher->wake_fd < 0 ? -errno : 0;
}

int watcher_start(struct watcher *watcher)
{
	return start_threads(watcher);
}

void watcher_stop(struct watcher *watcher)
{
	atomic_store(&watcher->stop, true);
	ring(watcher->wake_fd);
	pthread_join(watcher->thread, NULL);
	pthread_kill(watcher->snapshot_thread, SIGUSR1);
	pthread_join(watcher->snapshot_thread, NULL);
	signal(SIGUSR1, SIG_IGN);
}

void watcher_close(struct watcher *watcher)
{
	if (watcher->wake_fd >= 0)
		close(watcher->wake_fd);
	watcher->wake_fd = -1;
}

void watcher_wake(struct watcher *watcher)
{
	ring(watcher->wake_fd);
}
