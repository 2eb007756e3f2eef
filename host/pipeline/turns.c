/* SPDX-License-Identifier: MIT */
#include "turns.h"

#include <errno.h>
#include <stdlib.h>

int gt__turns_init(struct gt__turns *turns, uint32_t count, uint64_t at)
{
	uint32_t leaves = 1;

	while (leaves < count)
		leaves *= 2;
	turns->least = malloc(2 * (size_t)leaves * sizeof(*turns->least));
	if (!turns->least)
		return -ENOMEM;
	turns->leaves = leaves;
	for (uint32_t i = 0; i < 2 * leaves; i++)
		turns->least[i] = GT__NEVER;
	for (uint32_t i = 0; i < count; i++)
		gt__turns_set(turns, i, at);
	return 0;
}

void gt__turns_fini(struct gt__turns *turns)
{
	free(turns->least);
	*turns = (struct gt__turns){.leaves = 0};
}

void gt__turns_set(struct gt__turns *turns, uint32_t number, uint64_t tick)
{
	uint64_t *least = turns->least;
	uint32_t node = turns->leaves + number;

	least[node] = tick;
	while ((node /= 2) > 0) {
		uint64_t left = least[2 * node], right = least[2 * node + 1];

		least[node] = left < right ? left : right;
	}
}

uint32_t gt__turns_first(const struct gt__turns *turns)
{
	uint32_t node = 1;

	while (node < turns->leaves) {
		node *= 2;
		node += turns->least[node] > turns->least[node + 1];
	}
	return node - turns->leaves;
}

uint64_t gt__turns_after(const struct gt__turns *turns, uint32_t number)
{
	uint64_t tick = GT__NEVER;

	for (uint32_t node = turns->leaves + number; node > 1; node /= 2) {
		uint64_t other = turns->least[node ^ 1];

		tick = other < tick ? other : tick;
	}
	return tick;
}
