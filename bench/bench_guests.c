/* SPDX-License-Identifier: MIT */
/*
 * Many guests in one host process: what each takes of memory and time. Each
 * sample has a process of its own, or it would find memory that the last one
 * freed.
 */
#include "harness.h"
#include "host_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct gt_output nowhere = {.write = NULL};

static double rss_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long size, resident;

	if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
		bench_fail("/proc/self/statm does not read");
	fclose(file);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* Each has announced itself and had a ring's worth of records taken. */
static struct gt_host **start(unsigned guests)
{
	struct gt_host **hosts = calloc(guests, sizeof(struct gt_host *));

	for (unsigned i = 0; hosts && i < guests; i++) {
		hosts[i] = live_host(nowhere);
		live_record(10);
		if (gt_host_drain(hosts[i]) < 0)
			bench_fail("a guest was not read");
	}
	if (!hosts)
		bench_fail("no memory");
	return hosts;
}

static void end(struct gt_host **hosts, unsigned guests)
{
	for (unsigned i = 0; i < guests; i++)
		live_end(hosts[i]);
	free(hosts);
}

static double rss_bytes_each(unsigned guests)
{
	double before = rss_bytes(), after;
	struct gt_host **hosts = start(guests);

	after = rss_bytes();
	end(hosts, guests);
	return (after - before) / guests;
}

static double us_each(unsigned guests)
{
	double before = bench_cpu_seconds();

	end(start(guests), guests);
	return (bench_cpu_seconds() - before) * 1e6 / guests;
}

/* What `measure` returns in a new process. */
static double apart(double (*measure)(unsigned guests), uint64_t guests)
{
	double value;
	int ends[2];
	pid_t child;

	if (pipe(ends) < 0 || (child = fork()) < 0)
		bench_fail("no process");
	if (child == 0) {
		value = measure((unsigned)bench_times(guests));
		_exit(write(ends[1], &value, sizeof(value)) != sizeof(value));
	}
	close(ends[1]);
	if (read(ends[0], &value, sizeof(value)) != sizeof(value))
		bench_fail("a process with guests died");
	close(ends[0]);
	waitpid(child, NULL, 0);
	return value;
}

static double idle_guest(void)
{
	return apart(rss_bytes_each, 1000);
}

#define GUESTS(power)                                              \
	static double us_1e##power(void)                           \
	{                                                          \
		return apart(us_each, (uint64_t)1e##power);        \
	}                                                          \
	static double bytes_1e##power(void)                        \
	{                                                          \
		return apart(rss_bytes_each, (uint64_t)1e##power); \
	}

GUESTS(0)
GUESTS(1)
GUESTS(2)
GUESTS(3)
GUESTS(4)

static const struct bench benches[] = {
	{"rss_per_idle_guest", "bytes", BENCH_COUNT, idle_guest},
	{"scaling_guests_1e0_time", "us", BENCH_COUNT, us_1e0},
	{"scaling_guests_1e1_time", "us", BENCH_COUNT, us_1e1},
	{"scaling_guests_1e2_time", "us", BENCH_COUNT, us_1e2},
	{"scaling_guests_1e3_time", "us", BENCH_COUNT, us_1e3},
	{"scaling_guests_1e4_time", "us", BENCH_COUNT, us_1e4},
	{"scaling_guests_1e0_memory", "bytes", BENCH_COUNT, bytes_1e0},
	{"scaling_guests_1e1_memory", "bytes", BENCH_COUNT, bytes_1e1},
	{"scaling_guests_1e2_memory", "bytes", BENCH_COUNT, bytes_1e2},
	{"scaling_guests_1e3_memory", "bytes", BENCH_COUNT, bytes_1e3},
	{"scaling_guests_1e4_memory", "bytes", BENCH_COUNT, bytes_1e4},
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, benches,
	                  sizeof(benches) / sizeof(benches[0]));
}
