/* SPDX-License-Identifier: MIT */
/* The walk of the page tables (threats A, B). */
#include "tests/support/paged_ram.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Threat B1. */
static void reads_follow_a_scrambled_mapping(void **unused)
{
	static uint8_t seen[256 * PAGE];
	uint64_t gpa[256];
	uint8_t copy[3 * PAGE];

	(void)unused;
	for (unsigned i = 0; i < 256; i++)
		gpa[i] = ram_page(64 + i);
	for (unsigned i = 255; i > 0; i--) {
		unsigned j = (unsigned)(ram_random() % (i + 1));
		uint64_t swap = gpa[i];

		gpa[i] = gpa[j];
		gpa[j] = swap;
	}
	ram_map(0, 256, gpa);
	for (unsigned i = 0; i < 256; i++)
		memcpy(seen + i * PAGE, ram_at(gpa[i], 1), PAGE);
	for (unsigned i = 0; i < 200000; i++) {
		size_t count = 1 + (size_t)(ram_random() %
		                            (i % 16 ? 64 : sizeof(copy)));
		uint64_t gva = ram_random() % (sizeof(seen) - count + 1);

		assert_int_equal(ram_get(gva, copy, count), 0);
		assert_memory_equal(copy, seen + gva, count);
	}
}

/* An entry of any kind: sound, absent, large, misplaced, circular, nowhere. */
static uint64_t random_entry(void)
{
	uint64_t flags = (ram_random() & 0xfff0000000000e7eu) | 1;
	uint64_t to = ram_page((unsigned)(ram_random() % 12));

	if (ram_random() % 8 != 0)
		flags |= 2;
	switch (ram_random() % 16) {
	case 0:
		return flags & ~UINT64_C(1);
	case 1: /* any address at all */
		return flags | (ram_random() & UINT64_C(0xffffffffff000));
	case 2:
		return flags | 0x80 | to; /* large, nearly always misaligned */
	case 3:
		return flags | 0x80 | HUGE;
	case 4:
		return flags | 0x80 | HUGE | 0x1000;
	case 5:
		return flags | 0x80 | HUGE | (PAGE << ram_random() % 20);
	case 6:
		return flags | (FAR + PAGE * (ram_random() % 6));
	case 7:
		return flags | (HUGE + PAGE * (ram_random() % 0x210));
	case 8:
		return flags | (LOW - PAGE + PAGE * (ram_random() % 2));
	case 9: /* one large page over all of LOW */
		return flags | 0x80;
	default:
		return flags | to;
	}
}

static const unsigned indices[] = {0, 1, 256, 511};

static void random_tables(void)
{
	for (unsigned table = 0; table < 12; table++)
		for (unsigned i = 0; i < 4; i++)
			ram_set_entry(table, indices[i], random_entry());
}

static uint64_t random_gva(void)
{
	uint64_t gva = ram_random() % 4 ? ram_random() % PAGE
	                                : (0u - ram_random() % 64) % PAGE;

	for (unsigned shift = 12; shift < 48; shift += 9)
		gva |= (uint64_t)indices[ram_random() % 4] << shift;
	return gva & UINT64_C(1) << 47 ? gva | UINT64_C(0xffff) << 48 : gva;
}

/* Threats B2, B3, B5. */
static void both_walkers_agree_on_hostile_tables(void **unused)
{
	static uint8_t ours[2 * PAGE], theirs[2 * PAGE];
	unsigned seen[32] = {0};

	(void)unused;
	for (unsigned i = 0; i < 150000; i++) {
		uint64_t gva = random_gva();
		size_t count = 1 + (size_t)(ram_random() %
		                            (i % 64 ? 96 : sizeof(ours)));
		int r, model;

		if (i % 16 == 0)
			random_tables();
		if (((gva + count - 1) ^ gva) >> 47)
			continue;
		model = ram_read(gva, theirs, count);
		r = ram_get(gva, ours, count);
		assert_int_equal(r, model);
		if (r == 0)
			assert_memory_equal(ours, theirs, count);
		seen[r ? -r - 4096 : 0]++;
	}
	/* The inputs reach every outcome often. */
	assert_true(seen[0] > 5000);
	assert_true(seen[GT_ERROR_UNMAPPED - 4096] > 5000);
	assert_true(seen[GT_ERROR_OUTSIDE_RAM - 4096] > 5000);
	assert_true(seen[GT_ERROR_RESERVED_BIT - 4096] > 5000);
}

/* Threat B6. */
static void reads_leave_the_guest_unchanged(void **unused)
{
	uint8_t copy[256];

	(void)unused;
	for (unsigned i = 0; i < 32; i++) {
		uint32_t before;

		random_tables();
		before = ram_checksum();
		for (unsigned j = 0; j < 500; j++)
			ram_get(random_gva(), copy,
			        1 + (size_t)(ram_random() % 255));
		assert_int_equal(ram_checksum(), before);
	}
}

