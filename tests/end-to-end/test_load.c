/* SPDX-License-Identifier: MIT */
/*
 * A guest that records 200,000 spans and events a second, for as many seconds
 * as the argument says, and a host that drains it beside it, with a capture and
 * formats that stream: nothing is lost, and after the first third (of the long
 * run after the second minute) memory grows by less than 1 %.
 */
#define GT_TARGET "load"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include <guesttrace/guest.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define PER_SECOND UINT64_C(200000)
#define PER_ROUND  20u /* one span, and the events in it */
#define ROUND_NS   (UINT64_C(1000000000) * PER_ROUND / PER_SECOND)

static uint64_t seconds = 10;
static uint64_t ring[(256 << 10) / 8];
static _Atomic bool done;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void nap(long ns)
{
	const struct timespec time = {.tv_nsec = ns};

	nanosleep(&time, NULL);
}

/* As in a VMM: the host's own clock, and the guest's TSC is the host's. */
static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	(void)context;
	*ret_reading = (struct gt_clock_reading){
		.tsc = now_ns(),
		.monotonic_ns = now_ns(),
		.realtime_ns = now_ns(),
		.gap_ns = 1000,
	};
}

static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long all, resident;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &all, &resident), 2);
	fclose(file);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- What takes the records ---------------------------------------------- */

static int count_bytes(void *context, const void *bytes, size_t count)
{
	(void)bytes;
	*(uint64_t *)context += count;
	return 0;
}

static struct gt_summary ended;
static uint64_t events, spans;

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	(void)trace;
	(void)event;
	events++;
	return 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	(void)span;
	spans++;
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)sink;
	(void)trace;
	ended = *summary;
	return 0;
}

static void *drain(void *context)
{
	while (!atomic_load(&done)) {
		gt_host_drain(context);
		nap(1000000);
	}
	return NULL;
}

/* ---- The guest ----------------------------------------------------------- */

static void record(uint64_t number)
{
	GT_SPAN(work, GT_INFO, "work", gt_u64("number", number));

	for (unsigned i = 1; i < PER_ROUND; i++)
		GT_EVENT(GT_INFO, "tick", gt_u64("i", i),
		         gt_str("text", "abcdefgh"));
}

/* Late rounds are made up for: so many a second they are in any case. */
static uint64_t run(uint64_t settled_s, uint64_t *ret_settled_bytes)
{
	uint64_t start = now_ns(), rounds = 0;

	*ret_settled_bytes = 0;
	while (rounds < seconds * 1000000000 / ROUND_NS) {
		uint64_t due = (now_ns() - start) / ROUND_NS;

		for (; rounds < due; rounds++)
			record(rounds);
		if (!*ret_settled_bytes &&
		    now_ns() - start > settled_s * 1000000000)
			*ret_settled_bytes = resident_bytes();
		nap(500000);
	}
	return rounds;
}

/*
 * 1 %; or a buffer that was once larger because the drainer came late: a byte
 * for each record would be more in the shortest run.
 */
static uint64_t growth_max(uint64_t settled_bytes)
{
	uint64_t buffer = (uint64_t)512 << 10;

	return settled_bytes / 100 > buffer ? settled_bytes / 100 : buffer;
}

static void nothing_is_lost_and_memory_does_not_grow(void **unused)
{
	struct gt_host_options options = inproc_options();
	uint64_t bytes[3] = {0}, settled, end, rounds;
	struct gt_sink counting = {
		.event = on_event, .close = on_close, .end = on_end};
	struct gt_sink *sinks[3] = {&counting};
	pthread_t drainer;

	(void)unused;
	assert_int_equal(
		gt_perfetto_new(&(struct gt_output){count_bytes, &bytes[1]},
	                        &sinks[1]),
		0);
	assert_int_equal(gt_csv_new(&(struct gt_output){count_bytes, &bytes[2]},
	                            &sinks[2]),
	                 0);
	options.sinks = sinks;
	options.sink_count = 3;
	options.capture = (struct gt_output){count_bytes, &bytes[0]};
	options.read_clock = read_clock;
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = sizeof(ring)});
	assert_int_equal(pthread_create(&drainer, NULL, drain, inproc_host), 0);
	rounds = run(seconds > 360 ? 120 : seconds / 3, &settled);
	end = resident_bytes();
	atomic_store(&done, true);
	pthread_join(drainer, NULL);
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	printf("# %lu records, %lu bytes of capture, %lu KiB resident, %lu at "
	       "the end\n",
	       (unsigned long)(events + spans), (unsigned long)bytes[0],
	       (unsigned long)settled >> 10, (unsigned long)end >> 10);
	assert_int_equal(events, rounds * (PER_ROUND - 1));
	assert_int_equal(spans, rounds);
	assert_int_equal(ended.losses.records, 0);
	assert_int_equal(ended.losses.bad_records, 0);
	assert_true(end < settled + growth_max(settled));
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(sinks[i]->finish(sinks[i]), 0);
		sinks[i]->free(sinks[i]);
	}
	gt_host_free(inproc_host);
	inproc_host = NULL;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_and_memory_does_not_grow),
	};

	if (argc > 1)
		seconds = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
