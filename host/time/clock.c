/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <errno.h>
#include <stdlib.h>

#define NS_PER_S     1000000000u
#define SLEW_PPM_MAX 500u

/* A line's rate is compared with that over so many times its length before. */
#define BESIDE_TIMES  4u
#define BESIDE_NS_MAX 250000000u

__extension__ typedef unsigned __int128 u128;

static void raise_to(uint64_t *error_ns, uint64_t ns)
{
	if (ns > *error_ns)
		*error_ns = ns;
}

static struct gt__stretch between(const struct gt__clock_sample *from,
                                  const struct gt__clock_sample *to)
{
	return (struct gt__stretch){to->tick - from->tick, to->ns - from->ns,
	                            gt__add(from->gap_ns, to->gap_ns)};
}

/* Its ends may be off by their gaps, and two nanoseconds are lost in rounding.
 */
static uint64_t error_of(const struct gt__clock_sample *from,
                         const struct gt__clock_sample *to, uint64_t bend_ns)
{
	uint64_t gap_ns = from->gap_ns > to->gap_ns ? from->gap_ns : to->gap_ns;

	return gt__add(gt__add(gap_ns, bend_ns), 2);
}

/* The latest reading at least `ns` older than the one at `end`, or the first.
 */
static uint32_t older_by(const struct gt__clock_sample *samples, uint32_t end,
                         uint64_t ns)
{
	uint32_t low = 0, high = end;

	/* Nearly always a few steps back. */
	for (uint32_t step = 1; step < end; step *= 2) {
		if (samples[end].ns - samples[end - step].ns >= ns) {
			low = end - step;
			break;
		}
		high = end - step;
	}
	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		if (samples[end].ns - samples[middle].ns >= ns)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The line that ends with the reading at `to`, behind another one. */
static void judge(struct gt__clock_sample *samples, uint32_t to)
{
	struct gt__clock_sample *from = &samples[to - 1];
	struct gt__stretch line = between(from, from + 1), beside;
	uint64_t wanted_ns = line.ns < BESIDE_NS_MAX / BESIDE_TIMES
	                             ? BESIDE_TIMES * line.ns
	                             : BESIDE_NS_MAX;
	uint32_t older;
	uint64_t bend_ns;

	if (to > 1) {
		older = older_by(samples, to - 1, wanted_ns);
		if (older + 2 < to &&
		    from->ns - samples[older].ns > BESIDE_NS_MAX)
			older++;
		beside = between(&samples[older], from);
	}
	bend_ns = gt__bend(&line, to > 1 ? &beside : NULL, &from->uneven);
	from->error_ns = error_of(from, from + 1, bend_ns);
}

/* Nothing comes before the first line: what comes behind tells of it. */
static void judge_first(struct gt__clock *clock,
                        const struct gt__clock_sample *sample)
{
	const struct gt__stretch line = between(&clock->first, &clock->second);
	struct gt__stretch beside;
	bool uneven;
	uint64_t bend_ns;

	if (clock->pieces == 1) {
		clock->second = *sample;
		clock->first_error_ns = clock->samples[0].error_ns;
		return;
	}
	beside = between(&clock->second, sample);
	if (clock->pieces > 2 && beside.ns > BESIDE_NS_MAX)
		return;
	bend_ns = gt__bend(&line, &beside, &uneven);
	bend_ns = error_of(&clock->first, &clock->second, bend_ns);
	if (uneven || bend_ns < clock->first_error_ns)
		clock->first_error_ns = bend_ns;
	/* Whatever it was thought to be near its ends. */
	if (uneven && clock->first_used_ns)
		clock->first_used_ns = UINT64_MAX;
}

/* Behind the last one, which it may move; false: it is left out. */
static bool fit(const struct gt__clock *clock, struct gt__clock_sample *sample)
{
	const struct gt__clock_sample *last;

	if (clock->count == 0)
		return true;
	last = &clock->samples[clock->count - 1];
	if (sample->tick <= last->tick)
		return false;
	if (sample->ns <= last->ns) {
		raise_to(&sample->gap_ns, last->gap_ns);
		sample->gap_ns = gt__add(sample->gap_ns, 1);
		sample->ns = gt__add(last->ns, 1);
	}
	return sample->ns > last->ns;
}

int gt__clock_add(struct gt__clock *clock, uint64_t tick, uint64_t ns,
                  uint64_t gap_ns)
{
	struct gt__clock_sample sample = {
		.tick = tick, .ns = ns, .gap_ns = gap_ns};
	struct gt__clock_sample *last;
	int r;

	if (!fit(clock, &sample))
		return 0;
	r = gt__clock_room(clock);
	if (r < 0)
		return r;
	raise_to(&clock->error_ns, sample.gap_ns);
	clock->samples[clock->count++] = sample;
	if (clock->count == 1) {
		clock->first = sample;
		return 0;
	}
	last = &clock->samples[clock->count - 2];
	gt__clock_line(last, last + 1);
	judge(clock->samples, clock->count - 1);
	clock->pieces++;
	judge_first(clock, &sample);
	return 0;
}

void gt__clock_fini(struct gt__clock *clock)
{
	free(clock->samples);
	*clock = (struct gt__clock){.count = 0};
}

void gt__clock_taken(struct gt__clock *clock, uint64_t oldest_tick,
                     uint64_t fresh_tick)
{
	clock->oldest_tick = oldest_tick;
	clock->fresh_tick = fresh_tick;
	gt__clock_shrink(clock);
}

/* ---- Converting ---------------------------------------------------------- */

/* A time was placed on the line, so far behind its begin. */
static void use(struct gt__clock *clock, const struct gt__clock_sample *from,
                uint64_t ns)
{
	const struct gt__clock_sample *to = from + 1;
	const struct gt__stretch line = between(from, to);
	uint64_t error_ns = from->error_ns, near_ns;

	if (!from->uneven) {
		near_ns = ns < line.ns - ns ? ns : line.ns - ns;
		near_ns = error_of(from, to, gt__bend_near(&line, near_ns));
		error_ns = near_ns < error_ns ? near_ns : error_ns;
	}
	if (from->tick == clock->first.tick && to->tick == clock->second.tick)
		raise_to(&clock->first_used_ns, error_ns);
	else
		raise_to(&clock->error_ns, error_ns);
}

/* The nearest reading is so many ticks away, on that line continued. */
static void use_outside(struct gt__clock *clock,
                        const struct gt__clock_sample *nearest,
                        const struct gt__clock_sample *line, uint64_t ticks)
{
	struct gt__stretch far = {ticks, UINT64_MAX, 0};

	if (line)
		far.ns = gt__scale(line[1].ns - line->ns, ticks,
		                   line[1].tick - line->tick);
	else if (clock->hz)
		far.ns = gt__scale(NS_PER_S, ticks, clock->hz);
	far.ns = gt__add(far.ns, gt__bend_near(&far, far.ns));
	raise_to(&clock->error_ns,
	         gt__add(gt__add(far.ns, nearest->gap_ns), 2));
}

/* The last reading that is not later; of two or more, not the last of all. */
static uint32_t line_at(struct gt__clock *clock, uint64_t tick)
{
	const struct gt__clock_sample *samples = clock->samples;
	uint32_t low = clock->line, high = clock->count - 1;

	/* Times are asked for nearly in order. */
	if (tick < samples[low].tick)
		low = 0;
	else if (low + 1 == high || tick < samples[low + 1].tick)
		return low;
	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		if (samples[middle].tick > tick)
			high = middle;
		else
			low = middle;
	}
	clock->line = low;
	return low;
}

