/* SPDX-License-Identifier: MIT */
/* Batches of the Hyperlight wires at the door: r8, r9, r10 and the exit. */
#include "tests/support/inproc.h"

#include <guesttrace/batch.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BATCH_BYTES_MAX 4096u

static uint8_t batch[8192] __attribute__((aligned(4096)));
static size_t batch_bytes;

static int setup(void **state)
{
	struct gt_host_options options = inproc_options();

	(void)state;
	options.wire = GT_WIRE_HYPERLIGHT_0_12;
	options.limits.batch_bytes = BATCH_BYTES_MAX;
	inproc_clear();
	return gt_host_new(&options, &inproc_host);
}

static struct gt_exit exit_with(uint64_t r9, uint64_t r10)
{
	struct gt_exit exit = process_memory_exit();

	exit.r8 = GT_BATCH_MAGIC;
	exit.r9 = r9;
	exit.r10 = r10;
	return exit;
}

static int send(const struct gt_exit *exit)
{
	return gt_host_exit(inproc_host, 0, exit);
}

/* The guest goes on, and the next good batch arrives. */
static void expect_refusal(int code, uint64_t r9, uint64_t r10)
{
	struct gt_exit bad = exit_with(r9, r10);
	struct gt_exit good = exit_with((uintptr_t)batch, batch_bytes);

	assert_int_equal(send(&bad), code);
	assert_int_equal(send(&good), 1);
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	assert_int_equal(inproc_summary.losses.bad_requests, 1);
	assert_int_equal(inproc_summary.events, 1);
}

/* ---- Calls of malloc() and its kin --------------------------------------- */

static uint64_t allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	allocations++;
	return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	allocations++;
	return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
	allocations++;
	return __real_realloc(old, bytes);
}

/* ---- Batches that are none ----------------------------------------------- */

/* Threat A3. */
static void a_length_that_is_none_allocates_nothing(void **state)
{
	static const uint64_t lengths[] = {0,
	                                   BATCH_BYTES_MAX + 1,
	                                   UINT64_C(0x7fffffff),
	                                   UINT64_C(0xffffffff),
	                                   UINT64_C(0x100000000),
	                                   UINT64_C(0x100000001),
	                                   UINT64_C(0x7fffffffffff),
	                                   INT64_MAX,
	                                   UINT64_C(0x8000000000000000),
	                                   UINT64_MAX - 4095,
	                                   UINT64_MAX};
	struct gt_exit good = exit_with((uintptr_t)batch, batch_bytes);
	uint64_t before;

	(void)state;
	assert_int_equal(send(&good), 1); /* buffers are as large as they get */
	assert_true(allocations > 0);
	before = allocations;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct gt_exit bad = exit_with((uintptr_t)batch, lengths[i]);

		assert_true(send(&bad) < 0);
		assert_int_equal(allocations, before);
	}
}

/* Threat A3. */
static void an_empty_batch_is_refused(void **state)
{
	(void)state;
	expect_refusal(-GT_ERROR_EMPTY_BATCH, (uintptr_t)batch, 0);
}

/* Threat A3. */
static void a_batch_over_the_limit_is_refused(void **state)
{
	(void)state;
	expect_refusal(-GT_ERROR_BATCH_TOO_LONG, (uintptr_t)batch,
	               BATCH_BYTES_MAX + 1);
}

/* Threat A3. */
static void a_length_of_all_ones_is_refused(void **state)
{
	(void)state;
	expect_refusal(-GT_ERROR_BATCH_TOO_LONG, (uintptr_t)batch, UINT64_MAX);
}

/* Threat A5. */
static void an_address_that_is_not_canonical_is_refused(void **state)
{
	(void)state;
	expect_refusal(-GT_ERROR_NOT_CANONICAL, UINT64_C(0x800000000000), 64);
}

/* Threat A2. */
static void a_range_that_wraps_is_refused(void **state)
{
	(void)state;
	expect_refusal(-GT_ERROR_WRAPS, UINT64_MAX - 8, 64);
}

static void an_unmapped_address_is_refused(void **state)
{
	(void)state;
	expect_refusal(-GT_ERROR_UNMAPPED, 0x10000, 64);
}

/* Threat B4. */
/* The last mapped page of this process is not followed by another. */
static void a_hole_behind_the_first_page_is_refused(void **state)
{
	struct gt_host_options options = inproc_options();
	const struct gt_memory_slot *slot = &options.memory[1];

	(void)state;
	expect_refusal(-GT_ERROR_OUTSIDE_RAM, slot->gpa + slot->bytes - 64,
	               128);
}

