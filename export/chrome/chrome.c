/* SPDX-License-Identifier: MIT */
/*
 * Chrome's JSON trace events ("Trace Event Format"): B and E on a thread per
 * track of lanes.h, instants, counters, names as metadata. Times are
 * CLOCK_MONOTONIC since the first run began, in microseconds with three
 * decimals: a reader's doubles are exact, however long the host has been up.
 *
 * Fields are at the end of a slice, and its beginning is written before the
 * next slice of its thread begins or ends, or with its own end: speedscope
 * takes slices with different arguments at the beginning for different frames,
 * and an end at the time of its beginning for its own only if the arguments of
 * both are the same.
 *
 * Flows: who will link to a span is not known when it begins, and where it was
 * not when it is linked to; so each span begins a flow of its id. A slice of no
 * time takes it up: `link` at the end of a span that links to it, and one of
 * its own name on another vCPU that closed it. (Perfetto ties a flow to what it
 * saw last on the thread, be that an instant; so a slice has to begin just
 * before.)
 */
#include "chrome_lines.h"
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "export/out/values.h"
#include "export/out/words.h"
#include <math.h>

/*
 * Viewers show none of it; who reads the file can tell the runs apart, and when
 * they were.
 */
static void put_identity(struct gt__out *o, const struct gt_trace *trace,
                         uint64_t zero_ns)
{
	const struct {
		const char *key;
		struct gt_text value;
	} texts[] = {
		{"vm", trace->vm_name},
		{"vm_id", trace->vm_id},
		{"host_name", trace->host_name},
		{"guest_build_id", trace->guest_build_id},
		{"backend", trace->backend},
	};
	size_t i;

	gt__put(o, ",\"guesttrace.trace_id\":\"");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__put(o, "\",\"guesttrace.zero_monotonic_ns\":\"");
	gt__put_u64(o, zero_ns);
	gt__put_char(o, '"');
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (!texts[i].value.count)
			continue;
		gt__put(o, ",\"guesttrace.");
		gt__put(o, texts[i].key);
		gt__put(o, "\":");
		gt__put_json(o, texts[i].value);
	}
}

/*
 * All runs share the zero of the first one. Some viewers drop what is before
 * it: a run that began earlier has its own.
 */
static uint64_t zero_of(struct gt__chrome *x, const struct gt_trace *trace)
{
	uint64_t start_ns = gt__monotonic_ns(trace, trace->start_ns);

	if (!x->has_zero)
		x->zero_ns = start_ns;
	x->has_zero = true;
	return start_ns < x->zero_ns ? start_ns : x->zero_ns;
}

static void begin_run(struct gt__run_sink *sink, struct gt__run *head)
{
	struct gt__chrome *x = (struct gt__chrome *)sink;
	struct gt__chrome_run *run = (struct gt__chrome_run *)head;
	struct gt__out *o;

	run->zero_ns = zero_of(x, head->trace);
	/* Runs seen at once must not share lanes; a million each suffices. */
	run->lane_tid = x->lane_tids;
	x->lane_tids += GT__LANES_OPEN_MAX;
	o = gt__chrome_next_line(x);
	gt__put(o, "{\"ph\":\"M\",\"name\":\"process_name\",");
	gt__chrome_put_ids(o, run, gt__pid(head->trace));
	gt__put(o, ",\"args\":{\"name\":");
	gt__put_json(o, head->trace->guest_name);
	put_identity(o, head->trace, run->zero_ns);
	gt__put(o, "}}");
}

static void put_span(struct gt__out *o, const struct gt_span_view *span,
                     uint64_t at)
{
	if (span->parent_id) {
		gt__put(o, ",\"guesttrace.parent_id\":\"");
		gt__put_hex(o, span->parent_id, 16);
		gt__put_char(o, '"');
	}
	if (span->trace) {
		gt__put(o, ",\"guesttrace.trace_id\":\"");
		gt__put_hex_bytes(o, span->trace->trace_id, 16);
		gt__put_char(o, '"');
	}
	if (span->field_count) {
		gt__put_char(o, ',');
		gt__put_json_members(o, span->fields, span->field_count, true);
	}
	gt__put(o, ",\"guesttrace.level\":\"");
	gt__put(o, gt__level_word(span->site->level));
	gt__put(o, "\",\"guesttrace.status\":\"");
	gt__put(o, gt__status_word(span->status));
	gt__put_char(o, '"');
	if (span->status_text.count) {
		gt__put(o, ",\"guesttrace.status_message\":");
		gt__put_json(o, span->status_text);
	}
	gt__chrome_put_flags(o, span->flags);
	if (at != span->end_ns) {
		gt__put(o, ",\"guesttrace.ended_earlier_ns\":");
		gt__put_json_u64(o, at - span->end_ns);
	}
}

