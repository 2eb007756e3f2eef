/* SPDX-License-Identifier: MIT */
/* The table of names: counts, times and where these went. */
#include "export/out/columns.h"
#include "export/out/escape.h"
#include "export/out/losses.h"
#include "export/out/numbers.h"
#include "export/run/split_words.h"
#include "tree.h"
#include "export/out/words.h"

#define TIME_COLUMNS 12u

enum column {
	COUNT,
	UNFINISHED,
	TOTAL,
	SELF,
	AVG,
	P50,
	P99,
	MAX,
	GUEST,
	EXITS,
	WAITING,
	COLUMN_COUNT,
};

static const struct gt__column columns[COLUMN_COUNT] = {
	[COUNT] = {"count", 9, 0},
	[UNFINISHED] = {"unfinished", 12, 7},
	[TOTAL] = {"total", TIME_COLUMNS, 0},
	[SELF] = {"self", TIME_COLUMNS, 4},
	[AVG] = {"avg", TIME_COLUMNS, 5},
	[P50] = {"p50", TIME_COLUMNS, 5},
	[P99] = {"p99", TIME_COLUMNS, 6},
	[MAX] = {"max", TIME_COLUMNS, 3},
	[GUEST] = {"guest %", 9, 2},
	[EXITS] = {"exits %", 9, 2},
	[WAITING] = {"wait %", 9, 1},
};

struct table {
	const struct gt__timeline *timeline;
	unsigned shown; /* 1 << enum column */
	uint64_t unfinished, end_unknown;
	bool has_average;
	const char *by; /* what tells rows of a name apart; NULL: nothing */
};

static void put_time(struct gt__out *o, bool is_known, uint64_t ns,
                     size_t width)
{
	if (is_known)
		gt__put_duration_in(o, ns, width);
	else
		gt__put_dash(o, width);
}

/* Of no whole span there is none. */
static void put_percentile(struct gt__out *o, const struct gt__name *n,
                           uint64_t ns, size_t width)
{
	put_time(o, gt__has_percentiles(n), ns, width);
}

/*
 * When a vCPU waited is an estimate, and so is what else there was in the same
 * stretch. Where none of it waited all is exact.
 */
static void put_share(struct gt__out *o, uint64_t part_ns,
                      const struct gt__name *n, size_t width)
{
	if (!gt__has_times(n))
		gt__put_dash(o, width);
	else if (n->split[GT__PART_WAITING] > 0)
		gt__put_estimate(o, part_ns, n->total_ns, width);
	else
		gt__put_percent(o, part_ns, n->total_ns, width);
}

static void put_cell(struct gt__out *o, const struct table *table,
                     enum column column, const struct gt__name *n)
{
	const struct gt__timeline *t = table->timeline;
	size_t width = columns[column].width;

	switch (column) {
	case COUNT:
		gt__put_count(o, n->count, width);
		break;
	case UNFINISHED:
		gt__put_count(o, n->unfinished, width);
		break;
	case TOTAL:
		put_time(o, gt__has_times(n), n->total_ns, width);
		break;
	case SELF:
		put_time(o, gt__has_times(n), n->self_ns, width);
		break;
	case AVG:
		put_percentile(o, n, n->avg_ns, width);
		break;
	case P50:
		put_percentile(o, n, n->p50_ns, width);
		break;
	case P99:
		put_percentile(o, n, n->p99_ns, width);
		break;
	case MAX:
		put_percentile(o, n, n->max_ns, width);
		break;
	case GUEST:
		put_share(o, n->split[GT__PART_GUEST], n, width);
		break;
	case EXITS:
		put_share(o,
		          gt__split_exits_ns(t, n->split) +
		                  gt__split_part_ns(t, n->split,
		                                    GT__PART_TRACING),
		          n, width);
		break;
	case WAITING:
		put_share(o, n->split[GT__PART_WAITING], n, width);
		break;
	case COLUMN_COUNT:
		break;
	}
}

static unsigned columns_shown(const struct gt__out *o,
                              const struct table *table)
{
	unsigned shown = (1u << COLUMN_COUNT) - 1;

	if (!table->timeline->moment_count)
		shown &= (1u << GUEST) - 1;
	if (!table->unfinished)
		shown &= ~(1u << UNFINISHED);
	if (!table->has_average)
		shown &= ~(1u << AVG);
	return gt__fit_columns(o, columns, COLUMN_COUNT, shown);
}

