/* SPDX-License-Identifier: MIT */
/*
 * The report as one JSON object; docs/report.md tells each member. Integers of
 * 64 bits are decimal strings, ids are 16 hex digits.
 */
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "export/out/losses.h"
#include "json_members.h"
#include "analysis_views.h"
#include "export/run/split_words.h"
#include "export/out/words.h"

/* `split` is two rows: total, self. */
static void put_split(struct gt__out *o, const struct gt__timeline *t,
                      const uint64_t *split)
{
	gt__put(o, ",\"split\":{\"total\":");
	gt__put_split_json(o, t, split);
	gt__put(o, ",\"self\":");
	gt__put_split_json(o, t, split + t->columns);
	gt__put_char(o, '}');
}

static void put_fields(struct gt__out *o, const struct gt_field *fields,
                       size_t count)
{
	size_t i;

	gt__member_key(o, ",", "fields");
	gt__put_char(o, '[');
	for (i = 0; i < count; i++) {
		gt__put(o, i ? ",[" : "[");
		gt__put_json(o, fields[i].key);
		gt__put(o, ",\"");
		gt__put(o, gt__type_word(fields[i].type));
		gt__put(o, "\",");
		gt__put_json_value(o, &fields[i], true);
		gt__put_char(o, ']');
	}
	gt__put_char(o, ']');
}

static void put_words(struct gt__out *o, unsigned flags,
                      const struct gt__flag_word *words, size_t count)
{
	const char *comma = "\"";
	size_t i;

	gt__member_key(o, ",", "flags");
	gt__put_char(o, '[');
	for (i = 0; i < count; i++) {
		if (!(flags & words[i].flag))
			continue;
		gt__put(o, comma);
		gt__put(o, words[i].word);
		gt__put_char(o, '"');
		comma = ",\"";
	}
	gt__put_char(o, ']');
}

static void put_flags(struct gt__out *o, unsigned flags)
{
	put_words(o, flags, gt__flag_words, GT__FLAG_WORDS);
}

static void put_site(struct gt__out *o, const struct gt_site_view *site)
{
	gt__member_text(o, "name", site->name);
	gt__member_text(o, "target", site->target);
	gt__member_word(o, "level", gt__level_word(site->level));
	gt__member_text(o, "file", site->file);
	if (site->function.count)
		gt__member_text(o, "function", site->function);
	gt__member_number(o, "line", site->line);
}

/* Of the run's own trace there are none: it is said once. */
static void put_own_trace(struct gt__out *o, const struct gt_span_trace *trace)
{
	if (!trace)
		return;
	gt__put(o, ",\"trace_id\":\"");
	gt__put_hex_bytes(o, trace->trace_id, 16);
	gt__put(o, "\",\"trace_state\":");
	gt__put_json(o, trace->trace_state);
	gt__member_number(o, "trace_flags", trace->flags);
}

static void put_event(struct gt__out *o, const struct gt_event_view *e)
{
	gt__put_char(o, '{');
	gt__member_id(o, "", "span_id", e->span_id);
	put_own_trace(o, e->trace);
	gt__member_u64(o, "sequence", e->sequence);
	gt__member_u64(o, "time_ns", e->time_ns);
	put_site(o, e->site);
	gt__member_number(o, "vcpu", e->vcpu);
	gt__member_number(o, "nesting", e->level);
	put_flags(o, e->flags);
	put_fields(o, e->fields, e->field_count);
	gt__put_char(o, '}');
}

/* Those of items[first..first+count) that are (no) counters. */
static void put_events(struct gt__out *o, const struct gt__collect *c,
                       uint32_t first, uint32_t count)
{
	const char *comma = "\n";
	uint32_t i;

	gt__member_key(o, ",", "events");
	gt__put_char(o, '[');
	for (i = first; i < first + count; i++) {
		const struct gt__item *item = &c->items[i];

		if (item->kind != GT__EVENT_ITEM ||
		    c->events[item->index].counter ||
		    !gt__event_counts(c, &c->events[item->index]))
			continue;
		gt__put(o, comma);
		put_event(o, &c->events[item->index].view);
		gt__out_record(o);
		comma = ",\n";
	}
	gt__put_char(o, ']');
}

