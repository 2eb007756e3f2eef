/* SPDX-License-Identifier: MIT */
/* Readings of the host's clocks, which frames of most types bring along. */
#include "pipeline_inside.h"

void gt__pipeline_clock(struct gt__pipeline *pipeline,
                        struct gt__cursor *cursor)
{
	uint64_t tsc = gt__cursor_u64(cursor);
	uint64_t ns = gt__cursor_u64(cursor);
	uint64_t gap_ns = gt__cursor_u64(cursor);

	if (!cursor->bad)
		gt__clock_add(&pipeline->clock, tsc - pipeline->base_tsc, ns,
		              gap_ns);
}

uint64_t gt__pipeline_now(const struct gt__pipeline *pipeline)
{
	const struct gt__clock *clock = &pipeline->clock;

	return gt__pipeline_utc(
		pipeline,
		clock->count ? clock->samples[clock->count - 1].ns : 0);
}
