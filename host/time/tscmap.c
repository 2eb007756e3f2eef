/* SPDX-License-Identifier: MIT */
#include "tscmap.h"

#include <string.h>

__extension__ typedef unsigned __int128 u128;

void gt__tsc_map_add(struct gt__tsc_map *map, const struct gt__tsc *tsc,
                     uint64_t from_tick)
{
	while (map->count > 0 && map->from_tick[map->count - 1] >= from_tick)
		map->count--;
	if (map->count == GT__TSC_PIECES) {
		map->count--;
		memmove(map->tsc, map->tsc + 1,
		        map->count * sizeof(map->tsc[0]));
		memmove(map->from_tick, map->from_tick + 1,
		        map->count * sizeof(map->from_tick[0]));
	}
	map->tsc[map->count] = *tsc;
	map->tsc[map->count].shift &= 63;
	map->from_tick[map->count++] = from_tick;
}

/*
 * The host TSC that the hypervisor scaled to this value, rounded up: scaling
 * rounds down. What does not fit is that of no record.
 */
static uint64_t host_tsc(const struct gt__tsc *tsc, uint64_t guest_tsc)
{
	uint64_t scaled = guest_tsc - (uint64_t)tsc->offset;
	u128 product;

	if (tsc->ratio == 0)
		return scaled;
	product = ((u128)scaled << tsc->shift) + tsc->ratio - 1;
	return (uint64_t)(product / tsc->ratio);
}

/* Whether the piece can say so of a tick within the window. */
static bool fits(const struct gt__tsc_map *map, uint32_t piece, uint64_t tick,
                 const struct gt__tsc_window *window)
{
	uint64_t from = map->from_tick[piece], to = window->to_tick;

	if (piece + 1 < map->count)
		to = map->from_tick[piece + 1];
	return tick >= from && tick >= window->from_tick && tick <= to &&
	       tick <= window->to_tick;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* One piece, and nothing is known of a time before it: nearly always. */
static bool is_plain(const struct gt__tsc_map *map)
{
	return map->count == 0 || (map->count == 1 && map->from_tick[0] == 0);
}

bool gt__tsc_map_tick(const struct gt__tsc_map *map,
                      const struct gt__tsc_window *window, uint64_t guest_tsc,
                      struct gt__tsc_ticks *ret_ticks)
{
	uint64_t tick = guest_tsc, other = 0;
	bool found = false;

	if (map->count > 0)
		tick = host_tsc(&map->tsc[map->count - 1], guest_tsc);
	tick -= window->base_tsc;
	*ret_ticks = (struct gt__tsc_ticks){tick, tick};
	if (is_plain(map))
		return (int64_t)tick >= 0 && tick >= window->from_tick &&
		       tick <= window->to_tick;
	for (uint32_t i = map->count; i-- > 0;) {
		uint64_t one =
			host_tsc(&map->tsc[i], guest_tsc) - window->base_tsc;

		if (!fits(map, i, one, window))
			continue;
		if (!found)
			tick = other = one;
		else if (distance(one, tick) > distance(other, tick))
			other = one;
		found = true;
	}
	if (found)
		*ret_ticks = (struct gt__tsc_ticks){tick, other};
	return found;
}
