/* SPDX-License-Identifier: MIT */
/*
 * What changed from some traces to others, per name: those first whose total
 * time changed the most, and what of it is noise.
 */
#include "diff.h"
#include "export/out/columns.h"
#include "export/out/escape.h"
#include "export/out/losses.h"
#include "export/out/numbers.h"
#include "export/out/words.h"
#include "export/run/fail_if.h"
#include "tree.h"
#include <errno.h>
#include <math.h>
#include <string.h>

enum column {
	TOTAL,
	TOTAL_CHANGE,
	COUNT,
	COUNT_BEFORE,
	P50,
	P50_CHANGE,
	P99,
	P99_CHANGE,
	GUEST_CHANGE,
	SHIFT,
	VERDICT,
	COLUMN_COUNT,
};

static const struct gt__column columns[COLUMN_COUNT] = {
	[TOTAL] = {"\u0394 total", 12, 0},
	[TOTAL_CHANGE] = {"%", 9, 0},
	[COUNT] = {"count", 10, 8},
	[COUNT_BEFORE] = {"was", 7, 7},
	[P50] = {"p50", 12, 3},
	[P50_CHANGE] = {"p50 %", 9, 5},
	[P99] = {"p99", 12, 4},
	[P99_CHANGE] = {"p99 %", 9, 6},
	[GUEST_CHANGE] = {"guest %", 9, 2},
	[SHIFT] = {"shift % (95 %)", 24, 1},
	[VERDICT] = {"change", 9, 9},
};

static const struct gt__kept none = {.name = {.count = 1}}; /* times of 0 */

static const struct gt__name *name_of(const struct gt__kept *kept)
{
	return &(kept ? kept : &none)->name;
}

/* ---- Text ---------------------------------------------------------------- */

static const char *colour_of(uint64_t before, uint64_t after)
{
	return after > before ? GT__RED : after < before ? GT__GREEN : GT__DIM;
}

static void put_change(struct gt__out *o, const struct gt__change *change,
                       uint64_t before, uint64_t after, size_t width)
{
	const char *word = !change->before  ? "new"
	                   : !change->after ? "gone"
	                   : !before        ? "-"
	                                    : NULL;

	gt__paint(o, colour_of(before, after));
	if (word) {
		gt__put_padding(o, strlen(word), width);
		gt__put(o, word);
	} else {
		gt__put_change(o, before, after, width);
	}
	gt__unpaint(o);
}

static void put_difference(struct gt__out *o, uint64_t before, uint64_t after,
                           size_t width)
{
	uint64_t ns = after > before ? after - before : before - after;

	gt__put_padding(o, gt__duration_columns(o, ns) + 1, width);
	gt__paint(o, colour_of(before, after));
	gt__put_char(o, after > before ? '+' : after < before ? '-' : ' ');
	gt__put_duration(o, ns);
	gt__unpaint(o);
}

/* Of a name that is gone, what it was. */
static void put_percentile(struct gt__out *o, const struct gt__change *change,
                           uint64_t before, uint64_t after, size_t width)
{
	if (!gt__has_percentiles(gt__changed_name(change)))
		gt__put_dash(o, width);
	else
		gt__put_duration_in(o, !change->after ? before : after, width);
}

static void put_percentile_change(struct gt__out *o,
                                  const struct gt__change *change,
                                  uint64_t before, uint64_t after, size_t width)
{
	if (gt__has_percentiles(name_of(change->before)) &&
	    gt__has_percentiles(name_of(change->after)))
		put_change(o, change, before, after, width);
	else
		gt__put_dash(o, width);
}

static uint64_t count_of(const struct gt__kept *kept)
{
	return kept ? kept->name.count : 0;
}

/* Of durations that are sorted; 0 of none. */
static uint64_t median_of(const struct gt__durations *d)
{
	return d->count ? d->ns[gt__nearest_rank(d->count, 50) - 1] : 0;
}

static void put_guest_change(struct gt__out *o, const struct gt__change *change,
                             size_t width)
{
	uint64_t before, after;

	if (change->verdict == GT__NOT_TESTED) {
		gt__put_dash(o, width);
		return;
	}
	before = median_of(&change->before->guests);
	after = median_of(&change->after->guests);
	if (before)
		put_change(o, change, before, after, width);
	else
		gt__put_dash(o, width);
}