/* Whose stretch it is; at the end of the last one, all of the span. */
static void put_notes(struct gt__out *o, const struct gt__lane_span *s,
                      const struct gt_span_view *span, uint64_t at)
{
	gt__put(o, ",\"args\":{\"guesttrace.span_id\":\"");
	gt__put_hex(o, s->id, 16);
	gt__put_char(o, '"');
	if (s->continued)
		gt__put(o, ",\"guesttrace.continued\":true");
	if (span)
		put_span(o, span, at);
	gt__put_char(o, '}');
}

/* The end of the stretch on top. */
static void put_stretch_end(struct gt__chrome *x, struct gt__chrome_run *run,
                            uint32_t index, const struct gt_span_view *span,
                            uint64_t at)
{
	struct gt__lane_span *s = &run->lanes.spans[index];

	if (!s->begun && s->begin_ns == at) {
		gt__chrome_begin_span(x, run, index);
		put_notes(&x->head.out, s, span, at);
		gt__chrome_end_begin(x, run, index);
	}
	gt__chrome_begin(x, run, s->track, 'E', at);
	gt__put(&x->head.out, ",\"name\":");
	gt__put_json(&x->head.out, s->site->name);
	put_notes(&x->head.out, s, span, at);
	gt__put_char(&x->head.out, '}');
}

/* A slice of no time to which the flow of `id` leads; `site` NULL for a link.
 */
static void put_arrival(struct gt__chrome *x, struct gt__chrome_run *run,
                        uint32_t track, uint64_t at,
                        const struct gt_site_view *site, uint64_t id)
{
	static const char phases[] = {'B', 'E'};
	struct gt__out *o = &x->head.out;
	size_t i;

	for (i = 0; i < sizeof phases; i++) {
		if (i)
			gt__chrome_put_flow(x, run, track, 'f', at, id);
		gt__chrome_begin(x, run, track, phases[i], at);
		if (site)
			gt__chrome_put_site(o, site);
		else
			gt__put(o, ",\"name\":\"link\","
			           "\"cat\":\"guesttrace.link\"");
		gt__put(o, site ? ",\"args\":{\"guesttrace.closes\":\""
		                : ",\"args\":{\"guesttrace.link\":\"");
		gt__put_hex(o, id, 16);
		gt__put(o, "\"}}");
	}
}

/* The end of a span that is on top, at `at`. */
static int put_own_end(struct gt__chrome *x, struct gt__chrome_run *run,
                       uint32_t index, const struct gt_span_view *span,
                       uint64_t at)
{
	uint32_t i, track = run->lanes.spans[index].track;
	int rc;

	for (i = 0; i < span->link_count; i++)
		put_arrival(x, run, track, at, NULL, span->links[i].span_id);
	put_stretch_end(x, run, index, span, at);
	if (span->close_vcpu == span->vcpu)
		return 0;
	rc = gt__lanes_event(&run->lanes, span->close_vcpu, 0, &track);
	if (!rc)
		put_arrival(x, run, track, at, span->site, span->id);
	return rc;
}

/* `span` is NULL if it ends because its id begins again. */
static int put_end(struct gt__chrome *x, struct gt__chrome_run *run,
                   uint32_t index, const struct gt_span_view *span,
                   uint64_t end_ns)
{
	struct gt__lanes *lanes = &run->lanes;
	uint64_t at = gt__lanes_end_ns(lanes, index, end_ns);
	uint32_t above = gt__lanes_above(lanes, index, at), pulled = 0;
	uint32_t i = index;
	int rc = 0;

	while (above--)
		i = lanes->spans[i].above;
	for (; i != index; i = lanes->spans[i].below)
		put_stretch_end(x, run, i, NULL, at);
	if (span)
		rc = put_own_end(x, run, index, span, at);
	else
		put_stretch_end(x, run, index, NULL, at);
	while (!rc && pulled != GT__NONE)
		rc = gt__lanes_pull(lanes, index, at, &pulled);
	gt__lanes_close(lanes, index, at);
	return rc;
}

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	struct gt__chrome *x = (struct gt__chrome *)sink;
	struct gt__chrome_run *run = gt__run_sink_find(&x->head, trace);
	uint32_t index;
	int rc = 0;

	if (!run)
		return x->head.out.error;
	index = gt__lanes_find(&run->lanes, span->id);
	if (index != GT__NONE) /* only from a host that breaks its word */
		rc = put_end(x, run, index, NULL, span->start_ns);
	if (!rc)
		rc = gt__lanes_open(&run->lanes, span, &index);
	if (!rc && index != GT__NONE)
		gt__chrome_begin_below(x, run, index);
	return gt__run_sink_done(&x->head, rc);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct gt__chrome *x = (struct gt__chrome *)sink;
	struct gt__chrome_run *run = gt__run_sink_find(&x->head, trace);
	uint32_t index;

	if (!run)
		return x->head.out.error;
	index = gt__lanes_find(&run->lanes, span->id);
	if (index == GT__NONE)
		return gt__run_sink_done(&x->head, 0);
	return gt__run_sink_done(&x->head,
	                         put_end(x, run, index, span, span->end_ns));
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct gt__chrome *x = (struct gt__chrome *)sink;
	struct gt__chrome_run *run = gt__run_sink_find(&x->head, trace);
	struct gt__out *o = &x->head.out;
	uint32_t track = 0;
	int rc;

	if (!run)
		return x->head.out.error;
	rc = gt__lanes_event(&run->lanes, event->vcpu, event->span_id, &track);
	if (rc)
		return gt__run_sink_done(&x->head, rc);
	gt__chrome_begin(x, run, track, 'i', event->time_ns);
	gt__chrome_put_site(o, event->site);
	gt__put(o, ",\"s\":\"t\",\"args\":{");
	gt__put_json_members(o, event->fields, event->field_count, true);
	if (event->field_count)
		gt__put_char(o, ',');
	gt__put(o, "\"guesttrace.level\":\"");
	gt__put(o, gt__level_word(event->site->level));
	gt__put_char(o, '"');
	gt__chrome_put_flags(o, event->flags);
	gt__put(o, "}}");
	return gt__run_sink_done(&x->head, 0);
}

