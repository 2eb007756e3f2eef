/* SPDX-License-Identifier: MIT */
/* With a clock that overtakes nothing. */
#define GT_TARGET "bench"
#define GT_TSC_FENCED
#include "recording.h"

#include <guesttrace/guest.h>

void record_event_2u64_fenced(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		GT_EVENT(GT_INFO, "tick", gt_u64("count", i),
		         gt_u64("left", count - i));
}
