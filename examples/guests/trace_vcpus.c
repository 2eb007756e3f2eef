/* SPDX-License-Identifier: MIT */
/* Starts the recorder with rings for each vCPU, and has the last words arrive.
 */
#include "trace_vcpus.h"
#include "../runtime/runtime.h"

#include <guesttrace/guest.h>

#define RING_BYTES (64u << 10) /* of each vCPU */

_Static_assert(RUNTIME_LOCAL_GS == 8, "vcpus.h says so");

static struct gt_vcpu *vcpus;

void trace_start_vcpus(void)
{
	uint32_t n = runtime_boot()->vcpus;
	struct gt_options options = {
		.size = sizeof(options),
		.ring_bytes = (size_t)n * RING_BYTES,
		.mode = (enum gt_ring_mode)runtime_boot()->ring_mode,
		.vcpu_count = n,
	};

	if (runtime_boot()->wire != GT_WIRE_NATIVE)
		runtime_panic("Hyperlight's wires are for one vCPU");
	vcpus = runtime_alloc(n * sizeof(*vcpus), 64);
	options.vcpus = vcpus;
	options.ring = runtime_alloc(options.ring_bytes, 64);
	if (!vcpus || !options.ring)
		runtime_panic("no memory for the rings");
	trace_enter_vcpu(0);
	gt_init(&options);
}

void trace_enter_vcpu(unsigned vcpu)
{
	runtime_set_local(&vcpus[vcpu]);
}

void trace_stop_vcpus(void)
{
	gt_flush();
}

/* An exception, or a panic: the records that say why are still in the guest. */
void runtime_before_death(void)
{
	if (GT_THIS_VCPU())
		gt_flush();
}
