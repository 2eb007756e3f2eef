/* SPDX-License-Identifier: MIT */
#include "valve.h"
#include "command.h"
#include "places.h"

#include <vmm/vm.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Openings that were left out, by their order: from the first to the last while
 * the outlet was full once. It is not before half of its share was written, so
 * that of the oldest no span is open for long.
 */
#define GAPS_MAX 1024u

struct gap {
	uint64_t first, last; /* sequence */
};

struct valve {
	struct gt_sink sink;
	struct gt_sink *inner;
	struct outlet *outlet;
	bool is_shut;
	uint64_t records, host_spans; /* that were left out */
	struct gap gaps[GAPS_MAX];    /* a ring, `gap_count` ever */
	uint64_t gap_count;
	uint64_t last_sequence; /* that was shown */
	/* By vCPU: not told yet, with what the rings lost meanwhile; what was
	 * left out. */
	struct gt_loss_view now[VM_VCPUS_MAX];
	bool has_now[VM_VCPUS_MAX];
	uint64_t left_out[VM_VCPUS_MAX];
};

/* ---- What is missing ----------------------------------------------------- */

static int tell(struct valve *valve, const struct gt_trace *trace)
{
	int r = 0;

	for (uint32_t i = 0; i < VM_VCPUS_MAX && r == 0; i++) {
		if (valve->has_now[i] && valve->inner->loss)
			r = valve->inner->loss(valve->inner, trace,
			                       &valve->now[i]);
		valve->has_now[i] = false;
	}
	return r;
}

/* Whether what comes now is left out; when it is not any more, that is told. */
static int look(struct valve *valve, const struct gt_trace *trace)
{
	bool was_shut = valve->is_shut;

	valve->is_shut = outlet_is_full(valve->outlet);
	return was_shut && !valve->is_shut ? tell(valve, trace) : 0;
}

/* Where what is not told yet of a vCPU is gathered. */
static struct gt_loss_view *gather(struct valve *valve, uint32_t vcpu,
                                   uint64_t from_ns, uint64_t to_ns)
{
	uint32_t index = vcpu % VM_VCPUS_MAX;
	struct gt_loss_view *now = &valve->now[index];

	if (!valve->has_now[index])
		*now = (struct gt_loss_view){.from_ns = from_ns,
		                             .sequence = valve->last_sequence,
		                             .vcpu = vcpu};
	valve->has_now[index] = true;
	if (from_ns < now->from_ns)
		now->from_ns = from_ns;
	if (to_ns > now->to_ns)
		now->to_ns = to_ns;
	return now;
}

static void leave_out(struct valve *valve, uint32_t vcpu, uint64_t time_ns)
{
	gather(valve, vcpu, time_ns, time_ns)->records++;
	valve->left_out[vcpu % VM_VCPUS_MAX]++;
	valve->records++;
}

static void leave_out_opening(struct valve *valve, uint64_t sequence)
{
	struct gap *gap = &valve->gaps[(valve->gap_count - 1) % GAPS_MAX];

	/* Others that were shown are older: none lies in between. */
	if (valve->gap_count > 0 && gap->last > valve->last_sequence) {
		gap->last = sequence;
		return;
	}
	valve->gaps[valve->gap_count++ % GAPS_MAX] =
		(struct gap){sequence, sequence};
}

static bool is_unseen(const struct valve *valve, uint64_t sequence)
{
	uint64_t count =
		valve->gap_count < GAPS_MAX ? valve->gap_count : GAPS_MAX;

	for (uint64_t i = 0; i < count; i++)
		if (sequence >= valve->gaps[i].first &&
		    sequence <= valve->gaps[i].last)
			return true;
	return false;
}

static void shown(struct valve *valve, uint64_t sequence)
{
	if (sequence > valve->last_sequence)
		valve->last_sequence = sequence;
}

/* ---- The sink ------------------------------------------------------------ */

static struct valve *valve_of(struct gt_sink *sink)
{
	return (struct valve *)sink;
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct gt_sink *inner = valve_of(sink)->inner;

	return inner->begin(inner, trace);
}

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	struct valve *valve = valve_of(sink);
	int r = look(valve, trace);

	if (r < 0)
		return r;
	if (valve->is_shut) {
		leave_out_opening(valve, span->sequence);
		leave_out(valve, span->vcpu, span->start_ns);
		return 0;
	}
	shown(valve, span->sequence);
	return valve->inner->open(valve->inner, trace, span);
}

