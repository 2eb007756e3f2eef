/* SPDX-License-Identifier: MIT */
/*
 * A peer: Hyperlight's own subscriber (peer_hyperlight/), beside our encoder
 * for the same wire in the same process. Both write the same events into
 * batches of 4,096 bytes that nobody takes: how they leave a guest is not
 * measured.
 */
#include "harness.h"
#include "recording.h"

#include <guesttrace/guest.h>

#define ROUNDS 3000u

void peer_init(void);
void peer_event_u64_str8(uint64_t count);
void peer_span_u64_str8(uint64_t count);
uint64_t peer_batch(uint64_t *ret_bytes);

void bench_doorbell(uint64_t operation, uint64_t control_gva);
void bench_batch_exit(const void *batch, size_t bytes);

void bench_doorbell(uint64_t operation, uint64_t control_gva)
{
	(void)operation;
	(void)control_gva;
}

void bench_batch_exit(const void *batch, size_t bytes)
{
	__asm__ volatile("" ::"r"(batch), "r"(bytes) : "memory");
}

static void begin(void)
{
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.level = GT_INFO,
		.encoder = gt_hyperlight_0_12,
	});
}

/* Of the CPU: a round of theirs is long enough for others to come between. */
static double cpu_ns_each(void (*loop)(uint64_t count))
{
	uint64_t count = bench_times(ROUNDS);
	double start = bench_cpu_seconds();

	loop(count);
	return (bench_cpu_seconds() - start) * 1e9 / (double)count;
}

static double ours(void (*loop)(uint64_t count))
{
	begin();
	return cpu_ns_each(loop);
}

static double their_event(void)
{
	return cpu_ns_each(peer_event_u64_str8);
}

static double their_span(void)
{
	return cpu_ns_each(peer_span_u64_str8);
}

/* Ours as a part of theirs: one right behind the other. */
static double event_part(void)
{
	double their_ns = their_event();

	return ours(record_event_u64_str8) / their_ns;
}

static double span_part(void)
{
	double their_ns = their_span();

	return ours(record_span_u64_str8) / their_ns;
}

static const struct bench benches[] = {
	{"peer_hyperlight12_event_2f", "ns", BENCH_COST, their_event},
	{"peer_hyperlight12_span_2f", "ns", BENCH_COST, their_span},
	{"peer_hyperlight12_event_part", "of it", BENCH_COUNT, event_part},
	{"peer_hyperlight12_span_part", "of it", BENCH_COUNT, span_part},
};

int main(int argc, char **argv)
{
	peer_init();
	return bench_main(argc, argv, benches,
	                  sizeof(benches) / sizeof(*benches));
}
