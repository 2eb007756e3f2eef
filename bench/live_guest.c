/* SPDX-License-Identifier: MIT */
/* A guest that is this process, as tests/support/inproc.h has it, and its
 * hosts. */
#define GT_TARGET "bench"
#include "tests/support/inproc.h"
#include "harness.h"
#include "host_samples.h"

#include "tests/support/guest_settings.h"
#include <guesttrace/guest.h>

static uint64_t ring_memory[65536 / 8];

static void announce(struct gt_host *host)
{
	inproc_host = host;
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = ring_memory,
		.ring_bytes = sizeof(ring_memory),
	});
}

struct gt_host *live_host(struct gt_output capture)
{
	struct gt_host_options options = inproc_options();
	struct gt_host *host;

	options.sink_count = 0;
	options.capture = capture;
	if (gt_host_new(&options, &host) < 0)
		bench_fail("no host");
	announce(host);
	return host;
}

void live_end(struct gt_host *host)
{
	inproc_host = NULL;
	if (gt_host_finish(host, GT_ENDING_HALTED, 0, NULL) < 0)
		bench_fail("the run did not end well");
	gt_host_free(host);
}

void live_record(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		GT_SPAN(span, GT_INFO, "work_item",
		        gt_u64("count", 1000000 + i),
		        gt_str("label", "abcdefgh"));
		GT_EVENT(GT_INFO, "tick", gt_u64("count", i),
		         gt_u64("left", rounds - i));
	}
}
