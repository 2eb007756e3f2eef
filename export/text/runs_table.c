/* SPDX-License-Identifier: MIT */
/*
 * Many runs in one table: how the total of each name, and the run itself, is
 * spread over them, and which run is unlike the others.
 */
#include "analysis_views.h"
#include "export/out/columns.h"
#include "export/out/escape.h"
#include "export/out/numbers.h"
#include "export/out/words.h"
#include "export/run/odd_one.h"
#include "export/run/sides.h"
#include "json_members.h"
#include "tree.h"
#include <errno.h>
#include <string.h>

enum column {
	RUNS,
	COUNT,
	MIN,
	MEDIAN,
	MAX,
	SPREAD,
	COLUMN_COUNT,
};

static const struct gt__column columns[COLUMN_COUNT] = {
	[RUNS] = {"runs", 7, 2}, [COUNT] = {"count", 10, 1},
	[MIN] = {"min", 12, 4},  [MEDIAN] = {"median", 12, 0},
	[MAX] = {"max", 12, 5},  [SPREAD] = {"spread %", 10, 3},
};

struct runs {
	struct gt__side side;
	struct gt__durations lengths; /* of the runs */
	uint32_t partial;             /* runs that lack records */
};

/* A row: a name, or of no name the runs themselves. */
struct row {
	const struct gt__kept *kept;
	const struct gt__durations *values;
	struct gt__spread spread;
	uint64_t count; /* of an average run */
};

static void fail(struct gt__collect_sink *x)
{
	if (!x->head.out.error)
		x->head.out.error = -ENOMEM;
}

void gt__runs_keep(struct gt__collect_sink *x, const struct gt__collect *c,
                   const struct gt_summary *summary)
{
	struct runs *runs = x->kept;

	if (!runs)
		runs = x->kept = calloc(1, sizeof *runs);
	if (!runs || !gt__side_add(&runs->side, c) ||
	    !gt__add_duration(&runs->lengths,
	                      gt__elapsed_ns(c->head.trace, summary->end_ns)))
		fail(x);
	else
		runs->partial += gt__is_partial(&summary->losses);
}

void gt__runs_free(void *kept)
{
	struct runs *runs = kept;

	if (!runs)
		return;
	gt__side_fini(&runs->side);
	free(runs->lengths.ns);
	free(runs);
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (!a->kept != !b->kept) /* the runs themselves come first */
		return a->kept ? 1 : -1;
	if (a->spread.median != b->spread.median)
		return a->spread.median > b->spread.median ? -1 : 1;
	return gt__compare_names(a->kept, b->kept);
}

/* NULL: there are none, or out of memory, which the sink has. */
static struct row *find_rows(struct gt__collect_sink *x, uint32_t *ret_count)
{
	struct runs *runs = x->kept;
	struct row *rows;
	bool fits = true;
	uint32_t i;

	if (!runs || x->head.out.error)
		return NULL;
	gt__side_close(&runs->side, x->analysis.sort);
	*ret_count = runs->side.count + 1;
	rows = calloc(*ret_count, sizeof *rows);
	for (i = 0; rows && fits && i < *ret_count; i++) {
		const struct gt__kept *kept =
			i ? runs->side.names[i - 1] : NULL;

		rows[i].kept = kept;
		rows[i].values = kept ? &kept->totals : &runs->lengths;
		rows[i].count = kept ? kept->name.count : 1;
		fits = gt__find_spread(rows[i].values->ns,
		                       rows[i].values->count, &rows[i].spread);
	}
	if (!rows || !fits) {
		fail(x);
		free(rows);
		return NULL;
	}
	qsort(rows, *ret_count, sizeof *rows, compare_rows);
	return rows;
}

/* What the run is called whose value is the farthest from the median. */
static const char *odd_label(const struct gt__collect_sink *x,
                             const struct row *row, uint32_t *ret_index)
{
	*ret_index = row->kept ? (uint32_t)row->kept->traces.ns[row->spread.odd]
	                       : row->spread.odd;
	return x->analysis.labels && *ret_index < x->analysis.label_count
	               ? x->analysis.labels[*ret_index]
	               : NULL;
}

/* ---- Text ---------------------------------------------------------------- */

static void put_cells(struct gt__out *o, const struct row *row, unsigned shown)
{
	const struct gt__spread *s = &row->spread;
	unsigned i;

	for (i = 0; i < COLUMN_COUNT; i++) {
		size_t width = columns[i].width;

		if (!(shown & 1u << i))
			continue;
		switch ((enum column)i) {
		case RUNS:
			gt__put_count(o, row->values->count, width);
			break;
		case COUNT:
			gt__put_count(o, row->count, width);
			break;
		case MIN:
			gt__put_duration_in(o, s->min, width);
			break;
		case MEDIAN:
			gt__put_duration_in(o, s->median, width);
			break;
		case MAX:
			gt__put_duration_in(o, s->max, width);
			break;
		case SPREAD:
			gt__put_percent(o, s->deviation, s->median, width);
			break;
		case COLUMN_COUNT:
			break;
		}
	}
}

