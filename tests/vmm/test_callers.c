/* SPDX-License-Identifier: MIT */
/* Frames in made-up memory: who called, and where a chain ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "tests/support/random64.h"
#include "vmm/callers.h"

#define BASE  UINT64_C(0x10000)
#define CODE  0x100u
#define STACK 0x800u
#define BYTES 0x1000u

static unsigned char memory[BYTES];

static bool read_memory(void *context, uint64_t gva, void *to, size_t count)
{
	(void)context;
	if (gva < BASE || gva - BASE > BYTES || BYTES - (gva - BASE) < count)
		return false;
	memcpy(to, memory + (gva - BASE), count);
	return true;
}

static void put_word(uint32_t at, uint64_t word)
{
	memcpy(memory + at, &word, sizeof word);
}

/* A frame that leads to the next one, of a call that ends at `code`. */
static void put_frame(uint32_t at, uint64_t next, uint32_t code)
{
	memory[code - 5] = 0xe8;
	put_word(at, next);
	put_word(at + 8, BASE + code);
}

static int forget(void **state)
{
	(void)state;
	memset(memory, 0, sizeof memory);
	return 0;
}

static size_t found(uint64_t from, uint64_t *addresses, size_t most)
{
	return vm__find_callers(read_memory, NULL, from, addresses, most);
}

static void a_chain_is_followed_to_its_end(void **state)
{
	uint64_t a[8];

	(void)state;
	put_frame(STACK, BASE + STACK + 0x20, CODE);
	put_frame(STACK + 0x20, BASE + STACK + 0x80, CODE + 0x40);
	put_frame(STACK + 0x80, 0, CODE + 0x80);
	assert_int_equal(found(BASE + STACK, a, 8), 3);
	assert_int_equal(a[0], BASE + CODE);
	assert_int_equal(a[1], BASE + CODE + 0x40);
	assert_int_equal(a[2], BASE + CODE + 0x80);
	assert_int_equal(found(BASE + STACK, a, 2), 2);
	assert_int_equal(found(BASE + STACK, a, 0), 0);
}

static void calls_by_registers_and_memory_are_calls(void **state)
{
	static const unsigned char calls[][7] = {
		{0xff, 0xd0},                               /* *%rax */
		{0x41, 0xff, 0xd3},                         /* *%r11 */
		{0xff, 0x50, 0x08},                         /* *8(%rax) */
		{0xff, 0x14, 0x25, 0x10, 0x20, 0x30, 0x40}, /* *0x40302010 */
	};
	static const unsigned sizes[] = {2, 3, 3, 7};
	uint64_t a[1];

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		memset(memory, 0, sizeof memory);
		put_word(STACK + 8, BASE + CODE);
		assert_int_equal(found(BASE + STACK, a, 1), 0);
		memcpy(memory + CODE - sizes[i], calls[i], sizes[i]);
		assert_int_equal(found(BASE + STACK, a, 1), 1);
	}
}

static void what_is_no_chain_ends_it(void **state)
{
	uint64_t a[32];

	(void)state;
	/* Itself, one before it, a frame within it, and an odd one. */
	put_frame(STACK, BASE + STACK, CODE);
	assert_int_equal(found(BASE + STACK, a, 32), 1);
	put_frame(STACK + 0x40, BASE + STACK, CODE);
	assert_int_equal(found(BASE + STACK + 0x40, a, 32), 1);
	put_frame(STACK, BASE + STACK + 8, CODE);
	assert_int_equal(found(BASE + STACK, a, 32), 1);
	put_frame(STACK, BASE + STACK + 0x41, CODE);
	put_frame(STACK + 0x41, 0, CODE);
	assert_int_equal(found(BASE + STACK, a, 32), 1);
	/* Nothing is there, or too far away. */
	put_frame(STACK, UINT64_MAX - 7, CODE);
	assert_int_equal(found(BASE + STACK, a, 32), 1);
	put_frame(STACK, BASE + BYTES - 8, CODE);
	assert_int_equal(found(BASE + STACK, a, 32), 1);
	assert_int_equal(found(0, a, 32), 0);
	assert_int_equal(found(UINT64_MAX - 7, a, 32), 0);
	/* Where to return to is no address. */
	put_word(STACK + 8, 3);
	assert_int_equal(found(BASE + STACK, a, 32), 0);
	put_word(STACK + 8, UINT64_MAX);
	assert_int_equal(found(BASE + STACK, a, 32), 0);
}

static void put_call(uint32_t code, int32_t distance)
{
	memory[code - 5] = 0xe8;
	memcpy(memory + code - 4, &distance, sizeof distance);
}

static void of_a_function_without_a_frame_the_call_is_on_top(void **state)
{
	uint64_t address = 0;

	(void)state;
	put_call(CODE, 0x60);
	put_call(CODE + 0x20, 0x90);
	put_word(STACK, BASE + CODE);
	put_frame(STACK + 0x40, 0, CODE + 0x20);
	put_call(CODE + 0x20, 0x90);
	assert_int_equal(vm__find_leaf(read_memory, NULL, BASE + STACK,
	                               BASE + STACK + 0x40, &address),
	                 BASE + CODE + 0x60);
	assert_int_equal(address, BASE + CODE);
	/* The frame is that of the function: what is on top is old. */
	put_call(CODE + 0x20, 0x40);
	assert_int_equal(vm__find_leaf(read_memory, NULL, BASE + STACK,
	                               BASE + STACK + 0x40, &address),
	                 0);
	assert_int_equal(vm__find_leaf(read_memory, NULL, BASE + STACK + 1,
	                               BASE + STACK + 0x40, &address),
	                 0);
	assert_int_equal(vm__find_leaf(read_memory, NULL, UINT64_MAX - 7,
	                               UINT64_MAX - 7, &address),
	                 0);
}

static void any_bytes_come_to_an_end(void **state)
{
	uint64_t a[16], address;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		/* Mostly words that point into the memory, and calls. */
		for (uint32_t at = 0; at < BYTES; at += 8)
			put_word(at, random64() % 4 ? BASE + random64() % BYTES
			                            : 0xe8ffd0e8ffd0e8ff);
		assert_true(found(BASE + random64() % BYTES, a, 16) <= 16);
		vm__find_leaf(read_memory, NULL, BASE + random64() % BYTES,
		              BASE + random64() % BYTES, &address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_chain_is_followed_to_its_end, forget),
		cmocka_unit_test_setup(calls_by_registers_and_memory_are_calls,
		                       forget),
		cmocka_unit_test_setup(what_is_no_chain_ends_it, forget),
		cmocka_unit_test_setup(
			of_a_function_without_a_frame_the_call_is_on_top,
			forget),
		cmocka_unit_test_setup(any_bytes_come_to_an_end, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
