/* SPDX-License-Identifier: MIT */
/*
 * Spans as they end. All that belongs to one span without a parent is kept in a
 * collector of its own, which is printed and freed when none of its spans is
 * open any more; what belongs to no open span is printed at once.
 */
#include "export/run/run_sink.h"
#include "tree.h"
#include <errno.h>
#include <search.h>

struct family {
	struct family *next;
	struct family **before;
	struct gt__collect *c;
	uint64_t open; /* spans */
};

struct open_span {
	uint64_t id; /* first: key of the tree */
	struct family *family;
};

struct followed {
	struct gt__run head;
	void *open_spans; /* of tsearch(3) */
	struct family *families;
};

struct follow {
	struct gt__run_sink head;
	struct gt_report_options options;
	struct gt__choice choice;
};

static int compare_ids(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static struct family *family_of(struct followed *f, uint64_t id)
{
	struct open_span **found = tfind(&id, &f->open_spans, compare_ids);

	return found ? (*found)->family : NULL;
}

static struct gt__collect *new_collect(const struct follow *x,
                                       const struct followed *f)
{
	struct gt__collect *c = calloc(1, sizeof *c);

	if (c) {
		c->head.trace = f->head.trace;
		c->shows_exits = x->options.exits;
		c->choice = &x->choice;
	}
	return c;
}

static struct family *new_family(struct follow *x, struct followed *f)
{
	struct family *family = calloc(1, sizeof *family);

	if (!family)
		return NULL;
	family->c = new_collect(x, f);
	if (!family->c) {
		free(family);
		return NULL;
	}
	family->next = f->families;
	family->before = &f->families;
	if (family->next)
		family->next->before = &family->next;
	f->families = family;
	return family;
}

static void free_family(struct family *family)
{
	*family->before = family->next;
	if (family->next)
		family->next->before = family->before;
	gt__collect_free(family->c);
	free(family);
}

static int print(struct follow *x, struct gt__collect *c)
{
	uint32_t hidden;

	if (gt__collect_build(c) < 0 ||
	    !gt__collect_prune(c, &x->options, &hidden))
		return gt__run_sink_done(&x->head, -ENOMEM);
	gt__put_tree(&x->head.out, c, NULL);
	return gt__out_flush(&x->head.out);
}

/* ---- What the sink is shown ---------------------------------------------- */

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *view)
{
	struct follow *x = (struct follow *)sink;
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct open_span *span, **slot;

	if (!f)
		return x->head.out.error;
	span = calloc(1, sizeof *span);
	if (!span)
		return gt__run_sink_done(&x->head, -ENOMEM);
	span->id = view->id;
	if (!view->parent_remote)
		span->family = family_of(f, view->parent_id);
	if (!span->family)
		span->family = new_family(x, f);
	slot = span->family ? tsearch(span, &f->open_spans, compare_ids) : NULL;
	if (!slot || *slot != span) {
		free(span);
		return slot ? x->head.out.error
		            : gt__run_sink_done(&x->head, -ENOMEM);
	}
	span->family->open++;
	return x->head.out.error;
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *view)
{
	struct follow *x = (struct follow *)sink;
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct open_span **found, *span;
	struct family *family;
	int rc;

	if (!f)
		return x->head.out.error;
	found = tfind(&view->id, &f->open_spans, compare_ids);
	if (!found)
		return x->head.out.error;
	span = *found;
	family = span->family;
	tdelete(&view->id, &f->open_spans, compare_ids);
	free(span);
	rc = gt__collect_span(family->c, view);
	if (rc == 0 && --family->open == 0) {
		rc = print(x, family->c);
		free_family(family);
	}
	return gt__run_sink_done(&x->head, rc);
}

/* Alone on its line. */
static int print_event(struct follow *x, const struct followed *f,
                       const struct gt_event_view *view, bool counter)
{
	struct gt__collect *c = new_collect(x, f);
	int rc = -ENOMEM;

	if (c)
		rc = gt__collect_event(c, view, counter);
	if (rc == 0)
		rc = print(x, c);
	if (c)
		gt__collect_free(c);
	return rc;
}

static int put_record(struct follow *x, const struct gt_trace *trace,
                      const struct gt_event_view *view, bool counter)
{
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct family *family;

	if (!f)
		return x->head.out.error;
	family = family_of(f, view->span_id);
	return gt__run_sink_done(
		&x->head, family ? gt__collect_event(family->c, view, counter)
				 : print_event(x, f, view, counter));
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *view)
{
	return put_record((struct follow *)sink, trace, view, false);
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *view)
{
	return put_record((struct follow *)sink, trace, view, true);
}

static int put_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                         const struct gt_host_span_view *view)
{
	struct follow *x = (struct follow *)sink;
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct family *family;

	if (!f || !x->options.exits)
		return x->head.out.error;
	family = family_of(f, view->parent_id);
	return family ? gt__run_sink_done(&x->head, gt__collect_host_span(
							    family->c, view))
	              : x->head.out.error;
}

/* At once, as what belongs to no span. */
static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	struct follow *x = (struct follow *)sink;
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct gt__collect *c = f ? new_collect(x, f) : NULL;
	int rc = c ? gt__collect_gap(c, loss) : -ENOMEM;

	if (!f)
		return x->head.out.error;
	if (rc == 0)
		rc = print(x, c);
	if (c)
		gt__collect_free(c);
	return gt__run_sink_done(&x->head, rc);
}

static void free_followed(struct gt__run_sink *x, struct gt__run *head)
{
	struct followed *f = (struct followed *)head;

	(void)x;
	tdestroy(f->open_spans, free);
	while (f->families)
		free_family(f->families);
	free(f);
}

static void end_run(struct gt__run_sink *x, struct gt__run *run,
                    const struct gt_summary *summary)
{
	struct gt__collect c = {.head.trace = run->trace};

	gt__put_char(&x->out, '\n');
	gt__put_header(&x->out, &c, summary);
	gt__put_losses(&x->out, &summary->losses);
}

static void free_sink(struct gt_sink *sink)
{
	if (sink)
		gt__choice_fini(&((struct follow *)sink)->choice);
	gt__run_sink_free(sink);
}

int gt_follow_with(const struct gt_output *output,
                   const struct gt_report_options *options,
                   struct gt_sink **ret_sink)
{
	static const struct gt_sink calls = {
		.open = open_span,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_host_span,
		.free = free_sink,
		.loss = put_loss,
	};
	static const struct gt__run_kind kind = {sizeof(struct followed), NULL,
	                                         end_run, free_followed};
	struct gt_analysis analysis;
	struct follow *x;
	int rc = gt__run_sink_new(sizeof *x, &calls, &kind, output, ret_sink);

	if (rc)
		return rc;
	x = (struct follow *)*ret_sink;
	gt__take_report_options(options, &x->options, &x->head.out);
	analysis = gt__analysis_of(&x->options);
	rc = gt__choice_init(&x->choice, &analysis);
	if (rc)
		free_sink(*ret_sink);
	return rc;
}
