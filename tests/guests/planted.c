/* SPDX-License-Identifier: MIT */
/*
 * Requests of which it is known what they call, and which of them are slow:
 *
 *   planted COUNT TURNS [SLOW [MORE]]
 *
 * Each of COUNT requests i turns a loop TURNS times in `work`, calls itself as
 * `walk` i % 3 + 1 times one in the other, and with an odd i has `op=set`, else
 * `op=get`; its `bytes` are i. Every tenth ends with an error. Request SLOW
 * turns MORE times more, has `op=scan`, and prints a line in the middle of it.
 */
#define GT_TARGET "planted"
#include <guesttrace/guest.h>

#include "../../examples/guests/trace.h"
#include "../../examples/runtime/runtime.h"

static void turn(uint64_t turns)
{
	for (volatile uint64_t n = 0; n < turns; n++)
		;
}

static void walk(uint64_t levels)
{
	GT_SPAN(span, GT_INFO, "walk", gt_u64("levels", levels));

	(void)span;
	if (levels > 1)
		walk(levels - 1);
}

static void work(uint64_t turns, bool prints)
{
	GT_SPAN(span, GT_DEBUG, "work", gt_u64("turns", turns));

	(void)span;
	turn(turns);
	if (prints)
		runtime_print("slow\n");
}

static void request(uint64_t i, uint64_t turns, bool slow)
{
	const char *op = slow ? "scan" : i % 2 ? "set" : "get";
	GT_SPAN(span, GT_INFO, "request", gt_str("op", op), gt_u64("bytes", i));

	walk(i % 3 + 1);
	work(turns, slow);
	if (i % 10 == 9)
		GT_RECORD(span, gt_error("planted"));
	else
		GT_RECORD(span, gt_ok());
}

int guest_main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? runtime_parse_u64(argv[1]) : 30;
	uint64_t turns = argc > 2 ? runtime_parse_u64(argv[2]) : 10;
	uint64_t slow = argc > 3 ? runtime_parse_u64(argv[3]) : UINT64_MAX;
	uint64_t more = argc > 4 ? runtime_parse_u64(argv[4]) : 0;

	trace_start();
	for (uint64_t i = 0; i < count; i++)
		request(i, i == slow ? turns + more : turns, i == slow);
	trace_stop();
	return 0;
}
