/* SPDX-License-Identifier: MIT */
/*
 * `eventful COUNT`: one span with so many events, numbered, each seventh with a
 * text that JSON makes six times as long; a neighbour before and behind it; and
 * a span of numbers that are none.
 */
#define GT_TARGET "eventful"
#include <guesttrace/guest.h>

#include "../../examples/guests/trace.h"
#include "../../examples/runtime/runtime.h"

#define TEXT_BYTES 900

int guest_main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? runtime_parse_u64(argv[1]) : 1000;
	static char text[TEXT_BYTES];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 1;
	trace_start();
	{
		GT_SPAN(before, GT_INFO, "before");
	}
	{
		GT_SPAN(loop, GT_INFO, "loop");
		for (uint64_t i = 0; i < count; i++) {
			if (i % 7 == 0)
				GT_EVENT(GT_INFO, "long", gt_u64("i", i),
				         gt_strn("text", text, sizeof(text)));
			else
				GT_EVENT(GT_INFO, "short", gt_u64("i", i));
		}
	}
	{
		GT_SPAN(odd, GT_INFO, "odd", gt_f64("nan", __builtin_nan("")),
		        gt_f64("plus", __builtin_inf()),
		        gt_f64("minus", -__builtin_inf()), gt_f64("half", 0.5),
		        gt_u64("large", UINT64_MAX));
	}
	{
		GT_SPAN(behind, GT_INFO, "behind");
	}
	trace_stop();
	return 0;
}
