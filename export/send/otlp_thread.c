/* SPDX-License-Identifier: MIT */
/*
 * With a spool, a request is on disk before it is on the wire, so that no kill
 * loses it: it is read back from there. Without one, or while the disk takes
 * nothing, it waits in memory. Up to GT__POSTS_MAX are under way at a time.
 *
 * After a failure nothing is sent until the time to try again; then the oldest
 * goes first, to find out. When it is taken, new requests go first again, and
 * the backlog gets every BACKLOG_SHARE-th turn while there are new ones.
 * Metrics go one by one, the oldest first: who keeps them by time refuses older
 * ones.
 */
#include "gzip.h"
#include "otlp_sender_inside.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SYNC_MS        1000u
#define FLUSH_RETRY_MS 5u
#define IDLE_MS        60000u
#define BACKLOG_SHARE  4u
#define STORE_SHARE    16u /* requests, then the endpoint has a turn */

/* xorshift32; 0 <= it < limit. */
static uint32_t random_below(struct gt__otlp_sender *s, uint32_t limit)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 17;
	s->random ^= s->random << 5;
	return limit ? s->random % limit : 0;
}

/* ---- To the spool -------------------------------------------------------- */

/* Whether it is on disk now, and freed. */
static bool spool_away(struct gt__otlp_sender *s,
                       struct gt__otlp_request *request)
{
	int rc = s->spool ? gt__spool_append(s->spool, request) : -ENOENT;

	pthread_mutex_lock(&s->lock);
	if (!rc)
		gt__otlp_let_go(s, request);
	else if (s->spool)
		s->stats.spool_errors++;
	if (s->spool)
		s->spool_counts = gt__spool_counts(s->spool);
	pthread_mutex_unlock(&s->lock);
	s->found_none = false;
	if (rc)
		return false;
	s->unsynced = true;
	free(request);
	return true;
}

static struct gt__otlp_request *take_incoming(struct gt__otlp_sender *s,
                                              bool *ret_others_wait)
{
	struct gt__otlp_request *request;

	pthread_mutex_lock(&s->lock);
	request = gt__queue_take(&s->incoming);
	*ret_others_wait = s->incoming.first != NULL;
	pthread_mutex_unlock(&s->lock);
	return request;
}

static struct gt__otlp_request *compress(struct gt__otlp_sender *s,
                                         struct gt__otlp_request *request)
{
	size_t before = request->count;

	if (!s->gzip || request->gzip)
		return request;
	request = gt__gzip(request);
	pthread_mutex_lock(&s->lock);
	s->held_bytes -= before - request->count;
	pthread_mutex_unlock(&s->lock);
	return request;
}

/* Whether it is on disk now; else it waits in memory. */
static bool store(struct gt__otlp_sender *s, struct gt__otlp_request *request,
                  bool others_wait)
{
	/* What others wait behind is compressed when it is sent. */
	if (!others_wait || !s->spool ||
	    !gt__spool_is_roomy(s->spool, request->count))
		request = compress(s, request);
	if (spool_away(s, request))
		return true;
	gt__queue_append(&s->pending, compress(s, request));
	return false;
}

/* What the disk would not take before goes first. Takes up to `count`. */
static void store_incoming(struct gt__otlp_sender *s, size_t count)
{
	struct gt__otlp_request *request;
	bool stored = true, others_wait;

	while (s->spool && stored && (request = gt__queue_take(&s->pending))) {
		stored = spool_away(s, request);
		if (!stored)
			gt__queue_prepend(&s->pending, request);
	}
	for (; count && (request = take_incoming(s, &others_wait)); count--)
		if (stored)
			stored = store(s, request, others_wait);
		else
			gt__queue_append(&s->pending, compress(s, request));
}

static void sync_spool(struct gt__otlp_sender *s, uint64_t now)
{
	int rc;

	if (!s->unsynced || now - s->synced_ms < SYNC_MS)
		return;
	rc = gt__spool_sync(s->spool);
	s->unsynced = rc > 0;
	s->synced_ms = now;
	if (rc >= 0)
		return;
	pthread_mutex_lock(&s->lock);
	s->stats.spool_errors++;
	pthread_mutex_unlock(&s->lock);
}

/* ---- Sending ------------------------------------------------------------- */

static struct gt__otlp_request *pick(struct gt__otlp_sender *s)
{
	struct gt__otlp_request *request = gt__queue_take(&s->parts);

	if (request)
		return request;
	s->turn++;
	if (s->spool &&
	    (s->away || s->in_order || s->turn % BACKLOG_SHARE == 0))
		request = gt__spool_next(s->spool, GT__SPOOL_OLD);
	if (!request)
		request = gt__queue_take(&s->pending);
	if (!request && s->spool)
		request = gt__spool_next(s->spool, GT__SPOOL_NEW);
	if (!request && s->spool)
		request = gt__spool_next(s->spool, GT__SPOOL_OLD);
	return request;
}

