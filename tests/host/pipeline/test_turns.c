/* SPDX-License-Identifier: MIT */
#include "host/pipeline/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#define MOST 37u

static uint64_t next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1;
	return *state >> 33;
}

/* By looking at all of them. */
static void compare(const struct gt__turns *turns, const uint64_t *ticks,
                    uint32_t count)
{
	uint64_t after = GT__NEVER;
	uint32_t first = 0;

	for (uint32_t i = 1; i < count; i++)
		first = ticks[i] < ticks[first] ? i : first;
	for (uint32_t i = 0; i < count; i++)
		if (i != first && ticks[i] < after)
			after = ticks[i];
	assert_int_equal(gt__turns_least(turns), ticks[first]);
	assert_int_equal(gt__turns_first(turns), first);
	assert_int_equal(gt__turns_after(turns, first), after);
}

static void it_agrees_with_looking_at_all(void **unused)
{
	uint64_t state = 1, ticks[MOST];

	(void)unused;
	for (uint32_t count = 1; count <= MOST; count++) {
		struct gt__turns turns;

		assert_int_equal(gt__turns_init(&turns, count, 5), 0);
		for (uint32_t i = 0; i < count; i++)
			ticks[i] = 5;
		for (unsigned i = 0; i < 2000; i++) {
			uint32_t number = (uint32_t)next(&state) % count;
			uint64_t tick = next(&state) % 16;

			ticks[number] = tick == 15 ? GT__NEVER : tick;
			gt__turns_set(&turns, number, ticks[number]);
			compare(&turns, ticks, count);
		}
		gt__turns_fini(&turns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_looking_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
