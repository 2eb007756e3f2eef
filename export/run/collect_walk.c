/* SPDX-License-Identifier: MIT */
/* Ways through the tree of a trace, without recursion. */
#include "collect.h"

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
