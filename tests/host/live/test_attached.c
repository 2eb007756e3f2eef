/* SPDX-License-Identifier: MIT */
/*
 * A reader in another process, which nobody told of the guest: times by what
 * the records prove, an owner, and a lease that the guest itself ends. The
 * guest's TSC is the host's and OFFSET.
 */
#define GT_TARGET "attached"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include <guesttrace/attach.h>
#include <guesttrace/guest.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define OFFSET UINT64_C(5000000)
#define MS     UINT64_C(1000000) /* a tick of that clock is a ns */
#define LEASE  (1000 * MS)

static uint64_t ring[GT_RING_BYTES_MIN / 8];

/* ---- What is shown ------------------------------------------------------- */

static struct {
	uint64_t begun, events, far_ns; /* the farthest from when it was */
	struct gt_summary summary;
} shown;

static int on_begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	(void)sink;
	(void)trace;
	shown.begun++;
	return 0;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	uint64_t at = event->fields[0].value.u64;
	uint64_t far =
		at > event->time_ns ? at - event->time_ns : event->time_ns - at;

	(void)sink;
	(void)trace;
	shown.events++;
	shown.far_ns = far > shown.far_ns ? far : shown.far_ns;
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)sink;
	(void)trace;
	shown.summary = *summary;
	return 0;
}

static struct gt_sink watching = {
	.begin = on_begin, .event = on_event, .end = on_end};
static struct gt_sink *const sinks[] = {&watching};

static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	(void)context;
	inproc_now++;
	*ret_reading = (struct gt_clock_reading){
		.tsc = inproc_now - OFFSET,
		.monotonic_ns = inproc_now,
		.realtime_ns = inproc_now,
		.gap_ns = 1,
	};
}

/* ---- The guest ----------------------------------------------------------- */

static void record(void)
{
	GT_EVENT(GT_INFO, "e", gt_u64("at", inproc_now));
}

static void start(enum gt_ring_mode mode, enum gt_level level)
{
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring),
	                           .mode = mode,
	                           .level = level};

	memset(&shown, 0, sizeof(shown));
	inproc_now = 3600 * 1000 * MS;
	gt_init(&guest);
}

static bool is_on(void)
{
	uint64_t before = gt_vcpu0.ring[0].pos + gt_vcpu0.ring[0].lost;

	record();
	return gt_vcpu0.ring[0].pos + gt_vcpu0.ring[0].lost != before;
}

/* ---- The reader ---------------------------------------------------------- */

static int attach_as(uint32_t owner, bool takes_over, int64_t tsc_offset,
                     struct gt_host **ret_host)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = process_memory_exit();
	const struct gt_attachment attachment = {
		.size = sizeof(attachment),
		.control_gva = (uintptr_t)&gt_control,
		.root = exit.cr3,
		.takes_over = takes_over,
		.owner = owner,
		.lease_ticks = LEASE,
		.tsc_offset = tsc_offset,
		.settle_ns = 1,
	};

	options.sinks = sinks;
	options.sink_count = 1;
	options.read_clock = read_clock;
	options.random = NULL;
	return gt_host_attach(&options, &attachment, ret_host);
}

static struct gt_host *attach(void)
{
	struct gt_host *host;

	assert_int_equal(attach_as(77, false, GT_TSC_OFFSET_UNKNOWN, &host), 0);
	return host;
}

static void finish(struct gt_host *host)
{
	assert_int_equal(gt_host_finish(host, GT_ENDING_SNAPSHOT, 0, NULL), 0);
	gt_host_free(host);
}

/* A record some time after a look, and a look some time after that. */
static void run(struct gt_host *host, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		inproc_now += MS / 16 + (unsigned)rand() % (MS / 4);
		record();
		inproc_now += MS / 16 + (unsigned)rand() % (MS / 4);
		assert_true(gt_host_drain(host) >= 0);
	}
}

/* ---- Tests --------------------------------------------------------------- */

