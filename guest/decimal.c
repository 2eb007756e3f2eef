/* SPDX-License-Identifier: MIT */
/*
 * Numbers as decimal text. Doubles follow Raffaello Giulietti, "The Schubfach
 * way to render doubles": the shortest decimal that reads back as the same
 * double, and of those the closest. Integer arithmetic on the bits alone.
 */
#include "draft.h"

__extension__ typedef unsigned __int128 u128;

/* ---- Integers ------------------------------------------------------------ */

static const char pairs[] = "00010203040506070809"
			    "10111213141516171819"
			    "20212223242526272829"
			    "30313233343536373839"
			    "40414243444546474849"
			    "50515253545556575859"
			    "60616263646566676869"
			    "70717273747576777879"
			    "80818283848586878889"
			    "90919293949596979899";

static size_t digits_of(uint64_t value)
{
	static const uint64_t powers[] = {
		0,
		10,
		100,
		1000,
		10000,
		100000,
		1000000,
		10000000,
		100000000,
		1000000000,
		10000000000,
		100000000000,
		1000000000000,
		10000000000000,
		100000000000000,
		1000000000000000,
		10000000000000000,
		100000000000000000,
		1000000000000000000,
		UINT64_C(10000000000000000000),
	};
	unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
	unsigned guess = bits * 1233 >> 12; /* log10(2), rounded down */

	return guess + (value >= powers[guess]);
}

