/* SPDX-License-Identifier: MIT */
/* Readings of the host's clocks, which frames of most types bring along. */
#include "pipeline_inside.h"

#include <errno.h>

int gt__pipeline_clock(struct gt__pipeline *pipeline, struct gt__cursor *cursor)
{
	uint64_t tsc = gt__cursor_u64(cursor);
	uint64_t ns = gt__cursor_u64(cursor);
	uint64_t gap_ns = gt__cursor_u64(cursor);

	if (cursor->bad)
		return 0; /* its caller looks at that */
	if (ns > INT64_MAX)
		return -EINVAL;
	return gt__clock_add(&pipeline->clock, tsc - pipeline->base_tsc, ns,
	                     gap_ns);
}

uint64_t gt__pipeline_now(const struct gt__pipeline *pipeline)
{
	const struct gt__clock *clock = &pipeline->clock;

	return gt__pipeline_utc(
		pipeline,
		clock->count ? clock->samples[clock->count - 1].ns : 0);
}

uint64_t gt__pipeline_tick(struct gt__pipeline *pipeline, uint64_t tsc)
{
	uint64_t tick = tsc - pipeline->base_tsc;

	if ((int64_t)tick >= 0)
		return tick;
	gt__clock_early(&pipeline->clock, -tick);
	pipeline->outside++;
	return 0;
}

const struct gt__tsc_map *
gt__pipeline_tsc_map(const struct gt__pipeline *pipeline, uint32_t vcpu)
{
	return &pipeline->vcpus[vcpu].tsc;
}

/*
 * No record, entry or exit of it that is to be placed is older, nor the look
 * before which its losses lie: missing.c.
 */
static uint64_t oldest_of(const struct gt__pipeline_vcpu *vcpu)
{
	const struct gt__edges *timeline = &vcpu->timeline;
	const struct gt__edge *edge = gt__edges_peek(timeline);
	uint64_t next = timeline->any ? timeline->last_tick : 0;

	if (edge && edge->tick < next)
		next = edge->tick;
	if (vcpu->carries && vcpu->carry_tick < next)
		next = vcpu->carry_tick;
	return vcpu->lower_tick < next ? vcpu->lower_tick : next;
}

void gt__pipeline_taken(struct gt__pipeline *pipeline, uint64_t tick)
{
	const struct gt__named *named = &pipeline->named[GT__SINCE_TAKEN];
	uint64_t oldest;

	for (uint32_t i = 0; i < named->count; i++) {
		uint32_t number = named->numbers[i];

		gt__turns_set(&pipeline->oldest, number,
		              oldest_of(&pipeline->vcpus[number]));
	}
	gt__named_forget(pipeline, GT__SINCE_TAKEN);
	oldest = gt__turns_least(&pipeline->oldest);
	gt__clock_taken(&pipeline->clock, oldest,
	                tick > oldest ? tick : oldest);
}
