/* SPDX-License-Identifier: MIT */
/* Batches of the Hyperlight wires: decoded, placed in time, to the spans. */
#include "pipeline_inside.h"

#include <errno.h>

struct taking {
	struct gt__pipeline *pipeline;
	uint32_t vcpu;
	bool may_be_carried; /* the next event, over from the batch before */
};

/*
 * A guest of 0.12 reads an event's TSC, finds the batch full, hands it over,
 * and puts the event first into the next one. So it may be older than that
 * look, though not than the one before.
 */
static void place(struct taking *taking,
                  const struct gt_hyperlight_event *event, bool may_be_carried,
                  struct gt__when *when)
{
	struct gt__pipeline_vcpu *vcpu = &taking->pipeline->vcpus[taking->vcpu];
	uint64_t lower_tick = vcpu->lower_tick;

	if (may_be_carried && event->kind != GT_HYPERLIGHT_START)
		vcpu->lower_tick = vcpu->carry_tick;
	/* Late fields have no time of their own. */
	when->ns = vcpu->last_ns;
	if (event->kind != GT_HYPERLIGHT_EDIT)
		gt__pipeline_place(taking->pipeline, taking->vcpu, event->tsc,
		                   when);
	vcpu->lower_tick = lower_tick;
}

static int show(void *context, const struct gt_hyperlight_event *shown)
{
	struct gt_hyperlight_event copy = *shown, *event = &copy;
	struct taking *taking = context;
	struct gt__pipeline *pipeline = taking->pipeline;
	struct gt__foreign_record foreign;
	struct gt__when when = {.vcpu = taking->vcpu};
	bool may_be_carried = taking->may_be_carried;

	taking->may_be_carried = false;
	if (!gt__sieve_passes(&pipeline->sieve, event))
		return 0;
	pipeline->summary.records++;
	if (!gt__foreign_read(&pipeline->foreign, event,
	                      &pipeline->summary.losses, &foreign))
		return 0;
	when.id = foreign.span_id;
	place(taking, event, may_be_carried, &when);
	gt__spans_record(&pipeline->spans, &when, &foreign.record);
	return 0;
}

/* The vCPU stands still: what comes next is younger, but for what is carried.
 */
static void looked(struct gt__pipeline *pipeline,
                   struct gt__pipeline_vcpu *vcpu)
{
	uint64_t tick = vcpu->upper_tick;

	vcpu->carry_tick = vcpu->lower_tick;
	if ((int64_t)tick > 0 && tick > vcpu->lower_tick)
		vcpu->lower_tick = tick;
	gt__pipeline_taken(pipeline, 0);
}

/*
 * What the host did by now. The exit that brought the batch waits, if what was
 * carried over may still come before it.
 */
static void show_edges(struct gt__pipeline *pipeline, uint32_t number,
                       bool carries)
{
	struct gt__edges *timeline = &pipeline->vcpus[number].timeline;
	const struct gt__edge *edge;

	while ((edge = gt__edges_peek(timeline))) {
		if (carries && edge->kind == GT__EDGE_EXIT &&
		    gt__edges_count(timeline) == 1)
			break;
		gt__pipeline_edge(pipeline, number);
	}
}

static void count_losses(struct gt__pipeline *pipeline,
                         const struct gt_hyperlight_result *result)
{
	struct gt_losses *losses = &pipeline->summary.losses;

	losses->bad_records += result->refused;
	if (result->first_error && !result->refused)
		losses->bad_records++;
	losses->unknown_kinds += result->unknown;
	losses->strings_cut += result->strings_cut;
}

int gt__pipeline_batch(struct gt__pipeline *pipeline, uint32_t number,
                       const uint8_t *payload, size_t count)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	struct gt__cursor cursor = {payload, count, false};
	struct taking taking = {pipeline, number, false};
	struct gt_hyperlight_result result;
	uint64_t entered_tsc;
	uint32_t wire;
	int r;

	if (count < GT__BATCH_HEAD)
		return -EINVAL;
	r = gt__pipeline_clock(pipeline, &cursor);
	if (r < 0)
		return r;
	entered_tsc = gt__cursor_u64(&cursor);
	wire = gt__cursor_u32(&cursor);
	gt__cursor_u32(&cursor); /* reserved */
	if ((wire != GT_WIRE_HYPERLIGHT_0_11 &&
	     wire != GT_WIRE_HYPERLIGHT_0_12) ||
	    cursor.left > pipeline->limits.batch_bytes)
		return -EINVAL;
	r = gt__pipeline_entered(pipeline, number, entered_tsc);
	if (r == -ENOMEM)
		return r;
	pipeline->summary.record_bytes += cursor.left;
	vcpu->upper_tick = gt__load64(payload) - pipeline->base_tsc;
	taking.may_be_carried = vcpu->carries;
	gt_hyperlight_decode((enum gt_wire)wire, cursor.at, cursor.left, NULL,
	                     show, &taking, &result);
	count_losses(pipeline, &result);
	vcpu->carries = wire == GT_WIRE_HYPERLIGHT_0_12;
	show_edges(pipeline, number, vcpu->carries);
	looked(pipeline, vcpu);
	return 0;
}

int gt__pipeline_filter(struct gt__pipeline *pipeline, const uint8_t *payload,
                        size_t count)
{
	struct gt__filter *filter;
	int r;

	r = gt__filter_new((struct gt_text){(const char *)payload, count},
	                   &filter);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	gt__sieve_set(&pipeline->sieve, filter);
	return 0;
}
