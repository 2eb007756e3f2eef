/* SPDX-License-Identifier: MIT */
/*
 * What changed from one trace to another, per name: those first whose total
 * time changed the most. As text and as JSON (docs/report.md).
 */
#include "export/out/columns.h"
#include "export/out/escape.h"
#include "export/out/losses.h"
#include "export/out/numbers.h"
#include "diff_side.h"
#include "tree.h"
#include "export/out/words.h"
#include <errno.h>
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
	COLUMN_COUNT,
};

static const struct gt__column columns[COLUMN_COUNT] = {
	[TOTAL] = {"\u0394 total", 12, 0},
	[TOTAL_CHANGE] = {"%", 9, 0},
	[COUNT] = {"count", 10, 6},
	[COUNT_BEFORE] = {"was", 7, 5},
	[P50] = {"p50", 12, 1},
	[P50_CHANGE] = {"p50 %", 9, 3},
	[P99] = {"p99", 12, 2},
	[P99_CHANGE] = {"p99 %", 9, 4},
};

struct sides {
	struct gt__side before, after;
	bool partial; /* one of them */
};

/* `&none` where a trace has no such name. */
struct change {
	const struct gt__name *before, *after;
	uint64_t impact; /* how much its weight changed */
};

static const struct gt__name none = {.count = 1}; /* and percentiles of 0 */

/* ---- The changes --------------------------------------------------------- */

static int compare_changes(const void *left, const void *right)
{
	const struct change *a = left, *b = right;

	if (a->impact != b->impact)
		return a->impact > b->impact ? -1 : 1;
	return gt__compare_names(a->before == &none ? a->after : a->before,
	                         b->before == &none ? b->after : b->before);
}

static struct change *find_changes(const struct sides *s, uint32_t *ret_count)
{
	size_t most = (size_t)s->before.count + s->after.count + 1;
	struct change *changes = malloc(most * sizeof *changes);
	uint32_t i = 0, j = 0, n = 0;

	while (changes && (i < s->before.count || j < s->after.count)) {
		struct change change = {&none, &none, 0};
		int order = i == s->before.count ? 1
		            : j == s->after.count
		                    ? -1
		                    : gt__compare_names(&s->before.names[i],
		                                        &s->after.names[j]);

		if (order <= 0)
			change.before = &s->before.names[i++];
		if (order >= 0)
			change.after = &s->after.names[j++];
		change.impact =
			change.after->weight > change.before->weight
				? change.after->weight - change.before->weight
				: change.before->weight - change.after->weight;
		changes[n++] = change;
	}
	if (changes)
		qsort(changes, n, sizeof *changes, compare_changes);
	*ret_count = n;
	return changes;
}

static const struct gt__name *shown_name(const struct change *change)
{
	return change->after == &none ? change->before : change->after;
}

/* ---- Text ---------------------------------------------------------------- */

static const char *colour_of(uint64_t before, uint64_t after)
{
	return after > before ? GT__RED : after < before ? GT__GREEN : GT__DIM;
}

