/* SPDX-License-Identifier: MIT */
/*
 * Which readings of a clock are kept: all that a time to come may need, while
 * there is room; then lines are joined, those first that lose least by it.
 */
#include "clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16u
#define ROOM_KEPT  (2 * GT__CLOCK_OLD) /* more is given back when not needed */

__extension__ typedef unsigned __int128 u128;

/*
 * The product of any tick count up to the next sample is off by at most two
 * nanoseconds.
 */
void gt__clock_line(struct gt__clock_sample *from,
                    const struct gt__clock_sample *to)
{
	uint64_t ticks = to->tick - from->tick;
	uint64_t ns = to->ns - from->ns;

	from->shift = 64;
	for (uint64_t whole = ns / ticks; whole > 0; whole /= 2)
		from->shift--;
	from->rate = (uint64_t)(((u128)ns << from->shift) / ticks);
}

static void set_room(struct gt__clock *clock, uint32_t room)
{
	void *moved = NULL;

	if (room <= GT__CLOCK_SAMPLES)
		moved = realloc(clock->samples, room * sizeof(*clock->samples));
	if (!moved)
		return;
	clock->samples = moved;
	clock->room = room;
}

/* How many are not later than the tick. */
static uint32_t find(const struct gt__clock *clock, uint64_t tick)
{
	uint32_t low = 0, high = clock->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (clock->samples[middle].tick > tick)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* What lies before the line that the oldest time to come is placed on. */
static void drop(struct gt__clock *clock)
{
	uint32_t done = find(clock, clock->oldest_tick);

	if (done < 2)
		return;
	done--;
	clock->count -= done;
	memmove(clock->samples, clock->samples + done,
	        clock->count * sizeof(*clock->samples));
	clock->line = 0;
}

/* Joins both lines at `middle` if no time is farther off then. */
static bool join(struct gt__clock_sample *from,
                 const struct gt__clock_sample *middle, uint64_t limit_ns)
{
	const struct gt__clock_sample *to = middle + 1;
	uint64_t moved, error_ns = from->error_ns > middle->error_ns
	                                   ? from->error_ns
	                                   : middle->error_ns;

	if (error_ns > limit_ns)
		return false;
	moved = gt__scale(to->ns - from->ns, middle->tick - from->tick,
	                  to->tick - from->tick);
	moved = gt__apart(moved, middle->ns - from->ns);
	error_ns = gt__add(error_ns, gt__add(moved, 1));
	if (error_ns > limit_ns)
		return false;
	from->error_ns = error_ns;
	from->uneven |= middle->uneven;
	return true;
}

/* One round over the lines of [from, to); the last one's new place. */
static uint32_t join_pairs(struct gt__clock_sample *samples, uint32_t from,
                           uint32_t to, uint64_t limit_ns)
{
	uint32_t kept = from;

	while (from < to) {
		bool joined =
			to - from > 1 &&
			join(&samples[from], &samples[from + 1], limit_ns);

		samples[kept++] = samples[from];
		from += joined ? 2 : 1;
	}
	return kept;
}

static uint64_t least_error(const struct gt__clock_sample *samples,
                            uint32_t from, uint32_t to)
{
	uint64_t least_ns = UINT64_MAX;

	for (uint32_t i = from; i < to; i++)
		if (samples[i].error_ns < least_ns)
			least_ns = samples[i].error_ns;
	return least_ns;
}

/* Has at most `most` lines in [from, to), all of them about as good. */
static void thin(struct gt__clock *clock, uint32_t from, uint32_t to,
                 uint32_t most)
{
	struct gt__clock_sample *samples = clock->samples;
	uint64_t limit_ns = least_error(samples, from, to);
	uint32_t end = to, kept;

	while (end - from > most) {
		kept = join_pairs(samples, from, end, limit_ns);
		/* join() looks at what is behind its lines. */
		samples[kept] = samples[to];
		if (end - kept <= (end - from) / 8)
			limit_ns = gt__add(limit_ns, limit_ns / 2 + 1);
		end = kept;
	}
	memmove(samples + end, samples + to,
	        (clock->count - to) * sizeof(*samples));
	clock->count -= to - end;
	clock->line = 0;
	for (uint32_t i = from; i < end; i++)
		gt__clock_line(&samples[i], &samples[i + 1]);
}

static void forget(struct gt__clock *clock)
{
	uint32_t old;

	drop(clock);
	old = find(clock, clock->fresh_tick);
	if (old > GT__CLOCK_OLD)
		thin(clock, 0, old - 1, GT__CLOCK_OLD / 2);
}

int gt__clock_room(struct gt__clock *clock)
{
	if (clock->count < clock->room)
		return 0;
	forget(clock);
	if (clock->count > clock->room / 4 * 3 || !clock->room)
		set_room(clock, clock->room ? 2 * clock->room : ROOM_FIRST);
	/* It could not grow. */
	if (clock->count > clock->room / 4 * 3 && clock->count > 2)
		thin(clock, 0, clock->count - 1, clock->count / 2);
	return clock->count < clock->room ? 0 : -ENOMEM;
}

void gt__clock_shrink(struct gt__clock *clock)
{
	uint32_t room = ROOM_FIRST;

	if (clock->room <= ROOM_KEPT ||
	    clock->samples[clock->count / 2].tick >= clock->fresh_tick)
		return;
	forget(clock);
	while (room < 2 * clock->count)
		room *= 2;
	if (room < clock->room)
		set_room(clock, room);
}
