/* SPDX-License-Identifier: MIT */
#include "run_sink.h"
#include <errno.h>

void *gt__run_sink_find(struct gt__run_sink *x, const struct gt_trace *trace)
{
	struct gt__run *run = gt__run_find(&x->runs, trace);

	if (!run && !x->out.error)
		x->out.error = -EINVAL;
	return x->out.error ? NULL : run;
}

int gt__run_sink_done(struct gt__run_sink *x, int rc)
{
	if (rc < 0 && !x->out.error)
		x->out.error = rc;
	return gt__out_record(&x->out);
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__run *run = gt__run_add(&x->runs, trace, x->kind->bytes);

	if (run && x->kind->begin)
		x->kind->begin(x, run);
	return gt__run_sink_done(x, run ? 0 : -ENOMEM);
}

static void free_run(struct gt__run_sink *x, struct gt__run *run)
{
	gt__run_remove(&x->runs, run);
	x->kind->free(x, run);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__run *run = x->kind ? gt__run_sink_find(x, trace) : NULL;

	if (run && x->kind->end)
		x->kind->end(x, run, summary);
	run = gt__run_find(&x->runs, trace); /* after an error as well */
	if (run)
		free_run(x, run);
	return gt__out_flush(&x->out);
}

static int finish(struct gt_sink *sink)
{
	return gt__out_flush(&((struct gt__run_sink *)sink)->out);
}

void gt__run_sink_free(struct gt_sink *sink)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;

	if (!x)
		return;
	while (x->runs)
		free_run(x, x->runs);
	gt__out_fini(&x->out);
	free(x);
}

int gt__run_sink_new(size_t size, const struct gt_sink *sink,
                     const struct gt__run_kind *kind,
                     const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct gt__run_sink *x = calloc(1, size);

	if (!x)
		return -ENOMEM;
	x->sink = *sink;
	if (!sink->begin)
		x->sink.begin = begin;
	if (!sink->end)
		x->sink.end = end;
	if (!sink->finish)
		x->sink.finish = finish;
	if (!sink->free)
		x->sink.free = gt__run_sink_free;
	x->kind = kind;
	gt__out_init(&x->out, output);
	*ret_sink = &x->sink;
	return 0;
}
