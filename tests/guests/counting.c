/* SPDX-License-Identifier: MIT */
/*
 * Counts in its own memory what it records, until it is killed: how many records
 * it has begun and how many are made, by numbers that nothing of guesttrace
 * reads. Whoever has its memory finds them behind the words "counted here".
 */
#define GT_TARGET "counting"
#include <guesttrace/guest.h>

#include "../../examples/guests/trace.h"
#include "../../examples/runtime/runtime.h"

static volatile struct {
	char words[16];
	uint64_t begun, made;
} counted __attribute__((aligned(4096))) = {.words = "counted here"};

/* `counting TURNS`: so many turns of a loop between two records. */
int guest_main(int argc, char **argv)
{
	uint64_t turns = argc > 1 ? runtime_parse_u64(argv[1]) : 1000;

	trace_start();
	for (uint64_t i = 0;; i++) {
		counted.begun = i + 1;
		GT_EVENT(GT_INFO, "tick", gt_u64("i", i));
		counted.made = i + 1;
		for (volatile uint64_t n = 0; n < turns; n++)
			;
	}
}