size_t gt__decimal(uint8_t *to, uint64_t value)
{
	size_t digits = digits_of(value);
	uint8_t *at = to + digits;

	while (value >= 100) {
		at -= 2;
		__builtin_memcpy(at, pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10)
		__builtin_memcpy(at - 2, pairs + 2 * value, 2);
	else
		at[-1] = (uint8_t)('0' + value);
	return digits;
}

/* ---- Powers of ten ------------------------------------------------------- */

#define POWER_FIRST (-292)
#define POWER_STEP  27

/* clang-format off */
/* The 192 highest bits of 10^(POWER_FIRST + POWER_STEP i), rounded up. */
static const uint64_t powers_of_ten[][3] = {
	{UINT64_C(0xff77b1fcbebcdc4f), UINT64_C(0x25e8e89c13bb0f7a),
	 UINT64_C(0xdf9b302944a88415)},
	{UINT64_C(0xce5d73ff402d98e3), UINT64_C(0xfb0a3d212dc8128f),
	 UINT64_C(0xb839ca17a14a01cb)},
	{UINT64_C(0xa6b34ad8c9dfc06f), UINT64_C(0xf42faa48c0ea481e),
	 UINT64_C(0xd7bde82603302c06)},
	{UINT64_C(0x86a8d39ef77164bc), UINT64_C(0xae5dff9c02033197),
	 UINT64_C(0x02c85d6b781b02d4)},
	{UINT64_C(0xd98ddaee19068c76), UINT64_C(0x3badd624dd9b0957),
	 UINT64_C(0x2dbb637d5b77493e)},
	{UINT64_C(0xafbd2350644eeacf), UINT64_C(0xe5d1929ef90898fa),
	 UINT64_C(0x88865218f5493e65)},
	{UINT64_C(0x8df5efabc5979c8f), UINT64_C(0xca8d3ffa1ef463c1),
	 UINT64_C(0xd897747ed9d851e8)},
	{UINT64_C(0xe55990879ddcaabd), UINT64_C(0xcc420a6a101d0515),
	 UINT64_C(0xc2f41cf139d59e10)},
	{UINT64_C(0xb94470938fa89bce), UINT64_C(0xf808e40e8d5b3e69),
	 UINT64_C(0xbf953486d9966118)},
	{UINT64_C(0x95a8637627989aad), UINT64_C(0xdde7001379a44aa8),
	 UINT64_C(0x2eb5b82ea93e5f5d)},
	{UINT64_C(0xf1c90080baf72cb1), UINT64_C(0x5324c68b12dd6338),
	 UINT64_C(0x70cb148213caa7e5)},
	{UINT64_C(0xc350000000000000), UINT64_C(0x0000000000000000),
	 UINT64_C(0x0000000000000000)},
	{UINT64_C(0x9dc5ada82b70b59d), UINT64_C(0xf020000000000000),
	 UINT64_C(0x0000000000000000)},
	{UINT64_C(0xfee50b7025c36a08), UINT64_C(0x02f236d04753d5b4),
	 UINT64_C(0x8e80000000000000)},
	{UINT64_C(0xcde6fd5e09abcf26), UINT64_C(0xed4c0226b55e6f86),
	 UINT64_C(0xad18db241667cf42)},
	{UINT64_C(0xa6539930bf6bff45), UINT64_C(0x84db8346b786151c),
	 UINT64_C(0x91d1eac1fe9754be)},
	{UINT64_C(0x865b86925b9bc5c2), UINT64_C(0x0b8a2392ba45a9b2),
	 UINT64_C(0x5c6658d409fb8bf8)},
	{UINT64_C(0xd910f7ff28069da4), UINT64_C(0x1b2ba1518094da04),
	 UINT64_C(0xc4e8e60f9cf29c85)},
	{UINT64_C(0xaf58416654a6babb), UINT64_C(0x387ac8d1970027b2),
	 UINT64_C(0x03c5b3eebd70b863)},
	{UINT64_C(0x8da471a9de737e24), UINT64_C(0x5ceaecfed289e5d2),
	 UINT64_C(0xac195df9a79706b7)},
	{UINT64_C(0xe4d5e82392a40515), UINT64_C(0x0fabaf3feaa5334a),
	 UINT64_C(0x611fe6a4368498ba)},
	{UINT64_C(0xb8da1662e7b00a17), UINT64_C(0x3d6a751f3b936243),
	 UINT64_C(0xfcc1493dcb1551e0)},
	{UINT64_C(0x95527a5202df0ccb), UINT64_C(0x0f37801e0c43ebc8),
	 UINT64_C(0x985032667e54efd4)},
};
/* clang-format on */

/*
 * The 128 highest bits of 10^exponent, rounded down, plus 1. The table's
 * further 64 bits are enough for all exponents that doubles need (tried, each).
 */
static u128 power_of_ten(int exponent)
{
	unsigned index = (unsigned)(exponent - POWER_FIRST) / POWER_STEP;
	unsigned rest = (unsigned)(exponent - POWER_FIRST) % POWER_STEP;
	const uint64_t *power = powers_of_ten[index];
	uint64_t five = 1;
	u128 low, middle, high;
	int shift;

	for (unsigned i = 0; i < rest; i++)
		five *= 5;
	low = (u128)power[2] * five;
	middle = (u128)power[1] * five + (uint64_t)(low >> 64);
	high = (u128)power[0] * five + (uint64_t)(middle >> 64);
	shift = (int)(high >> 64 ? __builtin_clzll((uint64_t)(high >> 64))
	                         : 64);
	if (shift == 64)
		high = high << 64 | (uint64_t)middle;
	else if (shift > 0)
		high = high << shift | (uint64_t)middle >> (64 - shift);
	return high + 1;
}

/* floor(log2(10^exponent)) */
static int log2_of_power(int exponent)
{
	return exponent * 1741647 >> 19;
}

/* ---- Doubles ------------------------------------------------------------- */

/* A decimal: digits * 10^exponent. */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* power * factor >> 128; the last bit says whether the rest is not 0. */
static uint64_t round_to_odd(u128 power, uint64_t factor)
{
	u128 low = (u128)(uint64_t)power * factor;
	u128 high = (power >> 64) * factor + (uint64_t)(low >> 64);

	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/*
 * Names as in the paper: v is the double, between vl and vr lies what reads
 * back as it; all four times as large. s and t are candidates, u and w whether
 * they lie between.
 */
static struct decimal shortest(uint64_t c, int q, bool is_left_closer)
{
	uint64_t is_odd = c & 1;
	int k = (q * 1262611 - (is_left_closer ? 524031 : 0)) >> 22;
	int h = q + log2_of_power(-k) + 1;
	u128 g = power_of_ten(-k);
	uint64_t vl = round_to_odd(g, (4 * c - 2 + is_left_closer) << h);
	uint64_t v = round_to_odd(g, 4 * c << h);
	uint64_t vr = round_to_odd(g, (4 * c + 2) << h);
	uint64_t low = vl + is_odd, high = vr - is_odd;
	uint64_t s = v / 4, ten = s / 10;
	bool u, w;

	if (s >= 10) {
		u = low <= 40 * ten;
		w = 40 * ten + 40 <= high;
		if (u != w)
			return (struct decimal){ten + w, k + 1};
	}
	u = low <= 4 * s;
	w = 4 * s + 4 <= high;
	if (u == w)
		w = v >= 4 * s + 2; /* a tie goes up, as Rust's does */
	return (struct decimal){s + w, k};
}

static struct decimal decimal_of(uint64_t bits)
{
	uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
	int exponent = (int)(bits >> 52 & 0x7ff);
	struct decimal d;

	if (exponent == 0)
		d = shortest(fraction, -1074, false);
	else
		d = shortest(fraction | UINT64_C(1) << 52, exponent - 1075,
		             fraction == 0 && exponent > 1);
	while (d.digits % 10 == 0) {
		d.digits /= 10;
		d.exponent++;
	}
	return d;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
	while (*text)
		*at++ = (uint8_t)*text++;
	return at;
}

static uint8_t *put_zeros(uint8_t *at, int count)
{
	for (; count > 0; count--)
		*at++ = '0';
	return at;
}

/* d.ddde-5: of the digits at `at`, the first before the point. */
static uint8_t *put_exponential(uint8_t *at, int count, int exponent)
{
	if (count > 1) {
		for (int i = count; i > 1; i--)
			at[i] = at[i - 1];
		at[1] = '.';
		count++;
	}
	at += count;
	*at++ = 'e';
	if (exponent < 0)
		*at++ = '-';
	return at +
	       gt__decimal(at, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

/* `point` digits stand before the point. */
static uint8_t *put_plain(uint8_t *at, const uint8_t *digits, int count,
                          int point)
{
	if (point <= 0)
		at = put_zeros(put_text(at, "0."), -point);
	for (int i = 0; i < count; i++) {
		if (i == point && i > 0)
			*at++ = '.';
		*at++ = digits[i];
	}
	return point < count ? at
	                     : put_text(put_zeros(at, point - count), ".0");
}

size_t gt__decimal_f64(uint8_t *to, uint64_t bits)
{
	uint64_t magnitude = bits << 1;
	uint8_t digits[GT__DECIMAL_BYTES], *at = to;
	struct decimal d;
	int count, point;

	if (magnitude > UINT64_C(0x7ff) << 53)
		return (size_t)(put_text(at, "NaN") - to);
	if (bits >> 63)
		*at++ = '-';
	if (magnitude == UINT64_C(0x7ff) << 53)
		return (size_t)(put_text(at, "inf") - to);
	if (magnitude == 0)
		return (size_t)(put_text(at, "0.0") - to);
	d = decimal_of(bits);
	count = (int)gt__decimal(digits, d.digits);
	point = count + d.exponent;
	if (point > 16 || point < -3) {
		__builtin_memcpy(at, digits, sizeof(digits));
		at = put_exponential(at, count, point - 1);
	} else {
		at = put_plain(at, digits, count, point);
	}
	return (size_t)(at - to);
}
