/* SPDX-License-Identifier: MIT */
/*
 * One bad input per check, on both wires: the event is refused, the code is
 * counted once, and what is around the event is shown.
 *
 * Each is a change of open_fields_1.bin of 0.12, whose tables lie so:
 *
 *   4 root -> 20    12 vtable {8, 12, type 7, event 8}
 *  20 envelope: 27 type = open, 28 event -> 48
 *  32 vtable {16, 40, id 16, parent 24, name 4, target 8, tsc 32, fields 12}
 *  48 open: 52 name -> 156, 56 target -> 140, 60 fields -> 88, 64 id, 72 parent
 *  88 vector of 1: 92 -> 104    96 vtable {8, 12, key 4, value 8}
 * 104 field: 108 key -> 128, 112 value -> 116
 * 116 "value-0"   128 "key0"   140 "ref::target"   156 "fields", ends at 168
 *
 * In 0.11 the same lies 32 bytes further on, behind the root and its vector.
 */
#include "hyperlight_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SHIFT_0_11 32u

struct change {
	uint32_t at; /* 0: none */
	uint32_t bytes;
	uint32_t value;
};

/* `cut`: bytes taken away at the end. Threats C3, C4, C5, C6, C7, C10,
 * C11, C12, C13. */
static const struct row {
	const char *name;
	enum gt_error code;
	struct change changes[2];
	uint32_t cut;
} rows[] = {
	/* flatbuffers 8b92122f3 */
	{"an_offset_of_zero_is_refused", GT_ERROR_OFFSET_ZERO, {{28, 4, 0}}, 0},
	{"an_offset_past_the_end_is_refused",
         GT_ERROR_OFFSET_OUTSIDE,
         {{28, 4, 168}},
         0},
	{"an_offset_to_the_end_is_refused",
         GT_ERROR_OFFSET_OUTSIDE,
         {{28, 4, 140}},
         0},
	/* flatbuffers ed2415eb7 */
	{"an_offset_that_wraps_is_refused",
         GT_ERROR_OFFSET_OUTSIDE,
         {{28, 4, 0xfffffff8}},
         0},
	{"an_offset_of_2_31_is_refused",
         GT_ERROR_OFFSET_OUTSIDE,
         {{28, 4, 0x80000000}},
         0},
	{"an_element_of_zero_is_refused",
         GT_ERROR_OFFSET_ZERO,
         {{92, 4, 0}},
         0},
	{"an_element_past_the_end_is_refused",
         GT_ERROR_OFFSET_OUTSIDE,
         {{92, 4, 1000}},
         0},
	{"a_misaligned_table_is_refused",
         GT_ERROR_TABLE_MISALIGNED,
         {{28, 4, 22}},
         0},
	{"a_table_cut_in_its_first_word_is_refused",
         GT_ERROR_TABLE_OUTSIDE,
         {{28, 4, 136}},
         2},
	{"a_table_past_the_end_is_refused",
         GT_ERROR_TABLE_OUTSIDE,
         {{34, 2, 121}},
         0},
	{"a_table_of_3_bytes_is_refused", GT_ERROR_TABLE_SIZE, {{34, 2, 3}}, 0},
	{"a_vtable_before_the_start_is_refused",
         GT_ERROR_VTABLE_OUTSIDE,
         {{48, 4, 1000}},
         0},
	{"a_vtable_behind_the_end_is_refused",
         GT_ERROR_VTABLE_OUTSIDE,
         {{48, 4, (uint32_t)-120}},
         0},
	{"a_vtable_with_2_bytes_left_is_refused",
         GT_ERROR_VTABLE_OUTSIDE,
         {{48, 4, (uint32_t)-118}},
         0},
	{"a_vtable_2_31_away_is_refused",
         GT_ERROR_VTABLE_OUTSIDE,
         {{48, 4, 0x80000000}},
         0},
	{"a_misaligned_vtable_is_refused",
         GT_ERROR_VTABLE_MISALIGNED,
         {{48, 4, 15}},
         0},
	/* flatbuffers 69eef0a0e */
	{"a_vtable_of_odd_size_is_refused",
         GT_ERROR_VTABLE_ODD,
         {{32, 2, 15}},
         0},
	{"a_vtable_of_2_bytes_is_refused",
         GT_ERROR_VTABLE_SIZE,
         {{32, 2, 2}},
         0},
	{"a_vtable_of_0_bytes_is_refused",
         GT_ERROR_VTABLE_SIZE,
         {{32, 2, 0}},
         0},
	{"a_vtable_longer_than_the_buffer_is_refused",
         GT_ERROR_VTABLE_CUT,
         {{32, 2, 138}},
         0},
	{"a_vtable_that_runs_into_its_table_is_refused",
         GT_ERROR_VTABLE_OVERLAPS,
         {{32, 2, 18}},
         0},
	{"a_table_that_is_its_own_vtable_is_refused",
         GT_ERROR_VTABLE_SIZE,
         {{48, 4, 0}},
         0},
	{"a_field_behind_its_table_is_refused",
         GT_ERROR_FIELD_OUTSIDE,
         {{36, 2, 40}},
         0},
	{"a_field_with_4_of_8_bytes_in_its_table_is_refused",
         GT_ERROR_FIELD_OUTSIDE,
         {{36, 2, 36}},
         0},
	{"a_field_far_behind_its_table_is_refused",
         GT_ERROR_FIELD_OUTSIDE,
         {{36, 2, 0xfff8}},
         0},
	{"a_field_on_the_offset_of_the_vtable_is_refused",
         GT_ERROR_FIELD_OUTSIDE,
         {{40, 2, 3}},
         0},
	{"a_type_behind_its_envelope_is_refused",
         GT_ERROR_FIELD_OUTSIDE,
         {{16, 2, 12}},
         0},
	{"a_misaligned_u64_is_refused",
         GT_ERROR_FIELD_MISALIGNED,
         {{36, 2, 20}},
         0},
	{"a_misaligned_offset_is_refused",
         GT_ERROR_FIELD_MISALIGNED,
         {{40, 2, 6}},
         0},
	{"a_misaligned_vector_is_refused",
         GT_ERROR_VECTOR_MISALIGNED,
         {{60, 4, 30}},
         0},
	{"a_vector_cut_in_its_length_is_refused",
         GT_ERROR_VECTOR_OUTSIDE,
         {{60, 4, 104}},
         1},
	{"a_vector_of_one_too_many_is_refused",
         GT_ERROR_VECTOR_OUTSIDE,
         {{88, 4, 20}},
         0},
	/* flatbuffers 9081 */
	{"a_vector_of_as_many_elements_as_bytes_is_refused",
         GT_ERROR_VECTOR_OUTSIDE,
         {{88, 4, 76}},
         0},
	{"a_vector_whose_size_wraps_is_refused",
         GT_ERROR_VECTOR_OUTSIDE,
         {{88, 4, 0x40000001}},
         0},
	{"a_misaligned_string_is_refused",
         GT_ERROR_STRING_MISALIGNED,
         {{52, 4, 102}},
         0},
	{"a_string_cut_in_its_length_is_refused",
         GT_ERROR_STRING_OUTSIDE,
         {{52, 4, 112}},
         1},
	{"a_string_past_the_end_is_refused",
         GT_ERROR_STRING_OUTSIDE,
         {{156, 4, 9}},
         0},
	{"a_string_whose_end_wraps_is_refused",
         GT_ERROR_STRING_OUTSIDE,
         {{156, 4, 0xfffffffc}},
         0},
	{"a_string_that_fills_the_buffer_is_refused",
         GT_ERROR_STRING_UNTERMINATED,
         {{156, 4, 8}},
         0},
	{"a_string_without_terminator_is_refused",
         GT_ERROR_STRING_UNTERMINATED,
         {{156, 4, 5}},
         0},
	{"a_byte_that_is_never_utf8_is_refused",
         GT_ERROR_STRING_NOT_UTF8,
         {{165, 1, 0xff}},
         0},
	{"an_overlong_sequence_is_refused",
         GT_ERROR_STRING_NOT_UTF8,
         {{160, 2, 0x80c0}},
         0},
	{"a_surrogate_is_refused",
         GT_ERROR_STRING_NOT_UTF8,
         {{160, 2, 0xa0ed}, {162, 1, 0x80}},
         0},
	{"a_code_point_over_10ffff_is_refused",
         GT_ERROR_STRING_NOT_UTF8,
         {{160, 4, 0x808090f4}},
         0},
	{"a_sequence_cut_by_the_end_is_refused",
         GT_ERROR_STRING_NOT_UTF8,
         {{164, 2, 0x82e2}},
         0},
	{"invalid_utf8_in_a_key_is_refused",
         GT_ERROR_STRING_NOT_UTF8,
         {{132, 1, 0x80}},
         0},
	{"invalid_utf8_in_a_value_is_refused",
         GT_ERROR_STRING_NOT_UTF8,
         {{126, 1, 0xc3}},
         0},
	{"a_span_without_a_name_is_refused", GT_ERROR_NO_NAME, {{40, 2, 0}}, 0},
	{"a_vtable_that_ends_before_the_name_is_refused",
         GT_ERROR_NO_NAME,
         {{32, 2, 8}},
         0},
	{"a_span_without_a_target_is_refused",
         GT_ERROR_NO_TARGET,
         {{42, 2, 0}},
         0},
	{"a_field_without_a_key_is_refused", GT_ERROR_NO_KEY, {{100, 2, 0}}, 0},
	{"a_field_without_a_value_is_refused",
         GT_ERROR_NO_VALUE,
         {{102, 2, 0}},
         0},
	{"an_envelope_with_nothing_in_it_is_refused",
         GT_ERROR_NO_EVENT,
         {{16, 4, 0}},
         0},
	{"an_envelope_of_type_none_is_refused",
         GT_ERROR_NO_EVENT,
         {{18, 2, 0}, {27, 1, 0}},
         0},
	/* flatbuffers 8853: type and value that do not belong together */
	{"a_type_without_an_event_is_refused",
         GT_ERROR_TYPE_ALONE,
         {{18, 2, 0}},
         0},
	{"an_event_without_a_type_is_refused",
         GT_ERROR_EVENT_ALONE,
         {{16, 2, 0}},
         0},
	{"an_event_of_type_none_is_refused",
         GT_ERROR_EVENT_ALONE,
         {{27, 1, 0}},
         0},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *directory;

struct seen {
	unsigned events;
	enum gt_hyperlight_kind last;
};

static int show(void *context, const struct gt_hyperlight_event *event)
{
	struct seen *seen = context;

	seen->events++;
	seen->last = event->kind;
	return 0;
}

static void change(struct batch *batch, const struct row *row, uint32_t shift)
{
	uint32_t prefix;

	for (size_t i = 0; i < 2; i++)
		if (row->changes[i].at)
			memcpy(batch->bytes + row->changes[i].at + shift,
			       &row->changes[i].value, row->changes[i].bytes);
	batch->count -= row->cut;
	prefix = (uint32_t)batch->count - 4;
	memcpy(batch->bytes, &prefix, sizeof(prefix));
	batch->bytes = realloc(batch->bytes, batch->count);
}

/* Refused, and nothing else is wrong. */
static void expect(const struct gt_hyperlight_result *result, int r,
                   enum gt_error code)
{
	uint64_t errors = 0;

	if (r != -(int)code)
		fail_msg("'%s' instead of '%s'", gt_error_text(r),
		         gt_error_text(-(int)code));
	for (size_t i = 0; i < GT_HYPERLIGHT_ERRORS; i++)
		errors += result->errors[i];
	assert_int_equal(errors, 1);
	assert_int_equal(result->errors[code - GT_ERROR_BATCH_TOO_LONG], 1);
	assert_int_equal(result->first_error, -(int)code);
	assert_int_equal(result->refused, 1);
	assert_int_equal(result->unknown, 0);
	assert_true(strlen(gt_error_text(r)) > 0);
}

/* A buffer of another event follows: it is shown. */
static void refused_on_0_12(const struct row *row)
{
	struct batch bad =
		batch_read(directory, GT_WIRE_HYPERLIGHT_0_12, "open_fields_1");
	struct batch good =
		batch_read(directory, GT_WIRE_HYPERLIGHT_0_12, "close");
	struct gt_hyperlight_result result;
	struct seen seen = {0};

	change(&bad, row, 0);
	bad.bytes = realloc(bad.bytes, bad.count + good.count);
	memcpy(bad.bytes + bad.count, good.bytes, good.count);
	expect(&result,
	       gt_hyperlight_decode(GT_WIRE_HYPERLIGHT_0_12, bad.bytes,
	                            bad.count + good.count, NULL, show, &seen,
	                            &result),
	       row->code);
	assert_int_equal(seen.events, 1);
	assert_int_equal(seen.last, GT_HYPERLIGHT_CLOSE);
	assert_true(result.first_error_at < bad.count);
	batch_free(&bad);
	batch_free(&good);
}

static void refused_on_0_11(const struct row *row)
{
	struct batch bad =
		batch_read(directory, GT_WIRE_HYPERLIGHT_0_11, "open_fields_1");
	struct gt_hyperlight_result result;
	struct seen seen = {0};

	change(&bad, row, SHIFT_0_11);
	expect(&result,
	       gt_hyperlight_decode(GT_WIRE_HYPERLIGHT_0_11, bad.bytes,
	                            bad.count, NULL, show, &seen, &result),
	       row->code);
	assert_int_equal(seen.events, 1);
	assert_int_equal(seen.last, GT_HYPERLIGHT_START);
	batch_free(&bad);
}

static void refused(void **state)
{
	refused_on_0_12(*state);
	refused_on_0_11(*state);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[ROWS];

	if (argc != 2)
		return 2;
	directory = argv[1];
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = refused,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	return _cmocka_run_group_tests("hyperlight_bad", tests, ROWS, NULL,
	                               NULL);
}
