/* SPDX-License-Identifier: MIT */
/*
 * The thread beside a run. With `shared` it takes the guest's records while the
 * guest runs, so that a full ring costs no exit; in any case it writes a
 * snapshot whenever the process gets SIGUSR1.
 */
#ifndef GT_CLI_WATCHER_H
#define GT_CLI_WATCHER_H

#include <guesttrace/host.h>

#include <pthread.h>
#include <stdatomic.h>

struct watcher {
	struct gt_host *host;
	bool shared;
	const char *snapshot_base; /* path without its ending; borrowed */
	unsigned snapshots;        /* written so far */
	unsigned idle_rounds;
	pthread_t thread;
	int wake_fd; /* eventfd: the guest has filled a block, or `stop` */
	atomic_bool stop;
};

/*
 * Fill in the first three members. From start to stop SIGUSR1 belongs to the
 * thread. Returns 0 or a negative errno.
 */
int watcher_start(struct watcher *watcher);
void watcher_stop(struct watcher *watcher);

/* The guest has rung GT_DOORBELL_WAKE. Any thread. */
void watcher_wake(struct watcher *watcher);

#endif