static void give_back(struct gt__otlp_sender *s,
                      struct gt__otlp_request *request)
{
	s->found_none = false;
	if (request->whole)
		gt__queue_prepend(&s->parts, request);
	else if (request->segment)
		gt__spool_give_back(s->spool, request);
	else
		gt__queue_prepend(&s->pending, request);
}

/*
 * The next that can go to this endpoint. Others, of a spool that was written
 * for another protocol, are out until the end, and then wait as before.
 */
static struct gt__otlp_request *pick_fitting(struct gt__otlp_sender *s)
{
	struct gt__otlp_request *request;

	while ((request = pick(s)) && !gt__otlp_post_takes(s->post, request)) {
		gt__queue_append(&s->aside, request);
		pthread_mutex_lock(&s->lock);
		snprintf(s->stats.last_error, sizeof s->stats.last_error,
		         request->signal != s->signal
		                 ? "of another signal"
		                 : "in JSON, which gRPC does not take");
		pthread_mutex_unlock(&s->lock);
	}
	return request;
}

static bool send_one(struct gt__otlp_sender *s, uint64_t now)
{
	struct gt__otlp_request *request = pick_fitting(s);

	s->found_none = !request;
	if (!request)
		return false;
	if ((request->segment || request->whole) && s->gzip && !request->gzip)
		request = gt__gzip(request);
	if (gt__otlp_post_begin(s->post, request) < 0) {
		give_back(s, request);
		s->try_ms = now + s->backoff_ms;
		return false;
	}
	request->begun_ms = now;
	s->under_way++;
	return true;
}

/* At the end of a run nobody waits for what others have left in the spool. */
static bool has_only_backlog(struct gt__otlp_sender *s)
{
	bool only;

	pthread_mutex_lock(&s->lock);
	only = s->stopping && !s->drain_all && !s->incoming.first &&
	       !s->pending.first && !s->parts.first &&
	       !s->spool_counts.own_waiting;
	pthread_mutex_unlock(&s->lock);
	return only;
}

/*
 * One, to find out whether the endpoint takes anything; twice as many at a time
 * with each that it takes soon, up to GT__POSTS_MAX.
 */
static void send_more(struct gt__otlp_sender *s, uint64_t now)
{
	while (!has_only_backlog(s) && now >= s->try_ms &&
	       s->under_way < s->window && send_one(s, now))
		;
}

/* Of those that were under way together the first says how long. */
static void wait_longer(struct gt__otlp_sender *s,
                        const struct gt__otlp_result *result, uint64_t now)
{
	uint64_t delay = (uint64_t)s->backoff_ms
	                 << (s->failures < 16 ? s->failures : 16);

	s->window = 1;
	if (now < s->try_ms && !result->has_retry_after)
		return;
	if (delay > s->backoff_max_ms)
		delay = s->backoff_max_ms;
	delay = delay / 2 + random_below(s, (uint32_t)delay / 2 + 1);
	if (result->has_retry_after && result->retry_after_ms > delay)
		delay = result->retry_after_ms +
		        random_below(s, result->retry_after_ms / 16 + 1);
	s->failures++;
	s->answered =
		result->answered && result->verdict != GT__OTLP_TURNED_AWAY;
	s->try_ms = now + delay;
}

/* Of a request that an endpoint takes whole, its words are a warning. */
static void keep_words(struct gt_otlp_stats *stats,
                       const struct gt__otlp_result *result)
{
	bool is_warning =
		result->verdict == GT__OTLP_TAKEN && !result->rejected_spans;
	char *to = is_warning ? stats->last_warning : stats->last_error;

	if (result->error[0])
		snprintf(to, sizeof stats->last_error, "%s", result->error);
}

/* What went well while all wait was sent before that which did not. */
static void note(struct gt__otlp_sender *s,
                 const struct gt__otlp_result *result, bool failed,
                 uint64_t now)
{
	bool was_away = s->away;

	pthread_mutex_lock(&s->lock);
	s->stats.requests++;
	s->stats.failures += failed;
	s->away = failed || (was_away && now < s->try_ms);
	if (was_away && !s->away && s->spool)
		gt__spool_skip(s->spool);
	if (s->away && !was_away)
		s->away_since_ms = now;
	if (failed || !s->away)
		s->stats.turned_away =
			result->verdict == GT__OTLP_TURNED_AWAY ||
			result->is_foreign;
	keep_words(&s->stats, result);
	/* Who waits for room waits for the end too, as long as replies come. */
	if (s->wait_for_room && s->stopping && s->deadline_ms && !failed)
		s->deadline_ms = now + s->finish_ms;
	if (failed)
		pthread_cond_broadcast(&s->room);
	pthread_mutex_unlock(&s->lock);
}

/*
 * Who answers slowly, though with what was asked, has enough to do: more at a
 * time would have them all end by the timeout, and be sent again.
 */
static void adapt_window(struct gt__otlp_sender *s, uint64_t took_ms)
{
	if (took_ms > s->timeout_ms / 8)
		s->window -= s->window / 2;
	else if (s->window < GT__POSTS_MAX && !s->in_order)
		s->window *= 2;
}

