/* SPDX-License-Identifier: MIT */
/*
 * What recording costs on the Hyperlight wires, beside a bare rdtsc in the same
 * run: an event and a span with two fields, a u64 and a string of 8 bytes. The
 * exit costs nothing here. Each ratio is the median over the runs, which take
 * turns, so that what else the machine does meets all of them.
 *
 *   bench_hyperlight [RUNS]
 *
 * Exits with 1 if a budget of the design is exceeded.
 */
#define GT_TARGET "bench"

#include <guesttrace/guest.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS   3000u
#define RUNS     31u
#define RUNS_MAX 1000u

void bench_batch_exit(const void *batch, size_t bytes);

static uint64_t batches, batch_bytes;

void bench_batch_exit(const void *batch, size_t bytes)
{
	__asm__ volatile("" ::"r"(batch) : "memory");
	batches++;
	batch_bytes += bytes;
}

static void bare_rdtsc(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		sum += gt__rdtsc();
		__asm__ volatile("" : "+r"(sum));
	}
}

static void events(void)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		GT_EVENT(GT_INFO, "tick", gt_u64("count", 1000000 + i),
		         gt_str("label", "abcdefgh"));
}

static void spans(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		GT_SPAN(span, GT_INFO, "work_item",
		        gt_u64("count", 1000000 + i),
		        gt_str("label", "abcdefgh"));
	}
}

static const struct {
	const char *name;
	gt_encoder_fn *encoder;
	void (*run)(void);
	double budget;
} benches[] = {
	{"0.11 event", gt_hyperlight_0_11, events, 8},
	{"0.11 span", gt_hyperlight_0_11, spans, 14},
	{"0.12 event", gt_hyperlight_0_12, events, 8},
	{"0.12 span", gt_hyperlight_0_12, spans, 14},
};

#define BENCHES (sizeof(benches) / sizeof(benches[0]))

static double ratios[BENCHES][RUNS_MAX];

static double ns_each(void (*run)(void))
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	run();
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 +
	        (double)(to.tv_nsec - from.tv_nsec)) /
	       ROUNDS;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int report(unsigned runs, double rdtsc_ns)
{
	int status = 0;

	printf("rdtsc %.1f ns at best, %u runs, %.0f bytes a batch\n", rdtsc_ns,
	       runs, (double)batch_bytes / (double)batches);
	for (size_t i = 0; i < BENCHES; i++) {
		double *all = ratios[i];

		qsort(all, runs, sizeof(*all), by_value);
		printf("%-10s %5.2f x rdtsc, from %.2f to %.2f (budget %g)\n",
		       benches[i].name, all[runs / 2], all[0], all[runs - 1],
		       benches[i].budget);
		if (all[runs / 2] > benches[i].budget)
			status = 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : RUNS;
	double best = 1e9;

	if (runs < 1 || runs > RUNS_MAX)
		runs = RUNS;
	for (unsigned run = 0; run < runs; run++) {
		for (size_t i = 0; i < BENCHES; i++) {
			double rdtsc = ns_each(bare_rdtsc);

			gt_init(&(struct gt_options){
				.size = sizeof(struct gt_options),
				.encoder = benches[i].encoder,
			});
			ratios[i][run] = ns_each(benches[i].run) / rdtsc;
			best = rdtsc < best ? rdtsc : best;
		}
	}
	return report(runs, best);
}