/* A counter's values must be numbers; what is none is left out. */
static bool put_number(struct gt__out *o, const struct gt_field *f)
{
	struct gt__number n = gt__number_of(f);

	if (n.kind == GT__WHOLE)
		gt__put_i64(o, n.whole);
	else if (n.kind == GT__REAL && isfinite(n.real))
		gt__put_f64(o, n.real);
	else
		return false;
	return true;
}

static void put_numbers(struct gt__out *o, const struct gt_event_view *event)
{
	bool any = false;
	size_t i, mark;

	for (i = 0; i < event->field_count; i++) {
		if (!gt__field_holds(event->fields, event->field_count, i))
			continue;
		mark = o->used;
		if (any)
			gt__put_char(o, ',');
		gt__put_json(o, event->fields[i].key);
		gt__put_char(o, ':');
		if (put_number(o, &event->fields[i]))
			any = true;
		else
			o->used = mark;
	}
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *event)
{
	struct gt__chrome *x = (struct gt__chrome *)sink;
	struct gt__chrome_run *run = gt__run_sink_find(&x->head, trace);
	struct gt__out *o = &x->head.out;
	uint32_t track = 0;
	int rc;

	if (!run)
		return x->head.out.error;
	rc = gt__lanes_event(&run->lanes, event->vcpu, 0, &track);
	if (rc)
		return gt__run_sink_done(&x->head, rc);
	gt__chrome_begin(x, run, track, 'C', event->time_ns);
	gt__chrome_put_site(o, event->site);
	gt__put(o, ",\"args\":{");
	put_numbers(o, event);
	gt__put(o, "}}");
	return gt__run_sink_done(&x->head, 0);
}

static int put_host(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_host_span_view *span)
{
	struct gt__chrome *x = (struct gt__chrome *)sink;
	struct gt__chrome_run *run = gt__run_sink_find(&x->head, trace);

	return run ? gt__run_sink_done(&x->head,
	                               gt__chrome_put_host(x, run, span))
	           : x->head.out.error;
}

static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	struct gt__chrome *x = (struct gt__chrome *)sink;
	struct gt__chrome_run *run = gt__run_sink_find(&x->head, trace);

	return run ? gt__run_sink_done(&x->head,
	                               gt__chrome_put_loss(x, run, loss))
	           : x->head.out.error;
}

static void free_run(struct gt__run_sink *sink, struct gt__run *head)
{
	struct gt__chrome_run *run = (struct gt__chrome_run *)head;

	(void)sink;
	gt__chrome_free_host(run);
	free(run->gaps);
	gt__lanes_fini(&run->lanes);
	free(run);
}

static void end_run(struct gt__run_sink *sink, struct gt__run *run,
                    const struct gt_summary *summary)
{
	gt__chrome_end_host((struct gt__chrome *)sink,
	                    (struct gt__chrome_run *)run);
	gt__chrome_put_outcome((struct gt__chrome *)sink,
	                       (struct gt__chrome_run *)run, summary);
}

static int finish(struct gt_sink *sink)
{
	struct gt__chrome *x = (struct gt__chrome *)sink;

	if (!x->begun)
		gt__put(&x->head.out, "{\"traceEvents\":[");
	gt__put(&x->head.out, "\n]}\n");
	return gt__out_flush(&x->head.out);
}

int gt_chrome_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	static const struct gt_sink calls = {
		.open = open_span,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_host,
		.loss = put_loss,
		.finish = finish,
	};
	static const struct gt__run_kind kind = {sizeof(struct gt__chrome_run),
	                                         begin_run, end_run, free_run};

	return gt__run_sink_new(sizeof(struct gt__chrome), &calls, &kind,
	                        output, ret_sink);
}
