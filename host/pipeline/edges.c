/* SPDX-License-Identifier: MIT */
#include "edges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16u
#define ROOM_KEPT  256u /* edges: given back when more and nothing waits */

void gt__edges_fini(struct gt__edges *timeline)
{
	for (uint32_t i = timeline->first; i < timeline->count; i++)
		free(timeline->edges[i].edge.work);
	for (uint32_t i = 0; i < timeline->late_count; i++)
		free(timeline->late[i].edge.work);
	free(timeline->edges);
	free(timeline->late);
	*timeline = (struct gt__edges){.first = 0};
}

static int grow(struct gt__waiting **edges, uint32_t *room)
{
	uint32_t larger = *room ? 2 * *room : ROOM_FIRST;
	struct gt__waiting *grown = realloc(*edges, larger * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*edges = grown;
	*room = larger;
	return 0;
}

static bool is_before(const struct gt__waiting *a, const struct gt__waiting *b)
{
	if (a->turn != b->turn)
		return a->turn < b->turn;
	if (a->tick != b->tick)
		return a->tick < b->tick;
	return a->sequence < b->sequence;
}

/* ---- What comes in order ------------------------------------------------- */

static int append(struct gt__edges *timeline, const struct gt__waiting *edge)
{
	int r = 0;

	if (timeline->count == timeline->room &&
	    timeline->first > timeline->room / 2) {
		timeline->count -= timeline->first;
		memmove(timeline->edges, timeline->edges + timeline->first,
		        timeline->count * sizeof(*timeline->edges));
		timeline->first = 0;
	} else if (timeline->count == timeline->room) {
		r = grow(&timeline->edges, &timeline->room);
	}
	if (r == 0)
		timeline->edges[timeline->count++] = *edge;
	return r;
}

static struct gt__edge take_first(struct gt__edges *timeline)
{
	struct gt__edge edge = timeline->edges[timeline->first++].edge;

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

/* ---- What does not: a heap, the least one at 0 --------------------------- */

static int add_late(struct gt__edges *timeline, const struct gt__waiting *edge)
{
	uint32_t at = timeline->late_count;
	int r = at == timeline->late_room
	                ? grow(&timeline->late, &timeline->late_room)
	                : 0;

	if (r < 0)
		return r;
	timeline->late_count++;
	for (; at > 0 && is_before(edge, &timeline->late[(at - 1) / 2]);
	     at = (at - 1) / 2)
		timeline->late[at] = timeline->late[(at - 1) / 2];
	timeline->late[at] = *edge;
	return 0;
}

static struct gt__edge take_late(struct gt__edges *timeline)
{
	struct gt__waiting *late = timeline->late;
	struct gt__edge edge = late[0].edge;
	struct gt__waiting last = late[--timeline->late_count];
	uint32_t count = timeline->late_count, at = 0, below;

	for (; (below = 2 * at + 1) < count; at = below) {
		if (below + 1 < count &&
		    is_before(&late[below + 1], &late[below]))
			below++;
		if (!is_before(&late[below], &last))
			break;
		late[at] = late[below];
	}
	late[at] = last;
	if (count == 0 && timeline->late_room > ROOM_KEPT) {
		free(late);
		timeline->late = NULL;
		timeline->late_room = 0;
	}
	return edge;
}

/* ---- Both ---------------------------------------------------------------- */

/* Work is told when it is over: what began within it stands here already. */
static int add(struct gt__edges *timeline, const struct gt__edge *edge)
{
	bool is_work = edge->kind == GT__EDGE_WORK;
	struct gt__waiting waiting = {
		.edge = *edge,
		.turn = timeline->turns + !is_work,
		.tick = is_work ? edge->tick : 0,
		.sequence = timeline->added,
	};
	bool in_order =
		timeline->first == timeline->count ||
		is_before(&timeline->edges[timeline->count - 1], &waiting);
	int r = in_order ? append(timeline, &waiting)
	                 : add_late(timeline, &waiting);

	if (r < 0)
		return r;
	timeline->turns = waiting.turn;
	timeline->added++;
	return 0;
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
	if (gt__edges_count(timeline) >= max)
		return -ENOSPC;
	r = add(timeline, edge);
	if (r < 0)
		return r;
	if (edge->kind != GT__EDGE_WORK) {
		timeline->last_tick = edge->tick;
		timeline->any = true;
		timeline->inside = is_entry;
	}
	return 0;
}

/* Whether the next one is among those that came late. */
static bool late_is_next(const struct gt__edges *timeline)
{
	return timeline->late_count > 0 &&
	       (timeline->first == timeline->count ||
	        is_before(&timeline->late[0],
	                  &timeline->edges[timeline->first]));
}

const struct gt__edge *gt__edges_peek(const struct gt__edges *timeline)
{
	if (late_is_next(timeline))
		return &timeline->late[0].edge;
	return timeline->first < timeline->count
	               ? &timeline->edges[timeline->first].edge
	               : NULL;
}

struct gt__edge gt__edges_take(struct gt__edges *timeline)
{
	return late_is_next(timeline) ? take_late(timeline)
	                              : take_first(timeline);
}
