/* SPDX-License-Identifier: MIT */
/* Shares out the memory, fills the control block and announces it. */
#include "doorbell.h"
#include "encoder.h"

/* Nested records are few and short: handlers run briefly and rarely meet. */
#ifndef GT_NESTED_BYTES
#define GT_NESTED_BYTES 8192u
#endif

/* Most that a record holds beside its strings: head, id, words of 16 fields. */
#define FIXED_BYTES (GT_RECORD_BYTES + 8u + 8u * GT_SITE_FIELDS_MAX)
#define BLOCK_BYTES 4096u

_Static_assert(sizeof(struct gt_site) == 16, "a site's head is 16 bytes");
_Static_assert(sizeof(struct gt_ring) == 128, "a ring is two cache lines");
_Static_assert(sizeof(struct gt_vcpu) == 64 + GT_LEVELS * 128, "no padding");
_Static_assert(sizeof(struct gt_control) == 192, "no padding");
_Static_assert(GT_BLOCK_BYTES_MIN >= GT_SYNC_BYTES + FIXED_BYTES + 512,
               "any record fits any block, with some text");

static char tracestate[GT_TRACESTATE_BYTES];
static uint64_t own_nested[(GT_LEVELS - 1) * GT_NESTED_BYTES / 8];

static uint64_t power_of_two_in(uint64_t bytes)
{
	if (bytes > GT_RING_BYTES_MAX)
		return GT_RING_BYTES_MAX;
	return UINT64_C(1) << (63 - __builtin_clzll(bytes));
}

/* Sixteenths of the ring, yet no smaller than a page if four of those fit. */
static uint32_t block_for(uint64_t ring_bytes)
{
	uint64_t block = ring_bytes / 16;

	if (block < BLOCK_BYTES)
		block = ring_bytes / 4 < BLOCK_BYTES ? ring_bytes / 4
		                                     : BLOCK_BYTES;
	return (uint32_t)(block < 65536 ? block : 65536);
}

/* Of a ring of zeros. Too little memory leaves limit 0: it is always taken. */
static GT__SMALL void init_ring(struct gt_vcpu *vcpu, unsigned level,
                                void *memory, uint64_t bytes,
                                enum gt_ring_mode mode)
{
	struct gt_ring *ring = &vcpu->ring[level];
	uint32_t text_bytes;

	uint64_t skipped = -(uintptr_t)memory & 7;

	if (!memory || bytes < GT_RING_BYTES_MIN + skipped)
		return;
	bytes = power_of_two_in(bytes - skipped);
	ring->base_gva = (uintptr_t)memory + skipped;
	ring->mask = bytes - 1;
	ring->id_base = GT_ID_BASE(vcpu->index, level);
	ring->block_bytes = block_for(bytes);
	ring->mode = mode;
	ring->limit = 1; /* free, and the first record opens a block */
	text_bytes = ring->block_bytes - GT_SYNC_BYTES - FIXED_BYTES;
	if (text_bytes < vcpu->text_bytes_max)
		vcpu->text_bytes_max = text_bytes;
}

static void *part(void *memory, uint64_t bytes, uint32_t index)
{
	return memory ? (unsigned char *)memory + bytes * index : NULL;
}

static GT__SMALL void init_vcpu(struct gt_vcpu *vcpu,
                                const struct gt_options *options,
                                uint32_t index)
{
	uint64_t thread = options->ring_bytes / options->vcpu_count & ~7ull;
	uint64_t nested =
		options->nested_bytes / options->vcpu_count / (GT_LEVELS - 1) &
		~7ull;

	*vcpu = (struct gt_vcpu){.index = index, .text_bytes_max = UINT32_MAX};
	init_ring(vcpu, 0, part(options->ring, thread, index), thread,
	          options->mode);
	for (uint32_t i = 0; i < GT_LEVELS - 1; i++)
		init_ring(vcpu, i + 1,
		          part(options->nested, nested,
		               index * (GT_LEVELS - 1) + i),
		          nested, options->mode);
	if (vcpu->text_bytes_max == UINT32_MAX)
		vcpu->text_bytes_max = 0;
}

/* What the caller's gt_options does not reach, and its NULLs, get defaults. */
static GT__SMALL void complete(struct gt_options *all,
                               const struct gt_options *given)
{
	*all = (struct gt_options){0};
	__builtin_memcpy(all, given,
	                 given->size < sizeof(*all) ? given->size
	                                            : sizeof(*all));
	if (!all->vcpus) {
		all->vcpus = &gt_vcpu0;
		all->vcpu_count = 1;
	}
	if (!all->nested && all->vcpus == &gt_vcpu0) {
		all->nested = own_nested;
		all->nested_bytes = sizeof(own_nested);
	}
	if (all->vcpu_count < 1)
		all->vcpu_count = 1;
	if (all->vcpu_count > GT_VCPUS_MAX)
		all->vcpu_count = GT_VCPUS_MAX;
}

GT__SMALL void gt__init(const struct gt_options *given, struct gt_site *sites,
                        struct gt_site *sites_end)
{
	struct gt_control *control = &gt_control;
	struct gt_options options;

	__asm__("" : "+r"(control)); /* one address for all of it */
	complete(&options, given);
	tracestate[0] = '\0';
	gt__encoder = options.encoder;
	for (uint32_t i = 0; i < options.vcpu_count; i++)
		init_vcpu(&options.vcpus[i], &options, i);
	__builtin_memset(control, 0, sizeof(*control));
	control->version = GT_ABI_VERSION;
	control->size = sizeof(*control);
	control->vcpus = options.vcpu_count;
	control->vcpus_gva = (uintptr_t)options.vcpus;
	control->vcpu_bytes = sizeof(struct gt_vcpu);
#ifdef GT_PREEMPTIBLE
	control->flags = GT_CONTROL_PREEMPTIBLE;
#endif
	control->sites_gva = (uintptr_t)sites;
	control->sites_bytes = (uintptr_t)sites_end - (uintptr_t)sites;
	control->tracestate_gva = (uintptr_t)tracestate;
	control->tracestate_bytes = sizeof(tracestate);
	control->self_gva = (uintptr_t)control;
	if (options.encoder) {
		uint64_t argument = (uintptr_t)&options;

		options.encoder(GT__INIT, NULL, NULL, &argument);
		return;
	}
	gt__look_at_owner();
	gt__barrier();
	gt__store(&gt_control.magic, GT_CONTROL_MAGIC);
	gt_set_level(options.level);
	gt__doorbell(GT_DOORBELL_ANNOUNCE);
}
