/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "export/run/sort_ns.h"
#include "tests/support/random64.h"

#define MOST 3000u

/* In order, and the same numbers: their sum and the sum of their squares. */
static void check(uint64_t *numbers, uint32_t count)
{
	uint64_t sum = 0, squares = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		sum += numbers[i];
		squares += numbers[i] * numbers[i];
	}
	gt__sort_ns(numbers, count);
	for (i = 0; i < count; i++) {
		sum -= numbers[i];
		squares -= numbers[i] * numbers[i];
		if (i)
			assert_true(numbers[i - 1] <= numbers[i]);
	}
	assert_true(sum == 0);
	assert_true(squares == 0);
}

static void few_and_many_of_any_size_are_sorted(void **state)
{
	static uint64_t numbers[MOST];

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		uint32_t i, count = (uint32_t)(random64() % MOST);
		unsigned shift = round % 64;

		for (i = 0; i < count; i++)
			numbers[i] = random64() >> shift << round % 3 * 7;
		check(numbers, count);
	}
}

static void what_differs_in_the_highest_byte_alone_is_sorted(void **state)
{
	static uint64_t numbers[MOST];
	uint32_t i;

	(void)state;
	for (i = 0; i < MOST; i++)
		numbers[i] = (uint64_t)(MOST - i) << 56 | 5;
	check(numbers, MOST);
	check(numbers, 0);
	check(numbers, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_and_many_of_any_size_are_sorted),
		cmocka_unit_test(
			what_differs_in_the_highest_byte_alone_is_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