/* Joined lines are others than those that times were placed on before. */
static uint64_t in_order(struct gt__clock *clock, uint64_t tick, uint64_t ns)
{
	if (tick < clock->latest_tick)
		return ns < clock->latest_ns ? ns : clock->latest_ns;
	raise_to(&clock->latest_ns, ns);
	clock->latest_tick = tick;
	return clock->latest_ns;
}

static bool convert_outside(struct gt__clock *clock, uint64_t tick,
                            uint64_t *ret_ns)
{
	const struct gt__clock_sample *samples = clock->samples;
	uint32_t last = clock->count - 1;

	if (clock->count == 0) {
		*ret_ns = 0;
		clock->error_ns = UINT64_MAX;
		return false;
	}
	if (tick < samples[0].tick) {
		*ret_ns = samples[0].ns;
		use_outside(clock, samples, last ? samples : NULL,
		            samples[0].tick - tick);
		return false;
	}
	*ret_ns = samples[last].ns;
	if (tick > samples[last].tick)
		use_outside(clock, &samples[last],
		            last ? &samples[last - 1] : NULL,
		            tick - samples[last].tick);
	if (tick != samples[last].tick)
		return false;
	*ret_ns = in_order(clock, tick, *ret_ns);
	return true;
}

bool gt__clock_convert(struct gt__clock *clock, uint64_t tick, uint64_t *ret_ns)
{
	const struct gt__clock_sample *from;
	uint64_t ns;

	if (clock->count < 2 || tick < clock->samples[0].tick ||
	    tick >= clock->samples[clock->count - 1].tick)
		return convert_outside(clock, tick, ret_ns);
	from = &clock->samples[line_at(clock, tick)];
	ns = (uint64_t)((u128)(tick - from->tick) * from->rate >> from->shift);
	if (from->error_ns > clock->error_ns)
		use(clock, from, ns);
	*ret_ns = in_order(clock, tick, from->ns + ns);
	return true;
}

void gt__clock_early(struct gt__clock *clock, uint64_t ticks)
{
	if (clock->count > 0)
		use_outside(clock, &clock->first,
		            clock->count > 1 ? clock->samples : NULL, ticks);
}

void gt__clock_doubt(struct gt__clock *clock, uint64_t tick,
                     uint64_t other_tick)
{
	struct gt__clock apart = *clock; /* its samples are but read */
	uint64_t ns, other_ns;
	bool known = gt__clock_convert(&apart, tick, &ns);

	known &= gt__clock_convert(&apart, other_tick, &other_ns);
	(void)known; /* that it is outside is in the error */
	raise_to(&clock->error_ns, apart.error_ns);
	raise_to(&clock->first_used_ns, apart.first_used_ns);
	raise_to(&clock->doubt_ns, gt__apart(ns, other_ns));
}

void gt__clock_unsure(struct gt__clock *clock, uint64_t ticks)
{
	const struct gt__clock_sample *last;
	uint64_t ns = UINT64_MAX;

	if (clock->count > 1) {
		last = &clock->samples[clock->count - 1];
		ns = gt__scale(last->ns - clock->first.ns, ticks,
		               last->tick - clock->first.tick);
		/* The rate of some line may be another one. */
		ns = gt__add(ns, ns / 1000 + 2);
	}
	raise_to(&clock->doubt_ns, ns);
}

uint64_t gt__clock_error(const struct gt__clock *clock)
{
	uint64_t first_ns = clock->first_used_ns < clock->first_error_ns
	                            ? clock->first_used_ns
	                            : clock->first_error_ns;

	return gt__add(clock->error_ns > first_ns ? clock->error_ns : first_ns,
	               clock->doubt_ns);
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
