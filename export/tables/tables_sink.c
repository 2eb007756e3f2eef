/* SPDX-License-Identifier: MIT */
/* What a sink is shown, as rows. The order of cells is that of tables.c. */
#include "tables.h"
#include "export/out/intern.h"
#include "export/out/json_values.h"
#include "export/out/losses.h"
#include "export/out/words.h"

#include <errno.h>
#include <string.h>

struct tables_run {
	struct gt__run head;
	struct gt__intern sites; /* that `names` has */
};

static int failed(struct gt__tables *x, int r)
{
	if (r < 0 && !x->error)
		x->error = r;
	return x->error;
}

/* The row so far becomes one of the table. */
static int put_row(struct gt__tables *x, enum gt__table table)
{
	int r = x->row.text.error;

	if (r == 0 && x->error == 0)
		r = x->writer->row(x, table, &x->row);
	x->row.count = 0;
	x->row.text.used = 0;
	return failed(x, r);
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt__tables *x = (struct gt__tables *)sink;

	return failed(x, gt__run_add(&x->runs, trace, sizeof(struct tables_run))
	                         ? 0
	                         : -ENOMEM);
}

static void put_number(struct gt__tables *x, uint64_t value)
{
	gt__cell_number(&x->row, value);
}

static void put_id(struct gt__tables *x, uint64_t id)
{
	gt__cell_id(&x->row, id);
}

static void put_text(struct gt__tables *x, struct gt_text text)
{
	gt__cell_text(&x->row, text);
}

static void put_word(struct gt__tables *x, const char *word)
{
	gt__cell_word(&x->row, word);
}

static void put_hex(struct gt__tables *x, const void *bytes, size_t count)
{
	size_t from = x->row.text.used;

	gt__put_hex_bytes(&x->row.text, bytes, count);
	gt__cell_since(&x->row, from);
}

static void put_times(struct gt__tables *x, uint64_t start_ns, uint64_t end_ns)
{
	put_number(x, start_ns);
	put_number(x, end_ns);
	put_number(x, end_ns > start_ns ? end_ns - start_ns : 0);
}

static void put_flags(struct gt__tables *x, unsigned flags)
{
	struct gt__out *o = &x->row.text;
	size_t i, from = o->used;

	for (i = 0; i < GT__FLAG_WORDS; i++) {
		if (!(flags & gt__flag_words[i].flag))
			continue;
		if (o->used > from)
			gt__put_char(o, ' ');
		gt__put(o, gt__flag_words[i].word);
	}
	gt__cell_since(&x->row, from);
}

static void put_fields(struct gt__tables *x, const struct gt_field *fields,
                       size_t count)
{
	struct gt__out *o = &x->row.text;
	size_t from = o->used;

	gt__put_char(o, '{');
	gt__put_json_members(o, fields, count, false);
	gt__put_char(o, '}');
	gt__cell_since(&x->row, from);
}

/* ---- Records ------------------------------------------------------------- */

/* A site that is there for the first time. */
static int put_name(struct gt__tables *x, const struct gt_trace *trace,
                    const struct gt_site_view *site, const char *kind)
{
	struct tables_run *run = gt__run_find(&x->runs, trace);
	uint32_t number;
	bool is_new = false;
	int r = run ? gt__intern(&run->sites, site, &number, &is_new) : -EINVAL;

	if (r < 0 || !is_new)
		return failed(x, r);
	put_id(x, trace->run_id);
	put_text(x, site->name);
	put_text(x, site->target);
	put_word(x, kind);
	put_word(x, gt__level_word(site->level));
	put_text(x, site->file);
	put_number(x, site->line);
	put_text(x, site->function);
	return put_row(x, GT__TABLE_NAMES);
}

