/* SPDX-License-Identifier: MIT */
/*
 * Times of a collected trace: the self time of each span, the table of names,
 * and where both went.
 *
 * A span's self time is the part of it during which none of its children was
 * open: children that overlap count once, and count only inside their parent.
 * Where it went is asked of the vCPU that opened it.
 */
#include "collect.h"
#include "export/out/words.h"
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

static uint64_t duration_ns(const struct gt__span *s)
{
	return s->view.end_ns - s->view.start_ns;
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

		s->self_ns = duration_ns(s);
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

static int compare_texts(struct gt_text a, struct gt_text b)
{
	size_t count = a.count < b.count ? a.count : b.count;
	int order = count ? memcmp(a.bytes, b.bytes, count) : 0;

	return order ? order : (a.count > b.count) - (a.count < b.count);
}

/* By name, target, duration. */
static int compare_spans(const void *left, const void *right)
{
	const struct gt__span *a = *(const struct gt__span *const *)left;
	const struct gt__span *b = *(const struct gt__span *const *)right;
	int order = 0;

	if (a->view.site != b->view.site)
		order = compare_texts(a->view.site->name, b->view.site->name);
	if (!order && a->view.site != b->view.site)
		order = compare_texts(a->view.site->target,
		                      b->view.site->target);
	if (order)
		return order;
	return (duration_ns(a) > duration_ns(b)) -
	       (duration_ns(a) < duration_ns(b));
}

static int compare_names(const void *left, const void *right)
{
	const struct gt__name *a = left, *b = right;
	int order;

	if (a->total_ns != b->total_ns)
		return a->total_ns > b->total_ns ? -1 : 1;
	order = compare_texts(a->name, b->name);
	return order ? order : compare_texts(a->target, b->target);
}

uint64_t gt__nearest_rank(uint64_t count, unsigned percent)
{
	/* ceil(percent / 100 * count) without its overflow */
	return count / 100 * percent + (count % 100 * percent + 99) / 100;
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

static void add_rows(uint64_t *sum, const uint64_t *rows, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		sum[i] += rows[i];
}

static struct gt__name sum_up(struct gt__span *const *spans, uint32_t count,
                              uint64_t *split, uint32_t columns)
{
	struct gt__name n = {
		.name = spans[0]->view.site->name,
		.target = spans[0]->view.site->target,
		.count = count,
		.p50_ns = duration_ns(spans[gt__nearest_rank(count, 50) - 1]),
		.p99_ns = duration_ns(spans[gt__nearest_rank(count, 99) - 1]),
		.max_ns = duration_ns(spans[count - 1]),
		.split = split,
	};
	uint32_t i;

	for (i = 0; i < count; i++) {
		n.total_ns += duration_ns(spans[i]);
		n.self_ns += spans[i]->self_ns;
		add_rows(split, spans[i]->split, 2 * columns);
	}
	return n;
}

static bool same_name(const struct gt__span *a, const struct gt__span *b)
{
	const struct gt_site_view *x = a->view.site, *y = b->view.site;

	return x == y || (gt__same_text(x->name, y->name) &&
	                  gt__same_text(x->target, y->target));
}

static uint32_t group_length(struct gt__span *const *spans, uint32_t count)
{
	uint32_t n = 1;

	while (n < count && same_name(spans[0], spans[n]))
		n++;
	return n;
}

static bool find_names(struct gt__collect *c)
{
	size_t size = sizeof(struct gt__span *);
	struct gt__span **spans = malloc((c->span_count + (size_t)1) * size);
	uint32_t i, groups = 0, columns = c->timeline.columns;
	uint64_t *split = c->splits + (size_t)2 * columns * c->span_count;

	if (!spans)
		return false;
	for (i = 0; i < c->span_count; i++)
		spans[i] = &c->spans[i];
	qsort(spans, c->span_count, size, compare_spans);
	for (i = 0; i < c->span_count; groups++)
		i += group_length(spans + i, c->span_count - i);
	c->names = malloc((groups + (size_t)1) * sizeof *c->names);
	for (i = 0; c->names && i < c->span_count;) {
		uint32_t n = group_length(spans + i, c->span_count - i);

		c->names[c->name_count++] =
			sum_up(spans + i, n, split, columns);
		split += 2 * columns;
		i += n;
	}
	free(spans);
	if (!c->names)
		return false;
	qsort(c->names, c->name_count, sizeof *c->names, compare_names);
	return true;
}

bool gt__collect_times(struct gt__collect *c)
{
	return gt__timeline_build(&c->timeline, c->host_spans,
	                          c->host_span_count) &&
	       find_splits(c) && find_self_times(c) && find_names(c);
}
