/* SPDX-License-Identifier: MIT */
/*
 * Where QEMU says that RAM lies, which may be anything: what is made of it lies
 * in its writable mappings, and no two parts of it on each other. Threat F14.
 */
#include "cli/attach_layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GIB UINT64_C(1073741824)

static struct attach_memory memory = {
	.pid = 1,
	.mappings = {{.pid = 1, .address = GIB, .bytes = GIB, .fd = -1},
                     {.pid = 1, .address = 2 * GIB, .bytes = 8 * GIB, .fd = -1},
                     {.pid = 1,
                      .address = UINT64_C(0x7ffffffff000),
                      .bytes = 4096,
                      .fd = -1}},
	.count = 3,
};

static bool is_mapped(uint64_t address, uint64_t bytes)
{
	for (size_t i = 0; i < memory.count; i++) {
		const struct gt_mapping *mapping = &memory.mappings[i];

		if (address >= mapping->address &&
		    address - mapping->address < mapping->bytes)
			return bytes <= mapping->bytes -
			                        (address - mapping->address);
	}
	return false;
}

static bool are_apart(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a <= b ? a_bytes <= b - a : b_bytes <= a - b;
}

static void check_layout(const struct gt_layout *layout)
{
	const struct gt_memory_slot *slots = layout->slots;
	const struct gt_process_memory *places = layout->places;

	assert_in_range(layout->count, 1, 2);
	for (uint32_t i = 0; i < layout->count; i++) {
		assert_true(slots[i].bytes > 0);
		assert_true(is_mapped(places[i].address, slots[i].bytes));
		assert_true(slots[i].gpa <= UINT64_MAX - slots[i].bytes);
	}
	if (layout->count == 1)
		return;
	assert_true(are_apart(slots[0].gpa, slots[0].bytes, slots[1].gpa,
	                      slots[1].bytes));
	assert_true(are_apart(places[0].address, slots[0].bytes,
	                      places[1].address, slots[1].bytes));
}

static void f14_any_addresses_and_sizes_are_harmless(void **state)
{
	static const uint64_t words[] = {0,
	                                 1,
	                                 4096,
	                                 GIB - 4096,
	                                 GIB,
	                                 GIB + 1,
	                                 2 * GIB - 4096,
	                                 2 * GIB,
	                                 3 * GIB,
	                                 4 * GIB,
	                                 6 * GIB,
	                                 10 * GIB - 1,
	                                 10 * GIB,
	                                 UINT64_C(0x7ffffffff000),
	                                 UINT64_C(1) << 63,
	                                 UINT64_MAX - 4095,
	                                 UINT64_MAX};
	const size_t count = sizeof(words) / sizeof(words[0]);
	unsigned used = 0;

	(void)state;
	for (size_t i = 0; i < count * count * count; i++) {
		struct gt_layout layout;

		memory.qmp.low = words[i % count];
		memory.qmp.high = words[i / count % count];
		memory.qmp.bytes = words[i / count / count];
		if (!attach_layout_of_qmp(&memory, &layout))
			continue;
		check_layout(&layout);
		used++;
	}
	assert_in_range(used, 100, count * count * count - 100);
}

static void an_honest_one_is_taken_as_it_is(void **state)
{
	struct gt_layout layout;

	(void)state;
	memory.qmp.low = 2 * GIB;
	memory.qmp.high = 5 * GIB;
	memory.qmp.bytes = 8 * GIB;
	assert_true(attach_layout_of_qmp(&memory, &layout));
	assert_int_equal(layout.count, 2);
	assert_true(layout.slots[0].gpa == 0 &&
	            layout.slots[0].bytes == 3 * GIB);
	assert_true(layout.slots[1].gpa == 4 * GIB &&
	            layout.slots[1].bytes == 5 * GIB);
	assert_true(attach_layout_gpa(&layout, 5 * GIB + 8) == 4 * GIB + 8);
	assert_true(attach_layout_gpa(&layout, GIB) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(f14_any_addresses_and_sizes_are_harmless),
		cmocka_unit_test(an_honest_one_is_taken_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
