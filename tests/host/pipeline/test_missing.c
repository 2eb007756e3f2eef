/* SPDX-License-Identifier: MIT */
/*
 * When records were lost: random guests in the test's own process, of which the
 * test knows what became of each record and at what time it was tried.
 */
#define GT_TARGET "missing"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include <guesttrace/guest.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define RUNS   2000u
#define TRIES  3000u
#define LOSSES 4000u

static uint64_t ring[GT_RING_BYTES_MIN / 8];

/* A record that was tried: when, and whether it is known to be lost. */
static struct {
	uint64_t from_ns, to_ns;
	bool lost, shown;
} tries[TRIES];
static unsigned try_count;

static struct gt_loss_view losses[LOSSES];
static unsigned loss_count;
static uint64_t last_sequence;
static struct gt_summary summary;
static unsigned flags_at_end;

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	(void)trace;
	assert_true(event->fields[0].value.u64 < try_count);
	tries[event->fields[0].value.u64].shown = true;
	last_sequence = event->sequence;
	return 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	flags_at_end = span->flags;
	return 0;
}

static int on_loss(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_loss_view *loss)
{
	(void)sink;
	assert_true(loss_count < LOSSES);
	assert_true(trace->start_ns <= loss->from_ns);
	assert_true(loss->from_ns <= loss->to_ns);
	assert_int_equal(loss->sequence, last_sequence);
	losses[loss_count++] = *loss;
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *end)
{
	(void)sink;
	(void)trace;
	summary = *end;
	return 0;
}

static void start(enum gt_ring_mode mode)
{
	static struct gt_sink sink = {.event = on_event,
	                              .close = on_close,
	                              .loss = on_loss,
	                              .end = on_end};
	struct gt_sink *sinks[] = {&sink};
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring),
	                           .mode = mode};

	host.sinks = sinks;
	try_count = loss_count = flags_at_end = 0;
	last_sequence = 0;
	memset(tries, 0, sizeof(tries));
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
}

static void finish(enum gt_ending ending)
{
	assert_int_equal(gt_host_finish(inproc_host, ending, 0, NULL), 0);
	gt_host_free(inproc_host);
	inproc_host = NULL;
}

static void try_one(unsigned size)
{
	uint64_t lost = gt_vcpu0.ring[0].lost, i = try_count++;

	inproc_now += (unsigned)rand() % 40;
	tries[i].from_ns = inproc_now;
	if (size == 0)
		GT_EVENT(GT_INFO, "small", gt_u64("i", i));
	else
		GT_EVENT(GT_INFO, "large", gt_u64("i", i), gt_u64("a", 1),
		         gt_u64("b", 2), gt_u64("c", 3), gt_u64("d", 4));
	tries[i].to_ns = inproc_now;
	tries[i].lost = gt_vcpu0.ring[0].lost != lost;
}

/* Each that is lost, in the order of time, is in the interval that counts it.
 */
static void expect_records(void)
{
	uint64_t left = 0, sum = 0;
	unsigned i, at = 0;

	for (i = 0; i < try_count; i++) {
		if (!tries[i].lost)
			continue;
		while (left == 0) {
			assert_true(at < loss_count);
			left = losses[at++].records;
		}
		left--;
		assert_true(losses[at - 1].from_ns <= tries[i].to_ns);
		assert_true(tries[i].from_ns <= losses[at - 1].to_ns);
	}
	for (i = 0; i < loss_count; i++)
		sum += losses[i].records;
	assert_int_equal(left, 0);
	assert_int_equal(sum, summary.losses.records);
}

/* What was recorded and is not shown was overwritten, within an interval. */
static void expect_overwritten(void)
{
	uint64_t sum = 0;
	unsigned i, j;

	for (i = 0; i < try_count; i++) {
		if (tries[i].lost || tries[i].shown)
			continue;
		for (j = 0; j < loss_count; j++)
			if (losses[j].overwritten_bytes &&
			    losses[j].from_ns <= tries[i].to_ns &&
			    tries[i].from_ns <= losses[j].to_ns)
				break;
		assert_true(j < loss_count);
	}
	for (i = 0; i < loss_count; i++)
		sum += losses[i].overwritten_bytes;
	assert_int_equal(sum, summary.losses.overwritten_bytes);
}

