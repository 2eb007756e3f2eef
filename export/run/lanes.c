/* SPDX-License-Identifier: MIT */
/* Spreads spans over tracks on which they nest. */
#include "lanes.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS_MIN  256u
#define LANES_TRIED 8u /* empty lanes that may be in the future */

void gt__lanes_fini(struct gt__lanes *l)
{
	free(l->spans);
	free(l->chains);
	free(l->tracks);
	free(l->vcpus);
	memset(l, 0, sizeof *l);
}

/* Makes room for one more of `count` members; doubles. */
static int reserve(void **array, uint32_t *size, uint32_t count, size_t member)
{
	uint32_t wanted = *size ? *size * 2 : 64;
	void *larger;

	if (count < *size)
		return 0;
	larger = realloc(*array, wanted * member);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*size = wanted;
	return 0;
}

/* What happens next mostly is of the same span. */
static uint32_t hash_of(struct gt__lanes *l, uint64_t id)
{
	if (id != l->hashed_id)
		l->hash = (uint32_t)gt__hash_word(&l->key, id);
	l->hashed_id = id;
	return l->hash;
}

uint32_t gt__lanes_find(struct gt__lanes *l, uint64_t id)
{
	uint32_t i;

	if (!l->chains || !id)
		return GT__NONE;
	if (l->spans[l->recent].id == id)
		return l->recent;
	for (i = l->chains[hash_of(l, id) & l->chain_mask]; i != GT__NONE;
	     i = l->spans[i].chain)
		if (l->spans[i].id == id)
			return l->recent = i;
	return GT__NONE;
}

static void link_span(struct gt__lanes *l, uint32_t i)
{
	uint32_t *chain = &l->chains[l->spans[i].hash & l->chain_mask];

	l->spans[i].chain = *chain;
	*chain = i;
}

static void unlink_span(struct gt__lanes *l, uint32_t i)
{
	uint32_t *at = &l->chains[l->spans[i].hash & l->chain_mask];

	while (*at != i)
		at = &l->spans[*at].chain;
	*at = l->spans[i].chain;
}

/* As many chains as there is room for spans. */
static int rehash(struct gt__lanes *l)
{
	uint32_t count = l->span_size < CHAINS_MIN ? CHAINS_MIN : l->span_size;
	uint32_t *chains, i;

	if (l->chains && l->chain_mask + 1 >= count)
		return 0;
	chains = malloc(count * sizeof *chains);
	if (!chains)
		return -ENOMEM;
	if (!l->chains)
		l->key = gt__hash_key();
	free(l->chains);
	l->chains = chains;
	l->chain_mask = count - 1;
	memset(chains, 0xff, count * sizeof *chains);
	/* All are in use: this follows a reserve() that found no room. */
	for (i = 0; i < l->span_count; i++)
		link_span(l, i);
	return 0;
}

/* An index for one more span; GT__NONE if there are too many. */
static int take_span(struct gt__lanes *l, uint32_t *ret_index)
{
	int rc;

	if (!l->span_size)
		l->unused = GT__NONE;
	if (l->unused != GT__NONE) {
		*ret_index = l->unused;
		l->unused = l->spans[l->unused].chain;
		return 0;
	}
	*ret_index = GT__NONE;
	if (l->span_count == GT__LANES_OPEN_MAX)
		return 0;
	rc = reserve((void **)&l->spans, &l->span_size, l->span_count,
	             sizeof *l->spans);
	if (!rc)
		rc = rehash(l);
	if (!rc)
		*ret_index = l->span_count++;
	return rc;
}

static void give_span(struct gt__lanes *l, uint32_t i)
{
	l->spans[i].id = 0;
	l->spans[i].chain = l->unused;
	l->unused = i;
}

static int add_track(struct gt__lanes *l, uint32_t vcpu, uint32_t lane,
                     uint32_t *ret_track)
{
	int rc = reserve((void **)&l->tracks, &l->track_size, l->track_count,
	                 sizeof *l->tracks);

	if (rc)
		return rc;
	l->tracks[l->track_count] = (struct gt__track){
		.vcpu = vcpu,
		.lane = lane,
		.top = GT__NONE,
		.next = GT__NONE,
	};
	*ret_track = l->track_count++;
	return 0;
}

