/* SPDX-License-Identifier: MIT */
/* The sink below every format that needs a whole trace before its first line.
 */
#include "collect.h"
#include <errno.h>
#include <string.h>

static struct gt__collect *find(struct gt__collect_sink *x,
                                const struct gt_trace *trace)
{
	struct gt__collect *c = gt__run_find(&x->runs, trace);

	if (!c && !x->out.error)
		x->out.error = -EINVAL;
	return x->out.error ? NULL : c;
}

static int done(struct gt__collect_sink *x, int rc)
{
	if (rc && !x->out.error)
		x->out.error = rc;
	return x->out.error;
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = gt__run_add(&x->runs, trace, sizeof *c);

	if (c)
		c->shows_exits = x->options.exits;
	return done(x, c ? 0 : -ENOMEM);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = find(x, trace);

	return c ? done(x, gt__collect_span(c, span)) : x->out.error;
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = find(x, trace);

	return c ? done(x, gt__collect_event(c, event, false)) : x->out.error;
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *event)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = find(x, trace);

	return c ? done(x, gt__collect_event(c, event, true)) : x->out.error;
}

static int put_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                         const struct gt_host_span_view *span)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = find(x, trace);

	return c ? done(x, gt__collect_host_span(c, span)) : x->out.error;
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__collect *c = find(x, trace);

	if (!c)
		return x->out.error;
	if (!done(x, gt__collect_build(c))) {
		x->print(x, c, summary);
		x->printed++;
	}
	gt__run_remove(&x->runs, &c->head);
	gt__collect_free(c);
	return gt__out_flush(&x->out);
}

static int finish(struct gt_sink *sink)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;

	if (x->conclude)
		x->conclude(x);
	return gt__out_flush(&x->out);
}

static void free_sink(struct gt_sink *sink)
{
	struct gt__collect_sink *x = (struct gt__collect_sink *)sink;
	struct gt__run *run;

	if (!x)
		return;
	while ((run = x->runs)) {
		x->runs = run->next;
		gt__collect_free((struct gt__collect *)run);
	}
	gt__out_fini(&x->out);
	if (x->free_kept)
		x->free_kept(x->kept);
	free(x);
}

int gt__collect_sink_with(const struct gt_output *output,
                          const struct gt_report_options *options,
                          gt__print_fn *print,
                          void (*conclude)(struct gt__collect_sink *x),
                          struct gt_sink **ret_sink)
{
	struct gt__collect_sink *x = calloc(1, sizeof *x);

	if (!x)
		return -ENOMEM;
	x->sink = (struct gt_sink){
		.begin = begin,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_host_span,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	x->print = print;
	x->conclude = conclude;
	gt__out_init(&x->out, output);
	if (options)
		memcpy(&x->options, options,
		       options->size < sizeof x->options ? options->size
		                                         : sizeof x->options);
	x->out.columns = x->options.columns;
	x->out.colours = x->options.colours;
	*ret_sink = &x->sink;
	return 0;
}

int gt__collect_sink_new(const struct gt_output *output, gt__print_fn *print,
                         void (*conclude)(struct gt__collect_sink *x),
                         struct gt_sink **ret_sink)
{
	return gt__collect_sink_with(output, NULL, print, conclude, ret_sink);
}
