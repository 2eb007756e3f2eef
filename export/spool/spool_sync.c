/* SPDX-License-Identifier: MIT */
/*
 * A disk may take a second to say that it has something for good, and what
 * comes in meanwhile has to be written: another thread waits for it.
 */
#include "spool_sync.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct gt__spool_job {
	struct gt__spool_job *next;
	int fd; /* its own */
};

/* Locked on entry and on return. */
static void do_first(struct gt__spool_syncer *s)
{
	struct gt__spool_job *job = s->first;
	int rc;

	s->first = job->next;
	if (!s->first)
		s->last = &s->first;
	pthread_mutex_unlock(&s->lock);
	rc = fsync(job->fd) < 0 ? -errno : 0;
	close(job->fd);
	free(job);
	pthread_mutex_lock(&s->lock);
	if (rc)
		s->error = rc;
}

static void *run(void *context)
{
	struct gt__spool_syncer *s = context;

	pthread_mutex_lock(&s->lock);
	while (s->first || !s->stopping)
		if (s->first)
			do_first(s);
		else
			pthread_cond_wait(&s->work, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

void gt__spool_syncer_init(struct gt__spool_syncer *s)
{
	*s = (struct gt__spool_syncer){.last = &s->first};
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
}

void gt__spool_syncer_add(struct gt__spool_syncer *s, int fd)
{
	struct gt__spool_job *job = malloc(sizeof *job);
	int copy = job ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (copy >= 0 && !s->runs)
		s->runs = pthread_create(&s->thread, NULL, run, s) == 0;
	pthread_mutex_lock(&s->lock);
	if (copy >= 0 && s->runs) {
		*job = (struct gt__spool_job){.fd = copy};
		*s->last = job;
		s->last = &job->next;
		pthread_cond_signal(&s->work);
		job = NULL;
	} else if (fsync(fd) < 0) {
		s->error = -errno;
	}
	pthread_mutex_unlock(&s->lock);
	if (job && copy >= 0)
		close(copy);
	free(job);
}

bool gt__spool_syncer_is_idle(struct gt__spool_syncer *s)
{
	bool idle;

	pthread_mutex_lock(&s->lock);
	idle = !s->first;
	pthread_mutex_unlock(&s->lock);
	return idle;
}

int gt__spool_syncer_result(struct gt__spool_syncer *s)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = s->error;
	s->error = 0;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void gt__spool_syncer_fini(struct gt__spool_syncer *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	if (s->runs)
		pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
}
