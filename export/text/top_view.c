/* SPDX-License-Identifier: MIT */
/* The picture of top.c: a header, open spans, names, counters. */
#include "top.h"
#include "export/out/columns.h"
#include "export/out/losses.h"
#include "export/run/matcher.h"

#include <errno.h>
#include <stdlib.h>

#define RATE     9u
#define COUNT    11u
#define DURATION (GT__DURATION_COLUMNS + 2)
#define HEADER   3u /* lines */

/* Per second since the last picture, "12.3". */
static void put_rate(struct gt__out *o, uint64_t more, uint64_t ns,
                     size_t width)
{
	uint64_t tenths =
		ns ? (uint64_t)((double)more * 1e10 / (double)ns + 0.5) : 0;

	gt__put_padding(o, gt__digits(tenths / 10) + 2, width);
	gt__put_u64(o, tenths / 10);
	gt__put_char(o, '.');
	gt__put_u64(o, tenths % 10);
}

static void put_total(struct gt__out *o, uint64_t count, const char *word,
                      uint64_t more, uint64_t ns)
{
	gt__put_u64(o, count);
	gt__put_char(o, ' ');
	gt__put(o, word);
	gt__put(o, count == 1 ? " (" : "s (");
	put_rate(o, more, ns, 0);
	gt__put(o, "/s)  ");
}

static void put_state(struct gt__out *o, const struct top *x,
                      const struct gt_summary *summary, uint64_t now_ns)
{
	size_t from = o->used;

	if (gt__is_partial(&summary->losses)) {
		gt__paint(o, GT__ALARM);
		gt__put_lost(o, summary);
		gt__unpaint(o);
		gt__put(o, "  ");
	}
	gt__put_bold(o, x->trace->guest_name);
	gt__put(o, "  ");
	gt__put_terminal(o, x->trace->backend);
	gt__put(o, "  ");
	if (x->ended && summary->ending == GT_ENDING_UNKNOWN)
		gt__put(o, "no end yet");
	else if (x->ended)
		gt__put_ending(o, summary);
	else
		gt__put_painted(o, GT__GREEN, "running");
	gt__put(o, x->ended ? " after " : " for ");
	gt__put_duration(o, gt__elapsed_ns(x->trace, now_ns));
	gt__end_line(o, from);
}

static uint64_t sum_of_exits(const struct gt_summary *summary)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < GT_EXIT_REASONS; i++)
		sum += summary->exits[i];
	return sum;
}

static void put_exits(struct gt__out *o, const struct top *x,
                      const struct gt_summary *summary)
{
	size_t from = o->used;
	unsigned i;

	gt__put(o, "exits for");
	for (i = 0; i < GT_EXIT_REASONS; i++) {
		if (!summary->exits[i])
			continue;
		gt__put_char(o, ' ');
		gt__put(o, gt__exit_word(i));
		gt__put_char(o, ' ');
		gt__put_u64(o, summary->exits[i]);
		gt__put(o, " in ");
		gt__put_duration(o, x->exit_ns[i]);
	}
	if (summary->tracing_exits) {
		gt__put(o, "  of those for tracing ");
		gt__put_u64(o, summary->tracing_exits);
	}
	gt__end_line(o, from);
}

static void put_totals(struct gt__out *o, struct top *x,
                       const struct gt_summary *summary, uint64_t ns)
{
	const uint64_t now[4] = {summary->spans, summary->events,
	                         summary->counters, sum_of_exits(summary)};
	static const char *const words[4] = {"span", "event", "counter",
	                                     "exit"};
	size_t from = o->used;
	unsigned i;

	for (i = 0; i < 4; i++) {
		put_total(o, now[i], words[i],
		          now[i] > x->drawn[i] ? now[i] - x->drawn[i] : 0, ns);
		x->drawn[i] = now[i];
	}
	gt__put_u64(o, x->open_count);
	gt__put(o, " open");
	gt__end_line(o, from);
	put_exits(o, x, summary);
}

static void put_site(struct gt__out *o, const struct gt_site_view *site,
                     size_t from)
{
	gt__put(o, "  ");
	gt__put_bold(o, site->name);
	gt__put(o, "  [");
	gt__put_terminal(o, site->target);
	gt__put_char(o, ']');
	gt__end_line(o, from);
}

/* ---- What is open -------------------------------------------------------- */

static void put_open(struct gt__out *o, const struct top *x, uint64_t now_ns,
                     unsigned most)
{
	const struct top_span *span = x->oldest;
	size_t from;
	unsigned i;

	if (!span || !most)
		return;
	gt__put(o, "\n       OPEN   vCPU  THE OLDEST\n");
	for (i = 0; span && i < most; i++, span = span->newer) {
		from = o->used;
		gt__put_duration_in(
			o,
			now_ns > span->start_ns ? now_ns - span->start_ns : 0,
			DURATION);
		gt__put_count(o, span->vcpu, 6);
		put_site(o, span->site, from);
	}
}

