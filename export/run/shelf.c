/* SPDX-License-Identifier: MIT */
#include "shelf.h"
#include "groups.h"
#include "matcher.h"
#include "median.h"
#include "slowest.h"
#include <errno.h>
#include <string.h>

#define BRIEFS     16384u /* in one piece */
#define LOOKS_MAX  8u     /* for what is below; then all are taken */
#define SLOTS_MIN  1024u
#define MAYBE_BITS 65536u

/* Of each span, in the order in which they came. */
struct brief {
	uint64_t id, parent_id; /* 0: none in this run */
	uint64_t ns;
	uint32_t group;
	bool whole; /* it has a duration, and counts */
};

struct candidate {
	uint64_t ns, sequence;
	uint32_t group;
	uint32_t brief;
};

/* The median one of a name. */
struct median {
	uint32_t group;
	uint32_t brief;
	uint32_t span; /* of the collector; GT__ROOT: it is not there yet */
};

/* Ids of what is looked at: open addressing, at most half full. */
struct wanted {
	uint64_t *slots; /* 0: free */
	uint32_t count, mask;
	struct gt__hash_key key;
	bool all;
	/* A bit that is not set: none of those ids is there. Most ids end here,
	 * without a hash. */
	uint64_t maybe[MAYBE_BITS / 64];
};

struct gt__shelf {
	struct gt__packs packs;
	struct brief **pieces;
	uint32_t count, piece_count;
	struct gt__numbering numbering;
	struct gt__matcher matcher;
	struct candidate *slowest; /* the slowest first */
	uint32_t slowest_count, most;
	struct median *medians;
	uint32_t median_count;
	struct wanted wanted;
	/* What tells where it died: of the highest sequence, and which it is.
	 */
	uint64_t event_sequence, open_sequence;
	uint32_t event_count, last_event, last_open;
	struct gt__packed at; /* of gt__shelf_next() */
	uint32_t spans_seen, events_seen;
};

struct gt__shelf *gt__shelf_new(uint32_t most, const char *pattern)
{
	struct gt__shelf *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	x->most = most < GT__SLOWEST_MAX ? most : GT__SLOWEST_MAX;
	x->matcher.pattern = pattern;
	x->slowest = calloc(x->most + (size_t)1, sizeof *x->slowest);
	x->medians = calloc(x->most + (size_t)1, sizeof *x->medians);
	if (x->slowest && x->medians)
		return x;
	gt__shelf_free(x);
	return NULL;
}

void gt__shelf_free(struct gt__shelf *x)
{
	if (!x)
		return;
	for (uint32_t i = 0; i < x->piece_count; i++)
		free(x->pieces[i]);
	free(x->pieces);
	free(x->slowest);
	free(x->medians);
	free(x->wanted.slots);
	gt__packs_fini(&x->packs);
	gt__packed_fini(&x->at);
	gt__numbering_fini(&x->numbering);
	gt__matcher_fini(&x->matcher);
	free(x);
}

/* ---- What comes ---------------------------------------------------------- */

static struct brief *brief_of(const struct gt__shelf *x, uint32_t i)
{
	return &x->pieces[i / BRIEFS][i % BRIEFS];
}

static bool add_brief(struct gt__shelf *x, const struct brief *brief)
{
	if (x->count == GT__ROOT)
		return false;
	if (x->count == x->piece_count * BRIEFS) {
		size_t bytes = (x->piece_count + (size_t)1) * sizeof *x->pieces;
		struct brief **larger = realloc(x->pieces, bytes);

		if (!larger)
			return false;
		x->pieces = larger;
		larger[x->piece_count] = malloc(BRIEFS * sizeof **larger);
		if (!larger[x->piece_count])
			return false;
		x->piece_count++;
	}
	*brief_of(x, x->count++) = *brief;
	return true;
}

static bool is_slower(const struct candidate *a, const struct candidate *b)
{
	return a->ns != b->ns ? a->ns > b->ns : a->sequence < b->sequence;
}

