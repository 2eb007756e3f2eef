/* SPDX-License-Identifier: MIT */
/*
 * What sinks have in common that write to one output and keep something of each
 * run: a sink's own struct begins with struct gt__run_sink, what it keeps of a
 * run with struct gt__run.
 */
#ifndef GUESTTRACE_RUN_SINK_H
#define GUESTTRACE_RUN_SINK_H

#include "export/out/out.h"
#include "runs.h"

struct gt__run_sink {
	struct gt_sink sink;
	struct gt__out out;
	struct gt__run *runs;
	/* Frees a run and what is kept of it. It may have had no end, and its
	 * trace may be gone: puts nothing. */
	void (*free_run)(struct gt__run_sink *x, struct gt__run *run);
};

/*
 * A zeroed sink of `size` bytes, or NULL. Of `sink`, `end`, `finish` and `free`
 * may be NULL: then they are those below.
 */
void *gt__run_sink_new(size_t size, const struct gt_sink *sink,
                       void (*free_run)(struct gt__run_sink *x,
                                        struct gt__run *run),
                       const struct gt_output *output);

/* What was kept when the run began; NULL after an error, which `out` has. */
void *gt__run_sink_find(struct gt__run_sink *x, const struct gt_trace *trace);
/* Ends a call that came to `rc`: the first error stays. The sticky error. */
int gt__run_sink_done(struct gt__run_sink *x, int rc);

int gt__run_sink_end(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_summary *summary);
int gt__run_sink_finish(struct gt_sink *sink);
void gt__run_sink_free(struct gt_sink *sink);

#endif