void gt__put_by(struct gt__out *o, const char *by, struct gt_text value)
{
	if (!by)
		return;
	gt__put_char(o, ' ');
	gt__put_logfmt(o, (struct gt_text){by, strlen(by)});
	gt__put_char(o, '=');
	if (value.bytes)
		gt__put_logfmt(o, value);
}

void gt__end_with_name(struct gt__out *o, const struct gt__name *name,
                       const char *by, size_t from)
{
	gt__put(o, "  ");
	gt__put_bold(o, name->name);
	gt__put_by(o, by, name->by);
	gt__paint(o, GT__DIM);
	gt__put(o, "  [");
	gt__put_terminal(o, name->target);
	gt__put_char(o, ']');
	gt__unpaint(o);
	gt__end_line(o, from);
	gt__out_record(o);
}

static void put_name(struct gt__out *o, const struct gt__name *n,
                     const struct table *table)
{
	size_t i, from = o->used;

	for (i = 0; i < COLUMN_COUNT; i++)
		if (table->shown & 1u << i)
			put_cell(o, table, (enum column)i, n);
	gt__end_with_name(o, n, table->by, from);
}

static void put_unfinished(struct gt__out *o, const struct table *table)
{
	size_t from = o->used;

	gt__put_count(o, table->unfinished, columns[COUNT].width);
	gt__put(o, table->unfinished == 1 ? "  span" : "  spans");
	gt__put(o, " not seen from opening to close: counted, not in p50, p99 "
	           "and max");
	if (table->end_unknown) {
		gt__put(o, "; ");
		gt__put_u64(o, table->end_unknown);
		gt__put(o, " of them not in total and self: the end is not "
		           "known");
	}
	gt__wrap_line(o, from, columns[COUNT].width + 2);
}

static void count_unfinished(struct table *table, const struct gt__collect *c,
                             const char *pattern)
{
	uint32_t i;

	for (i = 0; i < c->name_count; i++) {
		const struct gt__name *n = &c->names[i];

		if (!n->unfinished || !gt__name_matches(pattern, n->name))
			continue;
		table->unfinished += n->unfinished;
		table->end_unknown += n->end_unknown;
	}
}

void gt__put_partial(struct gt__out *o, const struct gt_summary *summary)
{
	if (!gt__is_partial(&summary->losses))
		return;
	gt__put(o, "  ");
	gt__paint(o, GT__ALARM);
	gt__put(o, "partial: ");
	gt__put_lost(o, summary);
	gt__unpaint(o);
}

void gt__put_partial_note(struct gt__out *o)
{
	size_t from = o->used;

	gt__put_painted(o, GT__ALARM,
	                "partial: what was lost is in no number below");
	gt__wrap_line(o, from, 2);
}

void gt__put_names(struct gt__out *o, const struct gt__collect *c,
                   const struct gt_summary *summary,
                   const struct gt_report_options *options)
{
	struct table table = {
		.timeline = &c->timeline,
		.has_average = c->sort == GT_SORT_AVG,
		.by = c->by,
	};
	uint32_t i, shown = 0, hidden = 0;
	size_t from;

	if (!c->name_count)
		return;
	count_unfinished(&table, c, options->name);
	table.shown = columns_shown(o, &table);
	gt__put_char(o, '\n');
	from = o->used;
	gt__put_painted(o, GT__BOLD, "by name");
	gt__put_partial(o, summary);
	gt__wrap_line(o, from, 2);
	gt__put_column_heads(o, columns, COLUMN_COUNT, table.shown);
	for (i = 0; i < c->name_count; i++) {
		if (!gt__name_matches(options->name, c->names[i].name))
			continue;
		if (options->top && shown == options->top) {
			hidden++;
			continue;
		}
		put_name(o, &c->names[i], &table);
		shown++;
	}
	if (hidden) {
		gt__put_count(o, hidden, columns[COUNT].width);
		gt__put(o, " more\n");
	}
	if (table.unfinished)
		put_unfinished(o, &table);
	else if (shown == 0)
		gt__put(o, "no span of that name\n");
}