/* The slowest so far, of equal ones that which came first. */
static void consider(struct gt__shelf *x, const struct gt__span *s,
                     const struct candidate *candidate)
{
	struct candidate *slowest = x->slowest;
	uint32_t low = 0, high = x->slowest_count;

	if (!x->most || (x->slowest_count == x->most &&
	                 !is_slower(candidate, &slowest[x->most - 1])))
		return;
	if (!gt__matches(&x->matcher, s->view.site))
		return;
	if (x->slowest_count == x->most)
		high = --x->slowest_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (is_slower(candidate, &slowest[middle]))
			high = middle;
		else
			low = middle + 1;
	}
	memmove(slowest + low + 1, slowest + low,
	        (x->slowest_count - low) * sizeof *slowest);
	slowest[low] = *candidate;
	x->slowest_count++;
}

int gt__shelf_span(struct gt__shelf *x, const struct gt__span *s)
{
	uint32_t number = gt__group_number(&x->numbering, s);
	struct brief brief = {
		.id = s->view.id,
		.parent_id = s->view.parent_remote ? 0 : s->view.parent_id,
		.ns = gt__span_ns(s),
		.group = number - 1,
		.whole = gt__is_whole(s),
	};
	struct candidate candidate = {brief.ns, s->view.sequence, brief.group,
	                              x->count};

	if (!number || !gt__pack_span(&x->packs, &s->view) ||
	    !add_brief(x, &brief))
		return -ENOMEM;
	if (s->view.flags & GT_SPAN_INTERRUPTED &&
	    s->view.sequence >= x->open_sequence) {
		x->open_sequence = s->view.sequence;
		x->last_open = candidate.brief;
	}
	if (brief.whole)
		consider(x, s, &candidate);
	return 0;
}

int gt__shelf_event(struct gt__shelf *x, const struct gt_event_view *event,
                    bool counter)
{
	if (event->sequence >= x->event_sequence) {
		x->event_sequence = event->sequence;
		x->last_event = x->event_count;
	}
	x->event_count++;
	return gt__pack_event(&x->packs, event, counter) ? 0 : -ENOMEM;
}

/* ---- The median ones ----------------------------------------------------- */

static uint32_t first_of(const struct gt__shelf *x, uint32_t group, uint64_t ns)
{
	uint32_t i = 0;

	while (i < x->count) {
		const struct brief *b = brief_of(x, i);

		if (b->group == group && b->whole && b->ns == ns)
			break;
		i++;
	}
	return i;
}

static uint64_t find_p50(const struct gt__shelf *x, uint32_t group,
                         uint64_t *times)
{
	uint32_t i, count = 0;

	for (i = 0; i < x->count; i++) {
		const struct brief *b = brief_of(x, i);

		if (b->group == group && b->whole)
			times[count++] = b->ns;
	}
	return gt__median_of(times, count);
}

static bool find_medians(struct gt__shelf *x)
{
	uint64_t *times = malloc((x->count + (size_t)1) * sizeof *times);
	uint32_t i, k;

	for (i = 0; times && i < x->slowest_count; i++) {
		uint32_t group = x->slowest[i].group;
		struct median *m = &x->medians[x->median_count];

		for (k = 0; k < x->median_count; k++)
			if (x->medians[k].group == group)
				break;
		if (k < x->median_count)
			continue;
		m->group = group;
		m->span = GT__ROOT;
		m->brief = first_of(x, group, find_p50(x, group, times));
		x->median_count++;
	}
	free(times);
	return times != NULL;
}

uint32_t gt__shelf_median(const struct gt__shelf *x, uint32_t group)
{
	for (uint32_t i = 0; i < x->median_count; i++)
		if (x->medians[i].group == group)
			return x->medians[i].span;
	return GT__ROOT;
}

/* ---- What is below them -------------------------------------------------- */

static uint64_t *slot_of(const struct wanted *w, uint64_t id)
{
	uint32_t i = (uint32_t)gt__hash_word(&w->key, id);

	for (;; i++) {
		uint64_t *slot = &w->slots[i & w->mask];

		if (!*slot || *slot == id)
			return slot;
	}
}

