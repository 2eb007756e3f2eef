/* SPDX-License-Identifier: MIT */
/*
 * The spans and events of a trace as an indented text. Names stand left, times
 * in one column, then target, fields and what is odd about the item. Of an
 * event the time is that since the start of the trace.
 */
#include "tree.h"
#include "tree_fold.h"
#include "tree_words.h"
#include "export/out/escape.h"
#include "export/out/losses.h"
#include "export/out/words.h"
#include <errno.h>
#include <string.h>

#define DRAWN_DEPTH_MAX 32u  /* deeper items say their depth in a number */
#define NAME_COLUMNS    56u  /* a longer name pushes its own line only */
#define FOLLOW_COLUMNS  36u  /* of names, so that one line is as the next */
#define BAR_COLUMNS_MIN 100u /* a narrower terminal has no room for bars */

struct printer {
	struct gt__out *out;
	struct gt__collect *c;
	size_t width;                   /* of the column of names */
	unsigned bar;                   /* columns of a bar */
	uint64_t whole_ns;              /* of a full bar: the longest span */
	uint32_t died_span;             /* innermost span that never closed */
	uint32_t last_event;            /* or GT__ROOT, as the one above */
	bool last[DRAWN_DEPTH_MAX + 1]; /* by depth: nothing follows there */
	uint32_t under;                 /* as of a walk */
	struct gt_text above;           /* before the name of a root */
	size_t above_columns;
	struct gt__fold fold;
};

static struct gt_text name_of(const struct gt__collect *c,
                              const struct gt__item *item)
{
	static const struct gt_text exit = {"exit", 4}, lost = {"LOST", 4};
	const struct gt__host_span *h;

	switch (item->kind) {
	case GT__SPAN_ITEM:
		return c->spans[item->index].view.site->name;
	case GT__EVENT_ITEM:
		return c->events[item->index].view.site->name;
	case GT__GAP_ITEM:
		return lost;
	case GT__HOST_ITEM:
		break;
	}
	h = &c->host_spans[item->index];
	return h->kind == GT_HOST_WORK ? h->name : exit;
}

/* What leads to a name takes a third of a terminal at most. */
static uint32_t depth_max(const struct printer *p)
{
	uint32_t most = p->out->columns / 9;

	return most && most < DRAWN_DEPTH_MAX ? most : DRAWN_DEPTH_MAX;
}

static uint32_t drawn_depth(const struct printer *p, uint32_t depth)
{
	return depth < depth_max(p) ? depth : depth_max(p);
}

static void put_depth(struct printer *p, uint32_t depth)
{
	if (depth <= depth_max(p))
		return;
	gt__put(p->out, "  (depth ");
	gt__put_u64(p->out, depth);
	gt__put_char(p->out, ')');
}

/* Columns of what put_branch() draws; a root event has its mark as well. */
static size_t branch_columns(const struct printer *p,
                             const struct gt__item *item, uint32_t depth)
{
	if (!depth)
		return item->kind == GT__SPAN_ITEM ? 0 : 2;
	return (size_t)3 * drawn_depth(p, depth);
}

static const char *mark_of(const struct printer *p, const struct gt__item *item)
{
	if (item->kind == GT__SPAN_ITEM)
		return "\u2500";
	if (item->kind == GT__HOST_ITEM)
		return "\u25cb";
	if (item->kind == GT__GAP_ITEM)
		return "\u2717";
	return p->c->events[item->index].counter ? "#" : "\u00b7";
}

/* Of those above, dim from there on. */
static void put_guides(struct printer *p, uint32_t depth)
{
	uint32_t i;

	gt__paint(p->out, GT__DIM);
	for (i = 1; i < drawn_depth(p, depth); i++)
		gt__put(p->out, p->last[i] ? "   " : "\u2502  ");
}

