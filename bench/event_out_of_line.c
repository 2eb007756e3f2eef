/* SPDX-License-Identifier: MIT */
/* From a site that calls the library. */
#define GT_TARGET "bench"
#define GT_OUT_OF_LINE
#include "recording.h"

#include <guesttrace/guest.h>

void record_event_2u64_out_of_line(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		GT_EVENT(GT_INFO, "tick", gt_u64("count", i),
		         gt_u64("left", count - i));
}