static bool make_room(struct wanted *w)
{
	struct wanted old = *w;
	uint32_t i, size = old.slots ? (old.mask + 1) * 2 : SLOTS_MIN;

	if (old.slots && old.count * 2 < old.mask)
		return true;
	w->slots = calloc(size, sizeof *w->slots);
	if (!w->slots) {
		w->slots = old.slots;
		return false;
	}
	w->mask = size - 1;
	w->key = gt__hash_key();
	for (i = 0; old.slots && i <= old.mask; i++)
		if (old.slots[i])
			*slot_of(w, old.slots[i]) = old.slots[i];
	free(old.slots);
	return true;
}

static uint32_t maybe_bit(uint64_t id)
{
	return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 48) % MAYBE_BITS;
}

static bool want(struct wanted *w, uint64_t id)
{
	uint32_t bit = maybe_bit(id);
	uint64_t *slot;

	if (!make_room(w))
		return false;
	w->maybe[bit / 64] |= UINT64_C(1) << bit % 64;
	slot = slot_of(w, id);
	w->count += *slot != id;
	*slot = id;
	return true;
}

/* No span has the id 0. */
static bool is_wanted(const struct wanted *w, uint64_t id)
{
	uint32_t bit = maybe_bit(id);

	if (w->all)
		return true;
	return id && w->maybe[bit / 64] >> bit % 64 & 1 &&
	       *slot_of(w, id) == id;
}

/* Children of those that are wanted are. */
static bool want_child(struct gt__shelf *x, uint32_t i)
{
	const struct brief *b = brief_of(x, i);
	struct wanted *w = &x->wanted;

	return !is_wanted(w, b->parent_id) || is_wanted(w, b->id) ||
	       want(w, b->id);
}

/*
 * Children end before their parents, mostly: looked at from the last to the
 * first, once is enough, and another time shows it. An order for which that is
 * never so can be made up: then all are taken, as it were without a shelf.
 */
static bool find_below(struct gt__shelf *x)
{
	uint32_t i, look, before = 0;
	bool done = true;

	for (look = 0; look < LOOKS_MAX && before != x->wanted.count; look++) {
		before = x->wanted.count;
		for (i = 0; i < x->count && done; i++)
			done = want_child(x, look % 2 ? i : x->count - 1 - i);
	}
	x->wanted.all = before != x->wanted.count;
	return done;
}

static bool find_wanted(struct gt__shelf *x)
{
	struct wanted *w = &x->wanted;
	bool done = make_room(w) && find_medians(x);
	uint32_t i;

	for (i = 0; done && i < x->slowest_count; i++)
		done = want(w, brief_of(x, x->slowest[i].brief)->id);
	for (i = 0; done && i < x->median_count; i++)
		done = want(w, brief_of(x, x->medians[i].brief)->id);
	return done && find_below(x);
}

/* ---- And they become the collector's ------------------------------------- */

static void note_median(struct gt__shelf *x, uint32_t brief, uint32_t span)
{
	for (uint32_t i = 0; i < x->median_count; i++)
		if (x->medians[i].brief == brief)
			x->medians[i].span = span;
}

static bool is_of_interest(const struct gt__shelf *x)
{
	if (is_wanted(&x->wanted, x->at.id))
		return true;
	return x->at.kind == GT__PACKED_SPAN ? x->spans_seen == x->last_open
	                                     : x->events_seen == x->last_event;
}

static bool unpack(struct gt__shelf *x, struct gt__shelved *to)
{
	to->kind = x->at.kind;
	if (to->kind != GT__PACKED_SPAN)
		return gt__packed_event(&x->at, &to->event);
	to->group = brief_of(x, x->spans_seen)->group;
	return gt__packed_span(&x->at, &to->span);
}

int gt__shelf_next(struct gt__shelf *x, uint32_t index,
                   struct gt__shelved *ret_shelved)
{
	bool found = false, done = true;

	while (!found && gt__packed_next(&x->packs, &x->at)) {
		bool is_span = x->at.kind == GT__PACKED_SPAN;

		found = is_of_interest(x);
		if (found)
			done = unpack(x, ret_shelved);
		if (found && is_span)
			note_median(x, x->spans_seen, index);
		++*(is_span ? &x->spans_seen : &x->events_seen);
	}
	if (found)
		return done ? 1 : -ENOMEM;
	gt__packs_fini(&x->packs);
	return 0;
}

int gt__shelf_choose(struct gt__shelf *x)
{
	return find_wanted(x) ? 0 : -ENOMEM;
}