static void put_signed(struct gt__out *o, int64_t ns, uint64_t whole_ns)
{
	double tenths = fabs((double)ns) * 1000 / (double)whole_ns;

	if (tenths > 999999)
		tenths = 999999;
	if (tenths >= 0.5)
		gt__put_char(o, ns < 0 ? '-' : '+');
	gt__put_u64(o, (uint64_t)(tenths + 0.5) / 10);
	gt__put_char(o, '.');
	gt__put_u64(o, (uint64_t)(tenths + 0.5) % 10);
}

/* In percent of the median before: the shift, and where it is by 95 %. */
static void put_shift(struct gt__out *o, const struct gt__change *change,
                      size_t width)
{
	const struct gt__ranks *r = &change->ranks;
	size_t from = o->used, used;
	uint64_t whole_ns;

	if (change->verdict == GT__NOT_TESTED ||
	    !(whole_ns = median_of(&change->before->spans))) {
		gt__put_dash(o, width);
		return;
	}
	put_signed(o, r->shift_ns, whole_ns);
	gt__put(o, " (");
	put_signed(o, r->low_ns, whole_ns);
	gt__put(o, " ");
	put_signed(o, r->high_ns, whole_ns);
	gt__put_char(o, ')');
	used = o->used - from;
	gt__put_padding(o, used, width);
	if (!o->error) { /* what was put goes to the right */
		size_t padding = o->used - from - used;

		memmove(o->bytes + from + padding, o->bytes + from, used);
		memset(o->bytes + from, ' ', padding);
	}
}

static void put_verdict(struct gt__out *o, const struct gt__change *change,
                        size_t width)
{
	const char *word = gt__verdict_word(change->verdict);

	gt__put_padding(o, strlen(word), width);
	gt__put_painted(o,
	                change->verdict == GT__SLOWER   ? GT__RED
	                : change->verdict == GT__FASTER ? GT__GREEN
	                                                : GT__DIM,
	                word);
}

static void put_cell(struct gt__out *o, const struct gt__change *change,
                     enum column column)
{
	const struct gt__name *b = name_of(change->before);
	const struct gt__name *a = name_of(change->after);
	size_t width = columns[column].width;

	switch (column) {
	case TOTAL: /* of a name whose spans all lack their end: not known */
		if (!gt__has_times(b) || !gt__has_times(a))
			gt__put_dash(o, width);
		else
			put_difference(o, b->total_ns, a->total_ns, width);
		break;
	case TOTAL_CHANGE:
		put_change(o, change, b->total_ns, a->total_ns, width);
		break;
	case COUNT:
		gt__put_count(o, count_of(change->after), width);
		break;
	case COUNT_BEFORE:
		gt__put_count(o, count_of(change->before), width);
		break;
	case P50:
		put_percentile(o, change, b->p50_ns, a->p50_ns, width);
		break;
	case P50_CHANGE:
		put_percentile_change(o, change, b->p50_ns, a->p50_ns, width);
		break;
	case P99:
		put_percentile(o, change, b->p99_ns, a->p99_ns, width);
		break;
	case P99_CHANGE:
		put_percentile_change(o, change, b->p99_ns, a->p99_ns, width);
		break;
	case GUEST_CHANGE:
		put_guest_change(o, change, width);
		break;
	case SHIFT:
		put_shift(o, change, width);
		break;
	case VERDICT:
		put_verdict(o, change, width);
		break;
	case COLUMN_COUNT:
		break;
	}
}

static void put_line(struct gt__out *o, const struct gt__change *change,
                     unsigned columns_shown, const char *by)
{
	size_t from = o->used;
	unsigned i;

	for (i = 0; i < COLUMN_COUNT; i++)
		if (columns_shown & 1u << i)
			put_cell(o, change, (enum column)i);
	gt__end_with_name(o, gt__changed_name(change), by, from);
}

static uint64_t unfinished_of(const struct gt__side *side)
{
	uint64_t count = 0;
	uint32_t i;

	for (i = 0; i < side->count; i++)
		count += side->names[i]->name.unfinished;
	return count;
}

