/* SPDX-License-Identifier: MIT */
/* What is around the events of a Hyperlight batch: prefixes, kinds, calls. */
#include "hyperlight_batches.h"

#include <errno.h>
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
	unsigned stop_at; /* 0: never */
	uint64_t ids[8];
	struct gt_hyperlight_event last; /* its texts are in the batch */
};

static int show(void *context, const struct gt_hyperlight_event *event)
{
	struct seen *seen = context;

	if (seen->events < 8)
		seen->ids[seen->events] = event->id;
	seen->events++;
	seen->last = *event;
	return seen->events == seen->stop_at ? -EINTR : 0;
}

static struct gt_hyperlight_result result;
static struct seen seen;

static int decode_limited(enum gt_wire wire, const struct batch *batch,
                          const struct gt_hyperlight_limits *limits)
{
	seen = (struct seen){.stop_at = seen.stop_at};
	return gt_hyperlight_decode(wire, batch->bytes, batch->count, limits,
	                            show, &seen, &result);
}

static int decode(enum gt_wire wire, const struct batch *batch)
{
	return decode_limited(wire, batch, NULL);
}

static void put32(struct batch *batch, size_t at, uint32_t value)
{
	memcpy(batch->bytes + at, &value, sizeof(value));
}

static uint32_t get32(const struct batch *batch, size_t at)
{
	uint32_t value;

	memcpy(&value, batch->bytes + at, sizeof(value));
	return value;
}

static void append(struct batch *batch, const void *bytes, size_t count)
{
	batch->bytes = realloc(batch->bytes, batch->count + count);
	assert_non_null(batch->bytes);
	memcpy(batch->bytes + batch->count, bytes, count);
	batch->count += count;
}

static int setup(void **state)
{
	(void)state;
	seen.stop_at = 0;
	return 0;
}

/* ---- 0.11: the prefix and what follows the buffer ---- */

/* Where the vector of events lies: the root of the files is at 16. */
static uint32_t vector_of(const struct batch *batch)
{
	return 20 + get32(batch, 20);
}

static void the_start_comes_first_even_alone(void **state)
{
	struct batch batch = batch_read(directory, WIRE_11, "empty");

	(void)state;
	assert_int_equal(decode(WIRE_11, &batch), 0);
	assert_int_equal(seen.events, 1);
	assert_int_equal(seen.last.kind, GT_HYPERLIGHT_START);
	assert_int_equal(seen.last.tsc, 0);
	assert_int_equal(result.wrong_prefixes, 0);
	batch_free(&batch);
}

/* Threat C2. */
static void a_wrong_prefix_of_0_11_is_accepted_and_counted(void **state)
{
	static const uint32_t prefixes[] = {0,    1,          83,        85,
	                                    1000, 0xfffffffd, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct batch batch = batch_read(directory, WIRE_11, "close");

		put32(&batch, 0, prefixes[i]);
		assert_int_equal(decode(WIRE_11, &batch), 0);
		assert_int_equal(seen.events, 2);
		assert_int_equal(result.wrong_prefixes, 1);
		assert_int_equal(result.trailing_bytes,
		                 prefixes[i] < 84 ? 84 - prefixes[i] : 0);
		batch_free(&batch);
	}
}

/* Threat C2. */
static void trailing_bytes_of_0_11_are_accepted_and_counted(void **state)
{
	struct batch batch = batch_read(directory, WIRE_11, "close");

	(void)state;
	for (size_t extra = 1; extra < 20; extra++) {
		append(&batch, "\xff", 1);
		assert_int_equal(decode(WIRE_11, &batch), 0);
		assert_int_equal(seen.events, 2);
		assert_int_equal(result.trailing_bytes, extra);
	}
	batch_free(&batch);
}

/* Threat C3. */
static void a_bad_root_refuses_all_of_0_11(void **state)
{
	struct batch batch = batch_read(directory, WIRE_11, "mix30");

	(void)state;
	put32(&batch, 4, 0);
	assert_int_equal(decode(WIRE_11, &batch), -GT_ERROR_OFFSET_ZERO);
	assert_int_equal(seen.events, 0);
	assert_int_equal(result.first_error_at, 4);
	put32(&batch, 4, 0x80000000);
	assert_int_equal(decode(WIRE_11, &batch), -GT_ERROR_OFFSET_OUTSIDE);
	put32(&batch, 4, 2);
	assert_int_equal(decode(WIRE_11, &batch), -GT_ERROR_TABLE_MISALIGNED);
	assert_int_equal(seen.events, 0);
	batch_free(&batch);
}

