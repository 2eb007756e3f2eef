/* SPDX-License-Identifier: MIT */
/*
 * Page tables in a dump that nobody vouches for: what leads where is found as a
 * walk over everything would find it, in work that grows with the dump alone.
 */
#include "cli/ways.h"
#include "tests/support/cpu_time.h"
#include "tests/support/random64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAGE_WORDS 512u
#define TARGET     UINT64_C(0x7461726765743031)
#define PRESENT    UINT64_C(1)
#define LARGE      UINT64_C(0x80)

static struct dump dump;
static struct dump_piece piece; /* all of it */
static uint64_t *words;

static uint64_t *words_of(uint64_t page)
{
	return words + page * PAGE_WORDS;
}

/* cli/dump.c reads files; here there is one piece. */
const uint8_t *dump_at(const struct dump *of, uint64_t gpa, uint64_t bytes)
{
	return gpa < of->pieces->bytes && of->pieces->bytes - gpa >= bytes
	               ? of->pieces->host + gpa
	               : NULL;
}

static void make_dump(uint64_t pages)
{
	free(words);
	words = calloc(pages, PAGE_WORDS * 8);
	assert_non_null(words);
	piece = (struct dump_piece){.host = (const uint8_t *)words,
	                            .bytes = pages * PAGE_WORDS * 8};
	dump = (struct dump){.pieces = &piece, .count = 1};
}

/*
 * Each page has `entries` of the 512, which lead anywhere, some of them to what
 * is not there; some are large; some pages are targets. 0: none.
 */
static void fill_dump(uint64_t pages, unsigned entries, uint64_t large_one_in,
                      uint64_t target_one_in, uint64_t beyond)
{
	make_dump(pages);
	for (uint64_t p = 0; p < pages; p++) {
		for (unsigned i = 0; i < entries; i++) {
			uint64_t entry = random64() % (pages + beyond) << 12;

			if (large_one_in && random64() % large_one_in == 0)
				entry |= LARGE;
			words_of(p)[random64() % PAGE_WORDS] = entry | PRESENT;
		}
		if (target_one_in && random64() % target_one_in == 0)
			words_of(p)[0] = TARGET;
	}
}

/* ---- What is found ------------------------------------------------------- */

struct sum {
	uint64_t count, mixed;
};

