/* SPDX-License-Identifier: MIT */
/*
 * Text against a second reader, which knows nothing of table 3-7: it decodes,
 * and says of each code point whether that was its shortest form (threat C13).
 */
#include "host/decode/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The code point of `count` bytes that form one sequence; -1: they do not. */
static long decode(const uint8_t *at, size_t count)
{
	static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	long code;

	if (count == 1)
		return at[0] < 0x80 ? at[0] : -1;
	if ((unsigned)at[0] >> (7 - count) != marks[count] >> (7 - count))
		return -1;
	code = at[0] & 0x7f >> count;
	for (size_t i = 1; i < count; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return -1;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < least[count] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return -1;
	return code;
}

static size_t model_length(const uint8_t *at, size_t left)
{
	for (size_t count = 1; count <= 4 && count <= left; count++)
		if (decode(at, count) >= 0)
			return count;
	return 0;
}

static bool model_is_valid(const uint8_t *at, size_t left)
{
	while (left > 0) {
		size_t count = model_length(at, left);

		if (count == 0)
			return false;
		at += count;
		left -= count;
	}
	return true;
}

/* Whether more bytes could make `count` ones a sequence. */
static bool is_start(const uint8_t *at, size_t count)
{
	uint8_t whole[4] = {0};
	static const uint8_t fill[] = {0x80, 0x90, 0xa0, 0xbf};

	memcpy(whole, at, count);
	for (unsigned i = 0; i < 4; i++) {
		memset(whole + count, 0x80, 4 - count);
		if (count < 4)
			whole[count] = fill[i];
		for (size_t length = count + 1; length <= 4; length++)
			if (decode(whole, length) >= 0)
				return true;
	}
	return false;
}

/* One U+FFFD for each maximal part, Unicode 3.9, definition D93b and below. */
static size_t model_repair(uint8_t *to, const uint8_t *at, size_t left)
{
	uint8_t *out = to;

	while (left > 0) {
		size_t count = model_length(at, left);

		if (count > 0) {
			memcpy(out, at, count);
			out += count;
		} else {
			memcpy(out, "\xef\xbf\xbd", 3);
			out += 3;
			count = 1;
			while (count < left && count < 3 &&
			       is_start(at, count + 1))
				count++;
		}
		at += count;
		left -= count;
	}
	return (size_t)(out - to);
}

/* No more is read, and no more written, than there is room for. */
static void compare(const uint8_t *bytes, size_t count)
{
	uint8_t ours[64], model[64];
	size_t repaired = gt__utf8_repair(ours, bytes, count);
	bool valid = gt__utf8_is_valid(bytes, count);

	if (repaired != model_repair(model, bytes, count) ||
	    memcmp(ours, model, repaired) != 0 ||
	    valid != model_is_valid(bytes, count) ||
	    valid != (repaired == count && memcmp(ours, bytes, count) == 0) ||
	    repaired > 3 * count || !gt__utf8_is_valid(ours, repaired))
		fail_msg("%02x %02x %02x %02x", bytes[0], bytes[1], bytes[2],
		         bytes[3]);
}

static void all_short_sequences_agree_with_the_model(void **unused)
{
	uint8_t *one = malloc(1), *two = malloc(2);

	(void)unused;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t room[3];

		*one = (uint8_t)i;
		assert_int_equal(gt__utf8_is_valid(one, 1), i < 128);
		assert_int_equal(gt__utf8_repair(room, one, 1),
		                 i < 128 ? 1 : 3);
	}
	for (unsigned i = 0; i < 65536; i++) {
		uint8_t room[6], model[6];

		two[0] = (uint8_t)(i >> 8);
		two[1] = (uint8_t)i;
		assert_int_equal(gt__utf8_is_valid(two, 2),
		                 model_is_valid(two, 2));
		assert_int_equal(gt__utf8_repair(room, two, 2),
		                 model_repair(model, two, 2));
	}
	free(one);
	free(two);
}

static void all_sequences_of_three_bytes_agree_with_the_model(void **unused)
{
	uint8_t bytes[4] = {0};

	(void)unused;
	for (unsigned i = 0; i < 1u << 24; i++) {
		bytes[0] = (uint8_t)(i >> 16);
		bytes[1] = (uint8_t)(i >> 8);
		bytes[2] = (uint8_t)i;
		compare(bytes, 3);
	}
}

static void all_boundary_sequences_of_four_bytes_agree(void **unused)
{
	static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
	                                0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2,
	                                0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf3,
	                                0xf4, 0xf5, 0xf7, 0xf8, 0xfe, 0xff};
	const unsigned n = sizeof(edges);
	uint8_t bytes[4];

	(void)unused;
	for (unsigned i = 0; i < n * n * n * n; i++) {
		bytes[0] = edges[i % n];
		bytes[1] = edges[i / n % n];
		bytes[2] = edges[i / n / n % n];
		bytes[3] = edges[i / n / n / n];
		compare(bytes, 4);
	}
	for (unsigned i = 0; i < 65536; i++) {
		memcpy(bytes, "\0\0\x80\xbf", 4);
		bytes[0] = (uint8_t)(i >> 8);
		bytes[1] = (uint8_t)i;
		compare(bytes, 4);
	}
}

static void every_code_point_is_valid_but_surrogates(void **unused)
{
	(void)unused;
	for (unsigned code = 0x10000; code <= 0x1fffff; code++) {
		uint8_t bytes[4] = {(uint8_t)(0xf0 | code >> 18),
		                    (uint8_t)(0x80 | (code >> 12 & 63)),
		                    (uint8_t)(0x80 | (code >> 6 & 63)),
		                    (uint8_t)(0x80 | (code & 63))};

		assert_int_equal(gt__utf8_is_valid(bytes, 4), code <= 0x10ffff);
	}
}

/* The words of ASCII that are skipped must not hide what follows. */
static void a_bad_byte_is_found_at_any_place(void **unused)
{
	uint8_t bytes[40], *copy;

	(void)unused;
	for (size_t count = 1; count <= sizeof(bytes); count++)
		for (size_t at = 0; at < count; at++) {
			uint8_t room[3 * sizeof(bytes)];

			memset(bytes, 'x', sizeof(bytes));
			bytes[at] = 0x80;
			copy = malloc(count);
			memcpy(copy, bytes, count);
			assert_false(gt__utf8_is_valid(copy, count));
			assert_int_equal(gt__utf8_repair(room, copy, count),
			                 count + 2);
			assert_memory_equal(room + at, "\xef\xbf\xbd", 3);
			copy[at] = 'x';
			assert_true(gt__utf8_is_valid(copy, count));
			free(copy);
		}
	assert_true(gt__utf8_is_valid(bytes, 0));
	assert_int_equal(gt__utf8_repair(bytes, bytes, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_short_sequences_agree_with_the_model),
		cmocka_unit_test(
			all_sequences_of_three_bytes_agree_with_the_model),
		cmocka_unit_test(all_boundary_sequences_of_four_bytes_agree),
		cmocka_unit_test(every_code_point_is_valid_but_surrogates),
		cmocka_unit_test(a_bad_byte_is_found_at_any_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
