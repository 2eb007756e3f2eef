/* SPDX-License-Identifier: MIT */
/*
 * What all benchmarks share: samples that take turns, a bare rdtsc measured
 * beside each of them, medians, and one JSON object per line and benchmark.
 * A benchmark prints and exits; it is no test, and no time makes it fail.
 */
#ifndef GUESTTRACE_BENCH_HARNESS_H
#define GUESTTRACE_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bench_kind {
	BENCH_COST,  /* nanoseconds each: the ratio is to one rdtsc */
	BENCH_RATE,  /* items per second: the ratio is of one item */
	BENCH_COUNT, /* no time: no ratio */
};

struct bench {
	const char *name;
	const char *unit;
	enum bench_kind kind;
	double (*sample)(void);
};

/* Looking for breakage alone: one sample of little work each. */
extern bool bench_quick;

/* `count`, or so much less that it takes no time when quick; at least 1. */
uint64_t bench_times(uint64_t count);

double bench_seconds(void);

/* Of this thread on a CPU, for samples so long that others come between. */
double bench_cpu_seconds(void);

/* Nanoseconds for each of the `count` rounds of `loop`. */
double bench_ns_each(void (*loop)(uint64_t count), uint64_t count);

/*
 * Options: --quick, --list, --runs N (default 15), and the names of the
 * benchmarks to run, all without one. Returns the exit status: 2 for a name
 * that is none of `benches`.
 */
int bench_main(int argc, char **argv, const struct bench *benches,
               size_t count);

/* Something that no benchmark can do without is missing: says it, exits. */
_Noreturn void bench_fail(const char *what);

#endif
