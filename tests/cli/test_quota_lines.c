/* SPDX-License-Identifier: MIT */
/* What is said of quotas while a guest runs (threat D6). */
#include "cli/command.h"
#include "cli/quota_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MS UINT64_C(1000000)

static unsigned lines_said;
static char last_line[256];

static bool say(const char *line)
{
	lines_said++;
	strncpy(last_line, line, sizeof(last_line) - 1);
	return true;
}

static int setup(void **unused)
{
	(void)unused;
	lines_said = 0;
	complain_by(say);
	return 0;
}

static void a_flood_is_a_line_in_five_seconds(void **unused)
{
	struct quota_lines lines = {0};
	struct gt_losses losses = {0};

	(void)unused;
	for (unsigned ms = 0; ms < 60000; ms++) {
		losses.quota_requests += 1000;
		quota_lines_say(&lines, &losses, (100000 + ms) * MS);
	}
	assert_int_equal(lines_said, 12);
	assert_non_null(strstr(last_line, ": 55001000 doorbells"));
}

static void each_kind_has_its_own(void **unused)
{
	struct quota_lines lines = {0};
	struct gt_losses losses = {.quota_requests = 1};

	(void)unused;
	quota_lines_say(&lines, &losses, 1 * MS);
	assert_int_equal(lines_said, 1);
	losses.quota_exits = 2;
	losses.evicted_spans = 3;
	losses.dropped_events = 4;
	losses.dropped_fields = 5;
	losses.crowded_names = 6;
	quota_lines_say(&lines, &losses, 2 * MS);
	assert_int_equal(lines_said, 6);
}

static void what_is_over_is_not_said_again(void **unused)
{
	struct quota_lines lines = {0};
	const struct gt_losses losses = {.quota_exits = 2};

	(void)unused;
	for (unsigned second = 1; second < 100; second++)
		quota_lines_say(&lines, &losses, second * 1000 * MS);
	assert_int_equal(lines_said, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
		T(a_flood_is_a_line_in_five_seconds),
		T(each_kind_has_its_own),
		T(what_is_over_is_not_said_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
