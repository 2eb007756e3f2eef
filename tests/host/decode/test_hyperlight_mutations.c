/* SPDX-License-Identifier: MIT */
/*
 * Every truncation and every changed byte of the vectors (threat C1): nothing
 * crashes, nothing takes long, nothing unfolds to more than 16 times its size,
 * and what the result counts is what was shown. Files are read into memory of
 * exactly their size; sanitizers watch its end.
 */
#include "tests/support/cpu_time.h"
#include "hyperlight_batches.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ALL_VALUES_BYTES 400 /* files up to here: all 256 values */
#define PAIRS_BYTES      88  /* files up to here: all pairs of positions */
#define TIMES_GOOD       20  /* as long as the file unchanged */

static const uint8_t values[] = {0, 1, 4, 0x7f, 0x80, 0xc3, 0xfe, 0xff};

static const char *directory;

struct seen {
	uint64_t events;
	uint64_t output_bytes;
};

static int show(void *context, const struct gt_hyperlight_event *event)
{
	struct seen *seen = context;

	seen->events++;
	seen->output_bytes += batch_output_bytes(event);
	return 0;
}

static uint64_t sum_of_errors(const struct gt_hyperlight_result *result)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < GT_HYPERLIGHT_ERRORS; i++)
		sum += result->errors[i];
	return sum;
}

static void decode(enum gt_wire wire, const uint8_t *bytes, size_t count)
{
	struct gt_hyperlight_result result;
	struct seen seen = {0};
	int r = gt_hyperlight_decode(wire, bytes, count, NULL, show, &seen,
	                             &result);

	if (r != result.first_error || (r != 0) != (sum_of_errors(&result) > 0))
		fail_msg("returns %d, first error %d", r, result.first_error);
	if (seen.events != result.events ||
	    seen.output_bytes != result.output_bytes)
		fail_msg("what is counted is not what is shown");
	if (result.output_bytes > 16 * count || result.visits > count)
		fail_msg("over the limits");
	if (result.refused > sum_of_errors(&result))
		fail_msg("refused without an error");
}

/* At both ends of its memory: with what follows and what precedes out of it. */
static void truncate_batch(enum gt_wire wire, const struct batch *batch)
{
	for (size_t count = 0; count < batch->count; count++) {
		uint8_t *copy = malloc(count + (count == 0));

		memcpy(copy, batch->bytes, count);
		decode(wire, copy, count);
		free(copy);
	}
}

static void change_bytes(enum gt_wire wire, const struct batch *batch)
{
	bool all = batch->count <= ALL_VALUES_BYTES;
	unsigned count = all ? 256 : sizeof(values);

	for (size_t at = 0; at < batch->count; at++) {
		uint8_t was = batch->bytes[at];

		for (unsigned i = 0; i < count; i++) {
			batch->bytes[at] = all ? (uint8_t)i : values[i];
			decode(wire, batch->bytes, batch->count);
		}
		batch->bytes[at] = was;
	}
}

static void change_pairs(enum gt_wire wire, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		uint8_t was = batch->bytes[i];

		for (size_t k = 0; k < sizeof(values); k++) {
			struct batch rest = {batch->bytes + i + 1,
			                     batch->count - i - 1};

			batch->bytes[i] = values[k];
			for (size_t at = 0; at < rest.count; at++) {
				uint8_t other = rest.bytes[at];

				for (size_t v = 0; v < sizeof(values); v++) {
					rest.bytes[at] = values[v];
					decode(wire, batch->bytes,
					       batch->count);
				}
				rest.bytes[at] = other;
			}
		}
		batch->bytes[i] = was;
	}
}

typedef void mutate_fn(enum gt_wire wire, const struct batch *batch);

/* The name of a vector: what is between the last '/' and ".bin". */
static void vector_name(const char *path, char *ret_name, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(ret_name, size, "%.*s", (int)(strlen(slash + 1) - 4),
	         slash + 1);
}

static unsigned each(enum gt_wire wire, size_t bytes_max, mutate_fn *mutate)
{
	char pattern[512], name[64];
	unsigned done = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/hyperlight-0.1%c/*.bin",
	         directory, wire == GT_WIRE_HYPERLIGHT_0_11 ? '1' : '2');
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct batch batch;

		vector_name(found.gl_pathv[i], name, sizeof(name));
		batch = batch_read(directory, wire, name);
		if (batch.count > 0 && batch.count <= bytes_max) {
			mutate(wire, &batch);
			done++;
		}
		batch_free(&batch);
	}
	globfree(&found);
	return done;
}

static void every_truncation_of_0_11_is_harmless(void **state)
{
	(void)state;
	assert_true(each(GT_WIRE_HYPERLIGHT_0_11, SIZE_MAX, truncate_batch) >
	            30);
}

static void every_truncation_of_0_12_is_harmless(void **state)
{
	(void)state;
	assert_true(each(GT_WIRE_HYPERLIGHT_0_12, SIZE_MAX, truncate_batch) >
	            30);
}

static void every_changed_byte_of_0_11_is_harmless(void **state)
{
	(void)state;
	assert_true(each(GT_WIRE_HYPERLIGHT_0_11, SIZE_MAX, change_bytes) > 30);
}

static void every_changed_byte_of_0_12_is_harmless(void **state)
{
	(void)state;
	assert_true(each(GT_WIRE_HYPERLIGHT_0_12, SIZE_MAX, change_bytes) > 30);
}

static void every_changed_pair_of_0_11_is_harmless(void **state)
{
	(void)state;
	assert_true(each(GT_WIRE_HYPERLIGHT_0_11, PAIRS_BYTES, change_pairs) >=
	            3);
}

static void every_changed_pair_of_0_12_is_harmless(void **state)
{
	(void)state;
	assert_true(each(GT_WIRE_HYPERLIGHT_0_12, PAIRS_BYTES, change_pairs) >=
	            6);
}

struct decoding {
	enum gt_wire wire;
	const struct batch *batch;
};

static void decode_once(void *context)
{
	const struct decoding *decoding = context;

	decode(decoding->wire, decoding->batch->bytes, decoding->batch->count);
}

/* Timed apart: a clock is slower than most of these batches. */
static void time_bytes(enum gt_wire wire, const struct batch *batch)
{
	struct decoding decoding = {wire, batch};
	uint64_t good_ns = cpu_fastest_ns(decode_once, &decoding);

	for (size_t at = 0; at < batch->count; at++) {
		uint8_t was = batch->bytes[at];

		batch->bytes[at] = 0xff;
		assert_true(cpu_within(decode_once, &decoding,
		                       TIMES_GOOD * good_ns));
		batch->bytes[at] = was;
	}
}

static void no_changed_byte_takes_much_longer(void **state)
{
	(void)state;
	each(GT_WIRE_HYPERLIGHT_0_11, SIZE_MAX, time_bytes);
	each(GT_WIRE_HYPERLIGHT_0_12, SIZE_MAX, time_bytes);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truncation_of_0_11_is_harmless),
		cmocka_unit_test(every_truncation_of_0_12_is_harmless),
		cmocka_unit_test(every_changed_byte_of_0_11_is_harmless),
		cmocka_unit_test(every_changed_byte_of_0_12_is_harmless),
		cmocka_unit_test(every_changed_pair_of_0_11_is_harmless),
		cmocka_unit_test(every_changed_pair_of_0_12_is_harmless),
		cmocka_unit_test(no_changed_byte_takes_much_longer),
	};

	if (argc != 2)
		return 2;
	directory = argv[1];
	return cmocka_run_group_tests_name("hyperlight_mutations", tests, NULL,
	                                   NULL);
}
