/* SPDX-License-Identifier: MIT */
/*
 * Numbers as text: integers against printf, doubles against their definition,
 * the shortest decimal that reads back as the same bits, and of those the
 * closest.
 *
 *   test_decimal [DOUBLES]    how many random ones, default 100,000
 */
#include "guest/draft.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static unsigned long doubles = 100000;

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static const char *text_of(uint64_t bits)
{
	static char text[GT__F64_BYTES + 1];

	text[gt__decimal_f64((uint8_t *)text, bits)] = '\0';
	return text;
}

static void expect(double value, const char *text)
{
	assert_string_equal(text_of(bits_of(value)), text);
}

static uint64_t next_random(void)
{
	static uint64_t seed = 88172645463325252;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- Integers ------------------------------------------------------------ */

static void expect_integer(uint64_t value)
{
	char got[GT__DECIMAL_BYTES + 1], want[GT__DECIMAL_BYTES + 1];

	got[gt__decimal((uint8_t *)got, value)] = '\0';
	snprintf(want, sizeof(want), "%" PRIu64, value);
	assert_string_equal(got, want);
}

static void integers_are_decimal(void **state)
{
	uint64_t power = 1;

	(void)state;
	for (int i = 0; i < 20; i++, power *= 10) {
		expect_integer(power - 1);
		expect_integer(power);
		expect_integer(power + 1);
	}
	for (int i = 0; i < 64; i++) {
		expect_integer((UINT64_C(1) << i) - 1);
		expect_integer(UINT64_C(1) << i);
	}
	expect_integer(UINT64_MAX);
	for (int i = 0; i < 100000; i++)
		expect_integer(next_random() >> i % 64);
}

/* ---- Doubles ------------------------------------------------------------- */

static void whole_numbers_have_a_fraction(void **state)
{
	(void)state;
	expect(1, "1.0");
	expect(-17, "-17.0");
	expect(100, "100.0");
	expect(1e15, "1000000000000000.0");
	expect(9999999999999998.0, "9999999999999998.0");
}

static void zero_keeps_its_sign(void **state)
{
	(void)state;
	expect(0.0, "0.0");
	expect(-0.0, "-0.0");
}

static void large_and_small_ones_are_exponential(void **state)
{
	(void)state;
	expect(1e16, "1e16");
	expect(-1.25e16, "-1.25e16");
	expect(1.7976931348623157e308, "1.7976931348623157e308");
	expect(1e-4, "0.0001");
	expect(0.00012345678901234567, "0.00012345678901234567");
	expect(9.9e-5, "9.9e-5");
	expect(5e-324, "5e-324");
	expect(2.2250738585072014e-308, "2.2250738585072014e-308");
}

/* Texts of Rust 1.95's "{:?}". */
static void ties_are_rounded_up(void **state)
{
	(void)state;
	expect(0x1p-25, "2.9802322387695313e-8");
	expect(0x1.4p-21, "5.960464477539063e-7");
	expect(0x1.2p-20, "1.0728836059570313e-6");
	expect(-0x1.ap-20, "-1.5497207641601563e-6");
	expect(0x1.1p-19, "2.0265579223632813e-6");
}

static void what_is_no_number_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(text_of(UINT64_C(0x7ff0000000000000)), "inf");
	assert_string_equal(text_of(UINT64_C(0xfff0000000000000)), "-inf");
	assert_string_equal(text_of(UINT64_C(0x7ff8000000000000)), "NaN");
	assert_string_equal(text_of(UINT64_C(0xfff0000000000001)), "NaN");
}

static void a_float_is_widened(void **state)
{
	(void)state;
	expect((double)0.1f, "0.10000000149011612");
	expect((double)3.4028235e38f, "3.4028234663852886e38");
}

