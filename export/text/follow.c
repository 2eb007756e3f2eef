/* SPDX-License-Identifier: MIT */
/*
 * Spans as they end, and all else as it comes, a line each: what is above it,
 * as far as that is still open, stands before its name. Nothing is kept but
 * which spans are open.
 */
#include "export/out/escape.h"
#include "export/run/run_sink.h"
#include "tree.h"
#include <errno.h>
#include <search.h>
#include <string.h>

#define ABOVE_MAX 4u    /* names before a name: the nearest ones */
#define BETWEEN   " > " /* them */

struct open_span {
	uint64_t id;        /* first: key of the tree */
	uint64_t parent_id; /* 0: it has none here */
	uint32_t depth;
	const struct gt_site_view *site;
};

struct followed {
	struct gt__run head;
	void *open_spans; /* of tsearch(3) */
};

struct follow {
	struct gt__run_sink head;
	struct gt_report_options options;
	struct gt__choice choice;
	struct gt__out above; /* of the line being made */
};

static int compare_ids(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static struct open_span *find(const struct followed *f, uint64_t id)
{
	struct open_span **found =
		id ? tfind(&id, &f->open_spans, compare_ids) : NULL;

	return found ? *found : NULL;
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

/* ---- A line -------------------------------------------------------------- */

/* Of those from `span` on upwards, the outermost first; returns the columns. */
static size_t put_above(struct follow *x, const struct followed *f,
                        const struct open_span *span)
{
	const struct open_span *names[ABOVE_MAX];
	size_t count = 0, columns = 0;

	x->above.used = 0;
	for (; span && count < ABOVE_MAX; span = find(f, span->parent_id))
		names[count++] = span;
	if (count && names[count - 1]->depth) { /* not the outermost one */
		size_t from = x->above.used;

		gt__put_char(&x->above, '(');
		gt__put_u64(&x->above, names[count - 1]->depth);
		gt__put(&x->above, ")" BETWEEN);
		columns += x->above.used - from;
	}
	while (count--) {
		columns +=
			gt__put_terminal(&x->above, names[count]->site->name);
		gt__put(&x->above, BETWEEN);
		columns += strlen(BETWEEN);
	}
	return columns;
}

static bool is_too_deep(const struct follow *x, const struct open_span *parent)
{
	return x->options.depth && parent &&
	       parent->depth + 1 >= x->options.depth;
}

/* What was collected, which is one thing, below `parent`, if that is there. */
static int print(struct follow *x, const struct followed *f,
                 struct gt__collect *c, const struct open_span *parent)
{
	size_t columns = put_above(x, f, parent);
	uint32_t hidden;

	if (x->above.error || gt__collect_build(c) < 0 ||
	    !gt__collect_prune(c, &x->options, &hidden))
		return -ENOMEM;
	gt__put_ended(&x->head.out, c,
	              (struct gt_text){x->above.bytes, x->above.used}, columns);
	return gt__out_flush(&x->head.out);
}

/* ---- What the sink is shown ---------------------------------------------- */

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *view)
{
	struct follow *x = (struct follow *)sink;
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct open_span *span, **slot;
	const struct open_span *parent;

	if (!f)
		return x->head.out.error;
	span = calloc(1, sizeof *span);
	if (!span)
		return gt__run_sink_done(&x->head, -ENOMEM);
	parent = view->parent_remote ? NULL : find(f, view->parent_id);
	*span = (struct open_span){
		.id = view->id,
		.parent_id = parent ? parent->id : 0,
		.depth = parent ? parent->depth + 1 : 0,
		.site = view->site,
	};
	slot = tsearch(span, &f->open_spans, compare_ids);
	if (!slot || *slot != span)
		free(span);
	return slot ? x->head.out.error : gt__run_sink_done(&x->head, -ENOMEM);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *view)
{
	struct follow *x = (struct follow *)sink;
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct gt__collect *c = f ? new_collect(x, f) : NULL;
	struct open_span *span, *parent;
	int rc = c ? gt__collect_span(c, view) : -ENOMEM;

	if (!f)
		return x->head.out.error;
	span = find(f, view->id);
	parent = find(f, span ? span->parent_id : 0);
	if (rc == 0 && !is_too_deep(x, parent))
		rc = print(x, f, c, parent);
	if (span)
		tdelete(&view->id, &f->open_spans, compare_ids);
	free(span);
	if (c)
		gt__collect_free(c);
	return gt__run_sink_done(&x->head, rc);
}

static int put_record(struct follow *x, const struct gt_trace *trace,
                      const struct gt_event_view *view, bool counter)
{
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct open_span *parent = f ? find(f, view->span_id) : NULL;
	struct gt__collect *c;
	int rc = -ENOMEM;

	if (!f || is_too_deep(x, parent))
		return x->head.out.error;
	c = new_collect(x, f);
	if (c)
		rc = gt__collect_event(c, view, counter);
	if (rc == 0)
		rc = print(x, f, c, parent);
	if (c)
		gt__collect_free(c);
	return gt__run_sink_done(&x->head, rc);
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

/* Of exits and work those that a span had. */
static int put_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                         const struct gt_host_span_view *view)
{
	struct follow *x = (struct follow *)sink;
	struct followed *f = gt__run_sink_find(&x->head, trace);
	struct open_span *parent = f ? find(f, view->parent_id) : NULL;
	struct gt__collect *c;
	int rc = -ENOMEM;

	if (!f || !x->options.exits || view->parent_id == trace->run_id ||
	    is_too_deep(x, parent))
		return x->head.out.error;
	c = new_collect(x, f);
	if (c)
		rc = gt__collect_host_span(c, view);
	if (rc == 0)
		rc = print(x, f, c, parent);
	if (c)
		gt__collect_free(c);
	return gt__run_sink_done(&x->head, rc);
}

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
		rc = print(x, f, c, NULL);
	if (c)
		gt__collect_free(c);
	return gt__run_sink_done(&x->head, rc);
}

static void free_followed(struct gt__run_sink *x, struct gt__run *head)
{
	struct followed *f = (struct followed *)head;

	(void)x;
	tdestroy(f->open_spans, free);
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
	struct follow *x = (struct follow *)sink;

	if (x) {
		gt__choice_fini(&x->choice);
		gt__out_fini(&x->above);
	}
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
	gt__out_init(&x->above, &(struct gt_output){0});
	gt__take_report_options(options, &x->options, &x->head.out);
	analysis = gt__analysis_of(&x->options);
	rc = gt__choice_init(&x->choice, &analysis);
	if (rc)
		free_sink(*ret_sink);
	return rc;
}
