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

uint64_t gt__tsc_map_tick(const struct gt__tsc_map *map,
                          const struct gt__tsc_window *window,
                          uint64_t guest_tsc, uint64_t *ret_other)
{
	uint64_t tick = guest_tsc, other = 0;
	bool found = false;

	if (map->count > 0)
		tick = host_tsc(&map->tsc[map->count - 1], guest_tsc);
	*ret_other = tick -= window->base_tsc;
	for (uint32_t i = map->count; map->count > 1 && i-- > 0;) {
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
	*ret_other = found ? other : tick;
	return tick;
}