/* ---- Names --------------------------------------------------------------- */

static uint64_t more_of(const struct top_row *row)
{
	return row->count - row->drawn_count;
}

/* The busiest now, then those that took the longest in all. */
static int compare_rows(const void *left, const void *right)
{
	const struct top_row *a = *(const struct top_row *const *)left;
	const struct top_row *b = *(const struct top_row *const *)right;

	if (more_of(a) != more_of(b))
		return more_of(a) > more_of(b) ? -1 : 1;
	if (a->total_ns != b->total_ns)
		return a->total_ns > b->total_ns ? -1 : 1;
	return (a > b) - (a < b);
}

/* `counters`: those that are, else those of spans. To be freed. */
static const struct top_row **sorted(struct top *x, bool counters,
                                     uint32_t *ret_count)
{
	const struct top_row **rows =
		malloc((x->row_count + (size_t)1) * sizeof *rows);
	uint32_t i;

	*ret_count = 0;
	for (i = 0; rows && i < x->row_count; i++)
		if (x->rows[i].is_counter == counters &&
		    gt__name_matches(x->options.name, x->rows[i].site->name))
			rows[(*ret_count)++] = &x->rows[i];
	if (rows && !counters)
		qsort(rows, *ret_count, sizeof *rows, compare_rows);
	if (!rows)
		gt__run_sink_done(&x->head, -ENOMEM);
	return rows;
}

static const struct gt__column columns[] = {
	{"/s", RATE, 0}, {"count", COUNT, 0},  {"errors", COUNT - 2, 3},
	{"open", 6, 1},  {"avg", DURATION, 4}, {"max", DURATION, 2},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void put_row(struct gt__out *o, const struct top_row *row, uint64_t ns,
                    unsigned shown)
{
	size_t from = o->used;

	put_rate(o, more_of(row), ns, RATE);
	gt__put_count(o, row->count, COUNT);
	if (shown & 1u << 2)
		gt__put_count(o, row->errors, COUNT - 2);
	if (shown & 1u << 3)
		gt__put_count(o, row->open, 6);
	if (shown & 1u << 4)
		gt__put_duration_in(o,
		                    row->count ? row->total_ns / row->count : 0,
		                    DURATION);
	if (shown & 1u << 5)
		gt__put_duration_in(o, row->max_ns, DURATION);
	put_site(o, row->site, from);
}

static void put_rows(struct gt__out *o, const struct top_row *const *rows,
                     uint32_t count, uint64_t ns)
{
	unsigned shown =
		gt__fit_columns(o, columns, COLUMNS, (1u << COLUMNS) - 1);
	uint32_t i;

	if (!count)
		return;
	gt__put_char(o, '\n');
	gt__put_column_heads(o, columns, COLUMNS, shown);
	for (i = 0; i < count; i++)
		put_row(o, rows[i], ns, shown);
}

static void put_counters(struct gt__out *o, const struct top_row *const *rows,
                         uint32_t count)
{
	size_t from;
	uint32_t i;

	if (count)
		gt__put(o, "\nCOUNTERS\n");
	for (i = 0; i < count; i++) {
		from = o->used;
		gt__put(o, "  ");
		gt__put_bold(o, rows[i]->site->name);
		gt__put(o, "  [");
		gt__put_terminal(o, rows[i]->site->target);
		gt__put(o, "]  ");
		gt__put_bytes(o, rows[i]->values, rows[i]->value_bytes);
		gt__end_line(o, from);
	}
}

/* Takes up to `wanted` of the lines that are left, two of which a title needs.
 */
static uint32_t share(unsigned *left, uint32_t wanted, unsigned part)
{
	unsigned room = *left / part;
	uint32_t taken;

	if (room <= 2 || !wanted)
		return 0;
	taken = wanted < room - 2 ? wanted : room - 2;
	*left -= taken + 2;
	return taken;
}

void gt__top_put(struct top *x, const struct gt_summary *so_far,
                 uint64_t now_ns, unsigned lines)
{
	struct gt__out *o = &x->head.out;
	uint64_t ns = now_ns - x->drawn_ns;
	unsigned left = lines ? lines > HEADER ? lines - HEADER : 0 : 1u << 20;
	uint32_t names, counters, i, open, count;
	const struct top_row **rows = sorted(x, false, &names);
	const struct top_row **values = sorted(x, true, &counters);

	if (rows && values) {
		put_state(o, x, so_far, now_ns);
		put_totals(o, x, so_far, ns);
		open = x->open_count > 10 ? 10 : (uint32_t)x->open_count;
		put_open(o, x, now_ns, share(&left, open, 3));
		count = share(&left, counters, 3);
		put_rows(o, rows, share(&left, names, 1), ns);
		put_counters(o, values, count);
		for (i = 0; i < x->row_count; i++)
			x->rows[i].drawn_count = x->rows[i].count;
		x->drawn_ns = now_ns;
	}
	free(rows);
	free(values);
}
