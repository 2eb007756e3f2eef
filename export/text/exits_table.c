/* SPDX-License-Identifier: MIT */
/* VM exits as tables and as JSON. */
#include "analysis_views.h"
#include "export/out/columns.h"
#include "export/out/escape.h"
#include "export/out/numbers.h"
#include "export/out/words.h"
#include "export/run/exit_sums.h"
#include "json_members.h"
#include "tree.h"
#include <errno.h>

enum column {
	COUNT,
	TOTAL,
	SHARE,
	P50,
	P99,
	MAX,
	COLUMN_COUNT,
};

static const struct gt__column columns[COLUMN_COUNT] = {
	[COUNT] = {"count", 9, 0}, [TOTAL] = {"lost", 12, 0},
	[SHARE] = {"run %", 8, 4}, [P50] = {"p50", 12, 2},
	[P99] = {"p99", 12, 3},    [MAX] = {"max", 12, 1},
};

static struct gt__exits *sum_up(struct gt__out *o, const struct gt__collect *c,
                                bool by_span, uint32_t *ret_count)
{
	struct gt__exits *rows = gt__sum_up_exits(c, by_span, ret_count);

	if (!rows && !o->error)
		o->error = -ENOMEM;
	return rows;
}

static void put_cells(struct gt__out *o, const struct gt__exits *e,
                      uint64_t whole_ns, unsigned shown)
{
	const uint64_t times[COLUMN_COUNT] = {[TOTAL] = e->total_ns,
	                                      [P50] = e->p50_ns,
	                                      [P99] = e->p99_ns,
	                                      [MAX] = e->max_ns};
	unsigned i;

	for (i = 0; i < COLUMN_COUNT; i++) {
		if (!(shown & 1u << i))
			continue;
		if (i == COUNT)
			gt__put_count(o, e->count, columns[i].width);
		else if (i == SHARE)
			gt__put_percent(o, e->total_ns, whole_ns,
			                columns[i].width);
		else
			gt__put_duration_in(o, times[i], columns[i].width);
	}
}

static void put_what(struct gt__out *o, const struct gt__exits *e)
{
	gt__put(o, gt__exit_word(e->reason));
	if (e->reason == GT_EXIT_IO) {
		gt__put_char(o, ' ');
		gt__put_u64(o, e->port);
	}
	if (e->tracing)
		gt__put_painted(o, GT__DIM, " tracing");
}

static void put_table(struct gt__out *o, const struct gt__collect *c,
                      const struct gt_summary *summary, bool by_span,
                      uint32_t top)
{
	unsigned shown = gt__fit_columns(o, columns, COLUMN_COUNT,
	                                 (1u << COLUMN_COUNT) - 1);
	const struct gt_trace *trace = c->head.trace;
	uint64_t whole_ns =
		gt__elapsed_ns(trace, summary->end_ns) * trace->vcpus;
	uint32_t i, count;
	struct gt__exits *rows = sum_up(o, c, by_span, &count);

	gt__put_title(o, by_span ? "exits by the span they were in" : "exits");
	gt__put_column_heads(o, columns, COLUMN_COUNT, shown);
	for (i = 0; rows && i < count && (!top || i < top); i++) {
		size_t from = o->used;

		put_cells(o, &rows[i], whole_ns, shown);
		gt__put(o, "  ");
		put_what(o, &rows[i]);
		if (by_span && rows[i].span == GT__ROOT) {
			gt__put(o, "  in no span");
		} else if (by_span) {
			gt__put(o, "  in ");
			gt__put_bold(o, c->spans[rows[i].span].view.site->name);
		}
		gt__end_line(o, from);
		gt__out_record(o);
	}
	if (top && count > top) {
		gt__put_count(o, count - top, columns[COUNT].width);
		gt__put(o, " more\n");
	}
	if (!count)
		gt__put(o, "none\n");
	free(rows);
}

void gt__put_exits(struct gt__out *o, const struct gt__collect *c,
                   const struct gt_summary *summary, uint32_t top)
{
	put_table(o, c, summary, false, 0);
	put_table(o, c, summary, true, top);
}

static void put_array(struct gt__out *o, const struct gt__collect *c,
                      const char *key, bool by_span)
{
	uint32_t i, count;
	struct gt__exits *rows = sum_up(o, c, by_span, &count);

	gt__member_key(o, ",\n", key);
	gt__put_char(o, '[');
	for (i = 0; rows && i < count; i++) {
		const struct gt__exits *e = &rows[i];
		const struct gt_site_view *site =
			e->span == GT__ROOT ? NULL
					    : c->spans[e->span].view.site;

		gt__put(o, i ? ",\n{\"reason\":\"" : "\n{\"reason\":\"");
		gt__put(o, gt__exit_word(e->reason));
		gt__put_char(o, '"');
		gt__member_number(o, "port", e->port);
		gt__member_bool(o, "tracing", e->tracing);
		if (site) {
			gt__member_text(o, "name", site->name);
			gt__member_text(o, "target", site->target);
		} else if (by_span) {
			gt__put(o, ",\"name\":null,\"target\":null");
		}
		gt__member_u64(o, "count", e->count);
		gt__member_u64(o, "total_ns", e->total_ns);
		gt__member_u64(o, "p50_ns", e->p50_ns);
		gt__member_u64(o, "p99_ns", e->p99_ns);
		gt__member_u64(o, "max_ns", e->max_ns);
		gt__put_char(o, '}');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
	free(rows);
}

void gt__put_exits_json(struct gt__out *o, const struct gt__collect *c)
{
	put_array(o, c, "exit_times", false);
	put_array(o, c, "span_exits", true);
}