static void add_up(struct sum *sum, uint64_t gva, uint64_t gpa)
{
	sum->count++;
	sum->mixed += (gva ^ gpa << 20) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool add_found(void *context, uint64_t root, uint64_t gva, uint64_t gpa)
{
	(void)root;
	add_up(context, gva, gpa);
	return false;
}

/* The model: all of it, level by level, as Intel SDM volume 3, 4.5 has it. */
static void walk_all(uint64_t table, unsigned level, uint64_t gva,
                     struct sum *sum)
{
	for (uint64_t i = 0; i < PAGE_WORDS; i++) {
		uint64_t entry = words_of(table)[i], bytes = 4096;
		uint64_t at = gva | i << (12 + 9 * level), from;

		if (!(entry & PRESENT))
			continue;
		bytes <<= 9 * level;
		from = entry & UINT64_C(0x000ffffffffff000);
		if (level > 0 && (level == 3 || !(entry & LARGE))) {
			if (dump_at(&dump, from, 4096))
				walk_all(from >> 12, level - 1, at, sum);
			continue;
		}
		from -= from % bytes;
		for (uint64_t p = 0; p < piece.bytes >> 12; p++)
			if (words_of(p)[0] == TARGET && p << 12 >= from &&
			    (p << 12) - from < bytes)
				add_up(sum,
				       (at >> 47 & 1
				                ? at | UINT64_C(0xffff) << 48
				                : at) +
				               ((p << 12) - from),
				       p << 12);
	}
}

static void what_is_found_is_what_a_whole_walk_finds(void **unused)
{
	uint64_t found = 0;

	(void)unused;
	for (unsigned seed = 0; seed < 300; seed++) {
		struct sum sum = {0}, model = {0};
		struct ways ways;

		random64_state = seed + 1;
		fill_dump(12, 3, 8, 4, 1);
		assert_int_equal(ways_init(&ways, &dump, TARGET, 0, NULL), 0);
		ways.places_left = UINT64_MAX;
		for (uint64_t root = 0; root < 12; root++) {
			assert_int_equal(
				ways_follow(&ways, root << 12, add_found, &sum),
				0);
			walk_all(root, 3, 0, &model);
		}
		assert_true(sum.count == model.count &&
		            sum.mixed == model.mixed);
		found += sum.count;
		ways_fini(&ways);
	}
	assert_true(found > 1000);
}

/* ---- What it costs ------------------------------------------------------- */

static bool count_found(void *context, uint64_t root, uint64_t gva,
                        uint64_t gpa)
{
	(void)root;
	(void)gva;
	(void)gpa;
	++*(uint64_t *)context;
	return false;
}

/* Every page leads to every other one: 512 to the power of four ways. */
static void ways_without_end_are_given_up(void **unused)
{
	struct ways ways;
	uint64_t found = 0, steps;

	(void)unused;
	random64_state = 1;
	fill_dump(128, 4096, 0, 2, 0);
	assert_int_equal(ways_init(&ways, &dump, TARGET, 0, NULL), 0);
	steps = ways.steps_left;
	assert_int_equal(ways_follow_all(&ways, count_found, &found), -E2BIG);
	assert_in_range(found, 1, 128);
	assert_true(steps - ways.steps_left < UINT64_C(1) << 27);
	ways_fini(&ways);
}

static bool is_of_3(void *context, uint64_t root, uint64_t gva, uint64_t gpa)
{
	(void)gpa;
	*(uint64_t *)context = gva;
	return root == 3 << 12;
}

/* Page 1 leads to the target by each of its entries, page 3 by one. */
static void a_root_of_many_ways_does_not_hide_another(void **unused)
{
	struct ways ways;
	uint64_t gva = 0;

	(void)unused;
	make_dump(8);
	for (unsigned i = 0; i < PAGE_WORDS; i++)
		words_of(1)[i] = 4 << 12 | PRESENT;
	words_of(3)[7] = 4 << 12 | PRESENT;
	words_of(4)[0] = 5 << 12 | PRESENT;
	words_of(5)[0] = 6 << 12 | PRESENT;
	words_of(6)[0] = 2 << 12 | PRESENT;
	words_of(2)[0] = TARGET;
	assert_int_equal(ways_init(&ways, &dump, TARGET, 0, NULL), 0);
	assert_int_equal(ways_follow_all(&ways, is_of_3, &gva), 1);
	assert_int_equal(gva, UINT64_C(7) << 39);
	ways_fini(&ways);
}

/* No page but the target's leads to it: no way ends. */
static void cut_targets_off(uint64_t pages)
{
	fill_dump(pages, 4096, 0, 0, 0);
	memset(words_of(pages - 1), 0, PAGE_WORDS * 8);
	for (uint64_t i = 0; i < (pages - 1) * PAGE_WORDS; i++)
		if ((words_of(0)[i] >> 12) >= pages - 1)
			words_of(0)[i] = PRESENT;
	words_of(pages - 1)[0] = TARGET;
}

static void look_for_ways(void *unused)
{
	struct ways ways;
	uint64_t found = 0;

	(void)unused;
	assert_int_equal(ways_init(&ways, &dump, TARGET, 0, NULL), 0);
	assert_int_equal(ways_follow_all(&ways, count_found, &found), 0);
	assert_int_equal(found, 0);
	ways_fini(&ways);
}

static void eight_times_the_pages_cost_eight_times_as_much(void **unused)
{
	uint64_t small_ns;

	(void)unused;
	random64_state = 1;
	cut_targets_off(256);
	small_ns = cpu_fastest_ns(look_for_ways, NULL);
	cut_targets_off(8 * 256);
	assert_true(cpu_within(look_for_ways, NULL, 3 * 8 * small_ns));
}

static void looking_ends_at_its_time(void **unused)
{
	struct ways ways;

	(void)unused;
	make_dump(16);
	assert_int_equal(ways_init(&ways, &dump, TARGET, 1, NULL), -ETIMEDOUT);
	ways_fini(&ways);
}

static int teardown(void **unused)
{
	(void)unused;
	free(words);
	words = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_found_is_what_a_whole_walk_finds),
		cmocka_unit_test(ways_without_end_are_given_up),
		cmocka_unit_test(a_root_of_many_ways_does_not_hide_another),
		cmocka_unit_test(
			eight_times_the_pages_cost_eight_times_as_much),
		cmocka_unit_test_teardown(looking_ends_at_its_time, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
