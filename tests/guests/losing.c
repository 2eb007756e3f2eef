/* SPDX-License-Identifier: MIT */
/*
 * Loses records, and knows how many it has made: `losing ROUNDS TICKS` makes so
 * many events in each round, faster than anybody takes them, then leaves the
 * guest and says in one event more how many it has made so far. Each is
 * numbered; what the recorder has counted is not asked.
 */
#define GT_TARGET "losing"
#include <guesttrace/guest.h>

#include "../../examples/guests/trace.h"
#include "../../examples/runtime/runtime.h"

static void leave(void)
{
	__asm__ volatile("outb %%al, %%dx" ::"a"(0), "d"(GT_PORT_LOG)
	                 : "memory");
}

int guest_main(int argc, char **argv)
{
	uint64_t rounds = argc > 1 ? runtime_parse_u64(argv[1]) : 3;
	uint64_t ticks = argc > 2 ? runtime_parse_u64(argv[2]) : 20000;
	uint64_t made = 0;

	trace_start();
	{
		GT_SPAN(work, GT_INFO, "work", gt_u64("rounds", rounds));
		for (uint64_t round = 0; round < rounds; round++) {
			for (uint64_t i = 0; i < ticks; i++)
				GT_EVENT(GT_INFO, "tick", gt_u64("i", made++));
			leave();
			GT_EVENT(GT_INFO, "made", gt_u64("ticks", made));
			leave();
		}
	}
	trace_stop();
	return 3;
}
