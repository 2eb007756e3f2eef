/* SPDX-License-Identifier: MIT */
/*
 * What a Hyperlight batch may cost (threat C8): a small one may unfold to a
 * huge tree, since anything may be named by any number of offsets.
 */
#include "tests/support/cpu_time.h"
#include "hyperlight_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define WIRE_11 GT_WIRE_HYPERLIGHT_0_11
#define WIRE_12 GT_WIRE_HYPERLIGHT_0_12

static const char *directory;

struct seen {
	unsigned events;
	uint64_t output_bytes;
	struct gt_hyperlight_event last; /* its texts are in the batch */
};

/* What is shown, counted without looking at it. */
static int count(void *context, const struct gt_hyperlight_event *event)
{
	struct seen *seen = context;

	seen->events++;
	seen->last = *event;
	return 0;
}

static int show(void *context, const struct gt_hyperlight_event *event)
{
	struct seen *seen = context;

	seen->output_bytes += batch_output_bytes(event);
	return count(context, event);
}

static struct gt_hyperlight_result result;
static struct seen seen;

static int decode_limited(enum gt_wire wire, const struct batch *batch,
                          const struct gt_hyperlight_limits *limits)
{
	seen = (struct seen){0};
	return gt_hyperlight_decode(wire, batch->bytes, batch->count, limits,
	                            show, &seen, &result);
}

static int decode(enum gt_wire wire, const struct batch *batch)
{
	return decode_limited(wire, batch, NULL);
}

static void a_batch_over_its_limit_is_refused(void **state)
{
	struct gt_hyperlight_limits limits = {.size = sizeof(limits),
	                                      .batch_bytes = 87};
	struct batch batch = batch_read(directory, WIRE_11, "close");

	(void)state;
	assert_int_equal(decode_limited(WIRE_11, &batch, &limits),
	                 -GT_ERROR_BATCH_TOO_LONG);
	assert_int_equal(seen.events, 0);
	assert_int_equal(result.errors[0], 1);
	limits.batch_bytes = 88;
	assert_int_equal(decode_limited(WIRE_11, &batch, &limits), 0);
	batch_free(&batch);
}

static void over_the_visits_the_good_prefix_is_kept(void **state)
{
	struct gt_hyperlight_limits limits = {.size = sizeof(limits)};
	struct batch batch = batch_read(directory, WIRE_11, "mix30");
	unsigned most = 0;
	uint64_t all;

	(void)state;
	assert_int_equal(decode(WIRE_11, &batch), 0);
	all = result.visits;
	for (limits.visits = 1; limits.visits < all; limits.visits++) {
		assert_int_equal(decode_limited(WIRE_11, &batch, &limits),
		                 -GT_ERROR_OVER_VISITS);
		assert_true(seen.events >= most && seen.events < 31);
		assert_true(result.visits <= limits.visits);
		most = seen.events;
	}
	assert_int_equal(decode_limited(WIRE_11, &batch, &limits), 0);
	assert_int_equal(seen.events, 31);
	batch_free(&batch);
}

static void over_the_output_the_good_prefix_is_kept(void **state)
{
	struct gt_hyperlight_limits limits = {.size = sizeof(limits)};
	struct batch batch = batch_read(directory, WIRE_12, "mix30");
	uint64_t all;

	(void)state;
	assert_int_equal(decode(WIRE_12, &batch), 0);
	all = result.output_bytes;
	assert_int_equal(all, seen.output_bytes);
	for (limits.output_bytes = 1; limits.output_bytes < all;
	     limits.output_bytes++) {
		assert_int_equal(decode_limited(WIRE_12, &batch, &limits),
		                 -GT_ERROR_OVER_OUTPUT);
		assert_true(seen.events < 30);
		assert_true(seen.output_bytes <= limits.output_bytes);
	}
	assert_int_equal(decode_limited(WIRE_12, &batch, &limits), 0);
	batch_free(&batch);
}

/* The start of 0.11 takes what an event does: 32 bytes. */
static void the_start_is_within_the_output_too(void **state)
{
	struct gt_hyperlight_limits limits = {.size = sizeof(limits),
	                                      .output_bytes = 31};
	struct batch batch = batch_read(directory, WIRE_11, "close");

	(void)state;
	assert_int_equal(decode_limited(WIRE_11, &batch, &limits),
	                 -GT_ERROR_OVER_OUTPUT);
	assert_int_equal(seen.events, 0);
	limits.output_bytes = 32;
	decode_limited(WIRE_11, &batch, &limits);
	assert_int_equal(seen.events, 1);
	batch_free(&batch);
}

static void a_text_may_be_of_any_length(void **state)
{
	struct gt_hyperlight_limits limits = {.size = sizeof(limits),
	                                      .string_bytes = SIZE_MAX};
	struct batch batch = batch_read(directory, WIRE_12, "mix30");

	(void)state;
	assert_int_equal(decode_limited(WIRE_12, &batch, &limits), 0);
	assert_int_equal(result.strings_cut, 0);
	assert_int_equal(seen.events, 30);
	batch_free(&batch);
}

/* mix30 again and again: what a good batch of 1 MiB is, 230 times its events.
 */
