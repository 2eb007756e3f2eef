/* SPDX-License-Identifier: MIT */
/*
 * A peer: LTTng-UST recording an event with two u64, with a session running
 * that bench/run has set up. Which clock it reads is in the environment.
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "lttng_tracepoints.h"

#include "harness.h"

#include <stdlib.h>

#define ROUNDS 3000u

static void record(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		lttng_ust_tracepoint(bench, tick, i, count - i);
}

static double event(void)
{
	if (!lttng_ust_tracepoint_enabled(bench, tick))
		bench_fail("no LTTng session records this process");
	return bench_ns_each(record, ROUNDS);
}

/* A trace to read: enough that starting the reader does not count. */
static double fill(void)
{
	record(bench_times(1000000));
	return 0;
}

int main(int argc, char **argv)
{
	const struct bench benches[] = {
		{"peer_lttng_ust_event", "ns", BENCH_COST, event},
		{"peer_lttng_ust_event_tsc", "ns", BENCH_COST, event},
		{"fill", "", BENCH_COUNT, fill},
	};

	return bench_main(argc, argv, benches,
	                  sizeof(benches) / sizeof(benches[0]));
}