static void times_are_within_the_bound_whatever_was_before(void **state)
{
	(void)state;
	for (unsigned mode = GT_RING_DROP; mode <= GT_RING_OVERWRITE; mode++) {
		struct gt_host *host;
		uint64_t bound;

		start((enum gt_ring_mode)mode, GT_INFO);
		for (unsigned i = 0; i < 20; i++, inproc_now += 10 * MS)
			record();
		inproc_now += 1000 * MS;
		host = attach();
		run(host, 100);
		finish(host);
		bound = shown.summary.clock.error_bound_ns;
		assert_int_equal(shown.events, 120);
		assert_true(shown.far_ns <= bound);
		/* Nobody looked for up to 0.6 ms at a time; and 1.2 s before
		 * were slewed by 500 ppm at most. */
		assert_in_range(bound, 1, MS + 1300 * MS / 2000 + MS / 2);
		assert_int_equal(shown.summary.losses.records, 0);
		assert_int_equal(shown.summary.losses.adjusted_records, 0);
	}
}

static void a_known_offset_is_taken_as_it_is(void **state)
{
	struct gt_host *host;

	(void)state;
	start(GT_RING_DROP, GT_OFF);
	assert_int_equal(attach_as(77, false, OFFSET, &host), 0);
	run(host, 20);
	finish(host);
	assert_int_equal(shown.events, 20);
	assert_true(shown.far_ns <= shown.summary.clock.error_bound_ns);
	assert_true(shown.summary.clock.error_bound_ns < MS / 10);
}

static void nothing_is_shown_before_an_offset_is_known(void **state)
{
	struct gt_host *host;

	(void)state;
	start(GT_RING_OVERWRITE, GT_INFO);
	record();
	inproc_now += MS;
	host = attach();
	for (unsigned i = 0; i < 200; i++, inproc_now += MS)
		assert_true(gt_host_drain(host) >= 0);
	assert_int_equal(shown.begun, 0);
	finish(host);
	assert_int_equal(shown.begun, 1);
	assert_int_equal(shown.events, 1);
	/* It may have been any time before. */
	assert_true(shown.summary.clock.error_bound_ns > 1000000 * MS);
}

/* By whom it was read then, or by nobody. */
static void what_a_ring_held_before_is_no_loss(void **state)
{
	(void)state;
	for (unsigned mode = GT_RING_DROP; mode <= GT_RING_OVERWRITE; mode++) {
		start((enum gt_ring_mode)mode, GT_OFF);
		for (unsigned reader = 0; reader < 3; reader++) {
			struct gt_host *host;

			memset(&shown, 0, sizeof(shown));
			assert_int_equal(
				attach_as(77 + reader, false, OFFSET, &host),
				0);
			run(host, sizeof(ring) / 16);
			assert_int_equal(gt_host_detach(host), 0);
			finish(host);
			assert_true(shown.events >= sizeof(ring) / 16);
			assert_int_equal(shown.summary.losses.overwritten_bytes,
			                 0);
			assert_int_equal(shown.summary.losses.records, 0);
		}
		assert_true(gt_vcpu0.ring[0].pos > 2 * sizeof(ring));
	}
}

static void record_bytes(uint64_t bytes)
{
	uint64_t end = gt_vcpu0.ring[0].pos + bytes;

	while (gt_vcpu0.ring[0].pos < end) {
		record();
		inproc_now += 100;
	}
}

/* Between the reader's coming and its first look: of what came since alone. */
static void what_is_overwritten_before_the_first_look_is_no_loss(void **state)
{
	const uint64_t most = 4 * sizeof(ring);

	(void)state;
	for (uint64_t late = 0; late < most; late += sizeof(ring) / 16) {
		struct gt_host *host;
		uint64_t joined, end, lost;

		start(GT_RING_OVERWRITE, GT_INFO);
		record_bytes(2 * sizeof(ring));
		memset(&shown, 0, sizeof(shown));
		assert_int_equal(attach_as(77, false, OFFSET, &host), 0);
		joined = gt_vcpu0.ring[0].pos;
		record_bytes(late);
		end = gt_vcpu0.ring[0].pos;
		assert_true(gt_host_drain(host) >= 0);
		assert_int_equal(gt_host_detach(host), 0);
		finish(host);
		lost = shown.summary.losses.overwritten_bytes;
		/* The ring keeps at least all but the block being written. */
		if (end - joined <= sizeof(ring) - sizeof(ring) / 4)
			assert_int_equal(lost, 0);
		if (end - joined > sizeof(ring))
			assert_true(lost >= end - joined - sizeof(ring));
		assert_true(lost <= end - joined);
	}
}

