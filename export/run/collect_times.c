/* SPDX-License-Identifier: MIT */
/*
 * Times of a collected trace: the self time of each span, and where it went.
 *
 * A span's self time is the part of it during which none of its children was
 * open: children that overlap count once, and count only inside their parent.
 * Where it went is asked of the vCPU that opened it.
 */
#include "groups.h"
#include <string.h>

struct stretch {
	uint64_t start_ns;
	uint64_t end_ns;
	uint32_t parent;
};

static int compare_stretches(const void *left, const void *right)
{
	const struct stretch *a = left, *b = right;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return 0;
}

/* Takes from the parents' self times what their children cover. */
static void subtract(struct gt__collect *c, const struct stretch *stretches,
                     uint32_t count)
{
	uint32_t i, parent = GT__ROOT;
	uint64_t covered_ns = 0; /* up to this time of the parent */

	for (i = 0; i < count; i++) {
		const struct stretch *s = &stretches[i];
		struct gt__span *p = &c->spans[s->parent];
		uint64_t from = s->start_ns, to = s->end_ns;

		if (s->parent != parent)
			covered_ns = p->view.start_ns;
		parent = s->parent;
		if (from < covered_ns)
			from = covered_ns;
		if (to > p->view.end_ns)
			to = p->view.end_ns;
		if (from >= to)
			continue;
		p->self_ns -= to - from;
		gt__timeline_take(&c->timeline, p->view.vcpu, from, to,
		                  p->split + c->timeline.columns);
		covered_ns = to;
	}
}

static bool find_self_times(struct gt__collect *c)
{
	size_t size = sizeof(struct stretch);
	struct stretch *stretches = malloc((c->span_count + (size_t)1) * size);
	uint32_t i, n = 0;

	if (!stretches)
		return false;
	for (i = 0; i < c->span_count; i++) {
		struct gt__span *s = &c->spans[i];

		s->self_ns = gt__span_ns(s);
		if (s->parent == GT__ROOT)
			continue;
		stretches[n++] = (struct stretch){
			.start_ns = s->view.start_ns,
			.end_ns = s->view.end_ns,
			.parent = s->parent,
		};
	}
	qsort(stretches, n, size, compare_stretches);
	subtract(c, stretches, n);
	free(stretches);
	return true;
}

/* The split of each span, its own part still with that of its children. */
static bool find_splits(struct gt__collect *c)
{
	struct gt__timeline *t = &c->timeline;
	size_t row = t->columns;
	uint64_t *next;
	uint32_t i;

	/* Of each span and, at most as many, each name: two rows. */
	next = c->splits =
		calloc(c->span_count * (size_t)4 + 1, row * sizeof *c->splits);
	if (!next)
		return false;
	for (i = 0; i < c->span_count; i++, next += 2 * row) {
		struct gt__span *s = &c->spans[i];

		s->split = next;
		gt__timeline_add(t, s->view.vcpu, s->view.start_ns,
		                 s->view.end_ns, next);
		memcpy(next + row, next, row * sizeof *next);
	}
	return true;
}

/* Its children, by start; NULL: out of memory. */
static struct stretch *children_of(const struct gt__collect *c,
                                   const struct gt__span *s,
                                   uint32_t *ret_count)
{
	size_t size = sizeof(struct stretch);
	struct stretch *stretches = malloc((s->item_count + (size_t)1) * size);
	uint32_t i, n = 0;

	for (i = s->first_item; stretches && i < s->first_item + s->item_count;
	     i++) {
		const struct gt__item *item = &c->items[i];
		const struct gt_span_view *v = &c->spans[item->index].view;

		if (item->kind == GT__SPAN_ITEM)
			stretches[n++] = (struct stretch){
				v->start_ns, v->end_ns, item->parent};
	}
	*ret_count = n;
	if (stretches)
		qsort(stretches, n, size, compare_stretches);
	return stretches;
}

bool gt__collect_time(struct gt__collect *c, struct gt__span *s)
{
	size_t row = c->timeline.columns, bytes = row * sizeof *s->split;
	struct stretch *stretches;
	uint32_t count;

	if (s->split)
		return true;
	stretches = children_of(c, s, &count);
	if (stretches)
		s->split = gt__collect_take(c, 2 * bytes, sizeof *s->split);
	if (s->split) {
		memset(s->split, 0, bytes);
		gt__timeline_add(&c->timeline, s->view.vcpu, s->view.start_ns,
		                 s->view.end_ns, s->split);
		memcpy(s->split + row, s->split, bytes);
		s->self_ns = gt__span_ns(s);
		subtract(c, stretches, count);
	}
	free(stretches);
	return s->split;
}

bool gt__collect_times(struct gt__collect *c)
{
	uint32_t groups;

	if (!gt__timeline_build(&c->timeline, c->host_spans,
	                        c->host_span_count))
		return false;
	if (c->times_on_demand)
		return c->shelf || gt__collect_number(c, &groups);
	return find_splits(c) && (c->no_self || find_self_times(c)) &&
	       gt__collect_names(c);
}
