/* SPDX-License-Identifier: MIT */
/*
 * Recording while a thread of the host's takes what is there, awake all the
 * time: what an event costs then, and how often the guest has to leave.
 */
#include "tests/support/process_memory.h"
#include "harness.h"
#include "recording.h"

#include <guesttrace/guest.h>
#include <pthread.h>
#include <stdatomic.h>

/* Some milliseconds of events, for a reader that is kept from running. */
#define RING_BYTES (1u << 20)

void bench_doorbell(uint64_t operation, uint64_t control_gva);
void bench_batch_exit(const void *batch, size_t bytes);

static uint64_t ring_memory[RING_BYTES / 8];
static struct gt_host *host;
static uint64_t exits;
static atomic_bool stop;

void bench_doorbell(uint64_t operation, uint64_t control_gva)
{
	struct gt_exit exit = process_memory_exit();

	exit.r9 = control_gva;
	exit.r10 = operation;
	exits += (uint32_t)operation != GT_DOORBELL_ANNOUNCE;
	if (gt_host_exit(host, 0, &exit) < 0)
		bench_fail("an exit was refused");
}

/* No guest here uses a Hyperlight wire. */
void bench_batch_exit(const void *batch, size_t bytes)
{
	(void)batch, (void)bytes;
}

static void *read_rings(void *unused)
{
	while (!atomic_load(&stop))
		if (gt_host_drain(host) < 0)
			bench_fail("the rings were not read");
	return unused;
}

static struct gt_summary summary;

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *from)
{
	(void)sink, (void)trace;
	summary = *from;
	return 0;
}

/* Returns the nanoseconds each; all `count` have arrived, or it fails. */
static double run(void (*loop)(uint64_t), uint64_t count)
{
	struct gt_sink sink = {.end = on_end};
	struct gt_sink *sinks[] = {&sink};
	struct gt_host_options options = {
		.size = sizeof(options), .sinks = sinks, .sink_count = 1};
	pthread_t reader;
	double ns;

	options.memory_slots = process_memory_slots(options.memory);
	if (gt_host_new(&options, &host) < 0)
		bench_fail("no host");
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring_memory,
	                             .ring_bytes = sizeof(ring_memory)});
	exits = 0;
	atomic_store(&stop, false);
	if (pthread_create(&reader, NULL, read_rings, NULL))
		bench_fail("no thread");
	ns = bench_ns_each(loop, count);
	atomic_store(&stop, true);
	pthread_join(reader, NULL);
	if (gt_host_finish(host, GT_ENDING_HALTED, 0, NULL) < 0)
		bench_fail("the run did not end well");
	gt_host_free(host);
	if (summary.events != count)
		bench_fail("not every event has arrived");
	return ns;
}

/* Fewer than the ring has room for: what is measured is recording alone. */
static double event(void)
{
	return run(record_event_2u64, 30000);
}

static double exits_per_1000(void)
{
	const uint64_t count = bench_quick ? 10000 : 300000;

	run(work_and_record, count);
	return (double)exits * 1000 / (double)count;
}

int main(int argc, char **argv)
{
	const struct bench benches[] = {
		{"event_2u64_shared", "ns", BENCH_COST, event},
		{"exits_per_1000_shared", "exits", BENCH_COUNT, exits_per_1000},
	};

	return bench_main(argc, argv, benches,
	                  sizeof(benches) / sizeof(benches[0]));
}