static void put_counters(struct gt__out *o, const struct gt__collect *c)
{
	const char *comma = "\n";
	uint32_t i;

	gt__member_key(o, ",\n", "counters");
	gt__put_char(o, '[');
	for (i = 0; i < c->event_count; i++) {
		if (!c->events[i].counter ||
		    !gt__event_counts(c, &c->events[i]))
			continue;
		gt__put(o, comma);
		put_event(o, &c->events[i].view);
		gt__out_record(o);
		comma = ",\n";
	}
	gt__put_char(o, ']');
}

static void put_links(struct gt__out *o, const struct gt_span_view *s)
{
	size_t i;

	gt__member_key(o, ",", "links");
	gt__put_char(o, '[');
	for (i = 0; i < s->link_count; i++) {
		gt__put(o, i ? ",{\"trace_id\":\"" : "{\"trace_id\":\"");
		gt__put_hex_bytes(o, s->links[i].trace_id, 16);
		gt__put_char(o, '"');
		gt__member_id(o, ",", "span_id", s->links[i].span_id);
		gt__member_number(o, "trace_flags", s->links[i].flags);
		gt__member_bool(o, "remote", s->links[i].remote);
		gt__put_char(o, '}');
	}
	gt__put_char(o, ']');
}

static void put_span(struct gt__out *o, const struct gt__collect *c,
                     uint32_t index)
{
	const struct gt__span *span = &c->spans[index];
	const struct gt_span_view *s = &span->view;

	gt__put_char(o, '{');
	gt__member_id(o, "", "id", s->id);
	gt__member_id(o, ",", "parent_id", s->parent_id);
	gt__member_bool(o, "parent_remote", s->parent_remote);
	put_own_trace(o, s->trace);
	gt__member_u64(o, "guest_id", s->guest_id);
	gt__member_u64(o, "guest_parent_id", s->guest_parent_id);
	gt__member_u64(o, "sequence", s->sequence);
	put_site(o, s->site);
	gt__member_number(o, "vcpu", s->vcpu);
	gt__member_number(o, "close_vcpu", s->close_vcpu);
	gt__member_number(o, "nesting", s->level);
	gt__member_bool(o, "entered", s->entered);
	gt__member_u64(o, "start_ns", s->start_ns);
	gt__member_u64(o, "end_ns", s->end_ns);
	gt__member_u64(o, "duration_ns", s->end_ns - s->start_ns);
	gt__member_u64(o, "self_ns", span->self_ns);
	put_split(o, &c->timeline, span->split);
	gt__member_word(o, "status", gt__status_word(s->status));
	gt__member_text(o, "status_message", s->status_text);
	put_flags(o, s->flags);
	put_fields(o, s->fields, s->field_count);
	gt__member_u64(o, "dropped_events", s->dropped_events);
	gt__member_u64(o, "dropped_fields", s->dropped_fields);
	put_links(o, s);
	put_events(o, c, span->first_item, span->item_count);
	gt__put_char(o, '}');
}

static void put_spans(struct gt__out *o, struct gt__collect *c)
{
	const char *comma = "\n";
	const struct gt__item *item;
	struct gt__walk walk = {0};

	gt__member_key(o, ",\n", "spans");
	gt__put_char(o, '[');
	while ((item = gt__collect_next(c, &walk))) {
		if (item->kind != GT__SPAN_ITEM ||
		    !gt__counts(&c->spans[item->index]))
			continue;
		gt__put(o, comma);
		put_span(o, c, item->index);
		gt__out_record(o);
		comma = ",\n";
	}
	gt__put_char(o, ']');
}

/* Of no whole span there are none. */
static void put_percentiles(struct gt__out *o, const struct gt__name *n)
{
	if (!gt__has_percentiles(n)) {
		gt__put(o, ",\"avg_ns\":null,\"p50_ns\":null,\"p99_ns\":null,"
		           "\"max_ns\":null");
		return;
	}
	gt__member_u64(o, "avg_ns", n->avg_ns);
	gt__member_u64(o, "p50_ns", n->p50_ns);
	gt__member_u64(o, "p99_ns", n->p99_ns);
	gt__member_u64(o, "max_ns", n->max_ns);
}

