/* SPDX-License-Identifier: MIT */
#include "errands.h"
#include "sandbox.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* One at a time, under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static bool runs, stops;
static struct {
	int (*work)(void *context); /* NULL: there is none */
	void *context;
	bool is_done;
	int result;
} now;

static void *run(void *unused)
{
	pthread_mutex_lock(&lock);
	while (!stops) {
		if (now.work && !now.is_done) {
			now.result = now.work(now.context);
			now.is_done = true;
			pthread_cond_broadcast(&changed);
		}
		if (!stops)
			pthread_cond_wait(&changed, &lock);
	}
	pthread_mutex_unlock(&lock);
	return unused;
}

int errands_start(void)
{
	int r = -pthread_create(&thread, NULL, run, NULL);

	runs = r == 0;
	return r;
}

void errands_stop(void)
{
	if (!runs)
		return;
	pthread_mutex_lock(&lock);
	stops = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	runs = stops = false;
}

int errand(int (*work)(void *context), void *context)
{
	int result;

	if (!sandbox_is_narrow())
		return work(context);
	pthread_mutex_lock(&lock);
	while (now.work)
		pthread_cond_wait(&changed, &lock);
	now.work = work;
	now.context = context;
	now.is_done = false;
	pthread_cond_broadcast(&changed);
	while (!now.is_done)
		pthread_cond_wait(&changed, &lock);
	result = now.result;
	now.work = NULL;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return result;
}