static void a_batch_without_room_for_a_root_is_refused(void **state)
{
	struct batch batch = batch_read(directory, WIRE_11, "close");

	(void)state;
	for (batch.count = 0; batch.count < 8; batch.count++) {
		assert_int_equal(decode(WIRE_11, &batch), -GT_ERROR_BATCH_CUT);
		assert_int_equal(seen.events, 0);
	}
	batch_free(&batch);
}

static void a_bad_vector_keeps_the_start(void **state)
{
	struct batch batch = batch_read(directory, WIRE_11, "close");

	(void)state;
	put32(&batch, vector_of(&batch), 0x10000000);
	assert_int_equal(decode(WIRE_11, &batch), -GT_ERROR_VECTOR_OUTSIDE);
	assert_int_equal(seen.events, 1);
	assert_int_equal(seen.last.kind, GT_HYPERLIGHT_START);
	batch_free(&batch);
}

/* Threat C3. Each of the 30 elements in turn leads to itself. */
static void a_bad_event_of_0_11_leaves_the_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < 30; i++) {
		struct batch batch = batch_read(directory, WIRE_11, "open30");
		uint32_t vector = vector_of(&batch);
		uint64_t bad;

		assert_int_equal(get32(&batch, vector), 30);
		put32(&batch, vector + 4 + 4 * i, 0);
		assert_int_equal(decode(WIRE_11, &batch),
		                 -GT_ERROR_OFFSET_ZERO);
		assert_int_equal(seen.events, 30);
		assert_int_equal(result.refused, 1);
		bad = i + 1;
		for (uint64_t k = 1; k < 8; k++)
			assert_int_equal(seen.ids[k], k < bad ? k : k + 1);
		batch_free(&batch);
	}
}

/* ---- 0.12: a run of buffers ---- */

/* Threat C2. */
static void a_prefix_past_the_end_of_0_12_keeps_what_was_before(void **state)
{
	static const uint32_t prefixes[] = {53, 1000, 0x7fffffff, 0xfffffffd,
	                                    0xffffffff};
	struct batch last = batch_read(directory, WIRE_12, "close");

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct batch batch = batch_read(directory, WIRE_12, "open_min");
		size_t first = batch.count;

		append(&batch, last.bytes, last.count);
		put32(&batch, first, prefixes[i]);
		assert_int_equal(decode(WIRE_12, &batch),
		                 -GT_ERROR_PREFIX_OUTSIDE);
		assert_int_equal(seen.events, 1);
		assert_int_equal(seen.last.kind, GT_HYPERLIGHT_OPEN);
		assert_int_equal(result.first_error_at, first);
		assert_int_equal(result.refused, 0);
		batch_free(&batch);
	}
	batch_free(&last);
}

static void a_prefix_without_room_for_a_root_refuses_that_event(void **state)
{
	(void)state;
	for (uint32_t prefix = 0; prefix < 4; prefix++) {
		struct batch batch = {calloc(1, 4 + prefix), 4 + prefix};
		struct batch next = batch_read(directory, WIRE_12, "close");

		put32(&batch, 0, prefix);
		append(&batch, next.bytes, next.count);
		assert_int_equal(decode(WIRE_12, &batch), -GT_ERROR_BATCH_CUT);
		assert_int_equal(seen.events, 1);
		assert_int_equal(result.refused, 1);
		batch_free(&batch);
		batch_free(&next);
	}
}

static void fewer_than_4_trailing_bytes_of_0_12_are_counted(void **state)
{
	struct batch batch = batch_read(directory, WIRE_12, "close");

	(void)state;
	for (size_t extra = 1; extra < 4; extra++) {
		append(&batch, "\xff", 1);
		assert_int_equal(decode(WIRE_12, &batch), 0);
		assert_int_equal(seen.events, 1);
		assert_int_equal(result.trailing_bytes, extra);
	}
	append(&batch, "\xff", 1);
	assert_int_equal(decode(WIRE_12, &batch), -GT_ERROR_PREFIX_OUTSIDE);
	assert_int_equal(seen.events, 1);
	batch_free(&batch);
}