static void put_odd(struct gt__collect_sink *x, const struct row *row)
{
	struct gt__out *o = &x->head.out;
	uint64_t value = row->values->ns[row->spread.odd];
	uint32_t index;
	const char *label = odd_label(x, row, &index);

	if (!row->spread.is_odd)
		return;
	gt__paint(o, GT__YELLOW);
	gt__put(o, "  odd: ");
	if (label)
		gt__put_terminal(o, (struct gt_text){label, strlen(label)});
	else
		gt__put_u64(o, index);
	gt__put_char(o, ' ');
	gt__put_duration(o, value);
	gt__unpaint(o);
}

static void put_row(struct gt__collect_sink *x, const struct row *row,
                    unsigned shown)
{
	static const struct gt_text whole = {"the whole run", 13};
	struct gt__out *o = &x->head.out;
	size_t from = o->used;

	put_cells(o, row, shown);
	gt__put(o, "  ");
	gt__put_bold(o, row->kept ? row->kept->name.name : whole);
	put_odd(x, row);
	gt__end_line(o, from);
	gt__out_record(o);
}

void gt__put_runs(struct gt__collect_sink *x)
{
	struct gt__out *o = &x->head.out;
	unsigned shown = gt__fit_columns(o, columns, COLUMN_COUNT,
	                                 (1u << COLUMN_COUNT) - 1);
	uint32_t i, count = 0;
	struct row *rows = find_rows(x, &count);

	if (!rows)
		return;
	gt__put_u64(o, x->printed);
	gt__put(o, x->printed == 1 ? " run" : " runs");
	if (((const struct runs *)x->kept)->partial) {
		gt__put(o, ", ");
		gt__put_u64(o, ((const struct runs *)x->kept)->partial);
		gt__put(o, " of them partial: what was lost is in no number "
		           "below");
	}
	gt__put(o, "; the total of each name in a run\n");
	gt__put_column_heads(o, columns, COLUMN_COUNT, shown);
	for (i = 0; i < count; i++)
		if (!rows[i].kept ||
		    gt__name_matches(x->options.name, rows[i].kept->name.name))
			put_row(x, &rows[i], shown);
	free(rows);
}

/* ---- JSON ---------------------------------------------------------------- */

static void put_odd_json(struct gt__collect_sink *x, const struct row *row)
{
	struct gt__out *o = &x->head.out;
	uint32_t index;
	const char *label = odd_label(x, row, &index);

	if (!row->spread.is_odd) {
		gt__put(o, ",\"odd\":null");
		return;
	}
	gt__put(o, ",\"odd\":{\"index\":");
	gt__put_u64(o, index);
	if (label)
		gt__member_text(o, "file",
		                (struct gt_text){label, strlen(label)});
	gt__member_u64(o, "ns", row->values->ns[row->spread.odd]);
	gt__put_char(o, '}');
}

void gt__put_runs_json(struct gt__collect_sink *x)
{
	struct gt__out *o = &x->head.out;
	uint32_t i, count = 0;
	struct row *rows = find_rows(x, &count);

	if (!rows)
		return;
	gt__put(o, "{\"runs\":");
	gt__put_u64(o, x->printed);
	gt__member_number(o, "partial",
	                  ((const struct runs *)x->kept)->partial);
	gt__put(o, ",\n\"spreads\":[");
	for (i = 0; i < count; i++) {
		const struct row *row = &rows[i];

		gt__put(o, i ? ",\n{\"name\":" : "\n{\"name\":");
		if (row->kept) {
			gt__put_json(o, row->kept->name.name);
			gt__member_text(o, "target", row->kept->name.target);
		} else {
			gt__put(o, "null,\"target\":null");
		}
		gt__member_number(o, "runs", row->values->count);
		gt__member_u64(o, "count", row->count);
		gt__member_u64(o, "min_ns", row->spread.min);
		gt__member_u64(o, "median_ns", row->spread.median);
		gt__member_u64(o, "max_ns", row->spread.max);
		gt__member_u64(o, "deviation_ns", row->spread.deviation);
		put_odd_json(x, row);
		gt__put_char(o, '}');
		gt__out_record(o);
	}
	gt__put(o, "]}\n");
	free(rows);
}
