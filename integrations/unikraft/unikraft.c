/* SPDX-License-Identifier: MIT */
/* Starts the recorder before anything that could record. */
#include <guesttrace/guest.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/init.h>
#include <uk/prio.h>

#if CONFIG_LIBGUESTTRACE_FLUSH
#define MODE GT_RING_FLUSH
#elif CONFIG_LIBGUESTTRACE_DROP
#define MODE GT_RING_DROP
#else
#define MODE GT_RING_OVERWRITE
#endif

static uint64_t ring[CONFIG_LIBGUESTTRACE_RING_KIB * 1024 / 8];

#if !CONFIG_LIBGUESTTRACE_DOORBELL
void guesttrace_no_doorbell(uint64_t operation, uint64_t control_gva);

void guesttrace_no_doorbell(uint64_t operation __unused,
                            uint64_t control_gva __unused)
{
}
#endif

static int start(struct uk_init_ctx *context __unused)
{
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = ring,
		.ring_bytes = sizeof(ring),
		.mode = MODE,
		.level = (enum gt_level)CONFIG_LIBGUESTTRACE_LEVEL,
	});
	return 0;
}

uk_early_initcall_prio(start, 0x0, UK_PRIO_EARLIEST);
