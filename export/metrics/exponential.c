/* SPDX-License-Identifier: MIT */
#include "exponential.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ---- Indices ------------------------------------------------------------- */

__extension__ typedef unsigned __int128 u128;

/* The upper half of the square; a few units too small at most. */
static u128 square(u128 x)
{
	u128 high = x >> 64, low = (uint64_t)x;

	return high * high + (high * low >> 63);
}

/*
 * A fraction above 1 and below 2, as its bits behind the point: which of
 * 2^scale parts of its logarithm it is in. That is as many digits of the
 * logarithm, each found by a square. No fraction but 1 is on a boundary, and
 * none of 53 bits so near one that 127 would not tell.
 */
static int part_of(uint64_t bits, int scale)
{
	u128 x = (u128)1 << 127 | (u128)bits << 75; /* 1 bit, point, 127 bits */
	int part = 0;

	for (; scale > 0; scale--) {
		bool carries;

		x = square(x); /* 2 bits, point, 126 bits */
		carries = x >> 127;
		part = part * 2 + carries;
		if (!carries)
			x <<= 1;
	}
	return part;
}

/* Of a negative number downwards, as gcc and clang shift. */
static int shift_down(int index, int by)
{
	return (int)((int64_t)index >> by);
}

int gt__exponential_index(double value, int scale)
{
	uint64_t bits;
	int whole; /* value = fraction * 2^whole, a normal number */

	memcpy(&bits, &value, sizeof bits);
	whole = (int)(bits >> 52 & 0x7ff) - 1023;
	bits &= (UINT64_C(1) << 52) - 1;
	if (scale <= 0)
		return shift_down(bits ? whole : whole - 1, -scale);
	if (!bits)
		return whole * (1 << scale) - 1;
	return whole * (1 << scale) + part_of(bits, scale);
}

/* ---- Buckets ------------------------------------------------------------- */

void gt__exponential_init(struct gt__exponential *h)
{
	memset(h, 0, sizeof *h);
	h->scale = GT__SCALE_MAX;
}

static void coarsen(struct gt__exponential *h, int by)
{
	uint64_t counts[GT__BUCKETS_MAX] = {0};
	int offset = shift_down(h->offset, by);
	unsigned i, used = 0;

	h->scale -= by;
	if (!h->used)
		return;
	for (i = 0; i < h->used; i++) {
		int index = shift_down(h->offset + (int)i, by);

		used = (unsigned)(index - offset) + 1;
		counts[used - 1] += h->counts[i];
	}
	memcpy(h->counts, counts, sizeof counts);
	h->offset = offset;
	h->used = used;
}

/* By how much coarser the scale must be for both ends to have buckets. */
static int excess(int64_t low, int64_t high)
{
	int by = 0;

	while (high - low >= GT__BUCKETS_MAX) {
		low = shift_down((int)low, 1);
		high = shift_down((int)high, 1);
		by++;
	}
	return by;
}

static int span_excess(const struct gt__exponential *h, int low, int high)
{
	int last = h->offset + (int)h->used - 1;

	if (h->used && h->offset < low)
		low = h->offset;
	if (h->used && last > high)
		high = last;
	return excess(low, high);
}

/* There is room from this index to the others. */
static void count_at(struct gt__exponential *h, int index, uint64_t more)
{
	if (!h->used) {
		h->offset = index;
		h->used = 1;
	}
	if (index < h->offset) {
		unsigned by = (unsigned)(h->offset - index);

		memmove(h->counts + by, h->counts, h->used * sizeof *h->counts);
		memset(h->counts, 0, by * sizeof *h->counts);
		h->offset = index;
		h->used += by;
	}
	if (index - h->offset >= (int)h->used)
		h->used = (unsigned)(index - h->offset) + 1;
	h->counts[index - h->offset] += more;
}

static void note(struct gt__exponential *h, double min, double max)
{
	if (!h->count || min < h->min)
		h->min = min;
	if (!h->count || max > h->max)
		h->max = max;
}

void gt__exponential_add(struct gt__exponential *h, double value)
{
	int index, by;

	if (!(value >= 0) || !isfinite(value))
		return;
	note(h, value, value);
	h->count++;
	h->sum += value;
	if (value < GT__ZERO_MAX) {
		h->zeros++;
		return;
	}
	index = gt__exponential_index(value, h->scale);
	by = span_excess(h, index, index);
	if (by) {
		coarsen(h, by);
		index = shift_down(index, by);
	}
	count_at(h, index, 1);
}

void gt__exponential_merge(struct gt__exponential *h,
                           const struct gt__exponential *from)
{
	int scale = from->scale < h->scale ? from->scale : h->scale;
	int by = from->scale - scale, low, high, more;
	unsigned i;

	if (!from->count)
		return;
	note(h, from->min, from->max);
	h->count += from->count;
	h->sum += from->sum;
	h->zeros += from->zeros;
	if (!from->used)
		return;
	coarsen(h, h->scale - scale);
	low = shift_down(from->offset, by);
	high = shift_down(from->offset + (int)from->used - 1, by);
	more = span_excess(h, low, high);
	coarsen(h, more);
	for (i = 0; i < from->used; i++)
		if (from->counts[i])
			count_at(h,
			         shift_down(from->offset + (int)i, by + more),
			         from->counts[i]);
}