static int add_vcpus(struct gt__lanes *l, uint32_t vcpu)
{
	struct gt__vcpu_tracks *vcpus;
	uint32_t i;

	if (vcpu < l->vcpu_count)
		return 0;
	if (vcpu >= GT_VCPUS_MAX)
		return -EINVAL;
	vcpus = realloc(l->vcpus, (vcpu + 1) * sizeof *vcpus);
	if (!vcpus)
		return -ENOMEM;
	l->vcpus = vcpus;
	for (i = l->vcpu_count; i <= vcpu; i++)
		vcpus[i] = (struct gt__vcpu_tracks){
			.thread = GT__NONE,
			.empty = GT__NONE,
		};
	l->vcpu_count = vcpu + 1;
	return 0;
}

static int thread_track(struct gt__lanes *l, uint32_t vcpu, uint32_t *ret_track)
{
	int rc = add_vcpus(l, vcpu);

	if (!rc && l->vcpus[vcpu].thread == GT__NONE)
		rc = add_track(l, vcpu, 0, &l->vcpus[vcpu].thread);
	if (!rc)
		*ret_track = l->vcpus[vcpu].thread;
	return rc;
}

/* An empty lane on which nothing is later than `at`. */
static int empty_lane(struct gt__lanes *l, uint32_t vcpu, uint64_t at,
                      uint32_t *ret_track)
{
	struct gt__vcpu_tracks *v = &l->vcpus[vcpu];
	uint32_t *lane = &v->empty, i;

	for (i = 0; i < LANES_TRIED && *lane != GT__NONE; i++) {
		if (l->tracks[*lane].last_ns <= at) {
			*ret_track = *lane;
			*lane = l->tracks[*lane].next;
			return 0;
		}
		lane = &l->tracks[*lane].next;
	}
	return add_track(l, vcpu, ++v->lanes, ret_track);
}

static void push(struct gt__lanes *l, uint32_t i, uint32_t track, uint64_t at)
{
	struct gt__lane_span *s = &l->spans[i];
	struct gt__track *t = &l->tracks[track];

	s->track = track;
	s->begin_ns = at;
	s->above = GT__NONE;
	s->below = t->top;
	if (t->top != GT__NONE)
		l->spans[t->top].above = i;
	t->top = i;
	if (t->last_ns < at)
		t->last_ns = at;
}

/* Takes a span out of its track's stack, wherever it stands. */
static void pop(struct gt__lanes *l, uint32_t i, uint64_t at)
{
	struct gt__lane_span *s = &l->spans[i];
	struct gt__track *t = &l->tracks[s->track];

	if (s->above != GT__NONE)
		l->spans[s->above].below = s->below;
	else
		t->top = s->below;
	if (s->below != GT__NONE)
		l->spans[s->below].above = s->above;
	if (t->last_ns < at)
		t->last_ns = at;
	if (t->last_end_ns < at)
		t->last_end_ns = at;
	if (t->top == GT__NONE && t->lane) {
		t->next = l->vcpus[t->vcpu].empty;
		l->vcpus[t->vcpu].empty = s->track;
	}
}

/* Here; elsewhere an id may be one of this run's, too. */
static uint64_t parent_id_of(const struct gt_span_view *span)
{
	return span->parent_remote ? 0 : span->parent_id;
}

static bool fits_thread(const struct gt__lanes *l, const struct gt__track *t,
                        const struct gt_span_view *span, uint32_t parent)
{
	if (!span->entered || span->start_ns < t->last_ns)
		return false;
	if (t->top == GT__NONE)
		return parent == GT__NONE;
	if (parent_id_of(span) == l->spans[t->top].id)
		return true;
	return span->level && !span->parent_id;
}