static void put_branch(struct printer *p, const struct gt__item *item,
                       const struct gt__walk *walk)
{
	uint32_t depth = drawn_depth(p, walk->depth);

	p->last[depth] = walk->last;
	gt__paint(p->out, GT__DIM);
	gt__put_bytes(p->out, p->above.bytes, p->above.count);
	gt__unpaint(p->out);
	put_guides(p, depth);
	if (depth)
		gt__put(p->out, walk->last ? "\u2514" : "\u251c");
	if (depth || item->kind != GT__SPAN_ITEM) {
		gt__put(p->out, mark_of(p, item));
		gt__put_char(p->out, ' ');
	}
	gt__unpaint(p->out);
}

static void put_site(struct printer *p, const struct gt_site_view *site,
                     uint32_t vcpu)
{
	struct gt__out *o = p->out;

	gt__paint(o, GT__DIM);
	gt__put(o, "  [");
	gt__put_terminal(o, site->target);
	gt__put_char(o, ']');
	gt__unpaint(o);
	if (p->c->head.trace->vcpus > 1) {
		gt__put(o, " vCPU ");
		gt__put_u64(o, vcpu);
	}
	if (site->level != GT_ERROR && site->level != GT_WARN)
		return;
	gt__put_char(o, ' ');
	if (site->level == GT_ERROR)
		gt__put_painted(o, GT__ALARM, "ERROR");
	else
		gt__put_painted(o, GT__YELLOW, "WARN");
}

/* In a column, which is wider for the times that are "since". */
static void put_time(struct printer *p, uint64_t ns, bool since)
{
	size_t width = GT__DURATION_COLUMNS + 1 + (since ? 2 : 0);
	size_t columns = gt__duration_columns(p->out, ns) + since;

	gt__put_spaces(p->out, columns < width ? width - columns : 1);
	if (since)
		gt__put_char(p->out, '+');
	gt__put_duration(p->out, ns);
}

/* Of what has no duration. */
static void put_no_time(struct printer *p)
{
	gt__put_spaces(p->out, GT__DURATION_COLUMNS + 1);
	if (p->bar)
		gt__put_spaces(p->out, p->bar + 1);
}

static void put_since(struct printer *p, uint64_t time_ns)
{
	put_time(p, gt__elapsed_ns(p->c->head.trace, time_ns), true);
}

static void put_bar(struct printer *p, uint64_t ns)
{
	if (!p->bar)
		return;
	gt__put_char(p->out, ' ');
	gt__put_bar(p->out, ns, p->whole_ns, p->bar);
}

/* The times and how it ended first: those are there on any terminal. */
static void put_span(struct printer *p, uint32_t index, uint32_t depth)
{
	const struct gt_span_view *s = &p->c->spans[index].view;

	put_time(p, s->end_ns - s->start_ns, false);
	put_bar(p, s->end_ns - s->start_ns);
	put_since(p, s->start_ns);
	put_depth(p, depth);
	gt__tree_status(p->out, s);
	if (s->flags & GT_SPAN_INTERRUPTED)
		gt__put_painted(p->out, GT__ALARM, "  \u2717 INTERRUPTED");
	if (index == p->died_span)
		gt__put_painted(p->out, GT__YELLOW, "  \u25c0 it died in here");
	put_site(p, s->site, s->vcpu);
	gt__tree_fields(p->out, s->fields, s->field_count);
	gt__tree_trace(p->out, s);
	gt__tree_flags(p->out, s->flags);
}

static void put_event(struct printer *p, uint32_t index, uint32_t depth)
{
	const struct gt_event_view *e = &p->c->events[index].view;

	put_no_time(p);
	put_since(p, e->time_ns);
	put_depth(p, depth);
	if (index == p->last_event)
		gt__put_painted(
			p->out, GT__YELLOW,
			p->died_span == GT__ROOT
				? "  \u25c0 last event: it died after this"
				: "  \u25c0 last event");
	put_site(p, e->site, e->vcpu);
	gt__tree_fields(p->out, e->fields, e->field_count);
	gt__tree_flags(p->out, e->flags);
}