static void put_names(struct gt__out *o, const struct gt__collect *c)
{
	uint32_t i;

	gt__member_key(o, ",\n", "names");
	gt__put_char(o, '[');
	for (i = 0; i < c->name_count; i++) {
		const struct gt__name *n = &c->names[i];

		gt__put(o, i ? ",\n{\"name\":" : "\n{\"name\":");
		gt__put_json(o, n->name);
		gt__member_text(o, "target", n->target);
		if (c->by)
			gt__member_by(o, n->by);
		gt__member_u64(o, "count", n->count);
		gt__member_u64(o, "unfinished", n->unfinished);
		gt__member_u64(o, "total_ns", n->total_ns);
		gt__member_u64(o, "self_ns", n->self_ns);
		put_percentiles(o, n);
		put_split(o, &c->timeline, n->split);
		gt__put_char(o, '}');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
}

/* Of the run, on all vCPUs. */
static void put_run_split(struct gt__out *o, struct gt__collect *c,
                          const struct gt_summary *summary)
{
	const struct gt_trace *trace = c->head.trace;
	uint64_t row[GT__PARTS] = {0};

	gt__timeline_sum(&c->timeline, trace->vcpus, trace->start_ns,
	                 summary->end_ns, row);
	gt__member_key(o, ",\n", "split");
	gt__put_split_json(o, &c->timeline, row);
}

static void put_clock(struct gt__out *o, const struct gt_summary *summary)
{
	const struct gt_clock_summary *clock = &summary->clock;

	gt__put(o, ",\n\"clock\":{\"source\":\"");
	gt__put(o, gt__clock_source_word(clock->source));
	gt__put_char(o, '"');
	gt__member_u64(o, "error_bound_ns", clock->error_bound_ns);
	gt__member_u64(o, "frequency_hz", clock->frequency_hz);
	gt__member_u64(o, "adjusted_records", summary->losses.adjusted_records);
	gt__member_u64(o, "outside", clock->outside);
	gt__member_u64(o, "pieces", clock->pieces);
	put_words(o, clock->flags, gt__clock_words, GT__CLOCK_WORDS);
	gt__put_char(o, '}');
}

static void put_host_spans(struct gt__out *o, const struct gt__collect *c)
{
	uint64_t counts[GT_HOST_WORK + 1] = {0};
	uint32_t i;

	for (i = 0; i < c->host_span_count; i++)
		if (c->host_spans[i].kind <= GT_HOST_WORK)
			counts[c->host_spans[i].kind]++;
	gt__put(o, ",\n\"host_spans\":{\"guest\":\"");
	gt__put_u64(o, counts[GT_HOST_GUEST]);
	gt__put_char(o, '"');
	gt__member_u64(o, "exit", counts[GT_HOST_EXIT]);
	gt__member_u64(o, "work", counts[GT_HOST_WORK]);
	gt__put_char(o, '}');
}

static void put_tracing(struct gt__out *o, const struct gt_summary *summary)
{
	gt__put(o, ",\n\"tracing\":{\"exits\":\"");
	gt__put_u64(o, summary->tracing_exits);
	gt__put_char(o, '"');
	gt__member_u64(o, "bytes", summary->record_bytes);
	gt__member_u64(o, "ns", summary->tracing_ns);
	gt__put_char(o, '}');
}

/* When something was lost, in the order in which it was noticed. */
static void put_gaps(struct gt__out *o, const struct gt__collect *c)
{
	uint32_t i;

	gt__member_key(o, ",\n", "gaps");
	gt__put_char(o, '[');
	for (i = 0; i < c->gap_count; i++) {
		const struct gt_loss_view *gap = &c->gaps[i].view;

		gt__put(o, i ? ",\n{" : "\n{");
		gt__member_id(o, "", "span_id", gap->span_id);
		gt__member_u64(o, "sequence", gap->sequence);
		gt__member_u64(o, "from_ns", gap->from_ns);
		gt__member_u64(o, "to_ns", gap->to_ns);
		gt__member_number(o, "vcpu", gap->vcpu);
		gt__member_u64(o, "records", gap->records);
		gt__member_u64(o, "overwritten_bytes", gap->overwritten_bytes);
		gt__member_u64(o, "bad_records", gap->bad_records);
		gt__member_u64(o, "bad_bytes", gap->bad_bytes);
		gt__put_char(o, '}');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
}

static void put_lost_records(struct gt__out *o, const struct gt_trace *trace,
                             const struct gt_summary *summary)
{
	uint32_t i;

	if (!summary->lost_records)
		return;
	gt__member_key(o, ",\n", "lost_records");
	for (i = 0; i < trace->vcpus; i++) {
		gt__put(o, i ? ",\"" : "[\"");
		gt__put_u64(o, summary->lost_records[i]);
		gt__put_char(o, '"');
	}
	gt__put_char(o, ']');
}

static void put_summary(struct gt__out *o, const struct gt_summary *summary)
{
	unsigned i;

	gt__member_u64(o, "records", summary->records);
	gt__member_u64(o, "record_bytes", summary->record_bytes);
	gt__member_key(o, ",\n", "exits");
	gt__put_char(o, '{');
	for (i = 0; i < GT_EXIT_REASONS; i++) {
		if (!summary->exits[i])
			continue;
		if (o->bytes && o->used && o->bytes[o->used - 1] != '{')
			gt__put_char(o, ',');
		gt__put_char(o, '"');
		gt__put(o, gt__exit_word(i));
		gt__put(o, "\":\"");
		gt__put_u64(o, summary->exits[i]);
		gt__put_char(o, '"');
	}
	gt__put_char(o, '}');
}

static void put_all(struct gt__out *o, struct gt__collect *c,
                    const struct gt_summary *summary)
{
	put_spans(o, c);
	put_events(o, c, c->first_root_item,
	           c->item_count - c->first_root_item);
	put_counters(o, c);
	put_names(o, c);
	put_run_split(o, c, summary);
	put_clock(o, summary);
	put_host_spans(o, c);
	put_tracing(o, summary);
	put_summary(o, summary);
	gt__put_exits_json(o, c);
	put_lost_records(o, c->head.trace, summary);
	put_gaps(o, c);
}

static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	struct gt__out *o = &x->head.out;

	if (x->analysis.runs) {
		gt__runs_keep(x, c, summary);
		return;
	}
	gt__put(o, x->printed ? ",\n" : "{\"traces\":[\n");
	gt__trace_members(o, c->head.trace, summary);
	if (gt__has_paths(&x->analysis))
		gt__put_paths_json(o, c, &x->analysis);
	else if (x->analysis.slowest)
		gt__put_slowest_json(o, c, &x->options, &x->analysis);
	else
		put_all(o, c, summary);
	gt__put_char(o, '}');
}

static void conclude(struct gt__collect_sink *x)
{
	if (x->analysis.runs) {
		gt__put_runs_json(x);
		return;
	}
	gt__put(&x->head.out, x->printed ? "\n]}\n" : "{\"traces\":[]}\n");
}

int gt_report_json_with(const struct gt_output *output,
                        const struct gt_report_options *options,
                        struct gt_sink **ret_sink)
{
	/* Of a text for people it has no more than the analysis. */
	const struct gt_report_options plain = {
		.size = sizeof plain,
		.name = options ? options->name : NULL,
		.analysis = options ? options->analysis : NULL,
	};

	struct gt__collect_sink *x;
	int rc = gt__collect_sink_with(output, &plain, print, conclude,
	                               ret_sink);

	if (rc)
		return rc;
	x = (struct gt__collect_sink *)*ret_sink;
	x->free_kept = gt__runs_free;
	x->slowest_only = x->analysis.slowest && !x->analysis.runs &&
	                  !gt__has_paths(&x->analysis);
	return 0;
}

int gt_report_json_new(const struct gt_output *output,
                       struct gt_sink **ret_sink)
{
	return gt_report_json_with(output, NULL, ret_sink);
}
