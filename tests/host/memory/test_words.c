/* SPDX-License-Identifier: MIT */
/* Words that are loaded at once are what they are one by one, and in their
 * order. */
#include "tests/support/paged_ram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define WORDS_MAX 40u

static uint64_t sequence; /* of loads, over all slots */
static uint64_t calls;

static int ignore(void *host, uint64_t offset, const void *from, size_t count)
{
	(void)host;
	(void)offset;
	(void)from;
	(void)count;
	return 0;
}

static int number_words(void *host, const uint64_t *offsets, uint64_t *words,
                        size_t count)
{
	(void)host;
	(void)offsets;
	assert_in_range(count, 1, GT_MEMORY_WORDS_MAX);
	calls++;
	for (size_t i = 0; i < count; i++)
		words[i] = sequence++;
	return 0;
}

static int copy(void *host, uint64_t offset, void *to, size_t count)
{
	memcpy(to, (uint8_t *)host + offset, count);
	return 0;
}

static int copy_words(void *host, const uint64_t *offsets, uint64_t *words,
                      size_t count)
{
	assert_in_range(count, 1, GT_MEMORY_WORDS_MAX);
	for (size_t i = 0; i < count; i++)
		memcpy(&words[i], (uint8_t *)host + offsets[i], 8);
	return 0;
}

static int refuse_words(void *host, const uint64_t *offsets, uint64_t *words,
                        size_t count)
{
	(void)host;
	(void)offsets;
	(void)words;
	(void)count;
	return -1;
}

/* Two words from each page of several, now and then one that is not mapped. */
static size_t draw(uint64_t gvas[WORDS_MAX])
{
	size_t count = (size_t)(ram_random() % (WORDS_MAX + 1));

	for (size_t i = 0; i < count; i++)
		gvas[i] = ram_random() % 9 * PAGE + ram_random() % 512 * 8;
	return count;
}

static void map_some(void)
{
	uint64_t pages[8];

	for (unsigned i = 0; i < 8; i++)
		pages[i] = i % 3 == 0 ? FAR + i / 3 * PAGE : ram_page(8 + i);
	ram_map(0, 8, pages);
}

static void give(const struct gt_memory_access *access, unsigned slots)
{
	for (uint32_t i = 0; i < ram_memory.count; i++)
		ram_memory.slots[i].access = slots >> i & 1 ? access : NULL;
}

static void words_at_once_are_those_one_by_one(void **unused)
{
	static const struct gt_memory_access access = {copy, ignore,
	                                               copy_words};
	uint64_t gvas[WORDS_MAX], words[WORDS_MAX], one;
	unsigned good = 0;

	(void)unused;
	map_some();
	for (unsigned round = 0; round < 20000; round++) {
		size_t count = draw(gvas);
		int expected = 0, r;

		give(&access, (unsigned)ram_random() & 7);
		r = gt__memory_load_words(&ram_memory, &ram_paging, gvas, words,
		                          count);
		for (size_t i = 0; i < count && expected == 0; i++) {
			uint8_t bytes[8];

			expected = ram_read(gvas[i], bytes, 8);
			memcpy(&one, bytes, 8);
			if (r == 0 && expected == 0)
				assert_int_equal(words[i], one);
		}
		assert_int_equal(r, expected);
		good += r == 0;
	}
	give(NULL, 0);
	assert_in_range(good, 500, 19500);
}

static void they_are_loaded_in_their_order(void **unused)
{
	static const struct gt_memory_access at_once = {copy, ignore,
	                                                number_words};
	uint64_t gvas[WORDS_MAX], words[WORDS_MAX];

	(void)unused;
	map_some();
	for (unsigned round = 0; round < 2000; round++) {
		size_t count = draw(gvas);

		for (size_t i = 0; i < count; i++)
			gvas[i] %= 8 * PAGE;
		sequence = calls = 0;
		give(&at_once, 7);
		assert_int_equal(gt__memory_load_words(&ram_memory, &ram_paging,
		                                       gvas, words, count),
		                 0);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(words[i], i);
		/* In one slot: as few calls as can be. */
		for (size_t i = 0; i < count; i++)
			gvas[i] = PAGE + gvas[i] % PAGE;
		calls = 0;
		gt__memory_load_words(&ram_memory, &ram_paging, gvas, words,
		                      count);
		assert_int_equal(calls, (count + GT_MEMORY_WORDS_MAX - 1) /
		                                GT_MEMORY_WORDS_MAX);
	}
	give(NULL, 0);
}

static void what_is_refused_is_outside_of_ram(void **unused)
{
	static const struct gt_memory_access deaf = {copy, ignore,
	                                             refuse_words};
	uint64_t gvas[2] = {PAGE, PAGE + 8}, words[2];

	(void)unused;
	map_some();
	give(&deaf, 7);
	assert_int_equal(
		gt__memory_load_words(&ram_memory, &ram_paging, gvas, words, 2),
		-GT_ERROR_OUTSIDE_RAM);
	give(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, ram_setup, ram_teardown)
		T(words_at_once_are_those_one_by_one),
		T(they_are_loaded_in_their_order),
		T(what_is_refused_is_outside_of_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
