/* SPDX-License-Identifier: MIT */
/*
 * The spans and events of a trace as an indented text. Names stand left, times
 * in one column, then target, fields and what is odd about the item. Of an
 * event the time is that since the start of the trace.
 */
#include "tree.h"
#include "escape.h"
#include "words.h"
#include <string.h>

#define DRAWN_DEPTH_MAX 32u /* deeper items say their depth in a number */
#define NAME_COLUMNS    56u /* a longer name pushes its own line only */

void gt__put_spaces(struct gt__out *out, size_t count)
{
	while (count--)
		gt__put_char(out, ' ');
}

struct unit {
	uint64_t ns;
	const char *word;
};

static struct unit unit_of(uint64_t ns)
{
	static const struct unit units[] = {{1000000000, "s"},
	                                    {1000000, "ms"},
	                                    {1000, "\u00b5s"},
	                                    {1, "ns"}};
	size_t i = 0;

	while (ns < units[i].ns && units[i].ns > 1)
		i++;
	return units[i];
}

void gt__put_duration(struct gt__out *out, uint64_t ns)
{
	struct unit unit = unit_of(ns);
	uint64_t rest = ns % unit.ns;

	gt__put_u64(out, ns / unit.ns);
	if (unit.ns > 1) {
		rest = rest / (unit.ns / 1000);
		gt__put_char(out, '.');
		gt__put_char(out, (char)('0' + rest / 100));
		gt__put_char(out, (char)('0' + rest / 10 % 10));
		gt__put_char(out, (char)('0' + rest % 10));
	}
	gt__put_char(out, ' ');
	gt__put(out, unit.word);
}

size_t gt__duration_columns(uint64_t ns)
{
	struct unit unit = unit_of(ns);
	size_t columns = unit.ns == 1000000000 ? 3 : 4; /* "0 s", "0 ms" */
	uint64_t whole = ns / unit.ns;

	if (unit.ns > 1)
		columns += 4; /* ".123" */
	for (; whole >= 10; whole /= 10)
		columns++;
	return columns;
}

bool gt__lost_anything(const struct gt_losses *losses)
{
	size_t i;

	for (i = 0; i < GT__LOSS_WORDS; i++)
		if (gt__loss(losses, i))
			return true;
	return false;
}

static void put_outcome(struct gt__out *o, const struct gt_summary *summary)
{
	switch (summary->ending) {
	case GT_ENDING_HALTED:
		gt__put(o, "halted with status ");
		gt__put_u64(o, summary->status);
		break;
	case GT_ENDING_ABORTED:
		gt__put(o, "ABORTED");
		break;
	case GT_ENDING_SHUTDOWN:
		gt__put(o, "TRIPLE FAULT");
		break;
	case GT_ENDING_TIMEOUT:
		gt__put(o, "TIMED OUT");
		break;
	case GT_ENDING_INTERRUPTED:
		gt__put(o, "INTERRUPTED");
		break;
	case GT_ENDING_FAILED:
		gt__put(o, "THE HOST FAILED");
		break;
	case GT_ENDING_SNAPSHOT:
		gt__put(o, "snapshot, still running");
		break;
	case GT_ENDING_UNKNOWN:
		gt__put(o, "end not captured");
		break;
	}
}

static void put_counted(struct gt__out *o, uint64_t count, const char *word)
{
	gt__put_u64(o, count);
	gt__put_char(o, ' ');
	gt__put(o, word);
	if (count != 1)
		gt__put_char(o, 's');
}

static uint64_t elapsed_ns(const struct gt_trace *trace, uint64_t time_ns)
{
	return time_ns > trace->start_ns ? time_ns - trace->start_ns : 0;
}

void gt__put_header(struct gt__out *o, const struct gt__collect *c,
                    const struct gt_summary *summary)
{
	const struct gt_trace *trace = c->head.trace;

	gt__put_terminal(o, trace->guest_name);
	gt__put(o, "  ");
	gt__put_terminal(o, trace->backend);
	gt__put(o, "  ");
	put_outcome(o, summary);
	gt__put(o, " after ");
	gt__put_duration(o, elapsed_ns(trace, summary->end_ns));
	gt__put(o, "  times within ");
	gt__put_duration(o, summary->clock.error_bound_ns);
	gt__put_char(o, '\n');
	if (summary->message.count) {
		gt__put(o, "\u2717 ");
		gt__put_terminal(o, summary->message);
		gt__put_char(o, '\n');
	}
	put_counted(o, summary->spans, "span");
	gt__put(o, ", ");
	put_counted(o, summary->events, "event");
	gt__put(o, ", ");
	put_counted(o, summary->counters, "counter");
	gt__put(o, ", ");
	put_counted(o, trace->vcpus, "vCPU");
	gt__put(o, "  trace ");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__put_char(o, '\n');
}

