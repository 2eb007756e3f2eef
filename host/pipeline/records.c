/* SPDX-License-Identifier: MIT */
/* Frames with the bytes of rings: kept until all vCPUs have been read. */
#include "pipeline_inside.h"

#include <errno.h>

/*
 * Where bytes are missing, what waits is shown before any level gets more: what
 * comes next is younger, and is to be merged as a whole. Returns a bit for each
 * level that lacks some.
 */
static unsigned show_before_gap(struct gt__pipeline *pipeline, uint32_t number,
                                const uint64_t *pos, const uint64_t *bytes)
{
	const struct gt__level *levels = pipeline->vcpus[number].levels.level;
	unsigned gaps = 0;

	for (unsigned i = 0; i < GT_LEVELS; i++) {
		size_t left = levels[i].count - levels[i].done;

		if (bytes[i] > 0 && levels[i].pos + left != pos[i])
			gaps |= 1u << i;
	}
	if (!gaps)
		return 0;
	gt__pipeline_show(pipeline, number);
	for (unsigned i = 0; i < GT_LEVELS; i++)
		gt__spans_gap(&pipeline->spans, number, i, levels[i].pos,
		              bytes[i] > 0 ? pos[i] : levels[i].pos);
	return gaps;
}

static int take_levels(struct gt__pipeline *pipeline, uint32_t number,
                       struct gt__cursor *cursor, uint64_t overwritten)
{
	uint64_t pos[GT_LEVELS], bytes[GT_LEVELS], sum = 0;
	unsigned gaps;

	for (unsigned i = 0; i < GT_LEVELS; i++) {
		pos[i] = gt__cursor_u64(cursor);
		bytes[i] = gt__cursor_u64(cursor);
		if (bytes[i] > GT__FRAME_BYTES_MAX || pos[i] % 8 != 0 ||
		    pos[i] >> GT_ID_VCPU_SHIFT != 0)
			return -EINVAL; /* ids would be anything, even 0 */
		sum += bytes[i];
	}
	if (cursor->bad || sum != cursor->left)
		return -EINVAL;
	gaps = show_before_gap(pipeline, number, pos, bytes);
	if (overwritten)
		gt__missing_gap(pipeline, number, overwritten, gaps);
	for (unsigned i = 0; i < GT_LEVELS; i++) {
		const uint8_t *at = gt__cursor_take(cursor, bytes[i]);
		int r = gt__level_add(&pipeline->vcpus[number].levels.level[i],
		                      pos[i], at, bytes[i]);

		pipeline->summary.record_bytes += bytes[i];

		if (r < 0)
			return r;
	}
	return 0;
}

static void trim(struct gt__pipeline *pipeline)
{
	const struct gt__named *named = &pipeline->named[GT__SINCE_MERGE];

	pipeline->waiting_bytes = 0;
	for (uint32_t i = 0; i < named->count; i++)
		gt__levels_trim(&pipeline->vcpus[named->numbers[i]].levels);
}

int gt__pipeline_records(struct gt__pipeline *pipeline, uint32_t number,
                         const uint8_t *payload, size_t count)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	struct gt__cursor cursor = {payload, count, false};
	uint64_t inside, upper_tsc;
	int r;

	if (!pipeline->sites || count < GT__RECORDS_HEAD)
		return -EINVAL;
	/* A host merges what it has read before it reads again. */
	if (vcpu->unmerged)
		gt__pipeline_show(pipeline, number);
	vcpu->unmerged = true;
	upper_tsc = gt__load64(payload);
	r = gt__pipeline_clock(pipeline, &cursor);
	if (r < 0)
		return r;
	r = gt__pipeline_entered(pipeline, number, gt__cursor_u64(&cursor));
	vcpu->lost = gt__cursor_u64(&cursor);
	vcpu->cut = gt__cursor_u64(&cursor);
	inside = gt__cursor_u64(&cursor);
	pipeline->summary.losses.overwritten_bytes +=
		gt__overwritten_of(inside);
	gt__missing_look(pipeline, number);
	gt__spans_lost(&pipeline->spans, number, vcpu->lost,
	               gt__preemptible_of(inside));
	if (r == 0)
		r = take_levels(pipeline, number, &cursor,
		                gt__overwritten_of(inside));
	vcpu->levels.preemptible = gt__preemptible_of(inside);
	vcpu->levels.inside = (uint32_t)inside & ((1u << GT_LEVELS) - 1);
	vcpu->idle = vcpu->levels.inside == 0;
	vcpu->upper_tick = upper_tsc - pipeline->base_tsc;
	pipeline->waiting_bytes += count;
	if (pipeline->waiting_bytes > WAITING_BYTES_MAX) {
		gt__pipeline_merge_all(pipeline);
		trim(pipeline);
	}
	return r;
}

