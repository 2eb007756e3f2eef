/* SPDX-License-Identifier: MIT */
/*
 * The threads beside a run. One reads the clocks, has a capture that is full go
 * on in the next file, says what the guest goes over and, with `shared`, takes the guest's records while the
 * guest runs, so that a full ring costs no exit. The other writes a snapshot
 * whenever the process gets SIGUSR1: it opens files, which the first one is not
 * allowed to.
 */
#ifndef GT_CLI_WATCHER_H
#define GT_CLI_WATCHER_H

#include "quota_lines.h"
#include "rotation.h"

#include <pthread.h>
#include <stdatomic.h>

struct watcher {
	struct gt_host *host;
	bool shared;
	struct rotation *capture;
	const char *snapshot_base; /* path without its ending; borrowed */
	unsigned snapshots;        /* written so far */
	struct quota_lines over;   /* what has been said of quotas */
	unsigned idle_rounds;
	pthread_t thread, snapshot_thread;
	int wake_fd; /* eventfd: the guest has filled a block, or `stop` */
	atomic_bool stop;
};

/*
 * Before the run is confined, and before there are other threads: from here on
 * SIGUSR1 is blocked in all that are made, and waits. 0 or a negative errno.
 */
int watcher_open(struct watcher *watcher);
void watcher_close(struct watcher *watcher);

/*
 * Fill in the first four members. At stop SIGUSR1 is ignored. Returns 0 or a
 * negative errno.
 */
int watcher_start(struct watcher *watcher);
void watcher_stop(struct watcher *watcher);

/* The guest has rung GT_DOORBELL_WAKE. Any thread. */
void watcher_wake(struct watcher *watcher);

#endif