static void put_change(struct gt__out *o, const struct change *change,
                       uint64_t before, uint64_t after, size_t width)
{
	const char *word = change->before == &none  ? "new"
	                   : change->after == &none ? "gone"
	                   : !before                ? "-"
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
static void put_percentile(struct gt__out *o, const struct change *change,
                           uint64_t before, uint64_t after, size_t width)
{
	if (!gt__has_percentiles(shown_name(change)))
		gt__put_dash(o, width);
	else
		gt__put_duration_in(o, change->after == &none ? before : after,
		                    width);
}

static void put_percentile_change(struct gt__out *o,
                                  const struct change *change, uint64_t before,
                                  uint64_t after, size_t width)
{
	if (gt__has_percentiles(change->before) &&
	    gt__has_percentiles(change->after))
		put_change(o, change, before, after, width);
	else
		gt__put_dash(o, width);
}

static uint64_t count_of(const struct gt__name *name)
{
	return name == &none ? 0 : name->count;
}

static void put_cell(struct gt__out *o, const struct change *change,
                     enum column column)
{
	const struct gt__name *b = change->before, *a = change->after;
	size_t width = columns[column].width;

	switch (column) {
	case TOTAL: /* of a name whose spans all lack their end: not known */
		if ((b != &none && !gt__has_times(b)) ||
		    (a != &none && !gt__has_times(a)))
			gt__put_dash(o, width);
		else
			put_difference(o, b->total_ns, a->total_ns, width);
		break;
	case TOTAL_CHANGE:
		put_change(o, change, b->total_ns, a->total_ns, width);
		break;
	case COUNT:
		gt__put_count(o, count_of(a), width);
		break;
	case COUNT_BEFORE:
		gt__put_count(o, count_of(b), width);
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
	case COLUMN_COUNT:
		break;
	}
}

static void put_line(struct gt__out *o, const struct change *change,
                     unsigned columns_shown, const char *by)
{
	size_t from = o->used;
	unsigned i;

	for (i = 0; i < COLUMN_COUNT; i++)
		if (columns_shown & 1u << i)
			put_cell(o, change, (enum column)i);
	gt__end_with_name(o, shown_name(change), by, from);
}

static uint64_t unfinished_of(const struct gt__side *side)
{
	uint64_t count = 0;
	uint32_t i;

	for (i = 0; i < side->count; i++)
		count += side->names[i].unfinished;
	return count;
}

static void put_unfinished(struct gt__out *o, const struct sides *sides)
{
	uint64_t before = unfinished_of(&sides->before);
	uint64_t after = unfinished_of(&sides->after);
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

static void conclude_text(struct gt__collect_sink *x)
{
	const struct gt_report_options *options = &x->options;
	struct gt__out *o = &x->head.out;
	unsigned columns_shown;
	uint32_t i, count, shown = 0;
	struct change *changes;

	if (x->printed != 2 || !x->kept)
		return;
	changes = find_changes(x->kept, &count);
	if (!changes) {
		o->error = o->error ? o->error : -ENOMEM;
		return;
	}
	columns_shown = gt__fit_columns(o, columns, COLUMN_COUNT,
	                                (1u << COLUMN_COUNT) - 1);
	gt__put_char(o, '\n');
	if (((const struct sides *)x->kept)->partial)
		gt__put_partial_note(o);
	gt__put_column_heads(o, columns, COLUMN_COUNT, columns_shown);
	for (i = 0; i < count; i++) {
		if (!gt__name_matches(options->name,
		                      shown_name(&changes[i])->name))
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
	put_unfinished(o, x->kept);
	free(changes);
}

/* ---- JSON ---------------------------------------------------------------- */

static void put_member(struct gt__out *o, const char *before, const char *key,
                       uint64_t value)
{
	gt__put(o, before);
	gt__put(o, key);
	gt__put(o, "\":\"");
	gt__put_u64(o, value);
	gt__put_char(o, '"');
}

static void put_side(struct gt__out *o, const char *key,
                     const struct gt__name *n)
{
	gt__put(o, ",\"");
	gt__put(o, key);
	if (n == &none) {
		gt__put(o, "\":null");
		return;
	}
	gt__put(o, "\":");
	put_member(o, "{\"", "count", n->count);
	put_member(o, ",\"", "unfinished", n->unfinished);
	put_member(o, ",\"", "total_ns", n->total_ns);
	if (gt__has_percentiles(n)) {
		put_member(o, ",\"", "p50_ns", n->p50_ns);
		put_member(o, ",\"", "p99_ns", n->p99_ns);
	} else {
		gt__put(o, ",\"p50_ns\":null,\"p99_ns\":null");
	}
	gt__put_char(o, '}');
}

static void put_by(struct gt__out *o, const struct gt__name *n)
{
	gt__put(o, ",\"by\":");
	if (n->by.bytes)
		gt__put_json(o, n->by);
	else
		gt__put(o, "null");
}

static void put_traced(struct gt__out *o, const struct gt_trace *trace,
                       const struct gt_summary *summary)
{
	gt__put(o, "{\"trace_id\":\"");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__put_char(o, '"');
	gt__put_losses_json(o, &summary->losses);
	gt__put(o, ",\"guest\":");
	gt__put_json(o, trace->guest_name);
	gt__put(o, ",\"outcome\":\"");
	gt__put(o, gt__ending_word(summary->ending));
	put_member(o, "\",\"", "duration_ns",
	           gt__elapsed_ns(trace, summary->end_ns));
	put_member(o, ",\"", "spans", summary->spans);
	gt__put(o, ",\"status\":");
	gt__put_u64(o, summary->status);
	gt__put(o, ",\"message\":");
	gt__put_json(o, summary->message);
	gt__put_char(o, '}');
}

static void conclude_json(struct gt__collect_sink *x)
{
	struct gt__out *o = &x->head.out;
	struct change *changes;
	uint32_t i, count;

	if (x->printed != 2 || !x->kept)
		return;
	changes = find_changes(x->kept, &count);
	if (!changes) {
		o->error = o->error ? o->error : -ENOMEM;
		return;
	}
	gt__put(o, ",\n\"names\":[");
	for (i = 0; i < count; i++) {
		gt__put(o, i ? ",\n{\"name\":" : "\n{\"name\":");
		gt__put_json(o, shown_name(&changes[i])->name);
		gt__put(o, ",\"target\":");
		gt__put_json(o, shown_name(&changes[i])->target);
		if (x->analysis.by)
			put_by(o, shown_name(&changes[i]));
		put_side(o, "before", changes[i].before);
		put_side(o, "after", changes[i].after);
		gt__put_char(o, '}');
		gt__out_record(o);
	}
	gt__put(o, "\n]}\n");
	free(changes);
}

/* ---- Sinks --------------------------------------------------------------- */

static void keep(struct gt__collect_sink *x, const struct gt__collect *c,
                 const struct gt_summary *summary)
{
	struct sides *sides = x->kept;

	if (!sides)
		sides = x->kept = calloc(1, sizeof *sides);
	if (sides)
		sides->partial |= gt__is_partial(&summary->losses);
	if (!sides ||
	    !gt__keep_names(x->printed ? &sides->after : &sides->before, c))
		x->head.out.error =
			x->head.out.error ? x->head.out.error : -ENOMEM;
}

static void print_text(struct gt__collect_sink *x, struct gt__collect *c,
                       const struct gt_summary *summary)
{
	if (x->printed > 1)
		return;
	gt__put_header(&x->head.out, c, summary);
	keep(x, c, summary);
}

static void print_json(struct gt__collect_sink *x, struct gt__collect *c,
                       const struct gt_summary *summary)
{
	if (x->printed > 1)
		return;
	gt__put(&x->head.out, x->printed ? ",\n\"after\":" : "{\"before\":");
	put_traced(&x->head.out, c->head.trace, summary);
	keep(x, c, summary);
}

static void free_sides(void *kept)
{
	struct sides *sides = kept;

	if (!sides)
		return;
	free(sides->before.names);
	free(sides->after.names);
	free(sides);
}

static int make(const struct gt_output *output,
                const struct gt_report_options *options, gt__print_fn *print,
                void (*conclude)(struct gt__collect_sink *x),
                struct gt_sink **ret_sink)
{
	int rc = gt__collect_sink_with(output, options, print, conclude,
	                               ret_sink);

	if (rc == 0)
		((struct gt__collect_sink *)*ret_sink)->free_kept = free_sides;
	return rc;
}

int gt_diff_with(const struct gt_output *output,
                 const struct gt_report_options *options,
                 struct gt_sink **ret_sink)
{
	return make(output, options, print_text, conclude_text, ret_sink);
}

int gt_diff_json_with(const struct gt_output *output,
                      const struct gt_report_options *options,
                      struct gt_sink **ret_sink)
{
	const struct gt_report_options plain = {
		.size = sizeof plain,
		.analysis = options ? options->analysis : NULL,
	};

	return make(output, &plain, print_json, conclude_json, ret_sink);
}

int gt_diff_json_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_diff_json_with(output, NULL, ret_sink);
}
