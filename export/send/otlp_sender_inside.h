/* SPDX-License-Identifier: MIT */
/* Shared by the files of the sender. */
#ifndef GUESTTRACE_OTLP_SENDER_INSIDE_H
#define GUESTTRACE_OTLP_SENDER_INSIDE_H

#include "otlp_post.h"
#include "otlp_queue.h"
#include "otlp_sender.h"
#include "export/spool/spool.h"
#include <pthread.h>
#include <time.h>

struct gt__otlp_sender {
	/* Set at the start. */
	uint32_t queue_spans, delay_ms, finish_ms, backoff_ms, backoff_max_ms;
	uint32_t away_max_ms; /* of an endpoint, when a spool is to be sent */
	bool gzip, json, wait_for_room, drain_all;
	bool (*flush)(void *context);
	void *context;
	struct gt__otlp_post *post;
	struct gt__spool *spool;         /* NULL: none; the thread's */
	struct gt__spool_ledger *ledger; /* the spool's, or `own_ledger` */
	struct gt__spool_ledger own_ledger;
	uint64_t requested; /* spans of the ledger's that are in requests */
	pthread_t thread;
	bool runs;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t room;
	struct gt__otlp_queue incoming;
	uint64_t held_spans; /* in memory, wherever */
	uint64_t held_bytes;
	bool away; /* the last request failed */
	uint64_t away_since_ms;
	bool stopping;
	uint64_t deadline_ms;
	struct gt_otlp_stats
		stats; /* of spans, but for what the spool counts */
	struct gt__spool_counts spool_counts;

	/* The thread's alone. */
	struct gt__otlp_queue pending; /* in memory only */
	struct gt__otlp_request *sent; /* under way */
	unsigned failures;             /* in a row */
	bool answered;                 /* the last failed one: with a status */
	unsigned turn;
	uint64_t try_ms; /* nothing is sent before */
	bool found_none; /* to send, when last looked */
	uint64_t flush_ms;
	uint64_t synced_ms;
	bool unsynced;
	uint32_t random;
};

static inline uint64_t gt__now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Of what more than one thread counts or reads. */
static inline void gt__count_up(uint64_t *counter, uint64_t more)
{
	__atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

static inline uint64_t gt__count_of(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* What the thread runs, until it is told to stop; `context` is the sender. */
void *gt__otlp_sender_run(void *context);

#endif