/* A connection that breaks off may look like it: a refusal is told, too. */
static void tell_foreign(struct gt__otlp_sender *s, const char *why)
{
	if (s->refused && !s->told_foreign)
		s->refused(s->refused_context, why);
	s->told_foreign = true;
}

static void take_result(struct gt__otlp_sender *s,
                        struct gt__otlp_request *request,
                        const struct gt__otlp_result *result)
{
	bool kept = gt__otlp_is_kept(s, result);
	uint64_t now = gt__now_ms();

	note(s, result, kept, now);
	if (kept) {
		if (result->verdict == GT__OTLP_TURNED_AWAY)
			gt__otlp_tell_refusal(s, result->error);
		else if (result->is_foreign)
			tell_foreign(s, result->error);
		give_back(s, request);
		wait_longer(s, result, now);
		return;
	}
	if (now >= s->try_ms) {
		s->failures = 0;
		adapt_window(s, now - request->begun_ms);
	}
	gt__otlp_conclude(s, request, result);
}

static void take_results(struct gt__otlp_sender *s)
{
	struct gt__otlp_result result;
	struct gt__otlp_request *request;

	while (s->under_way &&
	       (request = gt__otlp_post_ended(s->post, &result))) {
		s->under_way--;
		take_result(s, request, &result);
	}
}

/* ---- The thread ---------------------------------------------------------- */

static void flush_in_time(struct gt__otlp_sender *s, uint64_t now)
{
	if (!s->flush || now < s->flush_ms)
		return;
	s->flush_ms = now + s->delay_ms;
	/* What is measured has not gathered: it is asked for each time. */
	if ((s->signal == GT_OTLP_METRICS ||
	     gt__count_of(&s->ledger->seen) != gt__count_of(&s->requested)) &&
	    !s->flush(s->context))
		s->flush_ms = now + FLUSH_RETRY_MS;
}

/* Of a spool that is sent to its end: the endpoint is there, and asks to wait
 * for no longer than anybody will. Under the lock. */
static bool waits_for_its_turn(const struct gt__otlp_sender *s)
{
	return s->drain_all && s->answered &&
	       s->try_ms < s->away_since_ms + s->away_max_ms;
}

static bool is_done(struct gt__otlp_sender *s, uint64_t now)
{
	const struct gt__spool_counts *c = &s->spool_counts;
	bool done;

	pthread_mutex_lock(&s->lock);
	done = s->stopping && !s->under_way && !s->incoming.first &&
	       !s->pending.first &&
	       (!s->parts.first || s->parts.first->whole->segment);
	if (done && (!(s->spool && s->away) || waits_for_its_turn(s)))
		done = s->found_none || (!s->drain_all && !c->own_waiting);
	done = done || (s->stopping && now >= s->deadline_ms);
	pthread_mutex_unlock(&s->lock);
	return done;
}

static void earlier(uint64_t *when, uint64_t other)
{
	if (other < *when)
		*when = other;
}

static void wait_for_work(struct gt__otlp_sender *s, uint64_t now)
{
	uint64_t when = now + IDLE_MS;

	if (s->flush)
		earlier(&when, s->flush_ms);
	if (s->unsynced)
		earlier(&when, s->synced_ms + SYNC_MS);
	if (!s->under_way && now < s->try_ms)
		earlier(&when, s->try_ms);
	pthread_mutex_lock(&s->lock);
	if (s->stopping)
		earlier(&when,
		        s->found_none && !s->under_way ? now : s->deadline_ms);
	if (s->incoming.first)
		when = now;
	pthread_mutex_unlock(&s->lock);
	gt__otlp_post_wait(s->post, when > now ? (uint32_t)(when - now) : 0);
}

/* What could not be sent in time. */
static void leave(struct gt__otlp_sender *s)
{
	struct gt__otlp_request *request;

	if (s->under_way) {
		pthread_mutex_lock(&s->lock);
		snprintf(s->stats.last_error, sizeof s->stats.last_error,
		         "no reply until the end");
		pthread_mutex_unlock(&s->lock);
	}
	while ((request = gt__otlp_post_take_back(s->post)))
		give_back(s, request);
	while ((request = gt__queue_take(&s->aside)))
		give_back(s, request);
	s->under_way = 0;
	gt__otlp_drop_parts(s);
	store_incoming(s, SIZE_MAX);
	while ((request = gt__queue_take(&s->pending))) {
		gt__count_up(&s->ledger->settled, request->spans);
		pthread_mutex_lock(&s->lock);
		s->stats.dropped += request->spans;
		gt__otlp_let_go(s, request);
		pthread_mutex_unlock(&s->lock);
		free(request);
	}
}

void *gt__otlp_sender_run(void *context)
{
	struct gt__otlp_sender *s = context;
	uint64_t now = gt__now_ms();

	s->flush_ms = now + s->delay_ms;
	for (;;) {
		flush_in_time(s, now);
		store_incoming(s, STORE_SHARE);
		take_results(s);
		now = gt__now_ms();
		if (is_done(s, now))
			break;
		sync_spool(s, now);
		send_more(s, now);
		wait_for_work(s, now);
		now = gt__now_ms();
	}
	leave(s);
	return NULL;
}
