/* SPDX-License-Identifier: MIT */
/* The side of the sender that its users see: the queue's entry, set-up, end. */
#include "otlp_sender_inside.h"
#include "otlp_signals.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define QUEUE_SPANS 65536u
#define QUEUE_BYTES (64u << 20)
#define SENT_BYTES_MAX \
	(3u << 20) /* of one that is not halved: docs/export.md */
#define FINISH_MS      5000u
#define AWAY_MAX_MS    60000u
#define BACKOFF_MS     1000u
#define BACKOFF_MAX_MS 30000u
#define SPOOL_BYTES    (UINT64_C(512) << 20)

static bool has_room(const struct gt__otlp_sender *s, size_t count,
                     uint64_t spans)
{
	if (!s->held_spans && !s->held_bytes)
		return true; /* one always fits */
	return s->held_spans < s->queue_spans &&
	       s->queue_spans - s->held_spans >= spans &&
	       s->held_bytes < QUEUE_BYTES &&
	       QUEUE_BYTES - s->held_bytes >= count;
}

bool gt__otlp_sender_has_room(struct gt__otlp_sender *s, uint64_t spans)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = has_room(s, SENT_BYTES_MAX, spans);
	pthread_mutex_unlock(&s->lock);
	return room;
}

/* While the endpoint takes requests there will be room. */
static bool may_wait(const struct gt__otlp_sender *s)
{
	return s->wait_for_room && !s->stopping &&
	       !pthread_equal(s->thread, pthread_self()) &&
	       (!s->away || gt__now_ms() - s->away_since_ms < s->finish_ms);
}

static void wait_for_room(struct gt__otlp_sender *s, size_t count,
                          uint64_t spans)
{
	while (may_wait(s) && !has_room(s, count, spans)) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++; /* then asks again how long it is away */
		pthread_cond_clockwait(&s->room, &s->lock, CLOCK_MONOTONIC,
		                       &until);
	}
}

static struct gt__otlp_request *new_request(const struct gt__otlp_sender *s,
                                            const void *bytes, size_t count,
                                            uint64_t spans)
{
	struct gt__otlp_request *request =
		count <= GT__REQUEST_BYTES_MAX ? malloc(sizeof *request + count)
					       : NULL;

	if (!request)
		return NULL;
	*request = (struct gt__otlp_request){
		.spans = spans,
		.signal = s->signal,
		.json = s->json,
		.count = count,
	};
	memcpy(request->bytes, bytes, count);
	return request;
}

void gt__otlp_sender_gathers(struct gt__otlp_sender *s, uint64_t spans)
{
	gt__count_up(&s->ledger->seen, spans);
}

void gt__otlp_sender_leaves_out(struct gt__otlp_sender *s)
{
	gt__count_up(&s->unsampled, 1);
}

void gt__otlp_sender_put(struct gt__otlp_sender *s, const void *bytes,
                         size_t count, uint64_t spans)
{
	struct gt__otlp_request *request = new_request(s, bytes, count, spans);

	gt__count_up(&s->requested, spans);
	pthread_mutex_lock(&s->lock);
	s->stats.spans += spans;
	if (request)
		wait_for_room(s, count, spans);
	if (request && has_room(s, count, spans)) {
		gt__queue_append(&s->incoming, request);
		s->held_spans += spans;
		s->held_bytes += count;
		request = NULL;
	} else {
		s->stats.dropped += spans;
		gt__count_up(&s->ledger->settled, spans);
	}
	pthread_mutex_unlock(&s->lock);
	free(request);
	gt__otlp_post_wake(s->post);
}

/* ---- Set-up and end ------------------------------------------------------ */

static uint32_t or_default(uint32_t value, uint32_t standard)
{
	return value ? value : standard;
}