static int put_links(struct gt__tables *x, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	size_t i;

	for (i = 0; i < span->link_count && !x->error; i++) {
		const struct gt_link *link = &span->links[i];

		put_id(x, trace->run_id);
		put_id(x, span->id);
		put_hex(x, link->trace_id, sizeof link->trace_id);
		put_id(x, link->span_id);
		put_number(x, link->remote);
		put_row(x, GT__TABLE_LINKS);
	}
	return x->error;
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct gt__tables *x = (struct gt__tables *)sink;

	if (put_name(x, trace, span->site, "span") < 0)
		return x->error;
	put_id(x, trace->run_id);
	put_id(x, span->id);
	put_id(x, span->parent_remote ? 0 : span->parent_id);
	put_number(x, span->sequence);
	put_text(x, span->site->name);
	put_text(x, span->site->target);
	put_word(x, gt__level_word(span->site->level));
	put_number(x, span->vcpu);
	put_times(x, span->start_ns, span->end_ns);
	put_word(x, gt__status_word(span->status));
	put_text(x, span->status_text);
	put_flags(x, span->flags);
	put_fields(x, span->fields, span->field_count);
	if (span->trace)
		put_hex(x, span->trace->trace_id, 16);
	else
		put_word(x, NULL);
	put_id(x, span->parent_remote ? span->parent_id : 0);
	put_row(x, GT__TABLE_SPANS);
	return put_links(x, trace, span);
}

static int put_record(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_event_view *event, enum gt__table table)
{
	struct gt__tables *x = (struct gt__tables *)sink;

	if (put_name(x, trace, event->site,
	             table == GT__TABLE_EVENTS ? "event" : "counter") < 0)
		return x->error;
	put_id(x, trace->run_id);
	put_id(x, event->span_id);
	put_number(x, event->sequence);
	put_text(x, event->site->name);
	put_text(x, event->site->target);
	put_word(x, gt__level_word(event->site->level));
	put_number(x, event->vcpu);
	put_number(x, event->time_ns);
	put_flags(x, event->flags);
	put_fields(x, event->fields, event->field_count);
	return put_row(x, table);
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	return put_record(sink, trace, event, GT__TABLE_EVENTS);
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *counter)
{
	return put_record(sink, trace, counter, GT__TABLE_COUNTERS);
}

/* ---- The host's ---------------------------------------------------------- */

static enum gt__table table_of(enum gt_host_span_kind kind)
{
	return kind == GT_HOST_EXIT   ? GT__TABLE_EXITS
	       : kind == GT_HOST_WORK ? GT__TABLE_WORK
	                              : GT__TABLE_IN_GUEST;
}

static int put_stretch(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_host_span_view *h)
{
	struct gt__tables *x = (struct gt__tables *)sink;
	enum gt__table table = table_of(h->kind);

	put_id(x, trace->run_id);
	put_id(x, h->parent_id == trace->run_id ? 0 : h->parent_id);
	put_number(x, h->vcpu);
	if (table == GT__TABLE_WORK)
		put_text(x, h->name);
	else
		put_word(x, gt__exit_word(h->reason));
	if (table == GT__TABLE_EXITS) {
		if (h->reason == GT_EXIT_IO)
			put_number(x, h->port);
		else
			put_id(x, 0);
		put_number(x, h->tracing);
	}
	put_times(x, h->start_ns, h->end_ns);
	put_number(x, h->waiting_ns);
	return put_row(x, table);
}

static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	struct gt__tables *x = (struct gt__tables *)sink;

	put_id(x, trace->run_id);
	put_id(x, loss->span_id);
	put_number(x, loss->vcpu);
	put_number(x, loss->from_ns);
	put_number(x, loss->to_ns);
	put_number(x, loss->records);
	put_number(x, loss->overwritten_bytes);
	put_number(x, loss->bad_records);
	put_number(x, loss->bad_bytes);
	return put_row(x, GT__TABLE_LOSSES);
}

/* ---- Runs ---------------------------------------------------------------- */

/* A file's name, which may be any bytes but NUL. */
static void put_label(struct gt__tables *x, const char *label)
{
	if (label)
		put_text(x, (struct gt_text){label, strlen(label)});
	else
		put_word(x, NULL);
}

