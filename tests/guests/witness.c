/* SPDX-License-Identifier: MIT */
/*
 * Spans that say themselves how long they took: `witness TICKS TURNS` runs for
 * about so many ticks of its TSC, in so many spans. Each has what the TSC was
 * before and after its opening and before its close as fields; behind it comes
 * an event with what it was after. Nothing else of the recorder is asked.
 */
#define GT_TARGET "witness"
#include <guesttrace/guest.h>

#include "../../examples/guests/trace.h"
#include "../../examples/runtime/runtime.h"

static uint64_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence"
	                 : "=a"(low), "=d"(high)
	                 :
	                 : "memory");
	return (uint64_t)high << 32 | low;
}

static void leave(void)
{
	__asm__ volatile("outb %%al, %%dx" ::"a"(0), "d"(GT_PORT_LOG)
	                 : "memory");
}

static void turn(uint64_t i, uint64_t ticks)
{
	uint64_t opening = now(), opened, closing;
	GT_SPAN(span, GT_INFO, "turn", gt_u64("i", i));

	opened = now();
	if (i % 2)
		leave();
	while (now() - opened < ticks)
		;
	closing = now();
	GT_RECORD(span, gt_u64("opening", opening), gt_u64("opened", opened),
	          gt_u64("closing", closing));
}

int guest_main(int argc, char **argv)
{
	uint64_t ticks = argc > 1 ? runtime_parse_u64(argv[1]) : 20000000;
	uint64_t turns = argc > 2 ? runtime_parse_u64(argv[2]) : 10;

	trace_start();
	for (uint64_t i = 0; i < turns; i++) {
		/* A few are short, and have others beside them. */
		turn(i, i % 8 < 4 ? ticks / turns / 100 : ticks / turns * 2);
		GT_EVENT(GT_INFO, "closed", gt_u64("i", i),
		         gt_u64("closed", now()));
		if (i % 4 == 3)
			leave();
	}
	trace_stop();
	return 0;
}
