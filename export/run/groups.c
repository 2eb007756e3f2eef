/* SPDX-License-Identifier: MIT */
/*
 * Equal texts are made one text first, once for each site, so that a group is
 * three addresses. Sites are few, spans are many: most are of the site before.
 */
#include "groups.h"
#include <string.h>

struct gt__group {
	const void *parts[3]; /* site, or name and target; value of `by` */
	uint32_t number;      /* 1 + that of the group; 0: free */
};

static struct gt__group *slot_of(const struct gt__group_table *t,
                                 const void *const *parts)
{
	uint64_t hash =
		gt__hash_words(&t->key, (uintptr_t)parts[0],
	                       (uintptr_t)parts[1] + 3 * (uintptr_t)parts[2]);
	uint32_t i = (uint32_t)hash & t->mask;

	while (t->slots[i].number &&
	       memcmp(t->slots[i].parts, parts, sizeof t->slots->parts) != 0)
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

static bool make_room(struct gt__group_table *t)
{
	struct gt__group *old = t->slots;
	uint32_t i, count = old ? t->mask + 1 : 0, size = old ? count * 2 : 64;

	if (old && t->used * 2 < t->mask)
		return true;
	t->slots = calloc(size, sizeof *t->slots);
	if (!t->slots) {
		t->slots = old;
		return false;
	}
	t->key = gt__hash_key();
	t->mask = size - 1;
	for (i = 0; i < count; i++)
		if (old[i].number)
			*slot_of(t, old[i].parts) = old[i];
	free(old);
	return true;
}

/* The one text of its bytes; NULL: out of memory. */
static const void *one_text(struct gt__numbering *n, struct gt_text text)
{
	static const char empty[1];
	struct gt_text *kept;

	if (!text.count)
		return empty;
	kept = gt__kept_key(&n->texts, text);
	if (kept && !kept->bytes)
		*kept = text;
	return kept ? kept->bytes : NULL;
}

/* 1 + the number of a group; 0: out of memory. */
static uint32_t number_of(struct gt__numbering *n, const struct gt__span *s)
{
	const struct gt_site_view *site = s->view.site;
	const void *parts[3] = {one_text(n, site->name),
	                        one_text(n, site->target),
	                        s->by.bytes ? one_text(n, s->by) : NULL};
	struct gt__group *g;

	if (!parts[0] || !parts[1] || (s->by.bytes && !parts[2]) ||
	    !make_room(&n->groups))
		return 0;
	g = slot_of(&n->groups, parts);
	if (!g->number) {
		memcpy(g->parts, parts, sizeof g->parts);
		g->number = ++n->count;
		n->groups.used++;
	}
	return g->number;
}

uint32_t gt__group_number(struct gt__numbering *n, const struct gt__span *s)
{
	const void *parts[3] = {s->view.site, NULL, s->by.bytes};
	struct gt__group *g;

	if (n->number && n->site == s->view.site && n->by == s->by.bytes)
		return n->number;
	if (!make_room(&n->sites))
		return 0;
	g = slot_of(&n->sites, parts);
	if (!g->number) {
		memcpy(g->parts, parts, sizeof g->parts);
		g->number = number_of(n, s);
		n->sites.used += g->number > 0;
	}
	n->site = s->view.site;
	n->by = s->by.bytes;
	return n->number = g->number;
}

void gt__numbering_fini(struct gt__numbering *n)
{
	free(n->sites.slots);
	free(n->groups.slots);
	gt__kept_keys_fini(&n->texts);
}

bool gt__collect_number(struct gt__collect *c, uint32_t *ret_groups)
{
	struct gt__numbering n = {0};
	uint32_t i;

	for (i = 0; i < c->span_count; i++) {
		uint32_t number = gt__group_number(&n, &c->spans[i]);

		if (!number)
			break;
		c->spans[i].group = number - 1;
	}
	*ret_groups = n.count;
	gt__numbering_fini(&n);
	return i == c->span_count;
}
