/* SPDX-License-Identifier: MIT */
/*
 * What recording costs a guest. The VM exit is a call that takes everything and
 * costs nothing, as a guest's clock stands still for its host's work; how often
 * it happens is counted apart.
 */
#include "harness.h"
#include "recording.h"

#include <guesttrace/guest.h>

#define RING_BYTES_L1 16384u
#define ROUNDS        3000u

void bench_doorbell(uint64_t operation, uint64_t control_gva);
void bench_batch_exit(const void *batch, size_t bytes);

static uint64_t ring_memory[65536 / 8];
static uint64_t exits;

void bench_doorbell(uint64_t operation, uint64_t control_gva)
{
	(void)control_gva;
	if ((uint32_t)operation != GT_DOORBELL_FLUSH)
		return;
	exits++;
	gt_vcpu0.ring[0].tail = gt_vcpu0.ring[0].pos;
}

void bench_batch_exit(const void *batch, size_t bytes)
{
	__asm__ volatile("" ::"r"(batch), "r"(bytes) : "memory");
	exits++;
}

static void begin(size_t ring_bytes, gt_encoder_fn *encoder)
{
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = ring_memory,
		.ring_bytes = ring_bytes,
		.level = GT_INFO,
		.encoder = encoder,
	});
	exits = 0;
}

static double native(void (*loop)(uint64_t), uint64_t count)
{
	begin(RING_BYTES_L1, NULL);
	loop(ROUNDS / 10); /* what a first round has to fetch */
	return bench_ns_each(loop, count);
}

static double encoded(gt_encoder_fn *encoder, void (*loop)(uint64_t))
{
	begin(RING_BYTES_L1, encoder);
	return bench_ns_each(loop, ROUNDS);
}

#define NATIVE(loop)                                  \
	static double sample_##loop(void)             \
	{                                             \
		return native(record_##loop, ROUNDS); \
	}
#define ENCODED(wire, loop)                               \
	static double sample_##wire##_##loop(void)        \
	{                                                 \
		return encoded(gt_hyperlight_0_##wire,    \
		               record_##loop##_u64_str8); \
	}

NATIVE(event_0)
NATIVE(event_2u64)
NATIVE(event_2u64_stubbed)
NATIVE(event_2u64_fenced)
NATIVE(event_2u64_out_of_line)
NATIVE(event_u64_str8)
NATIVE(span_0)
NATIVE(span_2u64)
NATIVE(nothing)
ENCODED(11, event)
ENCODED(11, span)
ENCODED(12, event)
ENCODED(12, span)

static double in_situ(void)
{
	double with = native(work_and_record, ROUNDS);

	return with - native(work_alone, ROUNDS);
}

static double work(void)
{
	return native(work_alone, ROUNDS);
}

static double event_bytes(void)
{
	uint64_t pos;

	begin(RING_BYTES_L1, NULL);
	record_event_2u64(1);
	pos = gt_vcpu0.ring[0].pos;
	record_event_2u64(1);
	return (double)(gt_vcpu0.ring[0].pos - pos);
}

static double exits_per_1000(size_t ring_bytes)
{
	const uint64_t count = 1000000;

	begin(ring_bytes, NULL);
	record_event_2u64(count);
	if (gt_vcpu0.ring[0].lost)
		bench_fail("records were lost");
	return (double)exits * 1000 / (double)count;
}

static double exits_64k(void)
{
	return exits_per_1000(65536);
}

static double exits_4k(void)
{
	return exits_per_1000(4096);
}

/* So long that other programs come between: what this one had of a CPU. */
static double many(uint64_t count)
{
	double start;

	begin(RING_BYTES_L1, NULL);
	start = bench_cpu_seconds();
	record_event_2u64(count);
	return (bench_cpu_seconds() - start) * 1e9 / (double)count;
}

#define SCALE(power)                                           \
	static double events_1e##power(void)                   \
	{                                                      \
		return many(bench_times((uint64_t)1e##power)); \
	}

SCALE(4)
SCALE(5)
SCALE(6)
SCALE(7)
SCALE(8)

static const struct bench benches[] = {
	{"rdtsc", "ns", BENCH_COST, NULL},
	{"event_0", "ns", BENCH_COST, sample_event_0},
	{"event_2u64", "ns", BENCH_COST, sample_event_2u64},
	{"event_2u64_clock_stubbed", "ns", BENCH_COST,
         sample_event_2u64_stubbed},
	{"event_2u64_fenced", "ns", BENCH_COST, sample_event_2u64_fenced},
	{"event_2u64_out_of_line", "ns", BENCH_COST,
         sample_event_2u64_out_of_line},
	{"event_u64_str8", "ns", BENCH_COST, sample_event_u64_str8},
	{"span_0", "ns", BENCH_COST, sample_span_0},
	{"span_2u64", "ns", BENCH_COST, sample_span_2u64},
	{"disabled_site", "ns", BENCH_COST, sample_nothing},
	{"event_2u64_in_situ", "ns", BENCH_COST, in_situ},
	{"work_in_situ", "ns", BENCH_COST, work},
	{"hyperlight11_event_2f", "ns", BENCH_COST, sample_11_event},
	{"hyperlight11_span_2f", "ns", BENCH_COST, sample_11_span},
	{"hyperlight12_event_2f", "ns", BENCH_COST, sample_12_event},
	{"hyperlight12_span_2f", "ns", BENCH_COST, sample_12_span},
	{"bytes_event_2u64", "bytes", BENCH_COUNT, event_bytes},
	{"exits_per_1000_64k", "exits", BENCH_COUNT, exits_64k},
	{"exits_per_1000_4k", "exits", BENCH_COUNT, exits_4k},
	{"scaling_events_1e4", "ns", BENCH_COST, events_1e4},
	{"scaling_events_1e5", "ns", BENCH_COST, events_1e5},
	{"scaling_events_1e6", "ns", BENCH_COST, events_1e6},
	{"scaling_events_1e7", "ns", BENCH_COST, events_1e7},
	{"scaling_events_1e8", "ns", BENCH_COST, events_1e8},
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, benches,
	                  sizeof(benches) / sizeof(benches[0]));
}