static void run(enum gt_ring_mode mode)
{
	unsigned drains = 1 + (unsigned)rand() % 400, i;
	unsigned count = (unsigned)rand() % TRIES;

	start(mode);
	for (i = 0; i < count; i++) {
		try_one((unsigned)rand() % 3);
		if ((unsigned)rand() % drains == 0)
			assert_true(gt_host_drain(inproc_host) >= 0);
	}
	finish(GT_ENDING_HALTED);
	expect_records();
	expect_overwritten();
}

static void each_lost_record_is_in_the_interval_that_counts_it(void **state)
{
	static const enum gt_ring_mode modes[] = {
		GT_RING_DROP, GT_RING_OVERWRITE, GT_RING_FLUSH};
	unsigned i, with_losses = 0;

	(void)state;
	for (i = 0; i < RUNS; i++) {
		srand(i);
		run(modes[i % 3]);
		with_losses += loss_count > 0;
	}
	assert_true(with_losses > RUNS / 4);
}

/* Between two drains of a ring that is full: the interval is that short. */
static void an_interval_is_no_longer_than_from_drain_to_drain(void **state)
{
	uint64_t before, behind;
	unsigned i;

	(void)state;
	start(GT_RING_DROP);
	for (i = 0; i < 20; i++)
		try_one(0);
	inproc_now += 1000000;
	before = inproc_now;
	assert_true(gt_host_drain(inproc_host) >= 0);
	for (i = 0; i < 300; i++)
		try_one(0);
	assert_true(gt_host_drain(inproc_host) >= 0);
	behind = inproc_now;
	inproc_now += 1000000;
	for (i = 0; i < 20; i++)
		try_one(0);
	finish(GT_ENDING_HALTED);
	assert_int_equal(loss_count, 1);
	assert_in_range(losses[0].from_ns, before, behind);
	assert_in_range(losses[0].to_ns, before, behind);
	expect_records();
}

/* A span whose close is lost did not last until the end of a good run. */
static void lose_a_close(enum gt_ending ending)
{
	start(GT_RING_DROP);
	{
		GT_SPAN(a, GT_INFO, "a");
		while (gt_vcpu0.ring[0].lost == 0)
			try_one(0);
	}
	finish(ending);
}

static void a_close_that_may_be_lost_is_no_interruption(void **state)
{
	(void)state;
	lose_a_close(GT_ENDING_HALTED);
	assert_int_equal(flags_at_end, GT_SPAN_CLOSE_LOST);
	lose_a_close(GT_ENDING_ABORTED);
	assert_int_equal(flags_at_end,
	                 GT_SPAN_CLOSE_LOST | GT_SPAN_INTERRUPTED);
	start(GT_RING_DROP);
	{
		struct gt_span a;

		while (gt_vcpu0.ring[0].lost == 0)
			try_one(0);
		assert_true(gt_host_drain(inproc_host) >= 0);
		inproc_now += 1000;
		GT_OPEN(a, GT_INFO, "opened behind the loss, and left open");
		(void)a;
	}
	finish(GT_ENDING_HALTED);
	assert_int_equal(flags_at_end, GT_SPAN_INTERRUPTED);
}

/* No record stands where the guest's memory was damaged. */
static void what_is_no_record_lies_between_two_looks(void **state)
{
	uint64_t before, behind;
	unsigned i;

	(void)state;
	start(GT_RING_DROP);
	for (i = 0; i < 10; i++)
		try_one(0);
	before = inproc_now;
	assert_true(gt_host_drain(inproc_host) >= 0);
	for (i = 0; i < 10; i++)
		try_one(0);
	ring[gt_vcpu0.ring[0].pos / 8 - 3] = UINT64_MAX;
	assert_true(gt_host_drain(inproc_host) >= 0);
	behind = inproc_now;
	inproc_now += 1000;
	finish(GT_ENDING_HALTED);
	assert_int_equal(loss_count, 1);
	assert_int_equal(losses[0].bad_records, summary.losses.bad_records);
	assert_int_equal(losses[0].bad_bytes, summary.losses.bad_bytes);
	assert_in_range(losses[0].from_ns, before, behind);
	assert_in_range(losses[0].to_ns, before, behind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_lost_record_is_in_the_interval_that_counts_it),
		cmocka_unit_test(
			an_interval_is_no_longer_than_from_drain_to_drain),
		cmocka_unit_test(a_close_that_may_be_lost_is_no_interruption),
		cmocka_unit_test(what_is_no_record_lies_between_two_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
