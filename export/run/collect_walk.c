/* SPDX-License-Identifier: MIT */
/* The items of a tree in their order, and ways through it, without recursion.
 */
#include "collect.h"

static int compare_items(const void *left, const void *right)
{
	const struct gt__item *a = left, *b = right;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Those of one parent, which mostly came in their order. */
static void sort_siblings(struct gt__item *items, uint32_t count)
{
	uint32_t i = 1;

	while (i < count && compare_items(&items[i - 1], &items[i]) <= 0)
		i++;
	if (i < count)
		qsort(items, count, sizeof *items, compare_items);
}

/* By parent, roots last; into `to`. */
static void place_items(struct gt__collect *c, struct gt__item *to)
{
	uint32_t i, at = 0, roots = 0;

	for (i = 0; i < c->span_count; i++)
		c->spans[i].item_count = 0;
	for (i = 0; i < c->item_count; i++)
		if (c->items[i].parent != GT__ROOT)
			c->spans[c->items[i].parent].item_count++;
	for (i = 0; i < c->span_count; i++) {
		c->spans[i].first_item = at;
		at += c->spans[i].item_count;
		c->spans[i].item_count = 0;
	}
	c->first_root_item = at;
	for (i = 0; i < c->item_count; i++) {
		uint32_t parent = c->items[i].parent;
		struct gt__span *p =
			parent == GT__ROOT ? NULL : &c->spans[parent];

		to[p ? p->first_item + p->item_count++ : at + roots++] =
			c->items[i];
	}
}

bool gt__collect_index_items(struct gt__collect *c)
{
	struct gt__item *items =
		malloc((c->item_count + (size_t)1) * sizeof *items);
	uint32_t i;

	if (!items)
		return false;
	place_items(c, items);
	free(c->items);
	c->items = items;
	for (i = 0; i < c->span_count; i++)
		sort_siblings(items + c->spans[i].first_item,
		              c->spans[i].item_count);
	sort_siblings(items + c->first_root_item,
	              c->item_count - c->first_root_item);
	return true;
}

static const struct gt__item *begin(struct gt__collect *c, struct gt__walk *w)
{
	const struct gt__span *top;
	uint32_t i;

	w->begun = true;
	w->parent = GT__ROOT;
	w->depth = 0;
	w->root_cursor = c->first_root_item;
	if (!w->under)
		return NULL;
	/* Its item is among those of its parent. */
	top = &c->spans[w->under - 1];
	i = top->parent == GT__ROOT ? c->first_root_item
	                            : c->spans[top->parent].first_item;
	while (c->items[i].kind != GT__SPAN_ITEM ||
	       c->items[i].index != w->under - 1)
		i++;
	w->last = true;
	return &c->items[i];
}

static const struct gt__item *next_root(const struct gt__collect *c,
                                        struct gt__walk *w)
{
	const struct gt__item *item;

	if (w->under || w->root_cursor == c->item_count)
		return NULL;
	item = &c->items[w->root_cursor++];
	w->last = w->root_cursor == c->item_count;
	return item;
}

const struct gt__item *gt__collect_next(struct gt__collect *c,
                                        struct gt__walk *w)
{
	const struct gt__item *item;
	struct gt__span *s;

	if (!w->begun) {
		item = begin(c, w);
		if (item)
			return w->item = item;
	} else if (w->item && w->item->kind == GT__SPAN_ITEM) {
		w->parent = w->item->index;
		c->spans[w->parent].cursor = 0;
		w->depth++;
	}
	while (w->parent != GT__ROOT) {
		s = &c->spans[w->parent];
		if (s->cursor < s->item_count) {
			item = &c->items[s->first_item + s->cursor++];
			w->last = s->cursor == s->item_count;
			return w->item = item;
		}
		w->parent = w->parent + 1 == w->under ? GT__ROOT : s->parent;
		w->depth--;
	}
	return w->item = next_root(c, w);
}

bool gt__event_counts(const struct gt__collect *c, const struct gt__event *e)
{
	if (!c->choice)
		return true;
	if (!gt__is_in_range(c->choice, c->head.trace, e->view.time_ns,
	                     e->view.time_ns))
		return false;
	return !gt__choice_is_of_spans(c->choice) ||
	       (e->parent != GT__ROOT && c->spans[e->parent].chosen);
}