/* ---- Items --------------------------------------------------------------- */

struct printer {
	struct gt__out *out;
	struct gt__collect *c;
	size_t width;                   /* of the column of names */
	uint32_t died_span;             /* innermost span that never closed */
	uint32_t last_event;            /* or GT__ROOT, as the one above */
	bool last[DRAWN_DEPTH_MAX + 1]; /* by depth: nothing follows there */
};

static const struct gt_site_view *site_of(const struct gt__collect *c,
                                          const struct gt__item *item)
{
	switch (item->kind) {
	case GT__SPAN_ITEM:
		return c->spans[item->index].view.site;
	case GT__EVENT_ITEM:
		break;
	}
	return c->events[item->index].view.site;
}

static uint32_t drawn_depth(uint32_t depth)
{
	return depth < DRAWN_DEPTH_MAX ? depth : DRAWN_DEPTH_MAX;
}

/* Columns of what put_branch() draws; a root event has its mark as well. */
static size_t branch_columns(const struct gt__item *item, uint32_t depth)
{
	if (!depth)
		return item->kind == GT__SPAN_ITEM ? 0 : 2;
	return (size_t)3 * drawn_depth(depth);
}

static const char *mark_of(const struct printer *p, const struct gt__item *item)
{
	if (item->kind == GT__SPAN_ITEM)
		return "\u2500";
	return p->c->events[item->index].counter ? "#" : "\u00b7";
}

static void put_branch(struct printer *p, const struct gt__item *item,
                       const struct gt__walk *walk)
{
	uint32_t depth = drawn_depth(walk->depth), i;

	p->last[depth] = walk->last;
	for (i = 1; i < depth; i++)
		gt__put(p->out, p->last[i] ? "   " : "\u2502  ");
	if (depth)
		gt__put(p->out, walk->last ? "\u2514" : "\u251c");
	if (depth || item->kind != GT__SPAN_ITEM) {
		gt__put(p->out, mark_of(p, item));
		gt__put_char(p->out, ' ');
	}
}

static void put_value(struct gt__out *o, const struct gt_field *f)
{
	switch (f->type) {
	case GT_TYPE_U64:
		gt__put_u64(o, f->value.u64);
		break;
	case GT_TYPE_I64:
		gt__put_i64(o, f->value.i64);
		break;
	case GT_TYPE_F64:
		gt__put_f64(o, f->value.f64);
		break;
	case GT_TYPE_BOOL:
		gt__put(o, f->value.boolean ? "true" : "false");
		break;
	case GT_TYPE_STRING:
		gt__put_logfmt(o, f->value.text);
		break;
	case GT_TYPE_BYTES:
		gt__put_hex_bytes(o, f->value.text.bytes, f->value.text.count);
		break;
	case GT_TYPE_POINTER:
		gt__put_pointer(o, f->value.u64);
		break;
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* never among a view's fields */
	}
}

/* A string's value ends in an ellipsis where it was cut. */
static bool is_cut(const struct gt_field *f)
{
	return (f->type == GT_TYPE_STRING || f->type == GT_TYPE_BYTES) &&
	       f->full_bytes > f->value.text.count;
}

static void put_fields(struct gt__out *o, const struct gt_field *fields,
                       size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		gt__put_char(o, ' ');
		gt__put_logfmt(o, fields[i].key);
		gt__put_char(o, '=');
		put_value(o, &fields[i]);
		if (is_cut(&fields[i]))
			gt__put(o, "\u2026");
	}
}

static void put_site(struct printer *p, const struct gt_site_view *site,
                     uint32_t vcpu)
{
	struct gt__out *o = p->out;

	gt__put(o, "  [");
	gt__put_terminal(o, site->target);
	gt__put_char(o, ']');
	if (p->c->head.trace->vcpus > 1) {
		gt__put(o, " vCPU ");
		gt__put_u64(o, vcpu);
	}
	if (site->level == GT_ERROR)
		gt__put(o, " ERROR");
	else if (site->level == GT_WARN)
		gt__put(o, " WARN");
}

static void put_flags(struct gt__out *o, unsigned flags)
{
	const char *before = "  (";
	size_t i;

	/* Interruption has a mark of its own; a cut shows in its field. */
	flags &= ~(unsigned)(GT_SPAN_INTERRUPTED | GT_SPAN_CUT);
	for (i = 0; i < GT__FLAG_WORDS; i++) {
		if (!(flags & gt__flag_words[i].flag))
			continue;
		gt__put(o, before);
		gt__put(o, gt__flag_words[i].word);
		before = ", ";
	}
	if (before[0] == ',')
		gt__put_char(o, ')');
}

