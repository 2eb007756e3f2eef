/* SPDX-License-Identifier: MIT */
/* Addresses, lengths and registers, before any page table is looked at. */
#include "tests/support/paged_ram.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

__extension__ typedef unsigned __int128 u128;

/* Threat A5. */
static void only_canonical_addresses_are_walked(void **unused)
{
	uint64_t word;

	(void)unused;
	for (uint64_t top = 0; top < 65536; top++)
		for (uint64_t bit = 0; bit < 2; bit++) {
			uint64_t gva = top << 48 | bit << 47;
			bool good = top == (bit ? 0xffff : 0);

			assert_int_equal(ram_get(gva, &word, 8),
			                 good ? -GT_ERROR_UNMAPPED
			                      : -GT_ERROR_NOT_CANONICAL);
		}
	for (unsigned i = 1; i < 8; i++)
		assert_int_equal(ram_get((UINT64_C(1) << 47) - i, &word, 8),
		                 -GT_ERROR_NOT_CANONICAL);
	/* Both ends canonical, the middle not. */
	assert_int_equal(ram_get(0, &word, SIZE_MAX), -GT_ERROR_NOT_CANONICAL);
}

/* Threat A2. */
static void no_sum_of_address_and_length_wraps(void **unused)
{
	static const uint64_t values[] = {0,
	                                  1,
	                                  7,
	                                  4095,
	                                  4096,
	                                  4097,
	                                  (1u << 31) - 1,
	                                  (1u << 31) + 1,
	                                  UINT64_C(0xffffffff),
	                                  UINT64_C(0x100000001),
	                                  UINT64_C(0x7fffffffffff),
	                                  UINT64_C(0x800000000001),
	                                  UINT64_C(0xffffffffffff),
	                                  UINT64_C(0x1000000000001),
	                                  INT64_MAX,
	                                  UINT64_C(0x8000000000000001),
	                                  UINT64_MAX - 4095,
	                                  UINT64_MAX - 1,
	                                  UINT64_MAX};
	const size_t n = sizeof(values) / sizeof(*values);
	uint8_t one;

	(void)unused;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			uint64_t gva = values[i], count = values[j];
			u128 end = (u128)gva + count;
			bool low = end <= UINT64_C(1) << 47;
			bool high = gva >> 47 == 0x1ffff;
			int expected = -GT_ERROR_NOT_CANONICAL;

			if (count == 0)
				expected = -EINVAL;
			else if (end > (u128)1 << 64)
				expected = -GT_ERROR_WRAPS;
			else if (low || high)
				expected = -GT_ERROR_UNMAPPED;
			assert_int_equal(ram_get(gva, &one, count), expected);
			assert_int_equal(ram_put(gva, &one, count), expected);
		}
}

/* Threat A6. */
static void other_paging_modes_are_refused(void **unused)
{
	uint64_t gpa = ram_page(64), word;

	(void)unused;
	ram_map(0, 1, &gpa);
	for (unsigned bits = 0; bits < 32; bits++) {
		struct gt__paging mode = {
			.cr0 = (bits & 1 ? 1u : 0) |
		               (bits & 2 ? UINT64_C(1) << 31 : 0),
			.cr3 = LOW,
			.cr4 = (bits & 4 ? 1u << 5 : 0) |
		               (bits & 8 ? 1u << 12 : 0),
			.efer = bits & 16 ? 1u << 10 : 0,
		};

		if (bits == 31)
			continue; /* five levels */
		assert_int_equal(
			gt__memory_read(&ram_memory, &mode, 0, &word, 8),
			bits == 23 ? 0 : -GT_ERROR_PAGING_MODE);
	}
}

/* Intel SDM volume 3, 4.5.4: one more table, and 57 bits of address. */
static void five_levels_are_walked(void **unused)
{
	struct gt__paging five = ram_paging;
	uint64_t gpa = ram_page(64), top = ram_page(65), entry = LOW | 3;
	uint64_t here, word;

	(void)unused;
	ram_map(0, 1, &gpa);
	assert_int_equal(ram_get(0, &here, 8), 0);
	five.cr3 = top;
	five.cr4 |= 1u << 12;
	ram_set_entry(65, 0, 0);
	ram_set_entry(65, 1, entry);
	assert_int_equal(gt__memory_read(&ram_memory, &five, 0, &word, 8),
	                 -GT_ERROR_UNMAPPED);
	assert_int_equal(gt__memory_read(&ram_memory, &five, UINT64_C(1) << 48,
	                                 &word, 8),
	                 0);
	assert_int_equal(word, here);
	assert_int_equal(gt__memory_read(&ram_memory, &five, UINT64_C(1) << 56,
	                                 &word, 8),
	                 -GT_ERROR_NOT_CANONICAL);
	/* No page is as large as that. */
	ram_set_entry(65, 1, entry | 1u << 7);
	assert_int_equal(gt__memory_read(&ram_memory, &five, UINT64_C(1) << 48,
	                                 &word, 8),
	                 -GT_ERROR_RESERVED_BIT);
}

static bool is_ram(uint64_t gpa)
{
	for (unsigned i = 0; i < ram_memory.count; i++)
		if (gpa >= ram_memory.slots[i].gpa &&
		    gpa - ram_memory.slots[i].gpa < ram_memory.slots[i].bytes)
			return true;
	return false;
}

/* Threat A6. Bits 51:12 are an address, all others say nothing: SDM 3, 4.5. */
static void of_cr3_only_the_address_counts(void **unused)
{
	uint64_t gpa = ram_page(64), here, word;

	(void)unused;
	ram_map(0, 1, &gpa);
	assert_int_equal(ram_get(0, &here, 8), 0);
	for (unsigned bit = 0; bit < 64; bit++) {
		struct gt__paging mode = ram_paging;
		bool is_address = bit >= 12 && bit <= 51;

		mode.cr3 = is_address ? UINT64_C(1) << bit
		                      : LOW | UINT64_C(1) << bit;
		if (is_address && is_ram(mode.cr3))
			continue;
		assert_int_equal(
			gt__memory_read(&ram_memory, &mode, 0, &word, 8),
			is_address ? -GT_ERROR_OUTSIDE_RAM : 0);
		assert_true(is_address || word == here);
	}
}

/* A word is loaded in one piece, or not at all. */
static void a_word_is_aligned_and_whole(void **unused)
{
	const uint64_t page = FAR + 3 * PAGE; /* of which there are 12 bytes */
	uint64_t word = 7;

	(void)unused;
	ram_map(0, 1, &page);
	for (uint64_t gva = 1; gva < 8; gva++)
		assert_int_equal(gt__memory_load(&ram_memory, &ram_paging, gva,
		                                 &word),
		                 -EINVAL);
	assert_int_equal(gt__memory_load(&ram_memory, &ram_paging, 8, &word),
	                 -GT_ERROR_OUTSIDE_RAM);
	assert_int_equal(gt__memory_load(&ram_memory, &ram_paging, 16, &word),
	                 -GT_ERROR_OUTSIDE_RAM);
	assert_int_equal(word, 7);
	assert_int_equal(gt__memory_load(&ram_memory, &ram_paging, 0, &word),
	                 0);
	assert_memory_equal(&word, ram_at(page, 8), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, ram_setup, ram_teardown)
		T(only_canonical_addresses_are_walked),
		T(no_sum_of_address_and_length_wraps),
		T(other_paging_modes_are_refused),
		T(five_levels_are_walked),
		T(of_cr3_only_the_address_counts),
		T(a_word_is_aligned_and_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