/* Nearly always the top of the thread's track: no table need be asked. */
static uint32_t parent_of(struct gt__lanes *l, const struct gt_span_view *span,
                          uint32_t top)
{
	uint64_t id = parent_id_of(span);

	if (top != GT__NONE && l->spans[top].id == id)
		return top;
	return l->open ? gt__lanes_find(l, id) : GT__NONE;
}

static int choose_track(struct gt__lanes *l, const struct gt_span_view *span,
                        uint32_t *ret_track)
{
	const struct gt__track *t;
	uint32_t parent, track = 0;
	int rc = thread_track(l, span->vcpu, &track);

	if (rc)
		return rc;
	*ret_track = track;
	parent = parent_of(l, span, l->tracks[track].top);
	if (fits_thread(l, &l->tracks[track], span, parent))
		return 0;
	if (parent != GT__NONE) {
		track = l->spans[parent].track;
		t = &l->tracks[track];
		*ret_track = track;
		if (t->lane && t->top == parent && t->vcpu == span->vcpu &&
		    t->last_ns <= span->start_ns)
			return 0;
	}
	return empty_lane(l, span->vcpu, span->start_ns, ret_track);
}

int gt__lanes_open(struct gt__lanes *l, const struct gt_span_view *span,
                   uint32_t *ret_index)
{
	uint32_t i = GT__NONE, track = 0, hash;
	int rc = take_span(l, &i);

	if (rc || i == GT__NONE) {
		*ret_index = GT__NONE;
		return rc;
	}
	hash = hash_of(l, span->id); /* the caller has looked for it */
	rc = choose_track(l, span, &track);
	if (rc) {
		give_span(l, i);
		return rc;
	}
	l->spans[i].id = span->id;
	l->spans[i].hash = hash;
	l->spans[i].site = span->site;
	l->spans[i].opening_fields = (uint32_t)span->field_count;
	l->spans[i].continued = false;
	l->spans[i].begun = false;
	push(l, i, track, span->start_ns);
	link_span(l, i);
	l->recent = i;
	l->open++;
	*ret_index = i;
	return 0;
}

uint64_t gt__lanes_end_ns(const struct gt__lanes *l, uint32_t i,
                          uint64_t end_ns)
{
	const struct gt__lane_span *s = &l->spans[i];
	uint64_t at = l->tracks[s->track].last_end_ns;

	if (at < end_ns)
		at = end_ns;
	return at < s->begin_ns ? s->begin_ns : at;
}

uint32_t gt__lanes_above(const struct gt__lanes *l, uint32_t i, uint64_t at)
{
	uint32_t count = 0;

	for (i = l->spans[i].above; i != GT__NONE; i = l->spans[i].above) {
		if (l->spans[i].begin_ns > at)
			break;
		count++;
	}
	return count;
}

int gt__lanes_pull(struct gt__lanes *l, uint32_t index, uint64_t at,
                   uint32_t *ret_index)
{
	uint32_t vcpu = l->tracks[l->spans[index].track].vcpu, track = 0;
	uint32_t i = l->spans[index].above;
	int rc;

	*ret_index = GT__NONE;
	if (i == GT__NONE || l->spans[i].begin_ns > at)
		return 0;
	rc = empty_lane(l, vcpu, at, &track);
	if (rc)
		return rc;
	pop(l, i, at);
	push(l, i, track, at);
	l->spans[i].continued = true;
	l->spans[i].begun = false;
	*ret_index = i;
	return 0;
}

void gt__lanes_close(struct gt__lanes *l, uint32_t i, uint64_t at)
{
	pop(l, i, at);
	unlink_span(l, i);
	give_span(l, i);
	l->open--;
}

int gt__lanes_event(struct gt__lanes *l, uint32_t vcpu, uint64_t span_id,
                    uint32_t *ret_track)
{
	uint32_t span = gt__lanes_find(l, span_id);

	if (span != GT__NONE && l->tracks[l->spans[span].track].vcpu == vcpu) {
		*ret_track = l->spans[span].track;
		return 0;
	}
	return thread_track(l, vcpu, ret_track);
}
