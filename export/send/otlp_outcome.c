/* SPDX-License-Identifier: MIT */
/*
 * What a reply makes of its request. One that is too large is sent in halves,
 * and these in theirs, down to a span that is refused alone. The spool keeps
 * the whole until all of it is settled: after a kill all parts come again, with
 * the ids that they had. One request is in parts at a time, and they go first.
 */
#include "gzip.h"
#include "otlp_halve.h"
#include "otlp_sender_inside.h"
#include <errno.h>
#include <stdlib.h>

void gt__otlp_let_go(struct gt__otlp_sender *s,
                     const struct gt__otlp_request *request)
{
	s->held_spans -= request->spans;
	s->held_bytes -= request->count;
	pthread_cond_broadcast(&s->room);
}

static uint64_t bad_spans(const struct gt__otlp_request *request,
                          const struct gt__otlp_result *result)
{
	return result->verdict == GT__OTLP_TAKEN &&
	                       result->rejected_spans < request->spans
	               ? result->rejected_spans
	               : request->spans;
}

/* Counts what became of it, for good. Under the lock. */
static void count(struct gt_otlp_stats *stats, bool found, uint64_t good,
                  uint64_t bad)
{
	*(found ? &stats->found_rejected : &stats->rejected) += bad;
	*(found ? &stats->found_acknowledged : &stats->acknowledged) += good;
}

static void settle(struct gt__otlp_sender *s, struct gt__otlp_request *request,
                   uint64_t bad)
{
	if (request->segment)
		gt__spool_settle(s->spool, request);
	else
		gt__count_up(&s->ledger->settled, request->spans);
	pthread_mutex_lock(&s->lock);
	count(&s->stats, request->found, request->spans - bad, bad);
	if (!request->segment)
		gt__otlp_let_go(s, request);
	if (s->spool)
		s->spool_counts = gt__spool_counts(s->spool);
	pthread_mutex_unlock(&s->lock);
	free(request);
}

/* ---- Parts --------------------------------------------------------------- */

static void settle_part(struct gt__otlp_sender *s,
                        struct gt__otlp_request *part, uint64_t bad)
{
	struct gt__otlp_request *whole = part->whole;

	whole->spans_bad += bad;
	whole->spans_good += part->spans - bad;
	free(part);
	if (--whole->parts_left == 0)
		settle(s, whole, whole->spans_bad);
}

static bool halve(struct gt__otlp_sender *s, struct gt__otlp_request *request)
{
	struct gt__otlp_request *halves[2], *whole = request->whole;

	if (gt__otlp_halve(request, halves) < 0)
		return false;
	if (whole) {
		free(request);
	} else {
		whole = request;
		whole->parts_left = 1;
		whole->spans_good = whole->spans_bad = 0;
	}
	whole->parts_left++;
	halves[0]->whole = halves[1]->whole = whole;
	gt__queue_prepend(&s->parts, halves[1]);
	gt__queue_prepend(&s->parts, halves[0]);
	s->found_none = false;
	return true;
}

/* What has not been taken of it is dropped, if the spool has it not. */
static void drop_whole(struct gt__otlp_sender *s,
                       struct gt__otlp_request *whole)
{
	uint64_t done = whole->spans_good + whole->spans_bad;

	if (whole->segment) {
		gt__spool_give_back(s->spool, whole);
		return;
	}
	gt__count_up(&s->ledger->settled, whole->spans);
	pthread_mutex_lock(&s->lock);
	count(&s->stats, false, whole->spans_good, whole->spans_bad);
	s->stats.dropped += whole->spans - done;
	gt__otlp_let_go(s, whole);
	pthread_mutex_unlock(&s->lock);
	free(whole);
}

void gt__otlp_drop_parts(struct gt__otlp_sender *s)
{
	struct gt__otlp_request *part;

	while ((part = gt__queue_take(&s->parts))) {
		if (--part->whole->parts_left == 0)
			drop_whole(s, part->whole);
		free(part);
	}
}

/* ---- Replies ------------------------------------------------------------- */

void gt__otlp_tell_refusal(struct gt__otlp_sender *s, const char *why)
{
	if (s->refused)
		s->refused(s->refused_context, why);
	s->refused = NULL;
}

bool gt__otlp_is_kept(const struct gt__otlp_sender *s,
                      const struct gt__otlp_result *result)
{
	return result->verdict == GT__OTLP_TRY_AGAIN ||
	       (result->verdict == GT__OTLP_TURNED_AWAY && s->spool);
}

void gt__otlp_conclude(struct gt__otlp_sender *s,
                       struct gt__otlp_request *request,
                       const struct gt__otlp_result *result)
{
	uint64_t bad = bad_spans(request, result);

	if (result->verdict == GT__OTLP_TOO_LARGE && halve(s, request))
		return;
	if (result->verdict != GT__OTLP_TAKEN) {
		if (s->spool)
			gt__spool_keep_refused(s->spool, request);
		gt__otlp_tell_refusal(s, result->error);
	}
	if (request->whole)
		settle_part(s, request, bad);
	else
		settle(s, request, bad);
}
