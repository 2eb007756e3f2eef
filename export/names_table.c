/* SPDX-License-Identifier: MIT */
/* The table of names: counts, times and where these went. */
#include "escape.h"
#include "numbers.h"
#include "split_words.h"
#include "tree.h"
#include <string.h>

#define TIME_COLUMNS 12u
#define NAME_MIN     16u /* columns that the table leaves to names */

enum column {
	COUNT,
	TOTAL,
	SELF,
	P50,
	P99,
	MAX,
	GUEST,
	EXITS,
	WAITING,
	COLUMN_COUNT,
};

/* What `drops` first gives way on a narrow terminal; 0 stays. */
static const struct {
	const char *head;
	unsigned width;
	unsigned drops;
} columns[COLUMN_COUNT] = {
	[COUNT] = {"count", 9, 0},
	[TOTAL] = {"total", TIME_COLUMNS, 0},
	[SELF] = {"self", TIME_COLUMNS, 4},
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
};

static void put_cell(struct gt__out *o, const struct table *table,
                     enum column column, const struct gt__name *n)
{
	const struct gt__timeline *t = table->timeline;
	size_t width = columns[column].width;

	switch (column) {
	case COUNT:
		gt__put_count(o, n->count, width);
		break;
	case TOTAL:
		gt__put_duration_in(o, n->total_ns, width);
		break;
	case SELF:
		gt__put_duration_in(o, n->self_ns, width);
		break;
	case P50:
		gt__put_duration_in(o, n->p50_ns, width);
		break;
	case P99:
		gt__put_duration_in(o, n->p99_ns, width);
		break;
	case MAX:
		gt__put_duration_in(o, n->max_ns, width);
		break;
	case GUEST:
		gt__put_percent(o, n->split[GT__PART_GUEST], n->total_ns,
		                width);
		break;
	case EXITS:
		gt__put_percent(o,
		                gt__split_exits_ns(t, n->split) +
		                        gt__split_part_ns(t, n->split,
		                                          GT__PART_TRACING),
		                n->total_ns, width);
		break;
	case WAITING:
		gt__put_percent(o, n->split[GT__PART_WAITING], n->total_ns,
		                width);
		break;
	case COLUMN_COUNT:
		break;
	}
}

static unsigned table_width(const struct table *table)
{
	unsigned width = NAME_MIN;
	size_t i;

	for (i = 0; i < COLUMN_COUNT; i++)
		if (table->shown & 1u << i)
			width += columns[i].width;
	return width;
}

static void choose_columns(struct table *table, unsigned available)
{
	unsigned drop;
	unsigned i;

	for (i = 0; i < COLUMN_COUNT; i++)
		if (i < GUEST || table->timeline->moment_count)
			table->shown |= 1u << i;
	for (drop = 1; available && drop < COLUMN_COUNT; drop++)
		for (i = 0; i < COLUMN_COUNT; i++)
			if (columns[i].drops == drop &&
			    table_width(table) > available)
				table->shown &= ~(1u << i);
}

static void put_names_head(struct gt__out *o, const struct table *table)
{
	size_t i, from = o->used;

	gt__paint(o, GT__DIM);
	for (i = 0; i < COLUMN_COUNT; i++) {
		if (!(table->shown & 1u << i))
			continue;
		gt__put_padding(o, strlen(columns[i].head), columns[i].width);
		gt__put(o, columns[i].head);
	}
	gt__put(o, "  name");
	gt__unpaint(o);
	gt__end_line(o, from);
}

void gt__end_with_name(struct gt__out *o, const struct gt__name *name,
                       size_t from)
{
	gt__put(o, "  ");
	gt__put_bold(o, name->name);
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
	gt__end_with_name(o, n, from);
}

void gt__put_names(struct gt__out *o, const struct gt__collect *c,
                   const struct gt_report_options *options)
{
	struct table table = {.timeline = &c->timeline};
	uint32_t i, shown = 0, hidden = 0;

	if (!c->name_count)
		return;
	choose_columns(&table, o->columns);
	gt__put_title(o, "by name");
	put_names_head(o, &table);
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
}