/* Threat A7. */
static void the_same_batch_again_is_dropped_and_counted(void **state)
{
	struct gt_exit exit = exit_with((uintptr_t)batch, batch_bytes);

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(send(&exit), 1);
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.events, 1);
	assert_int_equal(inproc_summary.losses.repeated_batches, 4);
	assert_int_equal(inproc_summary.losses.bad_requests, 0);
}

/* Threat A7. */
/* Registers that nothing clears come back in turn from where they were saved.
 */
static void batches_that_come_in_turns_are_taken_once(void **state)
{
	struct gt_exit one = exit_with((uintptr_t)batch, batch_bytes);
	struct gt_exit other = exit_with((uintptr_t)batch + 4096, batch_bytes);

	(void)state;
	memcpy(batch + 4096, batch, batch_bytes);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(send(&one), 1);
		assert_int_equal(send(&other), 1);
	}
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.events, 2);
	assert_int_equal(inproc_summary.losses.repeated_batches, 8);
	assert_int_equal(inproc_summary.losses.bad_requests, 0);
}

/* OutBAction and VmAction of hyperlight-common 0.11 to 0.18, and others. */
static void batches_ride_on_any_port(void **state)
{
	static const uint16_t ports[] = {99,  101, 102, 103,   104,
	                                 108, 109, 110, 0x3f8, 65535};
	struct gt_exit exit = exit_with((uintptr_t)batch, batch_bytes);
	const size_t count = sizeof(ports) / sizeof(ports[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		exit.port = ports[i];
		exit.width_bytes = (uint8_t)(i % 2 ? 4 : 1);
		assert_int_equal(send(&exit), exit.port == GT_PORT_TRACE);
		gt_host_resumed(inproc_host, 0, &exit, 0); /* no repeats */
	}
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.events, count);
}

static void the_same_bytes_from_elsewhere_are_another_batch(void **state)
{
	struct gt_exit exit = exit_with((uintptr_t)batch, batch_bytes);

	(void)state;
	assert_int_equal(send(&exit), 1);
	memcpy(batch + 4096, batch, batch_bytes);
	exit.r9 += 4096;
	assert_int_equal(send(&exit), 1);
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.events, 2);
}

/* As if the guest had called it with them. */
static void a_host_without_memory_takes_bytes(void **state)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit halt = exit_with(0, 0);

	(void)state;
	gt_host_free(inproc_host);
	options.wire = GT_WIRE_HYPERLIGHT_0_12;
	options.memory_slots = 0;
	options.limits.batch_bytes = BATCH_BYTES_MAX;
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	halt.reason = GT_EXIT_HALT;
	halt.r8 = 0;
	for (unsigned i = 0; i < 3; i++) {
		gt_host_enter(inproc_host, 0, 0);
		/* It may say the same twice, and then that came twice. */
		assert_int_equal(
			gt_host_batch(inproc_host, 0, batch, batch_bytes, 0, 0),
			0);
		assert_int_equal(send(&halt), 0);
	}
	assert_int_equal(gt_host_batch(inproc_host, 0, batch, 0, 0, 0),
	                 -GT_ERROR_EMPTY_BATCH);
	assert_int_equal(
		gt_host_batch(inproc_host, 0, batch, BATCH_BYTES_MAX + 1, 0, 0),
		-GT_ERROR_BATCH_TOO_LONG);
	assert_int_equal(
		gt_host_batch(inproc_host, 1, batch, batch_bytes, 0, 0),
		-GT_ERROR_BAD_VCPU);
	assert_int_equal(gt_host_drain(inproc_host), 0);
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.events, 3);
	assert_int_equal(inproc_summary.exits[GT_EXIT_HALT], 3);
	assert_int_equal(inproc_summary.losses.repeated_batches, 0);
	assert_int_equal(inproc_summary.losses.bad_requests, 2);
}

/* Sends one event that the test makes, with a field if it has a key. */
static void send_event(enum gt_batch_event kind, uint64_t id, const char *key)
{
	static uint8_t own[1024] __attribute__((aligned(8)));
	struct gt_batch made;
	struct gt_draft draft;

	gt_batch_init(&made, GT_WIRE_HYPERLIGHT_0_12, own, sizeof(own), 0);
	gt_batch_begin(&draft, &made, kind, 2);
	gt_draft_name(&draft, "made", 4);
	if (kind == GT_BATCH_OPEN)
		gt_draft_target(&draft, "t", 1);
	gt_draft_field(&draft, "a", 1, "b", 1);
	if (key)
		gt_draft_field(&draft, key, strlen(key), "7", 1);
	assert_true(gt_draft_end(&draft, &(struct gt_batch_numbers){
						 .id = id, .tsc = inproc_now}));
	assert_int_equal(gt_host_batch(inproc_host, 0, own,
	                               gt_batch_finish(&made, 0), 0, 0),
	                 0);
}