static void an_empty_batch_of_0_12_is_good(void **state)
{
	(void)state;
	assert_int_equal(
		gt_hyperlight_decode(WIRE_12, NULL, 0, NULL, show, &seen, NULL),
		0);
}

/* An event cannot borrow from the one behind it. */
static void a_buffer_of_0_12_ends_with_its_own_prefix(void **state)
{
	struct batch batch = batch_read(directory, WIRE_12, "open30");
	uint32_t prefix = get32(&batch, 0);

	(void)state;
	put32(&batch, 4, prefix + 4);
	assert_int_equal(decode(WIRE_12, &batch), -GT_ERROR_OFFSET_OUTSIDE);
	assert_int_equal(seen.events, 29);
	batch_free(&batch);
}

/* ---- Kinds ---- */

/* Threat C10. */
static void unknown_kinds_are_skipped_and_counted(void **state)
{
	struct batch old = batch_read(directory, WIRE_11, "open_fields_1");
	struct batch new = batch_read(directory, WIRE_12, "open_fields_1");

	(void)state;
	for (unsigned kind = 1; kind < 256; kind++) {
		old.bytes[27 + 32] = (uint8_t)kind;
		new.bytes[27] = (uint8_t)kind;
		decode(WIRE_11, &old);
		assert_int_equal(result.unknown, kind > 3);
		assert_int_equal(seen.events,
		                 kind > 3 ? 1 : 2 - result.refused);
		decode(WIRE_12, &new);
		assert_int_equal(result.unknown, kind > 5);
		assert_true(kind <= 5 || seen.events == 0);
	}
	batch_free(&old);
	batch_free(&new);
}

static void a_parent_of_0_is_not_no_parent(void **state)
{
	struct batch zero = batch_read(directory, WIRE_11, "parent_zero");
	struct batch none = batch_read(directory, WIRE_11, "parent_null");

	(void)state;
	assert_int_equal(decode(WIRE_11, &zero), 0);
	assert_true(seen.last.has_parent);
	assert_int_equal(seen.last.parent, 0);
	assert_int_equal(decode(WIRE_11, &none), 0);
	assert_false(seen.last.has_parent);
	batch_free(&zero);
	batch_free(&none);
}

/* ---- Strings ---- */

/* Threat C14. */
static void a_string_may_hold_nul_and_be_empty(void **state)
{
	struct batch batch = batch_read(directory, WIRE_12, "open_fields_1");

	(void)state;
	batch.bytes[161] = 0;
	put32(&batch, 128, 0);
	batch.bytes[132] = 0;
	assert_int_equal(decode(WIRE_12, &batch), 0);
	assert_int_equal(seen.last.name.count, 6);
	assert_memory_equal(seen.last.name.bytes, "f\0elds", 6);
	assert_int_equal(gt_hyperlight_field(&seen.last, 0).key.count, 0);
	batch_free(&batch);
}

/* Threat C12. */
static void strings_over_the_limit_are_cut_between_characters(void **state)
{
	struct gt_hyperlight_limits limits = {.size = sizeof(limits)};
	struct batch batch = batch_read(directory, WIRE_12, "open_fields_1");
	static const char value[] = "a\xc3\xa9\xe2\x82\xac"; /* and a digit */
	static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 7, 7};

	(void)state;
	memcpy(batch.bytes + 120, value, 6);
	for (size_t limit = 1; limit < 9; limit++) {
		struct gt_hyperlight_field field;

		limits.string_bytes = limit;
		assert_int_equal(decode_limited(WIRE_12, &batch, &limits), 0);
		field = gt_hyperlight_field(&seen.last, 0);
		assert_int_equal(field.value.count, kept[limit]);
		assert_true(seen.last.target.count == limit);
		assert_true(seen.last.cut);
		assert_int_equal(result.strings_cut,
		                 1 + (limit < 7) + (limit < 6) + (limit < 4));
		assert_int_equal(result.output_bytes,
		                 batch_output_bytes(&seen.last));
	}
	limits.string_bytes = 11;
	assert_int_equal(decode_limited(WIRE_12, &batch, &limits), 0);
	assert_int_equal(result.strings_cut, 0);
	assert_false(seen.last.cut);
	batch_free(&batch);
}