/*
 * All vCPUs were read after this moment: what was recorded before it is here,
 * but for records that somebody was inside of.
 */
int gt__pipeline_merge_frame(struct gt__pipeline *pipeline,
                             const uint8_t *payload, size_t count)
{
	const struct gt__named *named = &pipeline->named[GT__SINCE_MERGE];
	uint64_t tick;

	if (count < 8)
		return -EINVAL;
	tick = gt__load64(payload) - pipeline->base_tsc;
	if ((int64_t)tick < 0)
		return -EINVAL;
	gt__pipeline_merge(pipeline, tick, false);
	trim(pipeline);
	for (uint32_t i = 0; i < named->count; i++) {
		struct gt__pipeline_vcpu *vcpu =
			&pipeline->vcpus[named->numbers[i]];

		if (vcpu->idle && tick > vcpu->lower_tick)
			vcpu->lower_tick = tick;
		vcpu->idle = vcpu->unmerged = false;
		gt__missing_merged(pipeline, named->numbers[i]);
	}
	gt__named_forget(pipeline, GT__SINCE_MERGE);
	gt__pipeline_taken(pipeline, tick);
	return 0;
}

void gt__pipeline_doubts(struct gt__pipeline *pipeline, uint32_t number)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];

	if (vcpu->doubt_ticks)
		gt__clock_unsure(&pipeline->clock, vcpu->doubt_ticks);
	vcpu->doubt_ticks = vcpu->doubt_from_tsc = 0;
}

/* Each estimate takes the place of the one before, with all it was unsure of.
 */
static void estimate(struct gt__pipeline *pipeline, uint32_t number,
                     uint64_t from_tsc, uint64_t doubt_ticks)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];

	if (vcpu->doubt_from_tsc != from_tsc)
		gt__pipeline_doubts(pipeline, number);
	vcpu->doubt_from_tsc = from_tsc;
	vcpu->doubt_ticks = doubt_ticks;
	pipeline->clock_flags |= GT_CLOCK_ESTIMATED;
}

int gt__pipeline_tsc(struct gt__pipeline *pipeline, uint32_t number,
                     const uint8_t *payload, size_t count)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	struct gt__cursor cursor = {payload, count, false};
	uint64_t from_tsc = gt__cursor_u64(&cursor), from_tick = 0;
	struct gt__tsc tsc = {.offset = (int64_t)gt__cursor_u64(&cursor)};
	bool is_estimate;

	tsc.ratio = gt__cursor_u64(&cursor);
	tsc.shift = gt__cursor_u32(&cursor);
	if (cursor.bad)
		return -EINVAL;
	is_estimate = gt__cursor_u32(&cursor) & GT__TSC_ESTIMATED;
	if (from_tsc)
		from_tick = from_tsc - pipeline->base_tsc;
	if (is_estimate)
		estimate(pipeline, number, from_tsc, gt__cursor_u64(&cursor));
	else
		gt__pipeline_doubts(pipeline, number);
	if (vcpu->tsc.count > 0 &&
	    !(is_estimate &&
	      vcpu->tsc.from_tick[vcpu->tsc.count - 1] == from_tick))
		pipeline->clock_flags |= GT_CLOCK_MOVED;
	gt__tsc_map_add(&vcpu->tsc, &tsc, from_tick);
	return 0;
}
