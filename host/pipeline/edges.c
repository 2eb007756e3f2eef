/* SPDX-License-Identifier: MIT */
#include "edges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_KEPT 256u /* edges: given back when more and nothing waits */

void gt__edges_fini(struct gt__edges *timeline)
{
	for (uint32_t i = timeline->first; i < timeline->count; i++)
		free(timeline->edges[i].work);
	free(timeline->edges);
	*timeline = (struct gt__edges){.first = 0};
}

static int make_room(struct gt__edges *timeline)
{
	uint32_t room = timeline->room ? 2 * timeline->room : 16;
	struct gt__edge *grown;

	if (timeline->count < timeline->room)
		return 0;
	if (timeline->first > timeline->room / 2) {
		timeline->count -= timeline->first;
		memmove(timeline->edges, timeline->edges + timeline->first,
		        timeline->count * sizeof(*timeline->edges));
		timeline->first = 0;
		return 0;
	}
	grown = realloc(timeline->edges, room * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	timeline->edges = grown;
	timeline->room = room;
	return 0;
}

/* Work is told when it is over: what began within it stands here already. */
static void insert(struct gt__edges *timeline, const struct gt__edge *edge)
{
	uint32_t at = timeline->count++;

	while (at > timeline->first &&
	       timeline->edges[at - 1].kind == GT__EDGE_WORK &&
	       timeline->edges[at - 1].tick > edge->tick) {
		timeline->edges[at] = timeline->edges[at - 1];
		at--;
	}
	timeline->edges[at] = *edge;
}

int gt__edges_add(struct gt__edges *timeline, const struct gt__edge *edge,
                  uint32_t max)
{
	bool is_entry = edge->kind == GT__EDGE_ENTER;
	int r;

	if (timeline->any && edge->tick < timeline->last_tick)
		return -EINVAL;
	if (edge->kind != GT__EDGE_WORK && timeline->any &&
	    timeline->inside == is_entry)
		return -EINVAL;
	if (timeline->count - timeline->first >= max)
		return -ENOSPC;
	r = make_room(timeline);
	if (r < 0)
		return r;
	insert(timeline, edge);
	if (edge->kind != GT__EDGE_WORK) {
		timeline->last_tick = edge->tick;
		timeline->any = true;
		timeline->inside = is_entry;
	}
	return 0;
}

const struct gt__edge *gt__edges_peek(const struct gt__edges *timeline)
{
	return timeline->first < timeline->count
	               ? &timeline->edges[timeline->first]
	               : NULL;
}

struct gt__edge gt__edges_take(struct gt__edges *timeline)
{
	struct gt__edge edge = timeline->edges[timeline->first++];

	if (timeline->first < timeline->count)
		return edge;
	timeline->first = timeline->count = 0;
	if (timeline->room > ROOM_KEPT) {
		free(timeline->edges);
		timeline->edges = NULL;
		timeline->room = 0;
	}
	return edge;
}
