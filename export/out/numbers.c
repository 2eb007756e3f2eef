/* SPDX-License-Identifier: MIT */
#include "numbers.h"
#include "durations.h"

__extension__ typedef unsigned __int128 u128;

size_t gt__digits(uint64_t value)
{
	size_t n = 1;

	for (; value >= 10; value /= 10)
		n++;
	return n;
}

void gt__put_padding(struct gt__out *o, size_t columns, size_t width)
{
	if (columns < width)
		gt__put_spaces(o, width - columns);
}

void gt__put_dash(struct gt__out *o, size_t width)
{
	gt__put_padding(o, 1, width);
	gt__put_char(o, '-');
}

void gt__put_count(struct gt__out *o, uint64_t value, size_t width)
{
	gt__put_padding(o, gt__digits(value), width);
	gt__put_u64(o, value);
}

/* 1000 * part / whole, rounded. */
static uint64_t per_mille(uint64_t part, uint64_t whole)
{
	u128 tenths = ((u128)part * 1000 + whole / 2) / whole;

	return tenths > UINT64_MAX ? UINT64_MAX : (uint64_t)tenths;
}

static void put_tenths(struct gt__out *o, const char *sign, uint64_t tenths,
                       size_t width)
{
	gt__put_padding(o, gt__digits(tenths / 10) + 2 + (*sign != '\0'),
	                width);
	gt__put(o, sign);
	gt__put_u64(o, tenths / 10);
	gt__put_char(o, '.');
	gt__put_char(o, (char)('0' + tenths % 10));
}

void gt__put_percent(struct gt__out *o, uint64_t part, uint64_t whole,
                     size_t width)
{
	put_tenths(o, "", whole ? per_mille(part, whole) : 0, width);
}

void gt__put_estimate(struct gt__out *o, uint64_t part, uint64_t whole,
                      size_t width)
{
	uint64_t percent = whole ? (per_mille(part, whole) + 5) / 10 : 0;
	const char *sign = part == 0 ? "" : percent ? "~" : "<";

	percent += part > 0 && percent == 0;
	gt__put_padding(o, gt__digits(percent) + (*sign != '\0'), width);
	gt__put(o, sign);
	gt__put_u64(o, percent);
}

void gt__put_change(struct gt__out *o, uint64_t before, uint64_t after,
                    size_t width)
{
	if (after < before)
		put_tenths(o, "-", per_mille(before - after, before), width);
	else if (after == before)
		put_tenths(o, "", 0, width);
	else
		put_tenths(o, "+", per_mille(after - before, before), width);
}
