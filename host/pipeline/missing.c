/* SPDX-License-Identifier: MIT */
/*
 * What is missing, and between which moments it was made: for the sinks.
 *
 * The guest counts the records that it loses. How many it has lost is known of
 * the moment of each sync record, and of each look that the host takes at its
 * rings; what the count has grown by was lost in between. A drain's count is
 * told when the records that the drain brought have been shown. Bytes that were
 * overwritten lie between the look before and the next record of their ring;
 * those that are no records between the two looks around them.
 */
#include "pipeline_inside.h"

static void show(struct gt__pipeline *pipeline, uint32_t number,
                 struct gt_loss_view *view)
{
	struct gt__trace *trace; /* a loss is the run's, whatever was entered */

	if (view->from_ns > view->to_ns)
		view->from_ns = view->to_ns;
	view->vcpu = number;
	view->sequence = pipeline->spans.sequence;
	view->span_id = gt__spans_current(&pipeline->spans, number, &trace);
	gt__spans_missing(&pipeline->spans, view->to_ns);
	if (pipeline->fanout.wants_loss)
		gt__fanout_loss(&pipeline->fanout, &pipeline->trace, view);
}

static void advance(struct gt__missing *missing, uint64_t ns)
{
	if (ns > missing->known_ns)
		missing->known_ns = ns;
}

/* By `ns` so many were lost. */
static void grow(struct gt__pipeline *pipeline, uint32_t number, uint64_t ns,
                 uint64_t lost)
{
	struct gt__missing *missing = &pipeline->vcpus[number].missing;
	struct gt_loss_view view = {.from_ns = missing->known_ns,
	                            .to_ns = ns,
	                            .records = lost - missing->known_lost};

	if (lost <= missing->known_lost)
		return;
	missing->known_lost = lost;
	show(pipeline, number, &view);
}

static void tell_drain(struct gt__pipeline *pipeline, uint32_t number)
{
	struct gt__missing *missing = &pipeline->vcpus[number].missing;

	if (!missing->drained)
		return;
	missing->drained = false;
	missing->pending = missing->gap_bytes != 0;
	grow(pipeline, number, missing->drained_ns, missing->drained_lost);
}

static void tell_gap(struct gt__pipeline *pipeline, uint32_t number,
                     uint64_t ns)
{
	struct gt__missing *missing = &pipeline->vcpus[number].missing;
	struct gt_loss_view view = {.from_ns = missing->gap_from_ns,
	                            .to_ns = ns,
	                            .overwritten_bytes = missing->gap_bytes};

	if (!missing->gap_bytes)
		return;
	missing->gap_bytes = 0;
	missing->gap_levels = 0;
	missing->pending = missing->drained;
	show(pipeline, number, &view);
}

void gt__missing_look(struct gt__pipeline *pipeline, uint32_t number)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	struct gt__missing *missing = &vcpu->missing;

	tell_drain(pipeline, number);
	/* The look before was taken after that moment. */
	advance(missing, gt__pipeline_ns_counted(pipeline, vcpu->lower_tick));
	if (vcpu->lost <= missing->known_lost)
		return;
	missing->drained = missing->pending = true;
	missing->drained_ns = gt__pipeline_now(pipeline);
	missing->drained_lost = vcpu->lost;
}

void gt__missing_gap(struct gt__pipeline *pipeline, uint32_t number,
                     uint64_t bytes, unsigned levels)
{
	struct gt__missing *missing = &pipeline->vcpus[number].missing;

	if (!missing->gap_bytes)
		missing->gap_from_ns = missing->known_ns;
	missing->gap_bytes += bytes;
	missing->gap_levels |= levels;
	missing->pending = true;
	if (!missing->gap_levels) /* no record comes behind them */
		tell_gap(pipeline, number, gt__pipeline_now(pipeline));
}

static void take_sync(struct gt__pipeline *pipeline,
                      const struct gt__when *when,
                      const struct gt__record *record)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[when->vcpu];
	struct gt__missing *missing = &vcpu->missing;
	uint64_t lost = gt__load64(record->body + 8);

	/* A guest that was restored has lost some before this run began. */
	if (!missing->has_base)
		missing->base = lost - missing->known_lost;
	missing->has_base = true;
	lost -= missing->base;
	if (lost > vcpu->lost)
		lost = vcpu->lost;
	grow(pipeline, when->vcpu, when->ns, lost);
	advance(missing, when->ns);
}

void gt__missing_before(struct gt__pipeline *pipeline,
                        const struct gt__when *when,
                        const struct gt__record *record)
{
	struct gt__missing *missing = &pipeline->vcpus[when->vcpu].missing;

	if (missing->drained && when->ns > missing->drained_ns)
		tell_drain(pipeline, when->vcpu);
	missing->gap_levels &= ~(1u << when->level);
	if (!missing->gap_levels)
		tell_gap(pipeline, when->vcpu, when->ns);
	if (record->kind == GT_RECORD_SYNC)
		take_sync(pipeline, when, record);
}

void gt__missing_bad(struct gt__pipeline *pipeline, uint32_t number,
                     uint64_t ns)
{
	const struct gt_losses *losses = &pipeline->summary.losses;
	struct gt_loss_view view = {
		.from_ns = pipeline->vcpus[number].missing.known_ns,
		.to_ns = ns,
		.bad_records = losses->bad_records - pipeline->bad_records_told,
		.bad_bytes = losses->bad_bytes - pipeline->bad_bytes_told,
	};

	pipeline->bad_records_told = losses->bad_records;
	pipeline->bad_bytes_told = losses->bad_bytes;
	show(pipeline, number, &view);
}

void gt__missing_merged(struct gt__pipeline *pipeline, uint32_t number)
{
	const struct gt__levels *levels = &pipeline->vcpus[number].levels;
	size_t left = 0;

	for (unsigned i = 0; i < GT_LEVELS; i++)
		left += levels->level[i].count - levels->level[i].done;
	if (!left)
		tell_drain(pipeline, number);
}

void gt__missing_end(struct gt__pipeline *pipeline)
{
	const struct gt__named *named = &pipeline->named[GT__SINCE_GUEST];

	for (uint32_t i = 0; i < named->count; i++) {
		tell_drain(pipeline, named->numbers[i]);
		tell_gap(pipeline, named->numbers[i],
		         gt__pipeline_now(pipeline));
	}
}

const struct gt_summary *
gt__pipeline_so_far(const struct gt__pipeline *pipeline)
{
	return &pipeline->summary;
}

struct gt_losses gt__pipeline_losses(const struct gt__pipeline *pipeline)
{
	const struct gt__named *named = &pipeline->named[GT__SINCE_GUEST];
	struct gt_losses losses = pipeline->summary.losses;

	for (uint32_t i = 0; i < named->count; i++) {
		losses.records += pipeline->vcpus[named->numbers[i]].lost;
		losses.strings_cut += pipeline->vcpus[named->numbers[i]].cut;
	}
	return losses;
}