static void sites_are_as_before_when_it_leaves(void **state)
{
	struct gt_host *host;

	(void)state;
	start(GT_RING_DROP, GT_OFF);
	assert_false(is_on());
	host = attach();
	assert_true(is_on());
	assert_int_equal(gt_host_detach(host), 0);
	assert_false(is_on());
	assert_int_equal(gt_control.owner, 0);
	assert_int_equal(gt_control.lease_ticks, 0);
	finish(host);
	assert_int_equal(shown.events, 1);
}

static void a_second_reader_is_refused(void **state)
{
	struct gt_host *host, *second;
	struct gt_owner owner;

	(void)state;
	start(GT_RING_DROP, GT_OFF);
	host = attach();
	assert_int_equal(attach_as(78, false, 0, &second), -GT_ERROR_HAS_OWNER);
	assert_true(gt_owner_read(&gt_control, sizeof(gt_control), &owner));
	assert_int_equal(owner.owner, 77);
	assert_int_equal(gt_host_drain(host), 0);
	/* Unless it takes it: then the first one writes nothing any more. */
	assert_int_equal(attach_as(78, true, 0, &second), 0);
	record();
	assert_int_equal(gt_host_drain(host), -GT_ERROR_HAS_OWNER);
	assert_int_equal(gt_host_detach(host), -GT_ERROR_HAS_OWNER);
	assert_true(is_on());
	assert_int_equal(gt_host_drain(second), 1);
	finish(host);
	finish(second);
}

static void a_guest_with_an_embedding_host_is_refused(void **state)
{
	struct gt_host_options options = inproc_options();
	struct gt_host *host;

	(void)state;
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	start(GT_RING_DROP, GT_OFF);
	assert_int_equal(gt_control.owner, GT_OWNER_VMM);
	assert_int_equal(attach_as(77, false, 0, &host), -GT_ERROR_HAS_OWNER);
}

static void sites_go_off_when_nobody_looks_any_longer(void **state)
{
	struct gt_host *host, *next;

	(void)state;
	for (unsigned mode = GT_RING_DROP; mode <= GT_RING_OVERWRITE; mode++) {
		start((enum gt_ring_mode)mode, GT_OFF);
		host = attach();
		run(host, 3);
		for (unsigned i = 0; i < 200; i++)
			record(); /* here it sees that somebody lives */
		inproc_now += LEASE - 10 * MS;
		for (unsigned i = 0; i < 200; i++)
			record();
		assert_true(is_on());
		inproc_now += 20 * MS;
		for (unsigned i = 0; i < 200; i++)
			record();
		assert_false(is_on());
		assert_int_equal(gt_control.owner, 0);
		/* It was but late, and takes the guest back. */
		assert_true(gt_host_drain(host) >= 0);
		assert_true(is_on());
		finish(host);
		/* As is one that was killed, its place is taken. */
		assert_int_equal(attach_as(78, true, 0, &next), 0);
		assert_int_equal(gt_host_detach(next), 0);
		finish(next);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			times_are_within_the_bound_whatever_was_before),
		cmocka_unit_test(a_known_offset_is_taken_as_it_is),
		cmocka_unit_test(nothing_is_shown_before_an_offset_is_known),
		cmocka_unit_test(what_a_ring_held_before_is_no_loss),
		cmocka_unit_test(
			what_is_overwritten_before_the_first_look_is_no_loss),
		cmocka_unit_test(sites_are_as_before_when_it_leaves),
		cmocka_unit_test(a_second_reader_is_refused),
		cmocka_unit_test_teardown(
			a_guest_with_an_embedding_host_is_refused,
			inproc_teardown),
		cmocka_unit_test(sites_go_off_when_nobody_looks_any_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
