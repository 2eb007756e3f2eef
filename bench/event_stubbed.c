/* SPDX-License-Identifier: MIT */
/*
 * The cost of everything but the clock. Only of this site: the library, which
 * opens a block of 126 such events with a record of its own, reads the real
 * one.
 */
#define GT_TARGET "bench"
#define GT_TSC()  UINT64_C(0)
#include "recording.h"

#include <guesttrace/guest.h>

void record_event_2u64_stubbed(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		GT_EVENT(GT_INFO, "tick", gt_u64("count", i),
		         gt_u64("left", count - i));
}