/* Data pages only, so that no write changes the tables. */
static void writes_change_those_bytes_and_no_other(void **unused)
{
	static uint8_t bytes[2 * PAGE], old[2 * PAGE];
	uint64_t gpa[8];
	unsigned refused = 0, done = 0;

	(void)unused;
	for (unsigned i = 0; i < 8; i++)
		gpa[i] = ram_page(64 + i * 37 % 200);
	ram_map(0, 8, gpa);
	ram_set_entry(3, 3, ram_page(80) | 5); /* read-only */
	ram_set_entry(3, 6, 0);
	for (unsigned i = 0; i < 3000; i++) {
		size_t count = 1 + (size_t)(ram_random() % sizeof(bytes));
		uint64_t gva = ram_random() % (8 * PAGE - count);
		uint32_t before = i % 64 ? 0 : ram_checksum();
		size_t good = 0;
		int r, model = 0;
		uint8_t *at;

		for (size_t j = 0; j < count; j++)
			bytes[j] = (uint8_t)ram_random();
		while (good < count &&
		       (model = ram_walk(gva + good, true, &at)) == 0)
			old[good++] = *at;
		r = ram_put(gva, bytes, count);
		assert_int_equal(r, model);
		for (size_t j = 0; j < good; j++) {
			ram_walk(gva + j, true, &at);
			assert_true(r < 0 || *at == bytes[j]);
			*at = old[j];
		}
		if (i % 64 == 0)
			assert_int_equal(ram_checksum(), before);
		refused += r < 0;
		done += r == 0;
	}
	assert_true(refused > 300 && done > 300);
}

/* Threat B6. */
static void read_only_at_any_level_refuses_writes(void **unused)
{
	uint64_t gpa = ram_page(64), word = 0;

	(void)unused;
	for (unsigned table = 0; table < 4; table++) {
		uint64_t entry = table < 3 ? ram_page(table + 1) : gpa;

		ram_map(0, 1, &gpa);
		assert_int_equal(ram_put(0, &word, 8), 0);
		ram_set_entry(table, 0, entry | 5);
		assert_int_equal(ram_put(0, &word, 8), -GT_ERROR_READ_ONLY);
		assert_int_equal(ram_get(0, &word, 8), 0);
	}
}

/* The guest writes its tables: they do not decide about memory of others'. */
static void a_read_only_slot_refuses_writes_that_the_tables_allow(void **unused)
{
	uint64_t gpa = HUGE, word = 1, before = 2;

	(void)unused;
	ram_map(0, 1, &gpa);
	assert_int_equal(ram_put(0, &before, 8), 0);
	ram_memory.slots[1].read_only = true;
	assert_int_equal(ram_put(0, &word, 8), -GT_ERROR_READ_ONLY);
	assert_int_equal(ram_get(0, &word, 8), 0);
	ram_memory.slots[1].read_only = false;
	assert_int_equal(word, before);
}

/* Threat B2. */
static void a_table_of_itself_ends(void **unused)
{
	uint64_t word;

	(void)unused;
	ram_set_entry(0, 511, LOW | 3);
	assert_int_equal(ram_get(UINT64_C(0xfffffffffffff000), &word, 8), 0);
	assert_memory_equal(&word, ram_memory.slots[0].host, 8);
	assert_int_equal(ram_get(UINT64_C(0xfffffffffffffff8), &word, 8), 0);
	assert_int_equal(word, LOW | 3);
}

/* Threat B3. */
static void large_pages_are_walked_and_checked(void **unused)
{
	uint64_t word, at = HUGE + 0x1ff8;

	(void)unused;
	ram_set_entry(0, 0, ram_page(1) | 3);
	for (unsigned table = 1; table < 3; table++) {
		uint64_t bad = table == 1 ? 0x200000 : 0x2000;

		ram_set_entry(1, 0, ram_page(2) | 3);
		ram_set_entry(table, 0, HUGE | 0x83);
		assert_int_equal(ram_get(0x1ff8, &word, 8), 0);
		assert_memory_equal(&word, ram_at(at, 8), 8);
		ram_set_entry(table, 0, HUGE | 0x1083); /* PAT */
		assert_int_equal(ram_get(0x1ff8, &word, 8), 0);
		assert_memory_equal(&word, ram_at(at, 8), 8);
		ram_set_entry(table, 0, HUGE | bad | 0x83);
		assert_int_equal(ram_get(0, &word, 8), -GT_ERROR_RESERVED_BIT);
		/* The RAM under the page may end before the page does. */
		ram_set_entry(1, 0, HUGE | 0x83);
		assert_int_equal(ram_get(HUGE_BYTES - 8, &word, 8), 0);
		assert_int_equal(ram_get(HUGE_BYTES - 7, &word, 8),
		                 -GT_ERROR_OUTSIDE_RAM);
	}
	ram_set_entry(0, 0, ram_page(1) | 0x83);
	assert_int_equal(ram_get(0, &word, 8), -GT_ERROR_RESERVED_BIT);
}

