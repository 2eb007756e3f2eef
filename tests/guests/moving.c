/* SPDX-License-Identifier: MIT */
/*
 * `moving KIB [SPANS]`: enters SPANS spans, 65,500 unless told, and then
 * switches for ever between contexts that are too many for its host, which
 * share that stack. Its ring has so many KiB, of which each flush is full of
 * such switches. Of 0 KIB it ends at once.
 */
#define GT_TARGET "moving"
#include "../../examples/runtime/runtime.h"
#include <guesttrace/guest.h>

#define SPANS_MAX 65500u

static uint64_t ring[(64u << 20) / 8];
static struct gt_span spans[SPANS_MAX];

static void enter_all(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		GT_OPEN(spans[i], GT_INFO, "deep");
		gt_enter(&spans[i]);
	}
}

int guest_main(int argc, char **argv)
{
	uint64_t kib = argc > 1 ? runtime_parse_u64(argv[1]) : 1024;
	uint64_t count = argc > 2 ? runtime_parse_u64(argv[2]) : SPANS_MAX;
	uint64_t top;

	if (kib == 0 || kib > sizeof(ring) >> 10 || count > SPANS_MAX)
		return kib != 0;
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = kib << 10});
	enter_all(count);
	top = gt_current();
	for (uint64_t i = 1000000;; i++) {
		gt_switch(i, top);
		gt_switch(0, top);
	}
}
