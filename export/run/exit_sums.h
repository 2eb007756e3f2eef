/* SPDX-License-Identifier: MIT */
/* VM exits summed up: by reason and port, and by the span they were in. */
#ifndef GUESTTRACE_EXIT_SUMS_H
#define GUESTTRACE_EXIT_SUMS_H

#include "collect.h"

struct gt__exits {
	enum gt_exit_reason reason;
	uint16_t port; /* of GT_EXIT_IO, else 0 */
	bool tracing;
	uint32_t span; /* one of the name they were in; GT__ROOT: in none, or
	                  not told apart by that */
	uint64_t count;
	uint64_t total_ns; /* that the vCPU was out of the guest */
	uint64_t p50_ns, p99_ns, max_ns; /* nearest rank */
};

/*
 * Of those that count: in the range and, with a condition on spans, in such a
 * span. The largest total first. To be freed; NULL: out of memory.
 */
struct gt__exits *gt__sum_up_exits(const struct gt__collect *c, bool by_span,
                                   uint32_t *ret_count);

#endif
