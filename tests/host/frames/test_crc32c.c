/* SPDX-License-Identifier: MIT */
/*
 * CRC-32C by both its ways. The unit is included, so that the way that this
 * CPU does not take is tested too.
 */
#include "host/frames/crc32c.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint32_t by_hand(const uint8_t *bytes, size_t count)
{
	return ~plain(~0u, bytes, count);
}

static void the_vectors_of_rfc_3720_hold(void **unused)
{
	static const uint8_t read_command[48] = {
		0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
		0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
		0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0};
	uint8_t bytes[32];

	(void)unused;
	memset(bytes, 0, 32);
	assert_int_equal(gt__crc32c(0, bytes, 32), 0x8a9136aau);
	assert_int_equal(by_hand(bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, 32);
	assert_int_equal(gt__crc32c(0, bytes, 32), 0x62a8ab43u);
	assert_int_equal(by_hand(bytes, 32), 0x62a8ab43u);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(gt__crc32c(0, bytes, 32), 0x46dd794eu);
	assert_int_equal(by_hand(bytes, 32), 0x46dd794eu);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	assert_int_equal(gt__crc32c(0, bytes, 32), 0x113fdb5cu);
	assert_int_equal(by_hand(bytes, 32), 0x113fdb5cu);
	assert_int_equal(gt__crc32c(0, read_command, 48), 0xd9963a56u);
	assert_int_equal(by_hand(read_command, 48), 0xd9963a56u);
	/* The check value of the catalogues. */
	assert_int_equal(gt__crc32c(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(gt__crc32c(0, "", 0), 0);
}

static void both_ways_agree_at_any_length_and_place(void **unused)
{
	uint8_t bytes[256];
	uint32_t state = 1;

	(void)unused;
	if (!__builtin_cpu_supports("sse4.2"))
		skip();
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 24);
	}
	for (size_t from = 0; from < 16; from++)
		for (size_t count = 0; from + count <= sizeof(bytes); count++)
			assert_int_equal(hardware(state, bytes + from, count),
			                 plain(state, bytes + from, count));
}

static void pieces_give_what_the_whole_gives(void **unused)
{
	uint8_t bytes[100];

	(void)unused;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint32_t crc = gt__crc32c(0, bytes, cut);

		crc = gt__crc32c(crc, bytes + cut, sizeof(bytes) - cut);
		assert_int_equal(crc, gt__crc32c(0, bytes, sizeof(bytes)));
	}
}

static void every_flipped_bit_is_noticed(void **unused)
{
	uint8_t bytes[64] = {0};
	uint32_t crc = gt__crc32c(0, bytes, sizeof(bytes));

	(void)unused;
	for (unsigned bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(gt__crc32c(0, bytes, sizeof(bytes)), crc);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_3720_hold),
		cmocka_unit_test(both_ways_agree_at_any_length_and_place),
		cmocka_unit_test(pieces_give_what_the_whole_gives),
		cmocka_unit_test(every_flipped_bit_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
