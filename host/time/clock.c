/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <string.h>

#define NS_PER_S     1000000000u
#define SLEW_PPM_MAX 500u

__extension__ typedef unsigned __int128 u128;

/*
 * As many fraction bits as fit behind the integer ones: the product of any tick
 * count up to the next sample is off by at most two nanoseconds.
 */
static void set_rate(struct gt__clock_sample *from,
                     const struct gt__clock_sample *to)
{
	uint64_t ticks = to->tick - from->tick;
	uint64_t ns = to->ns - from->ns;

	from->shift = 64;
	for (uint64_t whole = ns / ticks; whole > 0; whole /= 2)
		from->shift--;
	from->rate = (uint64_t)(((u128)ns << from->shift) / ticks);
}

static void raise_to(uint64_t *error_ns, uint64_t ns)
{
	if (ns > *error_ns)
		*error_ns = ns;
}

void gt__clock_add(struct gt__clock *clock, uint64_t tick, uint64_t ns,
                   uint64_t gap_ns)
{
	struct gt__clock_sample *last, *sample;

	if (clock->count > 0) {
		last = &clock->samples[clock->count - 1];
		if (tick <= last->tick)
			return;
		if (ns <= last->ns) {
			gap_ns = gap_ns > last->gap_ns ? gap_ns : last->gap_ns;
			gap_ns += gap_ns < UINT64_MAX;
			ns = last->ns < UINT64_MAX ? last->ns + 1 : last->ns;
		}
		if (ns == last->ns)
			return;
	}
	if (clock->count == GT__CLOCK_SAMPLES) {
		clock->count /= 2;
		memmove(clock->samples, clock->samples + clock->count,
		        clock->count * sizeof(*clock->samples));
	}
	sample = &clock->samples[clock->count];
	*sample = (struct gt__clock_sample){
		.tick = tick, .ns = ns, .gap_ns = gap_ns};
	if (clock->count++ > 0) {
		set_rate(sample - 1, sample);
		clock->pieces++;
	} else {
		clock->first = *sample;
	}
	raise_to(&clock->error_ns, gap_ns);
}

/*
 * A line's own error: its ends may be off by their gaps, and a clock whose rate
 * stays within the wander of the mean strays from the line by at most half of
 * the wander times its length (out at one extreme, back at the other).
 */
static uint64_t error_of(const struct gt__clock_sample *from)
{
	const struct gt__clock_sample *to = from + 1;
	uint64_t gap_ns = from->gap_ns > to->gap_ns ? from->gap_ns : to->gap_ns;
	uint64_t bend_ns = (to->ns - from->ns) / (2 * GT__CLOCK_WANDER) + 2;

	return gap_ns > UINT64_MAX - bend_ns ? UINT64_MAX : gap_ns + bend_ns;
}

bool gt__clock_convert(struct gt__clock *clock, uint64_t tick, uint64_t *ret_ns)
{
	const struct gt__clock_sample *samples = clock->samples;
	uint32_t i = clock->count;

	*ret_ns = 0;
	if (i == 0)
		return false;
	i--;
	*ret_ns = samples[i].ns;
	if (tick >= samples[i].tick)
		return tick == samples[i].tick;
	while (i > 0 && tick < samples[i].tick)
		i--;
	*ret_ns = samples[i].ns;
	if (tick < samples[i].tick)
		return false;
	raise_to(&clock->error_ns, error_of(&samples[i]));
	*ret_ns +=
		(uint64_t)((u128)(tick - samples[i].tick) * samples[i].rate >>
	                   samples[i].shift);
	return true;
}

void gt__clock_doubt(struct gt__clock *clock, uint64_t tick,
                     uint64_t other_tick)
{
	uint64_t ns, other_ns;

	gt__clock_convert(clock, tick, &ns);
	gt__clock_convert(clock, other_tick, &other_ns);
	raise_to(&clock->doubt_ns,
	         ns > other_ns ? ns - other_ns : other_ns - ns);
}

uint64_t gt__clock_rate_hz(const struct gt__clock *clock)
{
	const struct gt__clock_sample *last;
	u128 hz;

	if (clock->count < 2)
		return 0;
	last = &clock->samples[clock->count - 1];
	hz = (u128)(last->tick - clock->first.tick) * NS_PER_S /
	     (last->ns - clock->first.ns);
	return hz > UINT64_MAX ? UINT64_MAX : (uint64_t)hz;
}

bool gt__clock_contradicts(const struct gt__clock *clock, uint64_t hz)
{
	const struct gt__clock_sample *last;
	u128 expected, ticks, slack;

	if (clock->count < 2)
		return false;
	last = &clock->samples[clock->count - 1];
	ticks = last->tick - clock->first.tick;
	expected = (u128)(last->ns - clock->first.ns) * hz / NS_PER_S;
	/* Both ends may be off by their gaps. */
	slack = expected / (1000000 / SLEW_PPM_MAX) + 1 +
	        ((u128)last->gap_ns + clock->first.gap_ns) * hz / NS_PER_S;
	return ticks > expected + slack || expected > ticks + slack;
}
