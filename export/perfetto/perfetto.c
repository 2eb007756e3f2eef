/* SPDX-License-Identifier: MIT */
/*
 * Perfetto's protobuf trace, streaming: a process per VM, a thread per vCPU,
 * lanes (lanes.h) beside it for what does not nest there.
 *
 * Times are CLOCK_BOOTTIME, as in a trace of the host: the two can be joined
 * with `cat`. Each run is a machine of its own there.
 *
 * Flows: each span begins the flow of its id, which a link to it takes up; and
 * one leads from a span to where another vCPU closed it.
 *
 * A slice begins at `open` and ends at `close`, which adds only what `open` did
 * not have. No allocation per record: tables double, the buffer stays.
 */
#include "perfetto_packets.h"
#include "export/out/words.h"

static void begin_run(struct gt__run_sink *x, struct gt__run *run)
{
	gt__pf_start(&x->out, (struct gt__pf_run *)run);
}

/* The parent is named too: a later end of what is below may move it away. */
static int put_opening(struct gt__run_sink *x, struct gt__pf_run *run,
                       const struct gt__lane_span *s, uint32_t number,
                       const struct gt_span_view *view)
{
	if (view->parent_id)
		gt__pf_put_own_id(&x->out, GT__PF_KEY_PARENT_ID,
		                  view->parent_id);
	if (view->trace)
		gt__pf_put_trace(&x->out, view->trace);
	if (view->level)
		gt__pf_put_own_u64(&x->out, GT__PF_KEY_NESTING, view->level);
	gt__pf_put_flow(&x->out, false, s->id);
	return gt__pf_put_fields(&x->out, run, number, view->fields, 0,
	                         view->field_count);
}

/* The beginning of a stretch of a span; `view` is NULL if it is not the first.
 */
static int put_begin(struct gt__run_sink *x, struct gt__pf_run *run,
                     uint32_t index, const struct gt_span_view *view)
{
	const struct gt__lane_span *s = &run->lanes.spans[index];
	uint64_t uuid = gt__pf_track_uuid(&x->out, run, s->track);
	struct gt__pf_event e;
	uint32_t number = 0;
	bool is_new = false;
	int rc = gt__pf_number(run, s->site, &number, &is_new);

	if (rc)
		return rc;
	e = gt__pf_begin_event(&x->out, run, GT__PF_BEGIN, uuid, s->begin_ns);
	gt__pf_put_site(&x->out, run, s->site, number);
	gt__pf_put_own_id(&x->out, GT__PF_KEY_SPAN_ID, s->id);
	if (view)
		rc = put_opening(x, run, s, number, view);
	else
		gt__pf_put_own_bool(&x->out, GT__PF_KEY_CONTINUED);
	gt__pf_end_event(&x->out, run, e, is_new ? s->site : NULL, number);
	return rc;
}

/* What the span's opening did not know. */
static int put_late(struct gt__out *o, struct gt__pf_run *run,
                    const struct gt_span_view *span, uint32_t opening_fields,
                    uint64_t at)
{
	uint32_t number = 0;
	bool is_new;
	int rc = 0;

	if (span->field_count > opening_fields)
		rc = gt__pf_number(run, span->site, &number, &is_new);
	if (!rc)
		rc = gt__pf_put_fields(o, run, number, span->fields,
		                       opening_fields, span->field_count);
	gt__pf_put_status(o, span);
	gt__pf_put_flags(o, span->flags);
	gt__pf_put_links(o, run->head.trace, span);
	if (span->dropped_events)
		gt__pf_put_own_u64(o, GT__PF_KEY_DROPPED_EVENTS,
		                   span->dropped_events);
	if (span->dropped_fields)
		gt__pf_put_own_u64(o, GT__PF_KEY_DROPPED_FIELDS,
		                   span->dropped_fields);
	if (at != span->end_ns)
		gt__pf_put_own_u64(o, GT__PF_KEY_ENDED_EARLIER_NS,
		                   at - span->end_ns);
	return rc;
}

/* The flow from a span to where another vCPU closed it: not the span's own. */
static uint64_t closing_flow(const struct gt_span_view *span)
{
	return gt__hash(GT__HASH, &span->id, sizeof span->id);
}

static int put_closing(struct gt__run_sink *x, struct gt__pf_run *run,
                       const struct gt_span_view *span, uint64_t at)
{
	uint32_t number = 0, track = 0;
	struct gt__pf_event e;
	bool is_new = false;
	int rc = gt__lanes_event(&run->lanes, span->close_vcpu, 0, &track);
	uint64_t uuid;

	if (!rc)
		rc = gt__pf_number(run, span->site, &number, &is_new);
	if (rc)
		return rc;
	uuid = gt__pf_track_uuid(&x->out, run, track);
	e = gt__pf_begin_event(&x->out, run, GT__PF_INSTANT, uuid, at);
	gt__pf_put_site(&x->out, run, span->site, number);
	gt__pf_put_own_id(&x->out, GT__PF_KEY_CLOSES, span->id);
	gt__pf_put_flow(&x->out, true, closing_flow(span));
	gt__pf_end_event(&x->out, run, e, is_new ? span->site : NULL, number);
	return 0;
}

/* The end of the stretch that is on top: `span` NULL if it goes on elsewhere.
 */
