/* SPDX-License-Identifier: MIT */
/*
 * The exitless ring: a guest on one thread, a reader on another. A hash of all
 * that was recorded equals a hash of all that arrived, in order. Built with
 * ThreadSanitizer. An argument is the number of records.
 */
#define GT_TARGET "exitless"
#include "tests/support/exitless_settings.h"
#include "tests/support/process_memory.h"

#include <guesttrace/guest.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

void exitless_doorbell(uint64_t operation, uint64_t control_gva);

static uint64_t records = 300000;
static uint64_t ring[(64 << 10) / 8];
static struct gt_host *host;
static int wake_fd;
static atomic_bool stop;
static atomic_uint flushes, wakes;

struct tally {
	uint64_t hash, count;
};

static struct tally sent, received;
static struct gt_summary summary;

/* Order counts, and so does every bit. */
static void add(struct tally *tally, uint64_t a, uint64_t b)
{
	tally->hash = (tally->hash ^ a) * UINT64_C(0x9e3779b97f4a7c15);
	tally->hash = (tally->hash ^ tally->hash >> 29 ^ b) *
	              UINT64_C(0xff51afd7ed558ccd);
	tally->count++;
}

/* ---- Host ---------------------------------------------------------------- */

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink, (void)trace;
	assert_int_equal(event->field_count, 2);
	add(&received, event->fields[0].value.u64, event->fields[1].value.u64);
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *from)
{
	(void)sink, (void)trace;
	summary = *from;
	return 0;
}

void exitless_doorbell(uint64_t operation, uint64_t control_gva)
{
	struct gt_exit exit = process_memory_exit();
	uint64_t one = 1;

	exit.r9 = control_gva;
	exit.r10 = operation;
	if ((uint32_t)operation == GT_DOORBELL_FLUSH)
		atomic_fetch_add(&flushes, 1);
	if (gt_host_exit(host, 0, &exit) == GT_ANSWER_WAKE) {
		atomic_fetch_add(&wakes, 1);
		assert_int_equal(write(wake_fd, &one, sizeof(one)), 8);
	}
	gt_host_enter(host, 0, 0);
}

/* False: nobody rang within the time that a ring takes by far. */
static bool sleep_until_rung(int timeout_ms)
{
	struct pollfd fd = {.fd = wake_fd, .events = POLLIN};
	uint64_t count;

	if (poll(&fd, 1, timeout_ms) <= 0)
		return false;
	assert_int_equal(read(wake_fd, &count, sizeof(count)), 8);
	return true;
}

/* Always asleep when it can be: each block needs its wake-up. */
static void *read_asleep(void *unused)
{
	while (!atomic_load(&stop)) {
		assert_true(gt_host_drain(host) >= 0);
		if (gt_host_want_wake(host, true) == 0)
			sleep_until_rung(10);
		gt_host_want_wake(host, false);
	}
	return unused;
}

/* Never asleep: no doorbell at all, unless the ring is full. */
static void *read_awake(void *unused)
{
	while (!atomic_load(&stop))
		assert_true(gt_host_drain(host) >= 0);
	return unused;
}

/* ---- Guest --------------------------------------------------------------- */

static void *record(void *unused)
{
	uint64_t x = 1;

	for (uint64_t i = 0; i < records; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
		GT_EVENT(GT_INFO, "e", gt_u64("i", i), gt_u64("x", x));
		add(&sent, i, x);
	}
	return unused;
}

static void run(enum gt_ring_mode mode, void *(*reader)(void *))
{
	struct gt_sink sink = {.event = on_event, .end = on_end};
	struct gt_sink *sinks[] = {&sink};
	struct gt_host_options options = {
		.size = sizeof(options), .sinks = sinks, .sink_count = 1};
	pthread_t threads[2];

	sent = received = (struct tally){0};
	atomic_store(&stop, false);
	atomic_store(&flushes, 0);
	atomic_store(&wakes, 0);
	wake_fd = eventfd(0, EFD_CLOEXEC);
	options.memory_slots = process_memory_slots(options.memory);
	assert_int_equal(gt_host_new(&options, &host), 0);
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = sizeof(ring),
	                             .mode = mode});
	pthread_create(&threads[0], NULL, reader, NULL);
	pthread_create(&threads[1], NULL, record, NULL);
	pthread_join(threads[1], NULL);
	atomic_store(&stop, true);
	pthread_join(threads[0], NULL);
	assert_int_equal(gt_host_finish(host, GT_ENDING_HALTED, 0, NULL), 0);
	gt_host_free(host);
	close(wake_fd);
	assert_int_equal(summary.losses.bad_records, 0);
	assert_int_equal(summary.losses.late_records, 0);
	assert_int_equal(summary.losses.adjusted_records, 0);
	printf("# %" PRIu64
	       " records, %u flushes, %u wake-ups, hash %016" PRIx64 "\n",
	       received.count, atomic_load(&flushes), atomic_load(&wakes),
	       received.hash);
}

static void a_sleeping_reader_gets_every_record_in_order(void **unused)
{
	(void)unused;
	run(GT_RING_FLUSH, read_asleep);
	assert_int_equal(received.count, records);
	assert_true(received.hash == sent.hash);
	assert_int_equal(summary.losses.records, 0);
}

static void a_reader_that_stays_awake_gets_every_record(void **unused)
{
	(void)unused;
	run(GT_RING_FLUSH, read_awake);
	assert_int_equal(received.count, records);
	assert_true(received.hash == sent.hash);
	assert_int_equal(summary.losses.records, 0);
	assert_int_equal(atomic_load(&wakes), 0);
}

static void what_a_slow_reader_costs_is_counted_exactly(void **unused)
{
	(void)unused;
	run(GT_RING_DROP, read_asleep);
	assert_int_equal(received.count + summary.losses.records, records);
	assert_int_equal(atomic_load(&flushes), 0);
}

static void every_block_wakes_who_asked(void **unused)
{
	struct gt_host_options options = {.size = sizeof(options)};

	(void)unused;
	wake_fd = eventfd(0, EFD_CLOEXEC);
	options.memory_slots = process_memory_slots(options.memory);
	assert_int_equal(gt_host_new(&options, &host), 0);
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = sizeof(ring)});
	GT_EVENT(GT_INFO, "first");
	assert_int_equal(gt_host_drain(host), 1);
	assert_int_equal(gt_host_drain(host), 0);
	assert_int_equal(gt_host_want_wake(host, true), 0);
	for (unsigned i = 0; i < 4096 / 16; i++)
		GT_EVENT(GT_INFO, "one block");
	assert_true(sleep_until_rung(0));
	assert_int_equal(gt_host_want_wake(host, true), 1);
	assert_int_equal(gt_host_want_wake(host, false), 0);
	gt_host_drain(host);
	for (unsigned i = 0; i < 4096 / 16; i++)
		GT_EVENT(GT_INFO, "one block");
	assert_false(sleep_until_rung(0));
	gt_host_free(host);
	close(wake_fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_block_wakes_who_asked),
		cmocka_unit_test(a_sleeping_reader_gets_every_record_in_order),
		cmocka_unit_test(a_reader_that_stays_awake_gets_every_record),
		cmocka_unit_test(what_a_slow_reader_costs_is_counted_exactly),
	};

	if (argc > 1)
		records = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
