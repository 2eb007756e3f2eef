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

uint64_t gt__tsc_map_tick(const struct gt__tsc_map *map, uint64_t base_tsc,
                          uint64_t now_tick, uint64_t guest_tsc)
{
	uint64_t until = now_tick;

	if (map->count == 0)
		return guest_tsc - base_tsc;
	for (uint32_t i = map->count; i-- > 0;) {
		uint64_t tick = host_tsc(&map->tsc[i], guest_tsc) - base_tsc;

		if (tick >= map->from_tick[i] && tick <= until)
			return tick;
		until = map->from_tick[i];
	}
	return host_tsc(&map->tsc[map->count - 1], guest_tsc) - base_tsc;
}
