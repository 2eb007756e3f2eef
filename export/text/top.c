/* SPDX-License-Identifier: MIT */
/*
 * What a guest is doing now: per name how many spans ended and how often, what
 * is open and since when, counters as they stand. Its memory grows with the
 * names and the spans that are open, not with the run.
 */
#include "top.h"

#include <errno.h>
#include <search.h>
#include <string.h>

static int compare_ids(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static int compare_sites(const void *left, const void *right)
{
	const struct site_row *a = left, *b = right;

	return (a->site > b->site) - (a->site < b->site);
}

/* The row of its name and target: several sites may share one, and beyond
 * ROWS_MAX the last one is all others'. */
static uint32_t find_row(struct top *x, const struct gt_site_view *site)
{
	uint32_t i;

	for (i = 0; i < x->row_count; i++)
		if (gt__same_text(x->rows[i].site->name, site->name) &&
		    gt__same_text(x->rows[i].site->target, site->target))
			return i;
	if (x->row_count < ROWS_MAX)
		x->rows[x->row_count++] = (struct top_row){.site = site};
	return x->row_count - 1;
}

/* NULL: out of memory. */
static struct top_row *row_of(struct top *x, const struct gt_site_view *site)
{
	struct site_row key = {.site = site}, **found, *made;

	if (x->recent.site == site)
		return &x->rows[x->recent.row];
	found = tfind(&key, &x->sites, compare_sites);
	if (!found) {
		made = malloc(sizeof *made);
		if (!made)
			return NULL;
		*made = (struct site_row){site, find_row(x, site)};
		found = tsearch(made, &x->sites, compare_sites);
		if (!found) {
			free(made);
			return NULL;
		}
	}
	x->recent = **found;
	return &x->rows[x->recent.row];
}

static void see_time(struct top *x, uint64_t time_ns)
{
	if (time_ns > x->last_ns)
		x->last_ns = time_ns;
}

static int done(struct top *x, int rc)
{
	return gt__run_sink_done(&x->head, rc);
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct top *x = (struct top *)sink;

	x->trace = trace;
	x->ended = false;
	x->last_ns = x->drawn_ns = trace->start_ns;
	return done(x, 0);
}

/* ---- Spans --------------------------------------------------------------- */

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *view)
{
	struct top *x = (struct top *)sink;
	struct top_row *row = row_of(x, view->site);
	struct top_span *span = row ? malloc(sizeof *span) : NULL, **slot;

	(void)trace;
	if (!span)
		return done(x, -ENOMEM);
	*span = (struct top_span){.id = view->id,
	                          .start_ns = view->start_ns,
	                          .sequence = view->sequence,
	                          .site = view->site,
	                          .vcpu = view->vcpu,
	                          .newer = NULL,
	                          .older = x->newest};
	slot = tsearch(span, &x->open_spans, compare_ids);
	if (!slot || *slot != span) { /* one of that id is open */
		free(span);
		return done(x, slot ? 0 : -ENOMEM);
	}
	*(x->newest ? &x->newest->newer : &x->oldest) = span;
	x->newest = span;
	x->open_count++;
	row->open++;
	see_time(x, view->start_ns);
	return done(x, 0);
}

static void forget(struct top *x, struct top_span *span)
{
	*(span->older ? &span->older->newer : &x->oldest) = span->newer;
	*(span->newer ? &span->newer->older : &x->newest) = span->older;
	tdelete(&span->id, &x->open_spans, compare_ids);
	x->open_count--;
	free(span);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *view)
{
	struct top *x = (struct top *)sink;
	struct top_row *row = row_of(x, view->site);
	struct top_span **found = tfind(&view->id, &x->open_spans, compare_ids);
	uint64_t ns = view->end_ns - view->start_ns;

	(void)trace;
	if (!row)
		return done(x, -ENOMEM);
	if (view->flags & GT_SPAN_INTERRUPTED) /* it is open, at the end */
		return done(x, 0);
	if (found && row->open)
		row->open--;
	if (found)
		forget(x, *found);
	row->count++;
	row->errors += view->status == GT_STATUS_ERROR;
	row->total_ns += ns;
	if (ns > row->max_ns)
		row->max_ns = ns;
	see_time(x, view->end_ns);
	return done(x, 0);
}