static void put_status(struct gt__out *o, const struct gt_span_view *span)
{
	switch (span->status) {
	case GT_STATUS_UNSET:
		return;
	case GT_STATUS_OK:
		gt__put(o, "  \u2713 ok");
		return;
	case GT_STATUS_ERROR:
		gt__put(o, "  \u2717 error");
		break;
	}
	if (span->status_text.count) {
		gt__put(o, ": ");
		gt__put_terminal(o, span->status_text);
	}
}

static void put_time(struct printer *p, uint64_t ns, bool relative)
{
	size_t columns = gt__duration_columns(ns) + relative;

	if (columns < GT__DURATION_COLUMNS + 1)
		gt__put_spaces(p->out, GT__DURATION_COLUMNS + 1 - columns);
	if (relative)
		gt__put_char(p->out, '+');
	gt__put_duration(p->out, ns);
}

static void put_span(struct printer *p, uint32_t index)
{
	const struct gt_span_view *s = &p->c->spans[index].view;

	put_time(p, s->end_ns - s->start_ns, false);
	put_site(p, s->site, s->vcpu);
	put_fields(p->out, s->fields, s->field_count);
	put_status(p->out, s);
	put_flags(p->out, s->flags);
	if (s->flags & GT_SPAN_INTERRUPTED)
		gt__put(p->out, "  \u2717 INTERRUPTED");
	if (index == p->died_span)
		gt__put(p->out, "  \u25c0 it died in here");
}

static void put_event(struct printer *p, uint32_t index)
{
	const struct gt_event_view *e = &p->c->events[index].view;

	put_time(p, elapsed_ns(p->c->head.trace, e->time_ns), true);
	put_site(p, e->site, e->vcpu);
	put_fields(p->out, e->fields, e->field_count);
	put_flags(p->out, e->flags);
	if (index == p->last_event)
		gt__put(p->out,
		        p->died_span == GT__ROOT
		                ? "  \u25c0 last event: it died after this"
		                : "  \u25c0 last event");
}

static size_t name_columns(const struct printer *p, const struct gt__item *item,
                           uint32_t depth)
{
	return branch_columns(item, depth) +
	       gt__terminal_columns(site_of(p->c, item)->name);
}

static void find_width(struct printer *p)
{
	const struct gt__item *item;
	struct gt__walk walk = {0};

	while ((item = gt__collect_next(p->c, &walk))) {
		size_t columns = name_columns(p, item, walk.depth);

		if (columns > p->width && columns <= NAME_COLUMNS)
			p->width = columns;
	}
}

/* Of a guest that did not end by itself: where it was. */
static void find_end(struct printer *p, const struct gt_summary *summary)
{
	const struct gt__collect *c = p->c;
	uint64_t latest = 0;
	uint32_t i;

	if (summary->ending == GT_ENDING_HALTED ||
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

	put_branch(p, item, walk);
	gt__put_terminal(p->out, site_of(p->c, item)->name);
	if (columns < p->width)
		gt__put_spaces(p->out, p->width - columns);
	switch (item->kind) {
	case GT__SPAN_ITEM:
		put_span(p, item->index);
		break;
	case GT__EVENT_ITEM:
		put_event(p, item->index);
		break;
	}
	if (walk->depth > DRAWN_DEPTH_MAX) {
		gt__put(p->out, "  (depth ");
		gt__put_u64(p->out, walk->depth);
		gt__put_char(p->out, ')');
	}
	gt__put_char(p->out, '\n');
	gt__out_record(p->out);
}

void gt__put_tree(struct gt__out *o, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	struct printer p = {
		.out = o,
		.c = c,
		.died_span = GT__ROOT,
		.last_event = GT__ROOT,
	};
	const struct gt__item *item;
	struct gt__walk walk = {0};

	find_width(&p);
	find_end(&p, summary);
	while ((item = gt__collect_next(c, &walk)) && !o->error)
		put_item(&p, item, &walk);
}

static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	if (x->printed)
		gt__put_char(&x->out, '\n');
	gt__put_header(&x->out, c, summary);
	if (gt__lost_anything(&summary->losses))
		gt__put(&x->out, "something was lost: `guesttrace report` "
		                 "says what\n");
	gt__put_char(&x->out, '\n');
	gt__put_tree(&x->out, c, summary);
}

int gt_tree_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt__collect_sink_new(output, print, NULL, ret_sink);
}
