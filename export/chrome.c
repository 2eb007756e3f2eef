/* SPDX-License-Identifier: MIT */
/*
 * Chrome's JSON trace events ("Trace Event Format"): B and E on a thread per
 * track of lanes.h, instants, counters, names as metadata. Times are
 * CLOCK_MONOTONIC in microseconds with three decimals, that is exact ns.
 */
#include "escape.h"
#include "json_values.h"
#include "lanes.h"
#include "runs.h"
#include "words.h"
#include <errno.h>
#include <math.h>

#define LANE_TID (1u << 30) /* above every gt__tid(): lanes of all runs */

struct run {
	struct gt__run head;
	struct gt__lanes lanes;
	uint32_t lane_tid; /* plus the index of a lane's track */
};

struct chrome {
	struct gt_sink sink;
	struct gt__out out;
	struct gt__run *runs;
	uint32_t lane_tids; /* given to runs so far */
	bool begun;
};

static struct run *find_run(struct chrome *x, const struct gt_trace *trace)
{
	struct run *run = gt__run_find(&x->runs, trace);

	if (!run && !x->out.error)
		x->out.error = -EINVAL;
	return x->out.error ? NULL : run;
}

static int done(struct chrome *x, int rc)
{
	if (rc && !x->out.error)
		x->out.error = rc;
	return gt__out_record(&x->out);
}

/* One event a line; the first opens the array. */
static struct gt__out *next_line(struct chrome *x)
{
	gt__put(&x->out, x->begun ? ",\n"
	                          : "{\"displayTimeUnit\":\"ns\","
	                            "\"traceEvents\":[\n");
	x->begun = true;
	return &x->out;
}

static void put_us(struct gt__out *o, uint64_t ns)
{
	char digits[4] = {'.', (char)('0' + ns / 100 % 10),
	                  (char)('0' + ns / 10 % 10), (char)('0' + ns % 10)};

	gt__put_u64(o, ns / 1000);
	gt__put_bytes(o, digits, sizeof digits);
}

/* Chrome knows no 64-bit ids: a lane's comes from its place in the table. */
static uint32_t tid_of(const struct run *run, uint32_t index)
{
	const struct gt__track *track = &run->lanes.tracks[index];

	if (!track->lane)
		return gt__tid(run->head.trace, track->vcpu);
	return LANE_TID + (run->lane_tid + index) % LANE_TID;
}

static void put_ids(struct gt__out *o, const struct run *run, uint32_t tid)
{
	gt__put(o, "\"pid\":");
	gt__put_u64(o, gt__pid(run->head.trace));
	gt__put(o, ",\"tid\":");
	gt__put_u64(o, tid);
}

static void name_track(struct chrome *x, struct run *run, uint32_t index)
{
	struct gt__track *track = &run->lanes.tracks[index];
	struct gt__out *o;

	if (track->described)
		return;
	track->described = true;
	o = next_line(x);
	gt__put(o, "{\"ph\":\"M\",\"name\":\"thread_name\",");
	put_ids(o, run, tid_of(run, index));
	gt__put(o, ",\"args\":{\"name\":\"vCPU ");
	gt__put_u64(o, track->vcpu);
	if (track->lane) {
		gt__put(o, " lane ");
		gt__put_u64(o, track->lane);
	}
	gt__put(o, "\"}}");
}

static void begin_event(struct chrome *x, struct run *run, uint32_t track,
                        char phase, uint64_t time_ns)
{
	struct gt__out *o;

	name_track(x, run, track);
	o = next_line(x);
	gt__put(o, "{\"ph\":\"");
	gt__put_char(o, phase);
	gt__put(o, "\",");
	put_ids(o, run, tid_of(run, track));
	gt__put(o, ",\"ts\":");
	put_us(o, gt__monotonic_ns(run->head.trace, time_ns));
}

static void put_site(struct gt__out *o, const struct gt_site_view *site)
{
	gt__put(o, ",\"name\":");
	gt__put_json(o, site->name);
	gt__put(o, ",\"cat\":");
	gt__put_json(o, site->target);
}

