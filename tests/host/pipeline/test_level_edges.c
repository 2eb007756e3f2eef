/* SPDX-License-Identifier: MIT */
/* Bytes of rings at the edges of what the levels keep (threat H2). */
#include "host/pipeline/levels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct gt__levels levels;
static struct gt__sites sites;

/* A capture may say that blocks have no bytes: then there is no next one. */
static void without_blocks_all_that_is_none_is_skipped(void **unused)
{
	static const uint8_t zeros[48]; /* records of no length */
	struct gt_losses losses = {0};
	struct gt__merged merged;

	(void)unused;
	assert_int_equal(gt__level_add(&levels.level[0], 0, zeros, 48), 0);
	assert_false(gt__levels_peek(&levels, &sites, true, &losses, &merged));
	assert_int_equal(losses.bad_bytes, 48);
	assert_int_equal(losses.bad_records, 1);
	gt__levels_fini(&levels);
}

/* Each stretch is told of by itself, as long as nobody has cleared it. */
static void what_is_skipped_block_by_block_is_one_stretch(void **unused)
{
	static const uint8_t zeros[64];
	struct gt_losses losses = {0};
	struct gt__merged merged;

	(void)unused;
	levels.level[0].block_bytes = 16;
	assert_int_equal(gt__level_add(&levels.level[0], 8, zeros, 64), 0);
	assert_false(gt__levels_peek(&levels, &sites, true, &losses, &merged));
	assert_int_equal(losses.bad_bytes, 64);
	assert_int_equal(losses.bad_records, 5); /* 8, 16, 16, 16, 8 */
	assert_int_equal(levels.level[0].bad_from, 8);
	assert_int_equal(levels.level[0].bad_to, 72);
	gt__levels_fini(&levels);
}

static void large_memory_is_given_back_once_it_is_empty(void **unused)
{
	const size_t large = GT__HELD_BYTES_MAX + 64;
	uint8_t *bytes = calloc(1, large);
	struct gt__level *level = &levels.level[2];

	(void)unused;
	assert_non_null(bytes);
	assert_int_equal(gt__level_add(level, 0, bytes, large), 0);
	gt__levels_trim(&levels);
	assert_non_null(level->bytes); /* something is in it */
	level->done = level->count;
	gt__levels_trim(&levels);
	assert_null(level->bytes);
	assert_int_equal(level->room, 0);
	assert_int_equal(gt__level_add(level, 0, bytes, 64), 0);
	level->done = level->count;
	gt__levels_trim(&levels);
	assert_non_null(level->bytes); /* small */
	gt__levels_fini(&levels);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_blocks_all_that_is_none_is_skipped),
		cmocka_unit_test(what_is_skipped_block_by_block_is_one_stretch),
		cmocka_unit_test(large_memory_is_given_back_once_it_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
