/* SPDX-License-Identifier: MIT */
/* Batches of the Hyperlight wires: decoded, placed in time, to the spans. */
#include "pipeline_inside.h"

#include <errno.h>

struct taking {
	struct gt__pipeline *pipeline;
	uint32_t vcpu;
};

static int show(void *context, const struct gt_hyperlight_event *shown)
{
	struct gt_hyperlight_event copy = *shown, *event = &copy;
	struct taking *taking = context;
	struct gt__pipeline *pipeline = taking->pipeline;
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[taking->vcpu];
	struct gt__foreign_record foreign;
	struct gt__when when = {.vcpu = taking->vcpu};

	if (!gt__sieve_passes(&pipeline->sieve, event))
		return 0;
	pipeline->summary.records++;
	if (!gt__foreign_read(&pipeline->foreign, event,
	                      &pipeline->summary.losses, &foreign))
		return 0;
	when.id = foreign.span_id;
	/* Late fields have no time of their own. */
	when.ns = vcpu->last_ns;
	if (event->kind != GT_HYPERLIGHT_EDIT)
		gt__pipeline_place(pipeline, taking->vcpu, event->tsc, &when);
	gt__spans_record(&pipeline->spans, &when, &foreign.record);
	return 0;
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
	struct taking taking = {pipeline, number};
	struct gt_hyperlight_result result;
	uint64_t now_tick;
	uint32_t wire;
	int r;

	if (count < GT__BATCH_HEAD)
		return -EINVAL;
	now_tick = gt__load64(payload) - pipeline->base_tsc;
	r = gt__pipeline_clock(pipeline, &cursor);
	if (r < 0)
		return r;
	gt__cursor_u64(&cursor); /* reserved */
	wire = gt__cursor_u32(&cursor);
	gt__cursor_u32(&cursor);
	if ((wire != GT_WIRE_HYPERLIGHT_0_11 &&
	     wire != GT_WIRE_HYPERLIGHT_0_12) ||
	    cursor.left > pipeline->limits.batch_bytes)
		return -EINVAL;
	pipeline->summary.record_bytes += cursor.left;
	vcpu->upper_tick = now_tick;
	gt_hyperlight_decode((enum gt_wire)wire, cursor.at, cursor.left, NULL,
	                     show, &taking, &result);
	count_losses(pipeline, &result);
	while (gt__edges_peek(&vcpu->timeline))
		gt__pipeline_edge(pipeline, number);
	/* The vCPU stands still: what comes next is younger. */
	if ((int64_t)now_tick > 0 && now_tick > vcpu->lower_tick)
		vcpu->lower_tick = now_tick;
	gt__pipeline_taken(pipeline, 0);
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
