/* SPDX-License-Identifier: MIT */
#include "watcher.h"
#include "command.h"
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

static volatile sig_atomic_t snapshots_wanted;
static volatile sig_atomic_t signal_fd = -1;

static void ring(int fd)
{
	uint64_t one = 1;

	/* It can only be full, and then the thread wakes anyway. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void on_signal(int number)
{
	int before = errno;

	(void)number;
	snapshots_wanted = snapshots_wanted + 1;
	ring(signal_fd);
	errno = before;
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
	r = destination_open(&to, path, false);
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
	sig_atomic_t written = snapshots_wanted;

	while (!atomic_load(&watcher->stop)) {
		if (watcher->shared)
			take(watcher);
		else
			nap(watcher, SAMPLE_NS);
		gt_host_sample(watcher->host);
		if (written != snapshots_wanted) {
			written = snapshots_wanted;
			write_snapshot(watcher);
		}
	}
	return NULL;
}

/* In the calling thread, and so in those that it makes from here on. */
static void block_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

int watcher_start(struct watcher *watcher)
{
	struct sigaction action = {.sa_handler = on_signal,
	                           .sa_flags = SA_RESTART};
	int r;

	atomic_init(&watcher->stop, false);
	watcher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watcher->wake_fd < 0)
		return -errno;
	signal_fd = watcher->wake_fd;
	sigaction(SIGUSR1, &action, NULL);
	block_signal(SIG_UNBLOCK);
	r = -pthread_create(&watcher->thread, NULL, watch, watcher);
	block_signal(SIG_BLOCK);
	if (r < 0)
		close(watcher->wake_fd);
	return r;
}

void watcher_stop(struct watcher *watcher)
{
	signal(SIGUSR1, SIG_IGN);
	atomic_store(&watcher->stop, true);
	ring(watcher->wake_fd);
	pthread_join(watcher->thread, NULL);
	block_signal(SIG_UNBLOCK);
	signal_fd = -1;
	close(watcher->wake_fd);
}

void watcher_wake(struct watcher *watcher)
{
	ring(watcher->wake_fd);
}
