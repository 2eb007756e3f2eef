/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS         15u
#define RUNS_MAX     1000u
#define BENCHES_MAX  64u
#define RDTSC_ROUNDS 3000u

bool bench_quick;

struct results {
	double values[RUNS_MAX];
	double ratios[RUNS_MAX];
	bool selected;
};

static struct results results[BENCHES_MAX];

uint64_t bench_times(uint64_t count)
{
	if (!bench_quick)
		return count;
	return count > 1000 ? count / 1000 : 1;
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_seconds(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double bench_cpu_seconds(void)
{
	return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double bench_ns_each(void (*loop)(uint64_t count), uint64_t count)
{
	double start = bench_seconds();

	loop(count);
	return (bench_seconds() - start) * 1e9 / (double)count;
}

void bench_fail(const char *what)
{
	fprintf(stderr, "benchmark: %s\n", what);
	exit(1);
}

/* Each reading is used, and waits for nothing: the least that a clock costs. */
static void rdtsc_loop(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t tsc = __builtin_ia32_rdtsc();

		__asm__ volatile("" : "+r"(tsc));
	}
}

static double ratio(const struct bench *bench, double value, double rdtsc_ns)
{
	return (bench->kind == BENCH_RATE ? 1e9 / value : value) / rdtsc_ns;
}

/* A sample beside the clock's: the mean of the one before and the one after. */
static void take(const struct bench *bench, struct results *result,
                 unsigned run)
{
	double before = bench_ns_each(rdtsc_loop, RDTSC_ROUNDS);
	double value = bench->sample ? bench->sample() : before;
	double after = bench_ns_each(rdtsc_loop, RDTSC_ROUNDS);

	result->values[run] = value;
	result->ratios[run] = ratio(bench, value, (before + after) / 2);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

static void print(const struct bench *bench, struct results *result,
                  unsigned runs)
{
	printf("{\"bench\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", "
	       "\"ratio_rdtsc\": ",
	       bench->name, median(result->values, runs), bench->unit);
	if (bench->kind == BENCH_COUNT)
		printf("null}\n");
	else
		printf("%.4g}\n", median(result->ratios, runs));
}

static bool select_one(const struct bench *benches, size_t count,
                       const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(benches[i].name, name) == 0)
			return results[i].selected = true;
	fprintf(stderr, "benchmark: no %s here\n", name);
	return false;
}

/* Returns the number of runs; 0: wrong use; UINT32_MAX: nothing is to run. */
static unsigned read_arguments(int argc, char **argv,
                               const struct bench *benches, size_t count)
{
	unsigned runs = RUNS;
	bool all = true;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quick") == 0) {
			bench_quick = true;
			runs = 1;
		} else if (strcmp(argv[i], "--list") == 0) {
			for (size_t k = 0; k < count; k++)
				printf("%s\n", benches[k].name);
			return UINT32_MAX;
		} else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
			runs = (unsigned)strtoul(argv[++i], NULL, 10);
		} else if (select_one(benches, count, argv[i])) {
			all = false;
		} else {
			return 0;
		}
	}
	for (size_t i = 0; i < count; i++)
		results[i].selected |= all;
	return runs <= RUNS_MAX ? runs : RUNS_MAX;
}

int bench_main(int argc, char **argv, const struct bench *benches, size_t count)
{
	unsigned runs = read_arguments(argc, argv, benches, count);

	if (runs == UINT32_MAX)
		return 0;
	if (runs == 0 || count > BENCHES_MAX)
		return 2;
	for (unsigned run = 0; run < runs; run++)
		for (size_t i = 0; i < count; i++)
			if (results[i].selected)
				take(&benches[i], &results[i], run);
	for (size_t i = 0; i < count; i++)
		if (results[i].selected)
			print(&benches[i], &results[i], runs);
	return 0;
}