/* A sink that is not shown openings gets the span by this alone. */
static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct valve *valve = valve_of(sink);
	int r = look(valve, trace);

	if (r < 0)
		return r;
	if (valve->inner->open && is_unseen(valve, span->sequence))
		return 0;
	if (!valve->inner->open && valve->is_shut) {
		leave_out(valve, span->vcpu, span->start_ns);
		return 0;
	}
	return valve->inner->close(valve->inner, trace, span);
}

static int show(struct valve *valve, const struct gt_trace *trace,
                const struct gt_event_view *event,
                int (*function)(struct gt_sink *, const struct gt_trace *,
                                const struct gt_event_view *))
{
	int r = look(valve, trace);

	if (r < 0)
		return r;
	if (valve->is_shut) {
		leave_out(valve, event->vcpu, event->time_ns);
		return 0;
	}
	shown(valve, event->sequence);
	return function(valve->inner, trace, event);
}

static int event(struct gt_sink *sink, const struct gt_trace *trace,
                 const struct gt_event_view *view)
{
	return show(valve_of(sink), trace, view, valve_of(sink)->inner->event);
}

static int counter(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_event_view *view)
{
	return show(valve_of(sink), trace, view,
	            valve_of(sink)->inner->counter);
}

static int host_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_host_span_view *view)
{
	struct valve *valve = valve_of(sink);
	int r = look(valve, trace);

	if (r < 0)
		return r;
	if (valve->is_shut) {
		valve->host_spans++;
		return 0;
	}
	return valve->inner->host_span(valve->inner, trace, view);
}

static int loss(struct gt_sink *sink, const struct gt_trace *trace,
                const struct gt_loss_view *view)
{
	struct valve *valve = valve_of(sink);
	struct gt_loss_view *now;
	int r = look(valve, trace);

	if (r < 0)
		return r;
	if (!valve->is_shut)
		return valve->inner->loss(valve->inner, trace, view);
	now = gather(valve, view->vcpu, view->from_ns, view->to_ns);
	now->records += view->records;
	now->overwritten_bytes += view->overwritten_bytes;
	now->bad_records += view->bad_records;
	now->bad_bytes += view->bad_bytes;
	return 0;
}

/* Its losses are those of the run and what was left out here. */
static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct valve *valve = valve_of(sink);
	struct gt_summary with = *summary;
	uint64_t lost[VM_VCPUS_MAX];
	int r = tell(valve, trace);

	if (r < 0)
		return r;
	with.losses.records += valve->records;
	for (uint32_t i = 0; i < VM_VCPUS_MAX; i++) {
		lost[i] = valve->left_out[i];
		if (summary->lost_records && i < trace->vcpus)
			lost[i] += summary->lost_records[i];
	}
	if (summary->lost_records && trace->vcpus <= VM_VCPUS_MAX)
		with.lost_records = lost;
	return valve->inner->end(valve->inner, trace, &with);
}

static int finish(struct gt_sink *sink)
{
	struct gt_sink *inner = valve_of(sink)->inner;

	return inner->finish(inner);
}

static void free_valve(struct gt_sink *sink)
{
	struct valve *valve = valve_of(sink);

	if (valve->inner->free)
		valve->inner->free(valve->inner);
	free(valve);
}

int valve_report(const struct gt_sink *sink, const char *name, const char *path)
{
	const struct valve *valve = (const struct valve *)sink;

	if (valve->records + valve->host_spans == 0)
		return 0;
	complain("%s to %s lacks %" PRIu64 " spans, events and counters and "
	         "%" PRIu64 " stretches of the host: nobody took them in time",
	         name, place_output_name(path), valve->records,
	         valve->host_spans);
	return -ENOBUFS;
}

int valve_new(struct gt_sink *sink, struct outlet *outlet,
              struct gt_sink **ret_sink)
{
	struct valve *valve = calloc(1, sizeof(*valve));

	if (!valve) {
		sink->free(sink);
		return -ENOMEM;
	}
	valve->inner = sink;
	valve->outlet = outlet;
	valve->sink = (struct gt_sink){
		.begin = sink->begin ? begin : NULL,
		.open = sink->open ? open_span : NULL,
		.close = sink->close ? close_span : NULL,
		.event = sink->event ? event : NULL,
		.counter = sink->counter ? counter : NULL,
		.host_span = sink->host_span ? host_span : NULL,
		.end = sink->end ? end : NULL,
		.finish = sink->finish ? finish : NULL,
		.free = free_valve,
		.loss = sink->loss ? loss : NULL,
	};
	*ret_sink = &valve->sink;
	return 0;
}
