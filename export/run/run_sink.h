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

struct gt__run_sink;

/* What a sink keeps of a run, and puts at its beginning and its end. */
struct gt__run_kind {
	size_t bytes;
	/* Either may be NULL. */
	void (*begin)(struct gt__run_sink *x, struct gt__run *run);
	void (*end)(struct gt__run_sink *x, struct gt__run *run,
	            const struct gt_summary *summary);
	/* Frees it and what it holds. It may have had no end, and its trace may
	 * be gone: puts nothing. */
	void (*free)(struct gt__run_sink *x, struct gt__run *run);
};

struct gt__run_sink {
	struct gt_sink sink;
	struct gt__out out;
	const struct gt__run_kind *kind; /* NULL: nothing is kept */
	struct gt__run *runs;
};

/*
 * A sink of `size` bytes, zeroed behind its head: 0 or -ENOMEM. What `sink` has
 * is called; where its `begin`, `end`, `finish` or `free` is NULL, runs are
 * kept as `kind` says, and the output is flushed at the end of each.
 */
int gt__run_sink_new(size_t size, const struct gt_sink *sink,
                     const struct gt__run_kind *kind,
                     const struct gt_output *output, struct gt_sink **ret_sink);

/* What was kept when the run began; NULL after an error, which `out` has. */
void *gt__run_sink_find(struct gt__run_sink *x, const struct gt_trace *trace);
/* Ends a call that came to `rc`: the first error stays. The sticky error. */
int gt__run_sink_done(struct gt__run_sink *x, int rc);

/* Of a sink whose own `free` frees more. */
void gt__run_sink_free(struct gt_sink *sink);

#endif
