/* SPDX-License-Identifier: MIT */
/* Takes out of a tree what was not asked for. */
#include "prune.h"
#include "matcher.h"
#include <string.h>

enum {
	BELOW = 1, /* it or one above it has the name */
	SHOWN = 2, /* for its own sake */
	ABOVE = 4, /* one below it is shown */
	LAST = 8,  /* on the last level that is shown */
};

struct pruning {
	struct gt__collect *c;
	const struct gt_report_options *options;
	struct gt__matcher matcher;
	uint8_t *marks;  /* by span */
	uint32_t *order; /* spans, each before its children */
	uint32_t ordered;
};

static void mark_span(struct pruning *p, uint32_t index, uint32_t depth)
{
	const struct gt__span *s = &p->c->spans[index];
	uint8_t *mark = &p->marks[index];

	if ((s->parent != GT__ROOT && (p->marks[s->parent] & BELOW)) ||
	    (s->chosen && gt__matches(&p->matcher, s->view.site)))
		*mark |= BELOW;
	if (p->options->depth && depth + 1 >= p->options->depth)
		*mark |= LAST;
	if ((!p->options->depth || depth < p->options->depth) &&
	    (*mark & BELOW) && s->in_range &&
	    s->view.end_ns - s->view.start_ns >= p->options->min_duration_ns)
		*mark |= SHOWN;
	p->order[p->ordered++] = index;
}

static void mark_spans(struct pruning *p)
{
	const struct gt__item *item;
	struct gt__walk walk = {0};

	while ((item = gt__collect_next(p->c, &walk)))
		if (item->kind == GT__SPAN_ITEM)
			mark_span(p, item->index, walk.depth);
	while (p->ordered--) {
		uint32_t index = p->order[p->ordered];
		uint32_t parent = p->c->spans[index].parent;

		if (parent != GT__ROOT && (p->marks[index] & (SHOWN | ABOVE)))
			p->marks[parent] |= ABOVE;
	}
}

static bool is_in_range(const struct gt__collect *c,
                        const struct gt__item *item)
{
	const struct gt__host_span *h;
	uint64_t time_ns;

	if (!c->choice)
		return true;
	if (item->kind == GT__HOST_ITEM) {
		h = &c->host_spans[item->index];
		return gt__is_in_range(c->choice, c->head.trace, h->start_ns,
		                       h->end_ns);
	}
	time_ns = c->events[item->index].view.time_ns;
	return gt__is_in_range(c->choice, c->head.trace, time_ns, time_ns);
}

/* Whether only some spans are asked for, so that what is in none is not. */
static bool has_condition(const struct pruning *p)
{
	return p->options->name ||
	       (p->c->choice && gt__choice_is_of_spans(p->c->choice));
}

static bool is_kept(const struct pruning *p, const struct gt__item *item)
{
	const struct gt__host_span *hosts = p->c->host_spans;
	unsigned mark;

	if (item->kind == GT__SPAN_ITEM)
		return p->marks[item->index] & (SHOWN | ABOVE);
	if (!is_in_range(p->c, item))
		return false;
	if (item->kind == GT__HOST_ITEM &&
	    hosts[item->index].end_ns - hosts[item->index].start_ns <
	            p->options->min_duration_ns)
		return false;
	if (item->parent == GT__ROOT)
		return !has_condition(p) && (item->kind == GT__HOST_ITEM ||
		                             !p->options->min_duration_ns);
	mark = p->marks[item->parent];
	return (mark & SHOWN) && !(mark & LAST);
}

/* What is missing stays, at the nearest level that is shown. */
static void lift(const struct pruning *p, struct gt__item *item)
{
	while (item->parent != GT__ROOT) {
		unsigned mark = p->marks[item->parent];

		if (mark & (SHOWN | ABOVE) && !(mark & LAST))
			return;
		item->parent = p->c->spans[item->parent].parent;
	}
}

static bool drop_items(struct pruning *p)
{
	struct gt__collect *c = p->c;
	uint32_t i, n = 0;

	for (i = 0; i < c->item_count; i++) {
		if (c->items[i].kind == GT__GAP_ITEM)
			lift(p, &c->items[i]);
		else if (!is_kept(p, &c->items[i]))
			continue;
		c->items[n++] = c->items[i];
	}
	c->item_count = n;
	return gt__collect_index_items(c);
}

bool gt__collect_prune(struct gt__collect *c,
                       const struct gt_report_options *options,
                       uint32_t *ret_hidden)
{
	struct pruning p = {
		.c = c,
		.options = options,
		.matcher = {.pattern = options->name},
		.marks = calloc(c->span_count + (size_t)1, 1),
		.order = malloc((c->span_count + (size_t)1) * sizeof *p.order),
	};
	bool fits = p.marks && p.order;
	uint32_t i;

	*ret_hidden = 0;
	if (fits) {
		mark_spans(&p);
		fits = drop_items(&p);
	}
	for (i = 0; fits && i < c->span_count; i++)
		*ret_hidden += !(p.marks[i] & (SHOWN | ABOVE));
	gt__matcher_fini(&p.matcher);
	free(p.marks);
	free(p.order);
	return fits;
}