static int put_own_end(struct gt__run_sink *x, struct gt__pf_run *run,
                       uint64_t uuid, const struct gt_span_view *span,
                       uint32_t opening_fields, uint64_t at)
{
	struct gt__pf_event e =
		gt__pf_begin_event(&x->out, run, GT__PF_END, uuid, at);
	bool elsewhere = span && span->close_vcpu != span->vcpu;
	int rc = 0;

	if (span)
		rc = put_late(&x->out, run, span, opening_fields, at);
	if (elsewhere) {
		gt__pf_put_own_u64(&x->out, GT__PF_KEY_CLOSE_VCPU,
		                   span->close_vcpu);
		gt__pf_put_flow(&x->out, false, closing_flow(span));
	}
	gt__pf_end_event(&x->out, run, e, NULL, 0);
	return !rc && elsewhere ? put_closing(x, run, span, at) : rc;
}

static int put_end(struct gt__run_sink *x, struct gt__pf_run *run,
                   uint32_t index, const struct gt_span_view *span,
                   uint64_t end_ns)
{
	struct gt__lanes *lanes = &run->lanes;
	uint64_t at = gt__lanes_end_ns(lanes, index, end_ns);
	uint64_t uuid =
		gt__pf_track_uuid(&x->out, run, lanes->spans[index].track);
	uint32_t above = gt__lanes_above(lanes, index, at), pulled = 0;
	int rc = 0;

	while (!rc && above--)
		rc = put_own_end(x, run, uuid, NULL, 0, at);
	if (!rc)
		rc = put_own_end(x, run, uuid, span,
		                 lanes->spans[index].opening_fields, at);
	while (!rc) {
		rc = gt__lanes_pull(lanes, index, at, &pulled);
		if (rc || pulled == GT__NONE)
			break;
		rc = put_begin(x, run, pulled, NULL);
	}
	gt__lanes_close(lanes, index, at);
	return rc;
}

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__pf_run *run = gt__run_sink_find(x, trace);
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
		rc = put_begin(x, run, index, span);
	return gt__run_sink_done(x, rc);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__pf_run *run = gt__run_sink_find(x, trace);
	uint32_t index;

	if (!run)
		return x->out.error;
	index = gt__lanes_find(&run->lanes, span->id);
	if (index == GT__NONE)
		return gt__run_sink_done(x, 0);
	return gt__run_sink_done(x, put_end(x, run, index, span, span->end_ns));
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__pf_run *run = gt__run_sink_find(x, trace);
	uint32_t number = 0, track = 0;
	struct gt__pf_event e;
	bool is_new = false;
	int rc;

	if (!run)
		return x->out.error;
	rc = gt__pf_number(run, event->site, &number, &is_new);
	if (!rc)
		rc = gt__lanes_event(&run->lanes, event->vcpu, event->span_id,
		                     &track);
	if (rc)
		return gt__run_sink_done(x, rc);
	e = gt__pf_begin_event(&x->out, run, GT__PF_INSTANT,
	                       gt__pf_track_uuid(&x->out, run, track),
	                       event->time_ns);
	gt__pf_put_site(&x->out, run, event->site, number);
	rc = gt__pf_put_fields(&x->out, run, number, event->fields, 0,
	                       event->field_count);
	gt__pf_put_flags(&x->out, event->flags);
	gt__pf_end_event(&x->out, run, e, is_new ? event->site : NULL, number);
	return gt__run_sink_done(x, rc);
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *event)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__pf_run *run = gt__run_sink_find(x, trace);
	uint32_t number = 0;
	bool is_new = false;
	int rc;

	if (!run)
		return x->out.error;
	rc = gt__intern(&run->counters, event->site, &number, &is_new);
	if (!rc && number) /* beyond GT__INTERN_MAX counters: not drawn */
		gt__pf_put_counter(&x->out, run, number, is_new, event);
	return gt__run_sink_done(x, rc);
}

static int put_host(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_host_span_view *span)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__pf_run *run = gt__run_sink_find(x, trace);

	return run ? gt__run_sink_done(x, gt__pf_put_host(&x->out, run, span))
	           : x->out.error;
}

static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	struct gt__run_sink *x = (struct gt__run_sink *)sink;
	struct gt__pf_run *run = gt__run_sink_find(x, trace);

	return run ? gt__run_sink_done(x, gt__pf_put_loss(&x->out, run, loss))
	           : x->out.error;
}

static void end_run(struct gt__run_sink *x, struct gt__run *run,
                    const struct gt_summary *summary)
{
	gt__pf_end_host(&x->out, (struct gt__pf_run *)run);
	gt__pf_put_outcome(&x->out, (struct gt__pf_run *)run, summary);
}

static void free_run(struct gt__run_sink *x, struct gt__run *head)
{
	struct gt__pf_run *run = (struct gt__pf_run *)head;

	(void)x;
	gt__keys_fini(&run->keys);
	free(run->site);
	free(run->host);
	free(run->gaps);
	gt__lanes_fini(&run->lanes);
	gt__intern_fini(&run->sites);
	gt__intern_fini(&run->counters);
	free(run);
}

int gt_perfetto_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	static const struct gt_sink calls = {
		.open = open_span,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_host,
		.loss = put_loss,
	};
	static const struct gt__run_kind kind = {sizeof(struct gt__pf_run),
	                                         begin_run, end_run, free_run};

	return gt__run_sink_new(sizeof(struct gt__run_sink), &calls, &kind,
	                        output, ret_sink);
}
