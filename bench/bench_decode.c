/* SPDX-License-Identifier: MIT */
/*
 * How fast the host decodes Hyperlight batches, all checks on, every field
 * looked at: events per second, the median over the runs.
 *
 *   bench_decode hyperlight-0.11|hyperlight-0.12 BATCH [RUNS]
 */
#include <guesttrace/host.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS   20000u
#define RUNS     31u
#define RUNS_MAX 1000u

static int look(void *context, const struct gt_hyperlight_event *event)
{
	uint64_t *sum = context;

	for (uint32_t i = 0; i < event->field_count; i++)
		*sum += gt_hyperlight_field(event, i).value.count;
	return 0;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double events_per_second(enum gt_wire wire, const void *bytes,
                                size_t count)
{
	struct gt_hyperlight_result result = {.events = 0};
	uint64_t events = 0, sum = 0;
	double start = seconds();

	for (unsigned i = 0; i < ROUNDS; i++) {
		gt_hyperlight_decode(wire, bytes, count, NULL, look, &sum,
		                     &result);
		events += result.events;
	}
	__asm__ volatile("" ::"r"(sum));
	return (double)events / (seconds() - start);
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, two = *(const double *)b;

	return (one > two) - (one < two);
}

int main(int argc, char **argv)
{
	static char bytes[GT_HYPERLIGHT_BATCH_BYTES];
	static double results[RUNS_MAX];
	unsigned runs = argc > 3 ? (unsigned)atoi(argv[3]) : RUNS;
	enum gt_wire wire;
	size_t count;
	FILE *file = argc > 2 ? fopen(argv[2], "rb") : NULL;

	if (!file || runs < 1 || runs > RUNS_MAX) {
		fprintf(stderr, "usage: bench_decode WIRE BATCH [RUNS]\n");
		return 2;
	}
	count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	wire = strcmp(argv[1], "hyperlight-0.11") == 0
	               ? GT_WIRE_HYPERLIGHT_0_11
	               : GT_WIRE_HYPERLIGHT_0_12;
	for (unsigned i = 0; i < runs; i++)
		results[i] = events_per_second(wire, bytes, count);
	qsort(results, runs, sizeof(*results), compare);
	printf("%s  %.1f M events/s, from %.1f to %.1f\n", argv[1],
	       results[runs / 2] / 1e6, results[0] / 1e6,
	       results[runs - 1] / 1e6);
	return 0;
}
