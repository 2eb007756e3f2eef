/* SPDX-License-Identifier: MIT */
/*
 * One span per turn with an event in it, then a VM exit: the host knows from
 * its own clock when that was. `stamp TURNS [PAUSE]`: in the middle PAUSE
 * leaves by port 101. Built a second time with a clock that lies (-DLIAR).
 */
#include <stdint.h>

#ifdef LIAR
/* Anything: small, huge, backwards, and sometimes the truth. */
static inline uint64_t lie(void)
{
	static uint64_t state = 88172645463325252u;
	uint32_t low, high;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	switch (state >> 61) {
	case 0:
		return state;
	case 1:
		return ((uint64_t)high << 32 | low) - (state >> 40);
	case 2:
		return ((uint64_t)high << 32 | low) + (state >> 34);
	case 3:
		return 0;
	default:
		return (uint64_t)high << 32 | low;
	}
}
#define GT_TSC() lie()
#endif
#define GT_TARGET "stamp"
#include "../../examples/runtime/runtime.h"
#include <guesttrace/guest.h>

static uint64_t ring[(64u << 10) / 8];

static void leave(uint16_t port)
{
	__asm__ volatile("outb %%al, %%dx" ::"a"(0), "d"(port) : "memory");
}

int guest_main(int argc, char **argv)
{
	uint64_t turns = argc > 1 ? runtime_parse_u64(argv[1]) : 100;

	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = sizeof(ring)});
	for (uint64_t i = 0; i < turns; i++) {
		GT_SPAN(turn, GT_INFO, "turn", gt_u64("i", i));
		GT_EVENT(GT_INFO, "stamp", gt_u64("i", i));
		if (argc > 2 && i == turns / 2)
			leave(GT_PORT_CALL);
		leave(GT_PORT_LOG);
	}
	gt_flush();
	return 0;
}
