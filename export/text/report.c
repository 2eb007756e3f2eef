/* SPDX-License-Identifier: MIT */
/* A text report: header, tree, times by name, losses, exits. */
#include "export/out/escape.h"
#include "histogram.h"
#include "export/out/numbers.h"
#include "export/run/split_words.h"
#include "tree.h"
#include "analysis_views.h"
#include "export/out/words.h"
#include <errno.h>

#define COLUMNS GT__COUNT_COLUMNS

/* ---- Where the time went ------------------------------------------------- */

static void put_part_name(struct gt__out *o, enum gt__part part,
                          const struct gt_summary *summary)
{
	uint64_t exits = summary->tracing_exits;

	switch (part) {
	case GT__PART_GUEST:
		gt__put(o, "guest");
		return;
	case GT__PART_WAITING:
		gt__put(o, "vCPU waiting for a CPU of the host (estimated)");
		return;
	case GT__PART_UNKNOWN:
		gt__put(o, "not known: before the first entry, behind the "
		           "last exit");
		return;
	case GT__PART_TRACING:
		gt__put(o, "exits for tracing");
		break;
	case GT__PART_EXIT:
	default:
		gt__put(o, "exits: ");
		gt__put(o, gt__exit_word(part - GT__PART_EXIT));
		exits = 0;
	}
	if (exits) {
		gt__put(o, " (");
		gt__put_u64(o, exits);
		gt__put(o, ", ");
		gt__put_u64(o, summary->record_bytes);
		gt__put(o, " bytes)");
	}
}

/* The bar gives way before the words do. */
static unsigned bar_cells(const struct gt__out *o)
{
	return o->columns >= 80 ? 16 : o->columns >= 60 ? 8 : 0;
}

static void put_part(struct gt__out *o, uint64_t ns, uint64_t whole_ns,
                     enum gt__part part, const struct gt_summary *summary)
{
	unsigned cells = bar_cells(o), indent = 2 * COLUMNS;
	size_t from = o->used;

	gt__put_duration_in(o, ns, COLUMNS);
	gt__put_percent(o, ns, whole_ns, COLUMNS - 4);
	gt__put(o, " %  ");
	if (cells) {
		gt__put_bar(o, ns, whole_ns, cells);
		gt__put(o, "  ");
		indent += cells + 2;
	}
	put_part_name(o, part, summary);
	gt__wrap_line(o, from, indent);
}

/* What the lines below add up to, where that is not the time of the header. */
static void put_split_title(struct gt__out *o, uint32_t vcpus, uint64_t run_ns,
                            const struct gt_summary *summary)
{
	size_t from;

	gt__put_char(o, '\n');
	from = o->used;
	gt__put_painted(o, GT__BOLD, "where the time went");
	if (vcpus > 1) {
		gt__put(o, "  ");
		gt__put_u64(o, vcpus);
		gt__put(o, " vCPUs \u00d7 ");
		gt__put_duration(o, run_ns);
	}
	gt__put_partial(o, summary);
	gt__wrap_line(o, from, 2);
}

static void put_time_split(struct gt__out *o, struct gt__collect *c,
                           const struct gt_summary *summary)
{
	const struct gt_trace *trace = c->head.trace;
	uint64_t run_ns = gt__elapsed_ns(trace, summary->end_ns);
	uint64_t row[GT__PARTS] = {0}, whole_ns = run_ns * trace->vcpus;
	struct gt__timeline *t = &c->timeline;
	uint32_t i;

	if (!t->moment_count)
		return;
	gt__timeline_sum(t, trace->vcpus, trace->start_ns, summary->end_ns,
	                 row);
	put_split_title(o, trace->vcpus, run_ns, summary);
	for (i = 0; i < t->columns; i++)
		if (row[i] && i != GT__PART_UNKNOWN)
			put_part(o, row[i], whole_ns, t->parts[i], summary);
	if (row[GT__PART_UNKNOWN])
		put_part(o, row[GT__PART_UNKNOWN], whole_ns, GT__PART_UNKNOWN,
		         summary);
}

/* ---- The rest ------------------------------------------------------------ */

static void put_exit_counts(struct gt__out *o, const struct gt_summary *summary)
{
	bool any = false;
	unsigned i;

	for (i = 0; i < GT_EXIT_REASONS; i++) {
		if (!summary->exits[i])
			continue;
		if (!any)
			gt__put_title(o, "exits");
		any = true;
		gt__put_counted(o, summary->exits[i], gt__exit_word(i));
	}
}

static void put_volume(struct gt__out *o, const struct gt_summary *summary)
{
	gt__put_title(o, "taken");
	gt__put_counted(o, summary->records, "records");
	gt__put_counted(o, summary->record_bytes, "bytes");
}

static void put_tree(struct gt__out *o, struct gt__collect *c,
                     const struct gt_summary *summary,
                     const struct gt_report_options *options)
{
	uint32_t hidden;
	size_t from;

	if (options->no_tree)
		return;
	if (!gt__collect_prune(c, options, &hidden)) {
		o->error = o->error ? o->error : -ENOMEM;
		return;
	}
	gt__put_char(o, '\n');
	gt__put_tree(o, c, summary);
	if (!hidden)
		return;
	from = o->used;
	gt__paint(o, GT__DIM);
	gt__put_u64(o, hidden);
	gt__put(o, hidden == 1 ? " span not shown" : " spans not shown");
	gt__unpaint(o);
	gt__end_line(o, from);
}

static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	struct gt__out *o = &x->head.out;

	if (x->analysis.runs) {
		gt__runs_keep(x, c, summary);
		return;
	}
	if (x->printed)
		gt__put_char(o, '\n');
	gt__put_header(o, c, summary);
	if (x->options.histogram) {
		gt__put_histogram(o, c, summary, x->options.histogram);
		return;
	}
	if (gt__has_paths(&x->analysis)) {
		gt__put_paths(o, c, summary, &x->options, &x->analysis);
		return;
	}
	if (x->analysis.slowest) {
		gt__put_slowest(o, c, summary, &x->options, &x->analysis);
		return;
	}
	put_tree(o, c, summary, &x->options);
	gt__put_names(o, c, summary, &x->options);
	put_time_split(o, c, summary);
	gt__put_losses(o, &summary->losses);
	if (x->options.exits && c->timeline.moment_count)
		gt__put_exits(o, c, summary, x->options.top);
	else
		put_exit_counts(o, summary);
	put_volume(o, summary);
}

static void conclude(struct gt__collect_sink *x)
{
	if (x->analysis.runs)
		gt__put_runs(x);
}

int gt_report_with(const struct gt_output *output,
                   const struct gt_report_options *options,
                   struct gt_sink **ret_sink)
{
	struct gt__collect_sink *x;
	int rc = gt__collect_sink_with(output, options, print, conclude,
	                               ret_sink);

	if (rc)
		return rc;
	x = (struct gt__collect_sink *)*ret_sink;
	x->free_kept = gt__runs_free;
	x->spans_only = x->analysis.runs || gt__has_paths(&x->analysis) ||
	                x->options.histogram;
	if (x->spans_only)
		x->head.sink.event = x->head.sink.counter = NULL;
	x->slowest_only = x->analysis.slowest && !x->spans_only;
	return 0;
}

int gt_report_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_report_with(output, NULL, ret_sink);
}
