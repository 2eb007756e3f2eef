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

/* The same call sites record on either wire. */
static gt_encoder_fn *encoder(void)
{
	switch (runtime_boot()->wire) {
	case GT_WIRE_HYPERLIGHT_0_11:
		return gt_hyperlight_0_11;
	case GT_WIRE_HYPERLIGHT_0_12:
		return gt_hyperlight_0_12;
	default:
		return NULL;
	}
}

void trace_start(void)
{
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = ring,
		.ring_bytes = sizeof(ring),
		.mode = (enum gt_ring_mode)runtime_boot()->ring_mode,
		.encoder = encoder(),
	});
}

void trace_stop(void)
{
	gt_call_end();
}

/* An exception, or a panic: the records that say why are still in the guest. */
void runtime_before_death(void)
{
	gt_call_end();
}
