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
	uint32_t timeout_ms; /* of a request */
	enum gt_otlp_signal signal;
	uint32_t away_max_ms; /* of an endpoint, when a spool is to be sent */
	bool gzip, json, wait_for_room, drain_all, in_order;
	bool (*flush)(void *context);
	void *context;
	/* gt_otlp_http_options.refused, called once. */
	void (*refused)(void *context, const char *why);
	void *refused_context;
	struct gt__otlp_post *post;
	struct gt__spool *spool;         /* NULL: none; the thread's */
	struct gt__spool_ledger *ledger; /* the spool's, or `own_ledger` */
	struct gt__spool_ledger own_ledger;
	uint64_t unsampled;
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
	struct gt__otlp_queue parts;   /* of requests that were too large */
	struct gt__otlp_queue aside;   /* of the spool, for another protocol */
	unsigned under_way;
	unsigned window;   /* so many may be */
	unsigned failures; /* in a row */
	bool answered;     /* the last failed one: with a status */
	bool told_foreign;
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

/* ---- otlp_outcome.c: the thread's ---- */

/* Memory that a request held is free. Under the lock. */
void gt__otlp_let_go(struct gt__otlp_sender *sender,
                     const struct gt__otlp_request *request);
/*
 * Whether the request is to be sent again: always where the endpoint asks for
 * it, and with a spool also where it takes nothing, whatever it is. Without one
 * that is final (OTLP 1.11, "Failures").
 */
bool gt__otlp_is_kept(const struct gt__otlp_sender *sender,
                      const struct gt__otlp_result *result);
/* Of any other: settles it, or puts its halves into `parts`. */
void gt__otlp_conclude(struct gt__otlp_sender *sender,
                       struct gt__otlp_request *request,
                       const struct gt__otlp_result *result);
/* To whom asked for it, the first time. */
void gt__otlp_tell_refusal(struct gt__otlp_sender *sender, const char *why);
/* With none under way: what they are part of stays in the spool, or is counted
 * as dropped as far as it was not taken. */
void gt__otlp_drop_parts(struct gt__otlp_sender *sender);

/* What the thread runs, until it is told to stop; `context` is the sender. */
void *gt__otlp_sender_run(void *context);

#endif