static void put_flags(struct gt__out *o, unsigned flags)
{
	size_t i;

	for (i = 0; i < GT__FLAG_WORDS; i++) {
		if (!(flags & gt__flag_words[i].flag))
			continue;
		gt__put(o, ",\"guesttrace.");
		gt__put(o, gt__flag_words[i].word);
		gt__put(o, "\":true");
	}
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct chrome *x = (struct chrome *)sink;
	struct run *run = gt__run_add(&x->runs, trace, sizeof *run);
	struct gt__out *o;

	if (!run)
		return done(x, -ENOMEM);
	/* Runs seen at once must not share lanes; a million each suffices. */
	run->lane_tid = x->lane_tids;
	x->lane_tids += GT__LANES_OPEN_MAX;
	o = next_line(x);
	gt__put(o, "{\"ph\":\"M\",\"name\":\"process_name\",");
	put_ids(o, run, gt__pid(trace));
	gt__put(o, ",\"args\":{\"name\":");
	gt__put_json(o, trace->guest_name);
	gt__put(o, "}}");
	return done(x, 0);
}

/* The beginning of a stretch of a span; `view` is NULL if it is not the first.
 */
static void put_begin(struct chrome *x, struct run *run, uint32_t index,
                      const struct gt_span_view *view)
{
	const struct gt__lane_span *s = &run->lanes.spans[index];
	struct gt__out *o = &x->out;

	begin_event(x, run, s->track, 'B', s->begin_ns);
	put_site(o, s->site);
	gt__put(o, ",\"args\":{");
	if (view && view->field_count) {
		gt__put_json_members(o, view->fields, 0, view->field_count,
		                     true);
		gt__put_char(o, ',');
	}
	gt__put(o, "\"guesttrace.span_id\":\"");
	gt__put_hex(o, s->id, 16);
	gt__put(o, view ? "\"}}" : "\",\"guesttrace.continued\":true}}");
}

/* What the span's opening did not know. */
static void put_late(struct gt__out *o, const struct gt_span_view *span,
                     uint32_t opening_fields, uint64_t at)
{
	gt__put(o, ",\"args\":{");
	if (span->field_count > opening_fields) {
		gt__put_json_members(o, span->fields, opening_fields,
		                     span->field_count, true);
		gt__put_char(o, ',');
	}
	gt__put(o, "\"guesttrace.status\":\"");
	gt__put(o, gt__status_word(span->status));
	gt__put_char(o, '"');
	if (span->status_text.count) {
		gt__put(o, ",\"guesttrace.status_message\":");
		gt__put_json(o, span->status_text);
	}
	put_flags(o, span->flags);
	if (at != span->end_ns) {
		gt__put(o, ",\"guesttrace.ended_earlier_ns\":");
		gt__put_u64(o, at - span->end_ns);
	}
	gt__put_char(o, '}');
}