/* ---- The rest ------------------------------------------------------------ */

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *view)
{
	struct top *x = (struct top *)sink;

	(void)trace;
	see_time(x, view->time_ns);
	return done(x, 0);
}

/* As many as fit, each with its value. */
static void put_values(struct top_row *row, struct gt__out *o,
                       const struct gt_event_view *view)
{
	size_t i, from;

	o->used = 0;
	for (i = 0; i < view->field_count; i++) {
		from = o->used;
		if (i)
			gt__put_char(o, ' ');
		gt__put_logfmt(o, view->fields[i].key);
		gt__put_char(o, '=');
		if (!gt__put_plain(o, &view->fields[i]))
			gt__put_char(o, '?');
		if (o->used > sizeof row->values) {
			o->used = from;
			break;
		}
	}
	if (!o->error && o->used)
		memcpy(row->values, o->bytes, o->used);
	row->value_bytes = (uint8_t)o->used;
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *view)
{
	struct top *x = (struct top *)sink;
	struct top_row *row = row_of(x, view->site);

	(void)trace;
	if (!row)
		return done(x, -ENOMEM);
	row->is_counter = true;
	row->counted++;
	put_values(row, &x->text, view);
	see_time(x, view->time_ns);
	return done(x, x->text.error);
}

static int put_stretch(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_host_span_view *view)
{
	struct top *x = (struct top *)sink;

	(void)trace;
	if (view->kind == GT_HOST_EXIT && view->reason < GT_EXIT_REASONS)
		x->exit_ns[view->reason] += view->end_ns - view->start_ns;
	see_time(x, view->end_ns);
	return done(x, 0);
}

/* What the trace says of itself is gone behind this. */
static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct top *x = (struct top *)sink;
	uint32_t i;

	x->ended = true;
	see_time(x, summary->end_ns);
	/* Rates of the whole run. */
	for (i = 0; i < x->row_count; i++)
		x->rows[i].drawn_count = 0;
	memset(x->drawn, 0, sizeof x->drawn);
	x->drawn_ns = trace->start_ns;
	gt__top_put(x, summary, x->last_ns, x->rows_at_end);
	return gt__out_flush(&x->head.out);
}

static void free_top(struct gt_sink *sink)
{
	struct top *x = (struct top *)sink;

	if (!x)
		return;
	while (x->oldest)
		forget(x, x->oldest);
	tdestroy(x->sites, free);
	gt__out_fini(&x->text);
	free(x->rows);
	gt__run_sink_free(sink);
}

int gt_top_draw(struct gt_sink *sink, uint64_t now_ns, unsigned lines,
                unsigned columns)
{
	struct top *x = (struct top *)sink;

	x->head.out.columns = columns;
	x->rows_at_end = lines;
	if (!x->trace || x->ended || !x->trace->so_far)
		return x->head.out.error;
	see_time(x, now_ns);
	gt__top_put(x, x->trace->so_far, x->last_ns, lines);
	return gt__out_flush(&x->head.out);
}

int gt_top_new(const struct gt_output *output,
               const struct gt_report_options *options,
               struct gt_sink **ret_sink)
{
	static const struct gt_sink calls = {
		.begin = begin,
		.open = open_span,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_stretch,
		.end = end,
		.free = free_top,
	};
	static const struct gt_output none = {0};
	struct top *x;
	int rc = gt__run_sink_new(sizeof *x, &calls, NULL, output, ret_sink);

	if (rc)
		return rc;
	x = (struct top *)*ret_sink;
	gt__out_init(&x->text, &none);
	gt__take_report_options(options, &x->options, &x->head.out);
	x->rows = calloc(ROWS_MAX, sizeof *x->rows);
	if (x->rows)
		return 0;
	free_top(*ret_sink);
	return -ENOMEM;
}