static struct batch good_batch(unsigned *ret_copies)
{
	struct batch one = batch_read(directory, WIRE_12, "mix30");
	unsigned copies = (1u << 20) / (unsigned)one.count;
	struct batch batch = {malloc(copies * one.count), copies * one.count};

	for (unsigned i = 0; i < copies; i++)
		memcpy(batch.bytes + i * one.count, one.bytes, one.count);
	batch_free(&one);
	*ret_copies = copies;
	return batch;
}

struct decoding {
	enum gt_wire wire;
	struct batch batch;
};

static void decode_once(void *context)
{
	const struct decoding *decoding = context;

	decode(decoding->wire, &decoding->batch);
}

/* Seen is at most 1.8, and from 90 up where strings are visited for nothing. */
#define TIMES_GOOD 8

static uint64_t good_ns, good_visits;

static void measure_a_good_batch(void)
{
	unsigned copies;
	struct decoding good = {WIRE_12, good_batch(&copies)};

	good_ns = cpu_fastest_ns(decode_once, &good);
	good_visits = result.visits;
	batch_free(&good.batch);
}

/* Output within 16 times the batch, visits within its bytes, and no
 * visit hides work: it takes at most TIMES_GOOD times as long as a good one. */
static void costs_little(enum gt_wire wire, struct batch batch)
{
	struct decoding decoding = {wire, batch};
	int r = decode(wire, &batch);

	assert_true(r == 0 || r == -GT_ERROR_OVER_VISITS ||
	            r == -GT_ERROR_OVER_OUTPUT);
	assert_true(result.output_bytes <= 16 * batch.count);
	assert_true(result.visits <= batch.count);
	assert_true(
		cpu_within(decode_once, &decoding,
	                   TIMES_GOOD * good_ns * result.visits / good_visits));
	batch_free(&decoding.batch);
}

static const uint32_t string_bytes[] = {0, 4, 100, 1000, 60000};
static const uint8_t fillers[] = {'a', 0xc3};

static void a_shared_field_costs_neither_time_nor_memory(void **state)
{
	(void)state;
	measure_a_good_batch();
	for (uint32_t fields = 500; fields <= 32000; fields *= 2)
		for (size_t i = 0; i < 10; i++)
			costs_little(WIRE_12,
			             batch_shared_field(fields,
			                                string_bytes[i / 2],
			                                fillers[i % 2]));
}

static void a_shared_event_costs_neither_time_nor_memory(void **state)
{
	(void)state;
	measure_a_good_batch();
	for (uint32_t events = 500; events <= 32000; events *= 2)
		for (size_t i = 0; i < 5; i++)
			costs_little(WIRE_11, batch_shared_event(
						      events, string_bytes[i]));
}

static void shared_empty_strings_are_accepted(void **state)
{
	struct batch batch = batch_shared_field(10000, 0, 'a');

	(void)state;
	assert_int_equal(decode(WIRE_12, &batch), 0);
	assert_int_equal(seen.last.field_count, 10000);
	batch_free(&batch);
}

static void a_string_of_nearly_1_mib_is_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct batch batch =
			batch_shared_field(0, (1u << 20) - 100, fillers[i]);

		assert_int_equal(decode(WIRE_12, &batch), 0);
		assert_int_equal(seen.last.name.count, (1u << 20) - 100);
		batch_free(&batch);
	}
}

static void a_batch_of_1_mib_is_good(void **state)
{
	unsigned copies;
	struct batch batch = good_batch(&copies);

	(void)state;
	assert_int_equal(decode(WIRE_12, &batch), 0);
	assert_int_equal(seen.events, 30 * copies);
	batch_free(&batch);
}

/* The most that a batch can make of itself. */
static void the_worst_batches_of_1_mib_end_in_time(void **state)
{
	static const uint32_t bytes[] = {0, 12, 1000, 400000};

	(void)state;
	measure_a_good_batch();
	for (size_t i = 0; i < 8; i++) {
		uint32_t count = ((1u << 20) - 200 - bytes[i / 2]) / 4;

		costs_little(WIRE_12, batch_shared_field(count, bytes[i / 2],
		                                         fillers[i % 2]));
		costs_little(WIRE_11, batch_shared_event(count, bytes[i / 2]));
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_over_its_limit_is_refused),
		cmocka_unit_test(over_the_visits_the_good_prefix_is_kept),
		cmocka_unit_test(over_the_output_the_good_prefix_is_kept),
		cmocka_unit_test(the_start_is_within_the_output_too),
		cmocka_unit_test(a_text_may_be_of_any_length),
		cmocka_unit_test(a_shared_field_costs_neither_time_nor_memory),
		cmocka_unit_test(a_shared_event_costs_neither_time_nor_memory),
		cmocka_unit_test(shared_empty_strings_are_accepted),
		cmocka_unit_test(a_string_of_nearly_1_mib_is_good),
		cmocka_unit_test(a_batch_of_1_mib_is_good),
		cmocka_unit_test(the_worst_batches_of_1_mib_end_in_time),
	};
	if (argc != 2)
		return 2;
	directory = argv[1];
	return cmocka_run_group_tests_name("hyperlight_limits", tests, NULL,
	                                   NULL);
}