static void put_host_span(struct printer *p, uint32_t index, uint32_t depth)
{
	const struct gt__host_span *h = &p->c->host_spans[index];
	struct gt__out *o = p->out;

	put_time(p, h->end_ns - h->start_ns, false);
	put_bar(p, h->end_ns - h->start_ns);
	put_since(p, h->start_ns);
	put_depth(p, depth);
	gt__put(o, "  ");
	if (p->c->head.trace->vcpus > 1) {
		gt__put(o, "vCPU ");
		gt__put_u64(o, h->vcpu);
		gt__put_char(o, ' ');
	}
	if (h->kind == GT_HOST_WORK) {
		gt__put(o, "host");
	} else {
		gt__put(o, gt__exit_word(h->reason));
		if (h->reason == GT_EXIT_IO) {
			gt__put_char(o, ' ');
			gt__put_u64(o, h->port);
		}
	}
	if (h->tracing)
		gt__put_painted(o, GT__DIM, " tracing");
	gt__tree_flags(o, h->flags);
}

/* Where in time something is missing: it was made within that. */
static void put_loss(struct printer *p, uint32_t index, uint32_t depth)
{
	const struct gt_loss_view *gap = &p->c->gaps[index].view;
	const struct gt_trace *trace = p->c->head.trace;
	struct gt__out *o = p->out;

	put_no_time(p);
	put_since(p, gap->from_ns);
	gt__put(o, " to +");
	gt__put_duration(o, gt__elapsed_ns(trace, gap->to_ns));
	if (trace->vcpus > 1) {
		gt__put(o, "  vCPU ");
		gt__put_u64(o, gap->vcpu);
	}
	gt__put(o, "  ");
	gt__paint(o, GT__ALARM);
	gt__put_gap(o, gap);
	gt__unpaint(o);
	put_depth(p, depth);
}

static size_t name_columns(const struct printer *p, const struct gt__item *item,
                           uint32_t depth)
{
	return p->above_columns + branch_columns(p, item, depth) +
	       gt__terminal_columns(name_of(p->c, item));
}

/* Of the columns of names and bars. */
static void find_widths(struct printer *p)
{
	size_t most = NAME_COLUMNS;
	const struct gt__item *item;
	struct gt__walk walk = {.under = p->under};

	if (p->out->columns && p->out->columns / 2 < most)
		most = p->out->columns / 2;
	if (p->out->columns >= BAR_COLUMNS_MIN)
		p->bar = p->out->columns >= 140 ? 16 : 8;
	while ((item = gt__collect_next(p->c, &walk))) {
		size_t columns = name_columns(p, item, walk.depth);
		const struct gt_span_view *s;

		if (columns > p->width && columns <= most)
			p->width = columns;
		if (item->kind != GT__SPAN_ITEM)
			continue;
		s = &p->c->spans[item->index].view;
		if (s->end_ns - s->start_ns > p->whole_ns)
			p->whole_ns = s->end_ns - s->start_ns;
	}
}

/* Of a guest that did not end by itself: where it was. */
static void find_end(struct printer *p, const struct gt_summary *summary)
{
	const struct gt__collect *c = p->c;
	uint64_t latest = 0;
	uint32_t i;

	if (!summary || summary->ending == GT_ENDING_HALTED ||
	    summary->ending == GT_ENDING_UNKNOWN)
		return;
	for (i = 0; i < c->span_count; i++) {
		const struct gt_span_view *s = &c->spans[i].view;

		if (!(s->flags & GT_SPAN_INTERRUPTED) || s->sequence < latest)
			continue;
		latest = s->sequence;
		p->died_span = i;
	}
	for (i = 0, latest = 0; i < c->event_count; i++) {
		if (c->events[i].view.sequence < latest)
			continue;
		latest = c->events[i].view.sequence;
		p->last_event = i;
	}
}

static void put_item(struct printer *p, const struct gt__item *item,
                     const struct gt__walk *walk)
{
	size_t columns = name_columns(p, item, walk->depth);
	size_t from = p->out->used;

	put_branch(p, item, walk);
	if (item->kind == GT__SPAN_ITEM)
		gt__paint(p->out, GT__BOLD);
	gt__put_terminal(p->out, name_of(p->c, item));
	gt__unpaint(p->out);
	if (columns < p->width)
		gt__put_spaces(p->out, p->width - columns);
	switch (item->kind) {
	case GT__SPAN_ITEM:
		put_span(p, item->index, walk->depth);
		break;
	case GT__EVENT_ITEM:
		put_event(p, item->index, walk->depth);
		break;
	case GT__HOST_ITEM:
		put_host_span(p, item->index, walk->depth);
		break;
	case GT__GAP_ITEM:
		put_loss(p, item->index, walk->depth);
		break;
	}
	gt__end_line(p->out, from);
	gt__out_record(p->out);
}

