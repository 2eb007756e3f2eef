/* SPDX-License-Identifier: MIT */
/* A text report: header, tree, times by name, losses, exits. */
#include "escape.h"
#include "tree.h"
#include "words.h"

#define COLUMNS 12u

static size_t digits(uint64_t value)
{
	size_t n = 1;

	for (; value >= 10; value /= 10)
		n++;
	return n;
}

static void put_padded(struct gt__out *o, size_t columns, size_t width)
{
	if (columns < width)
		gt__put_spaces(o, width - columns);
}

static void put_count(struct gt__out *o, uint64_t value, size_t width)
{
	put_padded(o, digits(value), width);
	gt__put_u64(o, value);
}

static void put_time(struct gt__out *o, uint64_t ns)
{
	put_padded(o, gt__duration_columns(ns), COLUMNS);
	gt__put_duration(o, ns);
}

static void put_names(struct gt__out *o, const struct gt__collect *c)
{
	uint32_t i;

	if (!c->name_count)
		return;
	gt__put(o, "\nby name\n"
	           "       count       total        self         p50"
	           "         p99         max  name\n");
	for (i = 0; i < c->name_count; i++) {
		const struct gt__name *n = &c->names[i];

		put_count(o, n->count, COLUMNS);
		put_time(o, n->total_ns);
		put_time(o, n->self_ns);
		put_time(o, n->p50_ns);
		put_time(o, n->p99_ns);
		put_time(o, n->max_ns);
		gt__put(o, "  ");
		gt__put_terminal(o, n->name);
		gt__put(o, "  [");
		gt__put_terminal(o, n->target);
		gt__put(o, "]\n");
		gt__out_record(o);
	}
}

static void put_losses(struct gt__out *o, const struct gt_losses *losses)
{
	size_t i;

	if (!gt__lost_anything(losses)) {
		gt__put(o, "\nnothing lost\n");
		return;
	}
	gt__put(o, "\nlost\n");
	for (i = 0; i < GT__LOSS_WORDS; i++) {
		if (!gt__loss(losses, i))
			continue;
		put_count(o, gt__loss(losses, i), COLUMNS);
		gt__put(o, "  ");
		gt__put(o, gt__loss_words[i].prose);
		gt__put_char(o, '\n');
	}
}

static void put_exits(struct gt__out *o, const struct gt_summary *summary)
{
	bool any = false;
	unsigned i;

	for (i = 0; i < GT_EXIT_REASONS; i++) {
		if (!summary->exits[i])
			continue;
		if (!any)
			gt__put(o, "\nexits\n");
		any = true;
		put_count(o, summary->exits[i], COLUMNS);
		gt__put(o, "  ");
		gt__put(o, gt__exit_word(i));
		gt__put_char(o, '\n');
	}
}

static void put_volume(struct gt__out *o, const struct gt_summary *summary)
{
	gt__put(o, "\ntaken\n");
	put_count(o, summary->records, COLUMNS);
	gt__put(o, "  records\n");
	put_count(o, summary->record_bytes, COLUMNS);
	gt__put(o, "  bytes\n");
}

static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	if (x->printed)
		gt__put_char(&x->out, '\n');
	gt__put_header(&x->out, c, summary);
	gt__put_char(&x->out, '\n');
	gt__put_tree(&x->out, c, summary);
	put_names(&x->out, c);
	put_losses(&x->out, &summary->losses);
	put_exits(&x->out, summary);
	put_volume(&x->out, summary);
}

int gt_report_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt__collect_sink_new(output, print, NULL, ret_sink);
}
