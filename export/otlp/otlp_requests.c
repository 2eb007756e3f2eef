/* SPDX-License-Identifier: MIT */
/*
 * Requests: begun with the resource of a run, filled with its spans, handed
 * over when they are full. Whoever makes spans puts them here.
 */
#include "otlp_inside.h"
#include <errno.h>

struct gt__otlp_run *gt__otlp_find_run(struct gt__otlp_sink *x,
                                       const struct gt_trace *trace)
{
	struct gt__otlp_run *run = gt__run_find(&x->runs, trace);

	if (!run && !x->out.error)
		x->out.error = -EINVAL;
	return x->out.error ? NULL : run;
}

/* Hands over the request in the buffer; its bytes stay there. */
static void hand_over(struct gt__otlp_sink *x, uint32_t spans)
{
	struct gt__out *o = &x->out;
	int rc;

	x->encoding->end(o, x->mark);
	if (o->error)
		return;
	if (x->options.request)
		rc = x->options.request(x->options.context, o->bytes, o->used,
		                        spans);
	else
		rc = x->output.write(x->output.context, o->bytes, o->used);
	if (rc < 0)
		o->error = rc;
}

void gt__otlp_end_request(struct gt__otlp_sink *x)
{
	if (x->trace)
		hand_over(x, x->spans);
	x->trace = NULL;
}

static void begin_request(struct gt__otlp_sink *x, const struct gt_trace *trace)
{
	size_t count =
		gt__otlp_resource(x->resource, trace, x->options.attributes,
	                          x->options.attribute_count);

	x->out.used = 0;
	x->mark = x->encoding->begin(&x->out, x->signal, x->resource, count);
	x->first = x->out.used;
	x->trace = trace;
	x->spans = 0;
}

/* The last item, which begins at `from`, begins the next request instead. */
static void carry_over(struct gt__otlp_sink *x, size_t from,
                       gt__otlp_put_fn *put, const void *item)
{
	x->out.used = from;
	hand_over(x, x->spans);
	x->out.used = x->first;
	x->spans = 0;
	put(&x->out, item, true);
}

int gt__otlp_put_item(struct gt__otlp_sink *x, const struct gt_trace *trace,
                      gt__otlp_put_fn *put, const void *item, uint32_t count)
{
	struct gt__out *o = &x->out;
	size_t from;

	if (x->options.begun)
		x->options.begun(x->options.context, count);
	if (x->trace != trace ||
	    (x->spans && x->spans + count > x->options.spans_max)) {
		gt__otlp_end_request(x);
		begin_request(x, trace);
	}
	from = o->used;
	put(o, item, !x->spans);
	if (x->spans && o->used + GT__OTLP_END_BYTES > x->options.bytes_max)
		carry_over(x, from, put, item);
	x->spans += count;
	return o->error;
}

int gt__otlp_leave_out(struct gt__otlp_sink *x)
{
	if (x->options.unsampled)
		x->options.unsampled(x->options.context);
	return x->out.error;
}

int gt__otlp_put_span(struct gt__otlp_sink *x, const struct gt_trace *trace,
                      const struct gt__otlp_span *span)
{
	return gt__otlp_put_item(x, trace, x->encoding->span, span, 1);
}