/* Threat B4. */
static void a_hole_anywhere_fails_the_read(void **unused)
{
	static uint8_t copy[16 * PAGE];
	uint64_t gpa[16];

	(void)unused;
	for (unsigned i = 0; i < 16; i++)
		gpa[i] = ram_page(64 + 3 * i);
	for (unsigned hole = 0; hole < 16; hole++) {
		ram_map(0, 16, gpa);
		assert_int_equal(ram_get(0, copy, sizeof(copy)), 0);
		ram_set_entry(3, hole, gpa[hole] | 6);
		assert_int_equal(ram_get(0, copy, sizeof(copy)),
		                 -GT_ERROR_UNMAPPED);
		/* What the hole does not touch is as readable as before. */
		if (hole > 0)
			assert_int_equal(ram_get(0, copy, hole * PAGE), 0);
	}
}

/* Threat A4. */
static void every_edge_of_every_slot_holds(void **unused)
{
	uint8_t copy[64];

	(void)unused;
	for (unsigned slot = 0; slot < 3; slot++) {
		uint64_t start = ram_memory.slots[slot].gpa;
		uint64_t end = start + ram_memory.slots[slot].bytes;

		for (unsigned edge = 0; edge < 2; edge++) {
			uint64_t middle = edge ? end : start;
			uint64_t first = (middle & ~UINT64_C(4095)) - PAGE;
			uint64_t gpa[3] = {first, first + PAGE, first + 8192};

			ram_map(5, 3, gpa);
			for (int slide = -64; slide <= 64; slide++) {
				uint64_t from = middle + (uint64_t)slide;
				bool inside = from >= start && from + 64 <= end;

				assert_int_equal(
					ram_get(5 * PAGE + from - first, copy,
				                64),
					inside ? 0 : -GT_ERROR_OUTSIDE_RAM);
			}
		}
	}
}

/* Threat B7. */
static void any_split_over_two_pages_is_one_piece(void **unused)
{
	uint64_t gpa[2] = {ram_page(200), ram_page(70)};
	uint8_t out[64], in[64];

	(void)unused;
	ram_map(0, 2, gpa);
	for (unsigned split = 0; split <= 64; split++) {
		for (unsigned i = 0; i < 64; i++)
			out[i] = (uint8_t)ram_random();
		assert_int_equal(ram_put(PAGE - split, out, 64), 0);
		assert_int_equal(ram_get(PAGE - split, in, 64), 0);
		assert_memory_equal(in, out, 64);
		assert_memory_equal(
			ram_at(ram_page(201) - split, split + !split),
			split ? out : ram_at(ram_page(201), 1), split + !split);
		if (split < 64)
			assert_memory_equal(ram_at(ram_page(70), 64 - split),
			                    out + split, 64 - split);
	}
}

/* ---- One store a word: looked at after each instruction ------------------ */

static const volatile uint64_t *watched; /* four words, all of them 0 or ~0 */
static volatile unsigned steps, torn;

static void on_step(int signal)
{
	(void)signal;
	steps++;
	for (unsigned i = 0; i < 4; i++)
		torn += watched[i] != 0 && watched[i] != UINT64_MAX;
}

/* Sets or clears the trap flag; the red zone is not ours to write. */
static void trap_each_instruction(bool on)
{
	uint64_t flag = on ? 0x100 : 0;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
	                 "pushfq\n\t"
	                 "andq $~0x100, (%%rsp)\n\t"
	                 "orq %0, (%%rsp)\n\t"
	                 "popfq\n\t"
	                 "lea 128(%%rsp), %%rsp" ::"r"(flag)
	                 : "cc", "memory");
}

static void aligned_words_are_written_in_one_store(void **unused)
{
	uint64_t gpa = ram_page(64), words[4];
	struct sigaction action = {.sa_handler = on_step}, old;

	(void)unused;
	ram_map(0, 1, &gpa);
	memset(words, 0, sizeof(words));
	ram_put(0, words, sizeof(words));
	watched = (const volatile uint64_t *)(void *)ram_at(gpa, 32);
	sigaction(SIGTRAP, &action, &old);
	for (unsigned i = 0; i < 4; i++) {
		memset(words, i % 2 ? 0 : 0xff, sizeof(words));
		trap_each_instruction(true);
		ram_put(i < 2 ? 0 : 8, words, i < 2 ? 32 : 8);
		trap_each_instruction(false);
	}
	sigaction(SIGTRAP, &old, NULL);
	assert_true(steps > 100);
	assert_int_equal(torn, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, ram_setup, ram_teardown)
		T(reads_follow_a_scrambled_mapping),
		T(both_walkers_agree_on_hostile_tables),
		T(reads_leave_the_guest_unchanged),
		T(writes_change_those_bytes_and_no_other),
		T(read_only_at_any_level_refuses_writes),
		T(a_read_only_slot_refuses_writes_that_the_tables_allow),
		T(a_table_of_itself_ends),
		T(large_pages_are_walked_and_checked),
		T(a_hole_anywhere_fails_the_read),
		T(every_edge_of_every_slot_holds),
		T(any_split_over_two_pages_is_one_piece),
		T(aligned_words_are_written_in_one_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
