/* SPDX-License-Identifier: MIT */
#include "tree_fold.h"
#include "export/out/durations.h"
#include "export/out/escape.h"
#include "export/out/terminal.h"

#define SHOWN     8u  /* of siblings that are folded */
#define FOLDS_MIN 12u /* fewer more are shown as well */

static bool is_plain(const struct gt__collect *c, const struct gt__item *item)
{
	const struct gt_span_view *s;

	if (item->kind != GT__SPAN_ITEM)
		return false;
	s = &c->spans[item->index].view;
	return s->status != GT_STATUS_ERROR &&
	       !(s->flags & GT_SPAN_INTERRUPTED);
}

/* Siblings stand beside each other. */
static bool is_alike(const struct gt__collect *c, const struct gt__item *a,
                     const struct gt__item *b)
{
	return a->parent == b->parent && is_plain(c, a) && is_plain(c, b) &&
	       c->spans[a->index].view.site == c->spans[b->index].view.site;
}

/* How many like it are right before it; more than SHOWN are not counted. */
static uint32_t count_before(const struct gt__collect *c,
                             const struct gt__item *item)
{
	uint32_t count = 0;

	while (count <= SHOWN && item > c->items &&
	       is_alike(c, item - 1, item)) {
		count++;
		item--;
	}
	return count;
}

/* Behind the last one that is like it. */
static const struct gt__item *end_of_run(const struct gt__collect *c,
                                         const struct gt__item *item)
{
	const struct gt__item *at = item, *end = c->items + c->item_count;

	do
		at++;
	while (at < end && is_alike(c, item, at));
	return at;
}

enum gt__fold_place gt__fold_look(struct gt__fold *fold,
                                  const struct gt__collect *c,
                                  const struct gt__item *item, uint32_t depth)
{
	const struct gt__item *end;

	if (!fold->is_wanted)
		return GT__FOLD_NOT;
	if (fold->item &&
	    (depth > fold->depth || (item >= fold->item && item < fold->end)))
		return GT__FOLD_MORE;
	fold->item = NULL;
	if (count_before(c, item) != SHOWN)
		return GT__FOLD_NOT;
	end = end_of_run(c, item);
	if (end - item < (ptrdiff_t)FOLDS_MIN)
		return GT__FOLD_NOT;
	fold->item = item;
	fold->end = end;
	fold->depth = depth;
	fold->is_last =
		end == c->items + c->item_count || end->parent != item->parent;
	return GT__FOLD_FIRST;
}

void gt__fold_put(struct gt__out *o, const struct gt__fold *fold,
                  const struct gt__collect *c)
{
	uint64_t ns, sum_ns = 0, max_ns = 0;
	size_t count = (size_t)(fold->end - fold->item);
	const struct gt__item *at;

	for (at = fold->item; at < fold->end; at++) {
		ns = gt__span_ns(&c->spans[at->index]);
		sum_ns += ns;
		if (ns > max_ns)
			max_ns = ns;
	}
	gt__put(o, "\u2026 ");
	gt__put_u64(o, count);
	gt__put(o, " more ");
	gt__put_terminal(o, c->spans[fold->item->index].view.site->name);
	gt__put(o, "  avg ");
	gt__put_duration(o, sum_ns / count);
	gt__put(o, "  max ");
	gt__put_duration(o, max_ns);
}