/* The digits of a text without leading and trailing zeros. */
static size_t significant(const char *text, char *digits)
{
	size_t count = 0;

	for (; *text && *text != 'e'; text++)
		if (*text >= '0' && *text <= '9' && (count || *text != '0'))
			digits[count++] = *text;
	while (count > 1 && digits[count - 1] == '0')
		count--;
	digits[count] = '\0';
	return count;
}

/* Whether some decimal of so many digits reads back as the same. */
static bool reads_back(double value, size_t digits, char *text, size_t room)
{
	snprintf(text, room, "%.*e", (int)digits - 1, value);
	return bits_of(strtod(text, NULL)) == bits_of(value);
}

/*
 * Whether the value lies halfway between two decimals of so many digits, and
 * `digits` is the upper one, as Rust writes it; printf() takes the even one.
 */
static bool is_tie_rounded_up(double value, size_t count, const char *digits)
{
	char exact[1200], *at = exact;

	snprintf(exact, sizeof(exact), "%.1100e", value < 0 ? -value : value);
	exact[1] = exact[0]; /* over the point */
	at++;
	if (at[count] != '5' || strspn(at + count + 1, "0") != 1100 - count)
		return false;
	at[count] = '\0';
	return strtoull(digits, NULL, 10) == strtoull(at, NULL, 10) + 1;
}

static void is_shortest_and_closest(uint64_t bits)
{
	double value = double_of(bits);
	const char *text = text_of(bits);
	char digits[40], other[40], closest[64];
	size_t count;

	if (value != value || value - value != 0)
		return;
	if (bits_of(strtod(text, NULL)) != bits)
		fail_msg("%016" PRIx64 " %s reads back otherwise", bits, text);
	count = significant(text, digits);
	if (value != 0 && count > 1 &&
	    reads_back(value, count - 1, closest, sizeof(closest)))
		fail_msg("%016" PRIx64 " %s is longer than %s", bits, text,
		         closest);
	if (!reads_back(value, count, closest, sizeof(closest)))
		return; /* the only one of that length: at a power of two */
	significant(closest, other);
	if (value != 0 && strcmp(digits, other) != 0 &&
	    !is_tie_rounded_up(value, count, digits))
		fail_msg("%016" PRIx64 " %s is further off than %s", bits, text,
		         closest);
}

static void doubles_at_powers_of_two_are_shortest(void **state)
{
	(void)state;
	for (uint64_t exponent = 0; exponent < 2047; exponent++)
		for (uint64_t i = 0; i < 5; i++)
			is_shortest_and_closest((exponent << 52) + i - 2);
}

static void doubles_at_powers_of_ten_are_shortest(void **state)
{
	char text[16];

	(void)state;
	for (int exponent = -324; exponent <= 308; exponent++) {
		snprintf(text, sizeof(text), "1e%d", exponent);
		for (uint64_t i = 0; i < 7; i++)
			is_shortest_and_closest(bits_of(strtod(text, NULL)) +
			                        i - 3);
	}
}

static void random_doubles_are_shortest(void **state)
{
	(void)state;
	for (unsigned long i = 0; i < doubles; i++) {
		uint64_t bits = next_random();

		switch (i % 4) {
		case 0: /* few decimals */
			bits = bits_of((double)(bits % 1000000) / 1000);
			break;
		case 1: /* whole */
			bits = bits_of((double)(int64_t)(bits >> bits % 64));
			break;
		}
		is_shortest_and_closest(bits);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_decimal),
		cmocka_unit_test(whole_numbers_have_a_fraction),
		cmocka_unit_test(zero_keeps_its_sign),
		cmocka_unit_test(large_and_small_ones_are_exponential),
		cmocka_unit_test(ties_are_rounded_up),
		cmocka_unit_test(what_is_no_number_has_a_name),
		cmocka_unit_test(a_float_is_widened),
		cmocka_unit_test(doubles_at_powers_of_two_are_shortest),
		cmocka_unit_test(doubles_at_powers_of_ten_are_shortest),
		cmocka_unit_test(random_doubles_are_shortest),
	};

	if (argc > 1)
		doubles = strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