static void what_our_guest_has_cut_is_flagged(void **state)
{
	(void)state;
	send_event(GT_BATCH_LOG, 0, "guesttrace.cut");
	send_event(GT_BATCH_LOG, 0, "guesttrace.cuts");
	assert_string_equal(inproc_text(), "event made <0 !cut a=b\n"
	                                   "event made <0 a=b "
	                                   "guesttrace.cuts=7\n");
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.losses.strings_cut, 1);
}

static void a_span_that_nothing_can_name_is_refused(void **state)
{
	(void)state;
	send_event(GT_BATCH_OPEN, 0, NULL);
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.spans, 0);
	assert_int_equal(inproc_summary.losses.bad_records, 1);
}

static void the_native_wire_has_no_batches(void **state)
{
	struct gt_host_options options = inproc_options();

	(void)state;
	gt_host_free(inproc_host);
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	assert_int_equal(
		gt_host_batch(inproc_host, 0, batch, batch_bytes, 0, 0),
		-EINVAL);
}

/* Threat A1. */
static void other_exits_carry_none(void **state)
{
	struct gt_exit exit = exit_with((uintptr_t)batch, batch_bytes);

	(void)state;
	for (unsigned port = 105; port <= 107; port++) {
		exit.port = (uint16_t)port;
		assert_int_equal(send(&exit), 0);
	}
	exit = exit_with((uintptr_t)batch, batch_bytes);
	exit.out = false;
	assert_int_equal(send(&exit), 0);
	exit.out = true;
	exit.count = 2;
	assert_int_equal(send(&exit), 0);
	exit.count = 1;
	exit.r8 = GT_BATCH_MAGIC + 1;
	assert_int_equal(send(&exit), 0);
	exit.r8 = GT_DOORBELL_MAGIC;
	assert_int_equal(send(&exit), 0);
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.events, 0);
}

/* The batch is a log event of the span 1 or of none: hyperlight.md. */
static void a_filter_leaves_events_out_from_where_it_is_set(void **state)
{
	struct gt_exit exit = exit_with((uintptr_t)batch, batch_bytes);

	(void)state;
	assert_int_equal(gt_host_set_filter(inproc_host, "off"), 0);
	assert_int_equal(send(&exit), 1);
	assert_int_equal(gt_host_set_filter(inproc_host, " ,trace\n"), 0);
	memcpy(batch + 4096, batch, batch_bytes);
	exit.r9 += 4096;
	assert_int_equal(send(&exit), 1);
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	assert_int_equal(inproc_summary.events, 1);
	assert_int_equal(inproc_summary.losses.bad_records, 0);
}

static void a_filter_of_levels_is_refused(void **state)
{
	struct gt_host_options options = inproc_options();
	struct gt_host *host = NULL;

	(void)state;
	options.wire = GT_WIRE_HYPERLIGHT_0_11;
	options.filter = "info";
	assert_int_equal(gt_host_new(&options, &host), -GT_ERROR_NO_LEVELS);
	assert_null(host);
	assert_int_equal(gt_host_set_filter(inproc_host, "trace,a=warn"),
	                 -GT_ERROR_NO_LEVELS);
	assert_int_equal(gt_host_set_filter(inproc_host, "a=none"),
	                 -GT_ERROR_BAD_FILTER);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, inproc_teardown)
		T(a_length_that_is_none_allocates_nothing),
		T(an_empty_batch_is_refused),
		T(a_batch_over_the_limit_is_refused),
		T(a_length_of_all_ones_is_refused),
		T(an_address_that_is_not_canonical_is_refused),
		T(a_range_that_wraps_is_refused),
		T(an_unmapped_address_is_refused),
		T(a_hole_behind_the_first_page_is_refused),
		T(the_same_batch_again_is_dropped_and_counted),
		T(batches_that_come_in_turns_are_taken_once),
		T(batches_ride_on_any_port),
		T(the_same_bytes_from_elsewhere_are_another_batch),
		T(a_host_without_memory_takes_bytes),
		T(what_our_guest_has_cut_is_flagged),
		T(a_span_that_nothing_can_name_is_refused),
		T(the_native_wire_has_no_batches),
		T(other_exits_carry_none),
		T(a_filter_leaves_events_out_from_where_it_is_set),
		T(a_filter_of_levels_is_refused),
	};
	FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;

	if (!file)
		return 1;
	batch_bytes = fread(batch, 1, 4096, file);
	fclose(file);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
