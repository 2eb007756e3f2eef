/* SPDX-License-Identifier: MIT */
/*
 * Starts the recorder, and makes sure that its last words arrive: at a normal
 * end by trace_stop(), before a death by the hook of the runtime.
 */
#include "trace.h"
#include "../runtime/runtime.h"

#include <guesttrace/guest.h>

#define RING_BYTES (64u << 10)

static uint64_t ring[RING_BYTES / sizeof(uint64_t)];

void trace_start(void)
{
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = ring,
		.ring_bytes = sizeof(ring),
		.mode = (enum gt_ring_mode)runtime_boot()->ring_mode,
	});
}

void trace_stop(void)
{
	gt_flush();
}

/* An exception, or a panic: the records that say why are still in the ring. */
void runtime_before_death(void)
{
	gt_flush();
}