static void set_up(struct gt__otlp_sender *s,
                   const struct gt_otlp_http_options *o)
{
	const struct gt__otlp_signal *signal = gt__otlp_signal(o->signal);

	s->signal = o->signal;
	s->in_order = o->signal == GT_OTLP_METRICS;
	s->gzip = o->gzip;
	s->json = o->protocol == GT_OTLP_HTTP_JSON;
	s->wait_for_room = o->wait_for_room;
	s->refused = o->refused;
	s->refused_context = o->refused_context;
	s->queue_spans = or_default(o->queue_spans, QUEUE_SPANS);
	s->delay_ms = or_default(o->delay_ms, o->spool_directory
	                                              ? signal->spool_delay_ms
	                                              : signal->delay_ms);
	s->timeout_ms = or_default(o->timeout_ms, GT__POST_TIMEOUT_MS);
	s->finish_ms = or_default(o->finish_ms, FINISH_MS);
	s->away_max_ms = or_default(o->finish_ms, AWAY_MAX_MS);
	s->backoff_ms = or_default(o->backoff_ms, BACKOFF_MS);
	s->backoff_max_ms = or_default(o->backoff_max_ms, BACKOFF_MAX_MS);
	s->window = 1;
	s->ledger = &s->own_ledger;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->room, NULL);
	if (getrandom(&s->random, sizeof s->random, GRND_NONBLOCK) < 0 ||
	    !s->random)
		s->random = (uint32_t)gt__now_ms() | 1;
}

static int open_spool(struct gt__otlp_sender *s,
                      const struct gt_otlp_http_options *o)
{
	uint64_t bytes = o->spool_bytes ? o->spool_bytes : SPOOL_BYTES;
	int rc = gt__spool_open(o->spool_directory,
	                        gt__otlp_signal(o->signal)->folder, bytes,
	                        s->drain_all, &s->spool);

	if (rc)
		return rc;
	gt__spool_set_share(s->spool, o->spool_own_bytes ? o->spool_own_bytes
	                                                 : bytes / 2);
	s->ledger = gt__spool_ledger(s->spool);
	s->spool_counts = gt__spool_counts(s->spool);
	return 0;
}

/* The signals of the process are for its other threads. */
static int start(struct gt__otlp_sender *s)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&s->thread, NULL, gt__otlp_sender_run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->runs = !rc;
	return rc;
}

int gt__otlp_sender_new(const struct gt_otlp_http_options *options,
                        bool (*flush)(void *context), void *context,
                        struct gt__otlp_sender **ret_sender)
{
	struct gt__otlp_sender *s = calloc(1, sizeof *s);
	int rc;

	if (!s)
		return -ENOMEM;
	s->flush = flush;
	s->context = context;
	s->drain_all = !flush;
	set_up(s, options);
	rc = gt__otlp_post_new(options, &s->post);
	if (!rc && options->spool_directory)
		rc = open_spool(s, options);
	if (!rc)
		rc = start(s);
	if (rc) {
		gt__otlp_sender_free(s);
		return rc;
	}
	*ret_sender = s;
	return 0;
}

static void stop(struct gt__otlp_sender *s, uint64_t deadline_ms)
{
	if (!s->runs)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	s->deadline_ms = deadline_ms;
	pthread_mutex_unlock(&s->lock);
	gt__otlp_post_wake(s->post);
	pthread_join(s->thread, NULL);
	s->runs = false;
	if (s->spool)
		s->spool_counts = gt__spool_counts(s->spool);
	s->ledger = &s->own_ledger;
	gt__spool_close(s->spool, true);
	s->spool = NULL;
}

void gt__otlp_sender_finish(struct gt__otlp_sender *s)
{
	stop(s, s->drain_all ? UINT64_MAX : gt__now_ms() + s->finish_ms);
}

void gt__otlp_sender_free(struct gt__otlp_sender *s)
{
	if (!s)
		return;
	stop(s, 0);
	gt__spool_close(s->spool, true);
	gt__otlp_post_free(s->post);
	pthread_cond_destroy(&s->room);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void gt__otlp_sender_stats(struct gt__otlp_sender *s,
                           struct gt_otlp_stats *ret_stats)
{
	const struct gt__spool_counts *c = &s->spool_counts;
	struct gt_otlp_stats stats;

	pthread_mutex_lock(&s->lock);
	stats = s->stats;
	stats.queued = s->held_spans;
	stats.spooled = c->own_waiting;
	stats.dropped += c->own_damaged;
	stats.found_waiting = c->found_waiting;
	stats.found_lost = c->found_lost;
	stats.damaged_spans = c->damaged_spans;
	stats.damaged_bytes = c->damaged_bytes;
	stats.unreadable_files = c->unreadable_files;
	stats.refused_kept = c->refused_kept;
	stats.unsampled = gt__count_of(&s->unsampled);
	pthread_mutex_unlock(&s->lock);
	*ret_stats = stats;
}