static int put_end(struct chrome *x, struct run *run, uint32_t index,
                   const struct gt_span_view *span, uint64_t end_ns)
{
	struct gt__lanes *lanes = &run->lanes;
	uint32_t track = lanes->spans[index].track, pulled = 0;
	uint64_t at = gt__lanes_end_ns(lanes, index, end_ns);
	uint32_t above = gt__lanes_above(lanes, index, at);
	int rc;

	while (above--) {
		begin_event(x, run, track, 'E', at);
		gt__put_char(&x->out, '}');
	}
	begin_event(x, run, track, 'E', at);
	if (span)
		put_late(&x->out, span, lanes->spans[index].opening_fields, at);
	gt__put_char(&x->out, '}');
	while (!(rc = gt__lanes_pull(lanes, index, at, &pulled))) {
		if (pulled == GT__NONE)
			break;
		put_begin(x, run, pulled, NULL);
	}
	gt__lanes_close(lanes, index, at);
	return rc;
}

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	struct chrome *x = (struct chrome *)sink;
	struct run *run = find_run(x, trace);
	uint32_t index;
	int rc = 0;

	if (!run)
		return x->out.error;
	index = gt__lanes_find(&run->lanes, span->id);
	if (index != GT__NONE) /* only from a host that breaks its word */
		rc = put_end(x, run, index, NULL, span->start_ns);
	if (!rc)
		rc = gt__lanes_open(&run->lanes, span, &index);
	if (!rc && index != GT__NONE)
		put_begin(x, run, index, span);
	return done(x, rc);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct chrome *x = (struct chrome *)sink;
	struct run *run = find_run(x, trace);
	uint32_t index;

	if (!run)
		return x->out.error;
	index = gt__lanes_find(&run->lanes, span->id);
	if (index == GT__NONE)
		return done(x, 0);
	return done(x, put_end(x, run, index, span, span->end_ns));
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct chrome *x = (struct chrome *)sink;
	struct run *run = find_run(x, trace);
	struct gt__out *o = &x->out;
	uint32_t track = 0;
	int rc;

	if (!run)
		return x->out.error;
	rc = gt__lanes_event(&run->lanes, event->vcpu, event->span_id, &track);
	if (rc)
		return done(x, rc);
	begin_event(x, run, track, 'i', event->time_ns);
	put_site(o, event->site);
	gt__put(o, ",\"s\":\"t\",\"args\":{");
	gt__put_json_members(o, event->fields, 0, event->field_count, true);
	if (event->field_count)
		gt__put_char(o, ',');
	gt__put(o, "\"guesttrace.level\":\"");
	gt__put(o, gt__level_word(event->site->level));
	gt__put_char(o, '"');
	put_flags(o, event->flags);
	gt__put(o, "}}");
	return done(x, 0);
}

/* A counter's values must be numbers; what is none is left out. */
static bool put_number(struct gt__out *o, const struct gt_field *f)
{
	switch (f->type) {
	case GT_TYPE_U64:
	case GT_TYPE_POINTER:
		gt__put_u64(o, f->value.u64);
		return true;
	case GT_TYPE_I64:
		gt__put_i64(o, f->value.i64);
		return true;
	case GT_TYPE_BOOL:
		gt__put_char(o, f->value.boolean ? '1' : '0');
		return true;
	case GT_TYPE_F64:
		if (!isfinite(f->value.f64))
			return false;
		gt__put_f64(o, f->value.f64);
		return true;
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break;
	}
	return false;
}

static void put_numbers(struct gt__out *o, const struct gt_event_view *event)
{
	bool any = false;
	size_t i, mark;

	for (i = 0; i < event->field_count; i++) {
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
	struct chrome *x = (struct chrome *)sink;
	struct run *run = find_run(x, trace);
	struct gt__out *o = &x->out;
	uint32_t track = 0;
	int rc;

	if (!run)
		return x->out.error;
	rc = gt__lanes_event(&run->lanes, event->vcpu, 0, &track);
	if (rc)
		return done(x, rc);
	begin_event(x, run, track, 'C', event->time_ns);
	put_site(o, event->site);
	gt__put(o, ",\"args\":{");
	put_numbers(o, event);
	gt__put(o, "}}");
	return done(x, 0);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct chrome *x = (struct chrome *)sink;
	struct run *run = gt__run_find(&x->runs, trace);

	(void)summary;
	if (run) {
		gt__run_remove(&x->runs, &run->head);
		gt__lanes_fini(&run->lanes);
		free(run);
	}
	return gt__out_flush(&x->out);
}

static int finish(struct gt_sink *sink)
{
	struct chrome *x = (struct chrome *)sink;

	if (!x->begun)
		gt__put(&x->out, "{\"traceEvents\":[");
	gt__put(&x->out, "\n]}\n");
	return gt__out_flush(&x->out);
}

static void free_sink(struct gt_sink *sink)
{
	struct chrome *x = (struct chrome *)sink;
	struct gt__run *run;

	if (!x)
		return;
	while ((run = x->runs)) {
		x->runs = run->next;
		gt__lanes_fini(&((struct run *)run)->lanes);
		free(run);
	}
	gt__out_fini(&x->out);
	free(x);
}

int gt_chrome_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	struct chrome *x = calloc(1, sizeof *x);

	if (!x)
		return -ENOMEM;
	x->sink = (struct gt_sink){
		.begin = begin,
		.open = open_span,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	gt__out_init(&x->out, output);
	*ret_sink = &x->sink;
	return 0;
}
