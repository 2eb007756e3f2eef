/* SPDX-License-Identifier: MIT */
/* Records of the native wire: their place in time, and on to the spans. */
#include "pipeline_inside.h"

#include <errno.h>

/*
 * Guest TSC -> UTC, not outside the window that the record must lie in, nor
 * before what its vCPU recorded earlier.
 */
void gt__pipeline_place(struct gt__pipeline *pipeline,
                        struct gt__pipeline_vcpu *vcpu, uint64_t guest_tsc,
                        struct gt__when *when)
{
	uint64_t host_tsc = guest_tsc - (uint64_t)vcpu->tsc_offset;
	uint64_t ns;
	bool inside = gt__clock_convert(&pipeline->clock, host_tsc, &ns);

	ns = gt__pipeline_utc(pipeline, ns);
	if (ns < vcpu->window_ns) {
		ns = vcpu->window_ns;
		inside = false;
	}
	when->adjusted = !inside;
	if (!inside)
		pipeline->summary.losses.adjusted_records++;
	if (ns < vcpu->last_ns) {
		ns = vcpu->last_ns;
		pipeline->summary.losses.late_records++;
		when->adjusted = true;
	}
	vcpu->last_ns = ns;
	when->ns = ns;
}

void gt__pipeline_show(struct gt__pipeline *pipeline, uint32_t number, bool all)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	const struct gt__sites *sites = gt__pipeline_sites(pipeline);
	struct gt__merged merged;

	while (gt__levels_next(&vcpu->levels, sites, all,
	                       &pipeline->summary.losses, &merged)) {
		struct gt__when when = {
			.id = merged.pos + GT_ID_BASE(number, merged.level),
			.vcpu = number,
			.level = merged.level,
		};

		pipeline->summary.records++;
		gt__pipeline_place(pipeline, vcpu, merged.record.tsc, &when);
		gt__spans_record(&pipeline->spans, &when, &merged.record);
	}
}

static bool has_waiting(const struct gt__pipeline_vcpu *vcpu)
{
	for (unsigned i = 0; i < GT_LEVELS; i++)
		if (vcpu->levels.level[i].done < vcpu->levels.level[i].count)
			return true;
	return false;
}

/*
 * Where bytes are missing, what waits is shown before any level gets more: what
 * comes next is younger, and is to be merged as a whole.
 */
static void show_before_gap(struct gt__pipeline *pipeline, uint32_t number,
                            const uint64_t *pos, const uint64_t *bytes)
{
	const struct gt__level *levels = pipeline->vcpus[number].levels.level;
	bool gap = false;

	for (unsigned i = 0; i < GT_LEVELS; i++) {
		size_t left = levels[i].count - levels[i].done;

		gap |= bytes[i] > 0 && levels[i].pos + left != pos[i];
	}
	if (!gap)
		return;
	gt__pipeline_show(pipeline, number, true);
	gt__spans_gap(&pipeline->spans, number);
}

static int take_levels(struct gt__pipeline *pipeline, uint32_t number,
                       struct gt__cursor *cursor)
{
	uint64_t pos[GT_LEVELS], bytes[GT_LEVELS], sum = 0;

	for (unsigned i = 0; i < GT_LEVELS; i++) {
		pos[i] = gt__cursor_u64(cursor);
		bytes[i] = gt__cursor_u64(cursor);
		if (bytes[i] > GT__FRAME_BYTES_MAX ||
		    pos[i] >> GT_ID_VCPU_SHIFT != 0)
			return -EINVAL; /* ids would be anything, even 0 */
		sum += bytes[i];
	}
	if (cursor->bad || sum != cursor->left)
		return -EINVAL;
	show_before_gap(pipeline, number, pos, bytes);
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

int gt__pipeline_records(struct gt__pipeline *pipeline, uint32_t number,
                         const uint8_t *payload, size_t count)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	struct gt__cursor cursor = {payload, count, false};
	uint64_t inside;
	int r;

	if (!gt__pipeline_sites(pipeline) || count < GT__RECORDS_HEAD)
		return -EINVAL;
	gt__pipeline_clock(pipeline, &cursor);
	vcpu->tsc_offset = (int64_t)gt__cursor_u64(&cursor);
	vcpu->lost = gt__cursor_u64(&cursor);
	vcpu->cut = gt__cursor_u64(&cursor);
	inside = gt__cursor_u64(&cursor);
	pipeline->summary.losses.overwritten_bytes +=
		gt__overwritten_of(inside);
	gt__spans_lost(&pipeline->spans, number, vcpu->lost,
	               gt__preemptible_of(inside));
	r = take_levels(pipeline, number, &cursor);
	vcpu->levels.preemptible = gt__preemptible_of(inside);
	vcpu->levels.inside = (uint32_t)inside & ((1u << GT_LEVELS) - 1);
	gt__pipeline_show(pipeline, number, false);
	gt__levels_trim(&vcpu->levels);
	if (!has_waiting(vcpu))
		vcpu->window_ns = gt__pipeline_now(pipeline);
	return r;
}
