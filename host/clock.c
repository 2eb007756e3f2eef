/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <string.h>

__extension__ typedef unsigned __int128 u128;

/*
 * As many fraction bits as fit behind the integer ones: the product of any tick
 * count up to the next sample is off by at most two nanoseconds.
 */
static void set_rate(struct gt__clock_sample *from,
                     const struct gt__clock_sample *to)
{
	uint64_t ticks = to->tsc - from->tsc;
	uint64_t ns = to->ns - from->ns;

	from->shift = 64;
	for (uint64_t whole = ns / ticks; whole > 0; whole /= 2)
		from->shift--;
	from->rate = (uint64_t)(((u128)ns << from->shift) / ticks);
}

void gt__clock_add(struct gt__clock *clock, uint64_t tsc, uint64_t ns,
                   uint64_t gap_ns)
{
	struct gt__clock_sample *last;

	if (clock->count > 0) {
		last = &clock->samples[clock->count - 1];
		if (tsc <= last->tsc || ns <= last->ns)
			return;
	}
	if (clock->count == GT__CLOCK_SAMPLES) {
		clock->count /= 2;
		memmove(clock->samples, clock->samples + clock->count,
		        clock->count * sizeof(*clock->samples));
	}
	clock->samples[clock->count] =
		(struct gt__clock_sample){.tsc = tsc, .ns = ns};
	if (clock->count > 0)
		set_rate(&clock->samples[clock->count - 1],
		         &clock->samples[clock->count]);
	clock->count++;
	if (gap_ns > clock->error_ns)
		clock->error_ns = gap_ns;
}

bool gt__clock_convert(const struct gt__clock *clock, uint64_t tsc,
                       uint64_t *ret_ns)
{
	const struct gt__clock_sample *samples = clock->samples;
	uint32_t i = clock->count;

	*ret_ns = 0;
	if (i == 0)
		return false;
	i--;
	*ret_ns = samples[i].ns;
	if (tsc >= samples[i].tsc)
		return tsc == samples[i].tsc;
	while (i > 0 && tsc < samples[i].tsc)
		i--;
	*ret_ns = samples[i].ns;
	if (tsc < samples[i].tsc)
		return false;
	*ret_ns += (uint64_t)((u128)(tsc - samples[i].tsc) * samples[i].rate >>
	                      samples[i].shift);
	return true;
}
