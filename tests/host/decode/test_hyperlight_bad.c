/* SPDX-License-Identifier: MIT */
/*
 * One bad input per check, on both wires: the event is refused, the code is
 * counted once, and what is around the event is shown.
 *
 * The faults are in hyperlight_faults.c. In 0.11 the same lies 32 bytes further
 * on, behind the root and its vector.
 */
#include "hyperlight_batches.h"
#include "hyperlight_faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SHIFT_0_11 32u

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

static void change(struct batch *batch, const struct fault *fault,
                   uint32_t shift)
{
	uint32_t prefix;

	for (size_t i = 0; i < 2; i++)
		if (fault->changes[i].at)
			memcpy(batch->bytes + fault->changes[i].at + shift,
			       &fault->changes[i].value,
			       fault->changes[i].bytes);
	batch->count -= fault->cut;
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
static void refused_on_0_12(const struct fault *fault)
{
	struct batch bad =
		batch_read(directory, GT_WIRE_HYPERLIGHT_0_12, "open_fields_1");
	struct batch good =
		batch_read(directory, GT_WIRE_HYPERLIGHT_0_12, "close");
	struct gt_hyperlight_result result;
	struct seen seen = {0};

	change(&bad, fault, 0);
	bad.bytes = realloc(bad.bytes, bad.count + good.count);
	memcpy(bad.bytes + bad.count, good.bytes, good.count);
	expect(&result,
	       gt_hyperlight_decode(GT_WIRE_HYPERLIGHT_0_12, bad.bytes,
	                            bad.count + good.count, NULL, show, &seen,
	                            &result),
	       fault->code);
	assert_int_equal(seen.events, 1);
	assert_int_equal(seen.last, GT_HYPERLIGHT_CLOSE);
	assert_true(result.first_error_at < bad.count);
	batch_free(&bad);
	batch_free(&good);
}

static void refused_on_0_11(const struct fault *fault)
{
	struct batch bad =
		batch_read(directory, GT_WIRE_HYPERLIGHT_0_11, "open_fields_1");
	struct gt_hyperlight_result result;
	struct seen seen = {0};

	change(&bad, fault, SHIFT_0_11);
	expect(&result,
	       gt_hyperlight_decode(GT_WIRE_HYPERLIGHT_0_11, bad.bytes,
	                            bad.count, NULL, show, &seen, &result),
	       fault->code);
	assert_int_equal(seen.events, 1);
	assert_int_equal(seen.last, GT_HYPERLIGHT_START);
	batch_free(&bad);
}

static void refused_12(void **state)
{
	refused_on_0_12(*state);
}

static void refused_11(void **state)
{
	refused_on_0_11(*state);
}

int main(int argc, char **argv)
{
	static char names[512][96];
	struct CMUnitTest *tests;
	size_t count = 0;
	int failed;

	if (argc != 2)
		return 2;
	directory = argv[1];
	tests = calloc(2 * fault_count, sizeof(*tests));
	for (size_t i = 0; i < 2 * fault_count; i++) {
		const struct fault *fault = &faults[i / 2];

		if (i % 2 == 0 && fault->only_12)
			continue;
		snprintf(names[count], sizeof(names[count]), "0.1%d: %s",
		         i % 2 ? 2 : 1, fault->name);
		tests[count] = (struct CMUnitTest){
			.name = names[count],
			.test_func = i % 2 ? refused_12 : refused_11,
			.initial_state = (void *)(uintptr_t)fault,
		};
		count++;
	}
	failed = _cmocka_run_group_tests("hyperlight_bad", tests, count, NULL,
	                                 NULL);
	free(tests);
	return failed;
}
