/* SPDX-License-Identifier: MIT */
/* Has files synced to the disk, in order, while its user goes on. */
#ifndef GUESTTRACE_SPOOL_SYNC_H
#define GUESTTRACE_SPOOL_SYNC_H

#include <pthread.h>
#include <stdbool.h>

struct gt__spool_job;

struct gt__spool_syncer {
	pthread_t thread;
	bool runs; /* from the first job on */
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct gt__spool_job *first;
	struct gt__spool_job **last;
	bool stopping;
	int error; /* of the last that failed, until somebody asks */
};

void gt__spool_syncer_init(struct gt__spool_syncer *syncer);

/*
 * What has been written to `fd`, which stays the caller's, is synced soon. From
 * one thread, whose signal mask the syncer's own thread has. Where there can be
 * no such thread, it is synced before this returns.
 */
void gt__spool_syncer_add(struct gt__spool_syncer *syncer, int fd);

/* Whether none waits for its turn. */
bool gt__spool_syncer_is_idle(struct gt__spool_syncer *syncer);

/* What went wrong since the last call: 0 or a negative errno. */
int gt__spool_syncer_result(struct gt__spool_syncer *syncer);

/* Waits until all is synced. */
void gt__spool_syncer_fini(struct gt__spool_syncer *syncer);

#endif
