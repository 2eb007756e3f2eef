/* SPDX-License-Identifier: MIT */
/*
 * What is selected, for sinks that are shown a span when it begins. The learner
 * sees a whole trace first and keeps the ids of the spans that are selected;
 * the sink before another one hands on what has one of these.
 */
#include "choice.h"
#include <errno.h>
#include <guesttrace/keyed_hash.h>
#include <stdlib.h>
#include <string.h>

struct gt_selection {
	struct gt_sink learner; /* first: it is one */
	struct gt__choice choice;
	uint64_t *ids; /* open addressing, at most half full; 0: free */
	size_t count, mask;
	struct gt__hash_key key;
};

struct selecting {
	struct gt_sink sink;
	struct gt_sink *to;
	const struct gt_selection *selection;
};

/* ---- The ids ------------------------------------------------------------- */

static uint64_t *slot_of(const struct gt_selection *s, uint64_t id)
{
	size_t i = (size_t)gt__hash_word(&s->key, id) & s->mask;

	while (s->ids[i] && s->ids[i] != id)
		i = (i + 1) & s->mask;
	return &s->ids[i];
}

static bool has(const struct gt_selection *s, uint64_t id)
{
	return id && s->ids && *slot_of(s, id) == id;
}

static bool grow(struct gt_selection *s)
{
	uint64_t *old = s->ids;
	size_t i, size = old ? (s->mask + 1) * 2 : 1024;
	size_t count = old ? s->mask + 1 : 0;

	s->ids = calloc(size, sizeof *s->ids);
	if (!s->ids) {
		s->ids = old;
		return false;
	}
	s->mask = size - 1;
	for (i = 0; i < count; i++)
		if (old[i])
			*slot_of(s, old[i]) = old[i];
	free(old);
	return true;
}

static int forget(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt_selection *s = (struct gt_selection *)sink;

	(void)trace;
	free(s->ids);
	s->ids = NULL;
	s->count = 0;
	return 0;
}

static int learn(struct gt_sink *sink, const struct gt_trace *trace,
                 const struct gt_span_view *span)
{
	struct gt_selection *s = (struct gt_selection *)sink;
	uint64_t *slot;

	if (!span->id ||
	    !gt__is_in_range(&s->choice, trace, span->start_ns, span->end_ns) ||
	    !gt__is_chosen(&s->choice, trace, span))
		return 0;
	if ((!s->ids || s->count * 2 >= s->mask) && !grow(s))
		return -ENOMEM;
	slot = slot_of(s, span->id);
	s->count += !*slot;
	*slot = span->id;
	return 0;
}

/* ---- Before another sink ------------------------------------------------- */

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt_sink *to = ((struct selecting *)sink)->to;

	return to->begin ? to->begin(to, trace) : 0;
}

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	const struct selecting *x = (const struct selecting *)sink;

	return x->to->open && has(x->selection, span->id)
	               ? x->to->open(x->to, trace, span)
	               : 0;
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	const struct selecting *x = (const struct selecting *)sink;

	return x->to->close && has(x->selection, span->id)
	               ? x->to->close(x->to, trace, span)
	               : 0;
}

static bool has_moment(const struct selecting *x, const struct gt_trace *trace,
                       uint64_t span_id, uint64_t start_ns, uint64_t end_ns)
{
	const struct gt__choice *choice = &x->selection->choice;

	return gt__is_in_range(choice, trace, start_ns, end_ns) &&
	       (!gt__choice_is_of_spans(choice) || has(x->selection, span_id));
}

static int event(struct gt_sink *sink, const struct gt_trace *trace,
                 const struct gt_event_view *view)
{
	const struct selecting *x = (const struct selecting *)sink;

	return x->to->event && has_moment(x, trace, view->span_id,
	                                  view->time_ns, view->time_ns)
	               ? x->to->event(x->to, trace, view)
	               : 0;
}

static int counter(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_event_view *view)
{
	const struct selecting *x = (const struct selecting *)sink;

	return x->to->counter && has_moment(x, trace, view->span_id,
	                                    view->time_ns, view->time_ns)
	               ? x->to->counter(x->to, trace, view)
	               : 0;
}

static int host_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_host_span_view *view)
{
	const struct selecting *x = (const struct selecting *)sink;

	return x->to->host_span && has_moment(x, trace, view->parent_id,
	                                      view->start_ns, view->end_ns)
	               ? x->to->host_span(x->to, trace, view)
	               : 0;
}

static int loss(struct gt_sink *sink, const struct gt_trace *trace,
                const struct gt_loss_view *view)
{
	struct gt_sink *to = ((struct selecting *)sink)->to;

	return to->loss ? to->loss(to, trace, view) : 0;
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct gt_sink *to = ((struct selecting *)sink)->to;

	return to->end ? to->end(to, trace, summary) : 0;
}

static int finish(struct gt_sink *sink)
{
	struct gt_sink *to = ((struct selecting *)sink)->to;

	return to->finish ? to->finish(to) : 0;
}

static void free_sink(struct gt_sink *sink)
{
	free(sink);
}

int gt_selection_sink(const struct gt_selection *selection, struct gt_sink *to,
                      struct gt_sink **ret_sink)
{
	static const struct gt_sink calls = {
		.begin = begin,
		.open = open_span,
		.close = close_span,
		.event = event,
		.counter = counter,
		.host_span = host_span,
		.end = end,
		.finish = finish,
		.free = free_sink,
		.loss = loss,
	};
	struct selecting *x = malloc(sizeof *x);

	if (!x)
		return -ENOMEM;
	*x = (struct selecting){calls, to, selection};
	*ret_sink = &x->sink;
	return 0;
}

int gt_selection_new(const struct gt_analysis *analysis,
                     struct gt_selection **ret_selection)
{
	struct gt_analysis copy = {0};
	struct gt_selection *s = calloc(1, sizeof *s);
	int error;

	if (!s)
		return -ENOMEM;
	memcpy(&copy, analysis,
	       analysis->size < sizeof copy ? analysis->size : sizeof copy);
	error = gt__choice_init(&s->choice, &copy);
	if (error) {
		gt_selection_free(s);
		return error;
	}
	s->learner.begin = forget;
	s->learner.close = learn;
	s->key = gt__hash_key();
	*ret_selection = s;
	return 0;
}

void gt_selection_free(struct gt_selection *s)
{
	if (!s)
		return;
	gt__choice_fini(&s->choice);
	free(s->ids);
	free(s);
}

struct gt_sink *gt_selection_learner(struct gt_selection *s)
{
	return &s->learner;
}