static void put_unfinished(struct gt__out *o, const struct gt__diff *diff)
{
	uint64_t before = unfinished_of(&diff->before);
	uint64_t after = unfinished_of(&diff->after);
	size_t from = o->used;

	if (!before && !after)
		return;
	gt__put(o, "spans not seen from opening to close, counted, but not in "
	           "p50 and p99: ");
	gt__put_u64(o, before);
	gt__put(o, " before, ");
	gt__put_u64(o, after);
	gt__put(o, " after");
	gt__wrap_line(o, from, 2);
}

/* What count, total and the verdicts are of. */
static void put_traces(struct gt__out *o, const struct gt__diff *diff)
{
	size_t from = o->used;

	if (diff->before.traces < 2 && diff->after.traces < 2)
		return;
	gt__put(o, "count and total are those of an average run of ");
	gt__put_u64(o, diff->before.traces);
	gt__put(o, " before and ");
	gt__put_u64(o, diff->after.traces);
	gt__put(o, " after");
	gt__wrap_line(o, from, 2);
}

static void put_lines(struct gt__collect_sink *x,
                      const struct gt__change *changes, uint32_t count)
{
	const struct gt_report_options *options = &x->options;
	struct gt__out *o = &x->head.out;
	unsigned columns_shown = gt__fit_columns(o, columns, COLUMN_COUNT,
	                                         (1u << COLUMN_COUNT) - 1);
	uint32_t i, shown = 0;

	gt__put_column_heads(o, columns, COLUMN_COUNT, columns_shown);
	for (i = 0; i < count; i++) {
		if (!gt__name_matches(options->name,
		                      gt__changed_name(&changes[i])->name))
			continue;
		if (!options->top || shown < options->top)
			put_line(o, &changes[i], columns_shown, x->analysis.by);
		shown++;
	}
	if (options->top && shown > options->top) {
		gt__put_count(o, shown - options->top, 12);
		gt__put(o, " more\n");
	}
	if (shown == 0 && options->name)
		gt__put(o, "no span of that name\n");
}

static void put_failures(struct gt__collect_sink *x,
                         const struct gt__change *changes, uint32_t count)
{
	struct gt__out *o = &x->head.out;
	struct gt__fail_if bound;
	const char *why;
	uint32_t i;

	if (!x->analysis.fail_if ||
	    gt__fail_if_read(x->analysis.fail_if, &bound, &why))
		return;
	for (i = 0; i < count; i++) {
		size_t from = o->used;

		if (!gt__change_fails(x, &bound, &changes[i]))
			continue;
		gt__put_painted(o, GT__ALARM, "\u2717 ");
		gt__put(o, x->analysis.fail_if);
		gt__end_with_name(o, gt__changed_name(&changes[i]),
		                  x->analysis.by, from);
	}
}

static void conclude(struct gt__collect_sink *x)
{
	struct gt__out *o = &x->head.out;
	struct gt__change *changes;
	uint32_t count;

	changes = gt__diff_changes(x, &count);
	if (!changes)
		return;
	gt__put_char(o, '\n');
	if (((const struct gt__diff *)x->kept)->partial)
		gt__put_partial_note(o);
	put_lines(x, changes, count);
	put_traces(o, x->kept);
	put_unfinished(o, x->kept);
	put_failures(x, changes, count);
	free(changes);
}

static void put_label(struct gt__collect_sink *x, const struct gt_trace *trace)
{
	const struct gt_analysis *analysis = &x->analysis;
	struct gt__out *o = &x->head.out;
	const char *label;
	size_t from = o->used;

	if (!analysis->labels || trace->index >= analysis->label_count)
		return;
	label = analysis->labels[trace->index];
	gt__put_painted(o, GT__DIM, gt__is_before(x) ? "before  " : "after   ");
	gt__put_terminal(o, (struct gt_text){label, strlen(label)});
	gt__end_line(o, from);
}

static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	if (!gt__is_of_diff(x))
		return;
	put_label(x, c->head.trace);
	gt__put_header(&x->head.out, c, summary);
	gt__diff_keep(x, c, summary);
}

int gt_diff_with(const struct gt_output *output,
                 const struct gt_report_options *options,
                 struct gt_sink **ret_sink)
{
	return gt__diff_new(output, options, false, print, conclude, ret_sink);
}
