/* SPDX-License-Identifier: MIT */
/* The sink below every format that needs a whole trace before its first line.
 */
#include "collect.h"
#include <errno.h>
#include <string.h>

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_add(&x->head.runs, trace, sizeof *c);

	if (c)
		c->shows_exits = x->options.exits;
	return gt__run_sink_done(&x->head, c ? 0 : -ENOMEM);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? gt__run_sink_done(&x->head, gt__collect_span(c, span))
	         : x->head.out.error;
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? gt__run_sink_done(&x->head,
	                             gt__collect_event(c, event, false))
	         : x->head.out.error;
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *event)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? gt__run_sink_done(&x->head,
	                             gt__collect_event(c, event, true))
	         : x->head.out.error;
}

static int put_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                         const struct gt_host_span_view *span)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	return c ? gt__run_sink_done(&x->head, gt__collect_host_span(c, span))
	         : x->head.out.error;
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_sink_find(&x->head, trace);

	if (!c)
		return x->head.out.error;
	if (!gt__run_sink_done(&x->head, gt__collect_build(c))) {
		x->print(x, c, summary);
		x->printed++;
	}
	return gt__run_sink_end(sink, trace, summary);
}

static int finish(struct gt_sink *sink)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;

	if (x->conclude)
		x->conclude(x);
	return gt__out_flush(&x->head.out);
}

static void free_run(struct gt__run_sink *x, struct gt__run *run)
{
	(void)x;
	gt__collect_free((struct gt__collect *)run);
}

static void free_sink(struct gt_sink *sink)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;

	if (x && x->free_kept)
		x->free_kept(x->kept);
	gt__run_sink_free(sink);
}

int gt__collect_sink_with(const struct gt_output *output,
                          const struct gt_report_options *options,
                          gt__print_fn *print,
                          void (*conclude)(struct gt__collect_sink *x),
                          struct gt_sink **ret_sink)
{
	static const struct gt_sink calls = {
		.begin = begin,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_host_span,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	struct gt__collect_sink *x =
		gt__run_sink_new(sizeof *x, &calls, free_run, output);

	if (!x)
		return -ENOMEM;
	x->print = print;
	x->conclude = conclude;
	if (options)
		memcpy(&x->options, options,
		       options->size < sizeof x->options ? options->size
		                                         : sizeof x->options);
	x->head.out.columns = x->options.columns;
	x->head.out.colours = x->options.colours;
	*ret_sink = &x->head.sink;
	return 0;
}

int gt__collect_sink_new(const struct gt_output *output, gt__print_fn *print,
                         void (*conclude)(struct gt__collect_sink *x),
                         struct gt_sink **ret_sink)
{
	return gt__collect_sink_with(output, NULL, print, conclude, ret_sink);
}
