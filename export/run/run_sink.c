/* SPDX-License-Identifier: MIT */
#include "run_sink.h"
#include <errno.h>

void *gt__run_sink_new(size_t size, const struct gt_sink *sink,
                       void (*free_run)(struct gt__run_sink *x,
                                        struct gt__run *run),
                       const struct gt_output *output)
{
	struct gt__run_sink *x = calloc(1, size);

	if (!x)
		return NULL;
	x->sink = *sink;
	if (!sink->end)
		x->sink.end = gt__run_sink_end;
	if (!sink->finish)
		x->sink.finish = gt__run_sink_finish;
	if (!sink->free)
		x->sink.free = gt__run_sink_free;
	x->free_run = free_run;
	gt__out_init(&x->out, output);
	return x;
}

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

int gt__run_sink_end(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_summary *summary)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__run *run = gt__run_find(&x->runs, trace);

	(void)summary;
	if (run) {
		gt__run_remove(&x->runs, run);
		x->free_run(x, run);
	}
	return gt__out_flush(&x->out);
}

int gt__run_sink_finish(struct gt_sink *sink)
{
	return gt__out_flush(&((struct gt__run_sink *)sink)->out);
}

void gt__run_sink_free(struct gt_sink *sink)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__run *run;

	if (!x)
		return;
	while ((run = x->runs)) {
		x->runs = run->next;
		x->free_run(x, run);
	}
	gt__out_fini(&x->out);
	free(x);
}
