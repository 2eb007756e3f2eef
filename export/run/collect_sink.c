/* SPDX-License-Identifier: MIT */
/* The sink below every format that needs a whole trace before its first line.
 */
#include "collect.h"
#include <string.h>

static void begin_run(struct gt__run_sink *x, struct gt__run *run)
{
	struct gt__collect_sink *sink = (struct gt__collect_sink *)x;
	struct gt__collect *c = (struct gt__collect *)run;

	c->shows_exits = sink->options.exits;
	c->choice = &sink->choice;
	c->times_on_demand = sink->analysis.slowest;
	c->sort = sink->analysis.sort;
	c->by = sink->analysis.by;
	c->no_times = sink->no_times;
	c->spans_only = sink->spans_only;
	c->no_items = sink->no_items;
	c->no_self = sink->no_self && sink->no_items;
	c->max_bytes = sink->options.max_bytes;
	c->shelved = sink->slowest_only && !c->shows_exits && !c->by &&
	             !c->max_bytes;
	if (c->shelved)
		c->shelf = gt__shelf_new(sink->analysis.slowest,
		                         sink->options.name);
}

static void end_run(struct gt__run_sink *head, struct gt__run *run,
                    const struct gt_summary *summary)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)head;
	struct gt__collect *c = (struct gt__collect *)run;

	if (!gt__run_sink_done(head, gt__collect_build(c))) {
		x->print(x, c, summary);
		x->printed++;
	}
}

static void free_run(struct gt__run_sink *x, struct gt__run *run)
{
	(void)x;
	gt__collect_free((struct gt__collect *)run);
}

/* Ends a call that kept something. */
static int kept(struct gt__collect_sink *x, struct gt__collect *c, int rc)
{
	return gt__run_sink_done(&x->head, rc < 0 ? rc : gt__collect_bound(c));
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? kept(x, c, gt__collect_span(c, span)) : x->head.out.error;
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? kept(x, c, gt__collect_event(c, event, false))
	         : x->head.out.error;
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *event)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? kept(x, c, gt__collect_event(c, event, true))
	         : x->head.out.error;
}

static int put_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                         const struct gt_host_span_view *span)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? kept(x, c, gt__collect_host_span(c, span))
	         : x->head.out.error;
}

static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? kept(x, c, gt__collect_gap(c, loss)) : x->head.out.error;
}

static int finish(struct gt_sink *sink)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;

	if (x->conclude)
		x->conclude(x);
	return gt__out_flush(&x->head.out);
}

static void free_sink(struct gt_sink *sink)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;

	if (x && x->free_kept)
		x->free_kept(x->kept);
	if (x)
		gt__choice_fini(&x->choice);
	gt__run_sink_free(sink);
}

/* The members of another version's struct are left at 0. */
struct gt_analysis gt__analysis_of(const struct gt_report_options *options)
{
	const struct gt_analysis *given = options->analysis;
	struct gt_analysis analysis = {0};

	if (given)
		memcpy(&analysis, given,
		       given->size < sizeof analysis ? given->size
		                                     : sizeof analysis);
	return analysis;
}

void gt__take_report_options(const struct gt_report_options *given,
                             struct gt_report_options *to, struct gt__out *out)
{
	static const uint64_t unit_ns[] = {0, 1, 1000, 1000000};

	if (given)
		memcpy(to, given,
		       given->size < sizeof *to ? given->size : sizeof *to);
	out->columns = to->columns;
	out->colours = to->colours;
	out->unit_ns = unit_ns[gt__analysis_of(to).unit % 4u];
}

int gt__collect_sink_with(const struct gt_output *output,
                          const struct gt_report_options *options,
                          gt__print_fn *print,
                          void (*conclude)(struct gt__collect_sink *x),
                          struct gt_sink **ret_sink)
{
	static const struct gt_sink calls = {
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_host_span,
		.loss = put_loss,
		.finish = finish,
		.free = free_sink,
	};
	static const struct gt__run_kind kind = {sizeof(struct gt__collect),
	                                         begin_run, end_run, free_run};
	struct gt__collect_sink *x;
	int rc = gt__run_sink_new(sizeof *x, &calls, &kind, output, ret_sink);

	if (rc)
		return rc;
	x = (struct gt__collect_sink *)*ret_sink;
	x->print = print;
	x->conclude = conclude;
	gt__take_report_options(options, &x->options, &x->head.out);
	x->analysis = gt__analysis_of(&x->options);
	rc = gt__choice_init(&x->choice, &x->analysis);
	if (rc)
		free_sink(*ret_sink);
	return rc;
}

int gt__collect_sink_new(const struct gt_output *output, gt__print_fn *print,
                         void (*conclude)(struct gt__collect_sink *x),
                         struct gt_sink **ret_sink)
{
	return gt__collect_sink_with(output, NULL, print, conclude, ret_sink);
}