static void a_field_beyond_the_last_is_empty(void **state)
{
	struct batch batch = batch_read(directory, WIRE_12, "open_fields_2");

	(void)state;
	assert_int_equal(decode(WIRE_12, &batch), 0);
	assert_int_equal(seen.last.field_count, 2);
	assert_int_equal(gt_hyperlight_field(&seen.last, 1).key.count, 4);
	assert_int_equal(gt_hyperlight_field(&seen.last, 2).key.count, 0);
	assert_int_equal(gt_hyperlight_field(&seen.last, UINT32_MAX).key.count,
	                 0);
	batch_free(&batch);
}

/* ---- Calls ---- */

static void the_address_of_the_batch_is_free(void **state)
{
	struct batch batch = batch_read(directory, WIRE_11, "mix30");
	uint8_t *copy = malloc(batch.count + 8);

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		struct batch shifted = {copy + shift, batch.count};

		memcpy(shifted.bytes, batch.bytes, batch.count);
		assert_int_equal(decode(WIRE_11, &shifted), 0);
		assert_int_equal(seen.events, 31);
	}
	free(copy);
	batch_free(&batch);
}

static void what_show_returns_ends_the_batch(void **state)
{
	struct batch old = batch_read(directory, WIRE_11, "mix30");
	struct batch new = batch_read(directory, WIRE_12, "mix30");

	(void)state;
	for (seen.stop_at = 1; seen.stop_at <= 30; seen.stop_at++) {
		assert_int_equal(decode(WIRE_11, &old), -EINTR);
		assert_int_equal(seen.events, seen.stop_at);
		assert_int_equal(decode(WIRE_12, &new), -EINTR);
		assert_int_equal(seen.events, seen.stop_at);
	}
	batch_free(&old);
	batch_free(&new);
}

static void wrong_use_is_refused(void **state)
{
	struct batch batch = batch_read(directory, WIRE_11, "close");
	struct gt_hyperlight_limits limits = {0};

	(void)state;
	assert_int_equal(decode(GT_WIRE_NATIVE, &batch), -EINVAL);
	assert_int_equal(decode_limited(WIRE_11, &batch, &limits), -EINVAL);
	limits.size = sizeof(limits);
	limits.batch_bytes = (size_t)1 << 31;
	assert_int_equal(decode_limited(WIRE_11, &batch, &limits), -EINVAL);
	assert_int_equal(seen.events, 0);
	batch_free(&batch);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	static const struct CMUnitTest tests[] = {
		T(the_start_comes_first_even_alone),
		T(a_wrong_prefix_of_0_11_is_accepted_and_counted),
		T(trailing_bytes_of_0_11_are_accepted_and_counted),
		T(a_bad_root_refuses_all_of_0_11),
		T(a_batch_without_room_for_a_root_is_refused),
		T(a_bad_vector_keeps_the_start),
		T(a_bad_event_of_0_11_leaves_the_others),
		T(a_prefix_past_the_end_of_0_12_keeps_what_was_before),
		T(a_prefix_without_room_for_a_root_refuses_that_event),
		T(fewer_than_4_trailing_bytes_of_0_12_are_counted),
		T(an_empty_batch_of_0_12_is_good),
		T(a_buffer_of_0_12_ends_with_its_own_prefix),
		T(unknown_kinds_are_skipped_and_counted),
		T(a_parent_of_0_is_not_no_parent),
		T(a_string_may_hold_nul_and_be_empty),
		T(strings_over_the_limit_are_cut_between_characters),
		T(a_field_beyond_the_last_is_empty),
		T(the_address_of_the_batch_is_free),
		T(what_show_returns_ends_the_batch),
		T(wrong_use_is_refused),
	};
#undef T
	if (argc != 2)
		return 2;
	directory = argv[1];
	return cmocka_run_group_tests_name("hyperlight", tests, NULL, NULL);
}