/* One of many siblings like it, which is not shown, or is below one. */
static bool is_folded(struct printer *p, const struct gt__item *item,
                      const struct gt__walk *walk)
{
	size_t from = p->out->used;

	switch (gt__fold_look(&p->fold, p->c, item, walk->depth)) {
	case GT__FOLD_NOT:
		return false;
	case GT__FOLD_FIRST:
		p->last[drawn_depth(p, walk->depth)] = p->fold.is_last;
		put_guides(p, walk->depth);
		if (walk->depth)
			gt__put(p->out, p->fold.is_last ? "\u2514\u2500 "
			                                : "\u251c\u2500 ");
		gt__unpaint(p->out);
		gt__fold_put(p->out, &p->fold, p->c);
		gt__end_line(p->out, from);
		gt__out_record(p->out);
		break;
	case GT__FOLD_MORE:
		break;
	}
	return true;
}

static void put_all(struct printer *p, const struct gt_summary *summary)
{
	const struct gt__item *item;
	struct gt__walk walk = {0};

	p->died_span = p->last_event = GT__ROOT;
	find_widths(p);
	find_end(p, summary);
	while ((item = gt__collect_next(p->c, &walk)) && !p->out->error)
		if (!is_folded(p, item, &walk))
			put_item(p, item, &walk);
}

void gt__put_tree(struct gt__out *o, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	struct printer p = {.out = o, .c = c, .fold.is_wanted = o->columns};

	put_all(&p, summary);
}

void gt__put_ended(struct gt__out *o, struct gt__collect *c,
                   struct gt_text above, size_t columns)
{
	struct printer p = {
		.out = o,
		.c = c,
		.width = o->columns && o->columns / 3 < FOLLOW_COLUMNS
	                         ? o->columns / 3
	                         : FOLLOW_COLUMNS,
		.above = above,
		.above_columns = columns,
	};

	put_all(&p, NULL);
}

uint64_t gt__put_subtree(struct gt__out *o, struct gt__collect *c,
                         const struct gt_summary *summary, uint32_t span,
                         uint32_t depth, uint32_t lines)
{
	struct printer p = {
		.out = o,
		.c = c,
		.died_span = GT__ROOT,
		.last_event = GT__ROOT,
		.under = span + 1,
	};
	struct gt__walk walk = {.under = span + 1};
	const struct gt__item *item;
	uint64_t hidden = 0;

	find_widths(&p);
	find_end(&p, summary);
	while ((item = gt__collect_next(c, &walk)) && !o->error) {
		if (!lines || (depth && walk.depth >= depth)) {
			hidden++;
			continue;
		}
		put_item(&p, item, &walk);
		lines--;
	}
	return hidden;
}

static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	uint32_t hidden;

	if (x->printed)
		gt__put_char(&x->head.out, '\n');
	gt__put_header(&x->head.out, c, summary);
	gt__put_char(&x->head.out, '\n');
	if (gt__collect_prune(c, &x->options, &hidden))
		gt__put_tree(&x->head.out, c, summary);
	else if (!x->head.out.error)
		x->head.out.error = -ENOMEM;
	if (gt__lost_anything(&summary->losses))
		gt__put_losses(&x->head.out, &summary->losses);
}

int gt_tree_with(const struct gt_output *output,
                 const struct gt_report_options *options,
                 struct gt_sink **ret_sink)
{
	int r = gt__collect_sink_with(output, options, print, NULL, ret_sink);
	struct gt__collect_sink *x = (struct gt__collect_sink *)*ret_sink;

	if (r < 0)
		return r;
	/* It has neither a table of names nor where the time went. */
	x->no_times = true;
	if (!x->options.exits)
		x->head.sink.host_span = NULL;
	return 0;
}

int gt_tree_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_tree_with(output, NULL, ret_sink);
}