static void put_run(struct gt__tables *x, const struct gt_trace *trace)
{
	put_id(x, trace->run_id);
	put_hex(x, trace->trace_id, sizeof trace->trace_id);
	put_id(x, trace->parent_id);
	put_label(x, trace->index < x->label_count ? x->labels[trace->index]
	                                           : NULL);
	put_text(x, trace->guest_name);
	put_text(x, trace->vm_name);
	put_text(x, trace->backend);
	put_text(x, trace->host_name);
	put_text(x, trace->guest_build_id);
	put_number(x, trace->vcpus);
}

static uint64_t sum_of_exits(const struct gt_summary *summary)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < GT_EXIT_REASONS; i++)
		sum += summary->exits[i];
	return sum;
}

/* All of them, those that are 0 as well. */
static void put_losses(struct gt__tables *x, const struct gt_losses *losses)
{
	struct gt__out *o = &x->row.text;
	size_t i, from = o->used;

	put_number(x, losses->records);
	put_number(x, gt__is_partial(losses));
	for (i = 0; i < GT__LOSS_WORDS; i++) {
		gt__put_char(o, i ? ',' : '{');
		gt__put_char(o, '"');
		gt__put(o, gt__loss_words[i].word);
		gt__put(o, "\":");
		gt__put_json_u64(o, gt__loss(losses, i));
	}
	gt__put_char(o, '}');
	gt__cell_since(&x->row, from);
}

static void put_summary(struct gt__tables *x, const struct gt_summary *s)
{
	put_number(x, s->guest_ns);
	put_word(x, gt__ending_word(s->ending));
	if (s->ending == GT_ENDING_HALTED)
		put_number(x, s->status);
	else
		put_id(x, 0);
	put_text(x, s->message);
	put_number(x, s->spans);
	put_number(x, s->events);
	put_number(x, s->counters);
	put_number(x, sum_of_exits(s));
	put_number(x, s->tracing_exits);
	put_number(x, s->tracing_ns);
	put_number(x, s->records);
	put_losses(x, &s->losses);
	put_number(x, s->clock.error_bound_ns);
}

static void free_run(struct gt__tables *x, struct tables_run *run)
{
	gt__run_remove(&x->runs, &run->head);
	gt__intern_fini(&run->sites);
	free(run);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct gt__tables *x = (struct gt__tables *)sink;
	struct tables_run *run = gt__run_find(&x->runs, trace);

	if (run)
		free_run(x, run);
	put_run(x, trace);
	put_times(x, trace->start_ns, summary->end_ns);
	put_summary(x, summary);
	return put_row(x, GT__TABLE_RUNS);
}

static int finish(struct gt_sink *sink)
{
	struct gt__tables *x = (struct gt__tables *)sink;

	return failed(x, x->error ? 0 : x->writer->finish(x));
}

static void free_sink(struct gt_sink *sink)
{
	struct gt__tables *x = (struct gt__tables *)sink;

	if (!x)
		return;
	while (x->runs)
		free_run(x, (struct tables_run *)x->runs);
	x->writer->free(x);
	gt__out_fini(&x->row.text);
	free(x);
}

/* What is in memory is never handed on. */
static int discard(void *context, const void *bytes, size_t count)
{
	(void)context;
	(void)bytes;
	(void)count;
	return -EINVAL;
}

void *gt__tables_new(size_t size, const struct gt__table_writer *writer,
                     const char *const *labels, uint32_t label_count)
{
	static const struct gt_output memory = {.write = discard};
	struct gt__tables *x = calloc(1, size);

	if (!x)
		return NULL;
	x->sink = (struct gt_sink){
		.begin = begin,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_stretch,
		.loss = put_loss,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	x->writer = writer;
	x->labels = labels;
	x->label_count = label_count;
	gt__out_init(&x->row.text, &memory);
	return x;
}
