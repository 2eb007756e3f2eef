/* SPDX-License-Identifier: MIT */
#include "slowest.h"
#include "median.h"
#include "prune.h"
#include <string.h>

/* Whether a span comes before another one. */
static bool is_slower(const struct gt__span *a, const struct gt__span *b)
{
	uint64_t x = gt__span_ns(a), y = gt__span_ns(b);

	return x != y ? x > y : a->view.sequence < b->view.sequence;
}

static void insert(const struct gt__collect *c, uint32_t *spans, uint32_t count,
                   uint32_t span)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (is_slower(&c->spans[span], &c->spans[spans[middle]]))
			high = middle;
		else
			low = middle + 1;
	}
	memmove(spans + low + 1, spans + low, (count - low) * sizeof *spans);
	spans[low] = span;
}

uint32_t gt__find_slowest(const struct gt__collect *c, const char *pattern,
                          uint32_t most, uint32_t *spans)
{
	const struct gt_site_view *site = NULL;
	uint32_t i, count = 0;
	bool matches = false;

	if (most > GT__SLOWEST_MAX)
		most = GT__SLOWEST_MAX;
	for (i = 0; most && i < c->span_count; i++) {
		const struct gt__span *s = &c->spans[i];

		if (!gt__is_whole(s) ||
		    (count == most &&
		     !is_slower(s, &c->spans[spans[count - 1]])))
			continue;
		if (s->view.site != site)
			matches = gt__name_matches(pattern, s->view.site->name);
		site = s->view.site;
		if (!matches)
			continue;
		count -= count == most;
		insert(c, spans, count++, i);
	}
	return count;
}

static bool is_of(const struct gt__span *s, uint32_t group)
{
	return s->group == group && gt__is_whole(s);
}

bool gt__find_median(const struct gt__collect *c, uint32_t span,
                     uint32_t *ret_span)
{
	uint32_t i, count = 0, group = c->spans[span].group;
	uint64_t *times, p50_ns;

	*ret_span = span;
	if (c->shelf) {
		i = gt__shelf_median(c->shelf, group);
		*ret_span = i == GT__ROOT ? span : i;
		return true;
	}
	times = malloc((c->span_count + (size_t)1) * sizeof *times);
	if (!times)
		return false;
	for (i = 0; i < c->span_count; i++)
		if (is_of(&c->spans[i], group))
			times[count++] = gt__span_ns(&c->spans[i]);
	p50_ns = gt__median_of(times, count);
	free(times);
	for (i = 0; i < c->span_count; i++)
		if (is_of(&c->spans[i], group) &&
		    gt__span_ns(&c->spans[i]) == p50_ns)
			break;
	if (i < c->span_count)
		*ret_span = i;
	return true;
}

/* ---- What is below ------------------------------------------------------- */

static int compare_groups(const void *left, const void *right)
{
	const struct gt__below *a = left, *b = right;

	return (a->group > b->group) - (a->group < b->group);
}

static uint64_t difference(const struct gt__below *b)
{
	return b->ns[0] > b->ns[1] ? b->ns[0] - b->ns[1] : b->ns[1] - b->ns[0];
}

static int compare_differences(const void *left, const void *right)
{
	uint64_t a = difference(left), b = difference(right);

	return a != b ? (a > b ? -1 : 1) : compare_groups(left, right);
}

/* One row for each child. */
static uint32_t add_children(const struct gt__collect *c, uint32_t span,
                             unsigned side, struct gt__below *to)
{
	const struct gt__span *s = &c->spans[span];
	uint32_t i, n = 0;

	for (i = s->first_item; i < s->first_item + s->item_count; i++) {
		const struct gt__span *child;

		if (c->items[i].kind != GT__SPAN_ITEM)
			continue;
		child = &c->spans[c->items[i].index];
		to[n] = (struct gt__below){.group = child->group,
		                           .site = child->view.site};
		to[n].count[side] = 1;
		to[n++].ns[side] = gt__span_ns(child);
	}
	return n;
}

struct gt__below *gt__find_below(const struct gt__collect *c, uint32_t span,
                                 uint32_t other, uint32_t *ret_count)
{
	size_t room = (size_t)c->spans[span].item_count +
	              c->spans[other].item_count + 1;
	struct gt__below *rows = malloc(room * sizeof *rows);
	uint32_t i, side, n, count = 0;

	*ret_count = 0;
	if (!rows)
		return NULL;
	n = add_children(c, span, 0, rows);
	n += add_children(c, other, 1, rows + n);
	qsort(rows, n, sizeof *rows, compare_groups);
	for (i = 0; i < n; i++) {
		struct gt__below *to = &rows[count ? count - 1 : 0];

		if (!count || to->group != rows[i].group) {
			rows[count++] = rows[i];
			continue;
		}
		for (side = 0; side < 2; side++) {
			to->count[side] += rows[i].count[side];
			to->ns[side] += rows[i].ns[side];
		}
	}
	qsort(rows, count, sizeof *rows, compare_differences);
	*ret_count = count;
	return rows;
}

uint64_t gt__count_exits(const struct gt__collect *c,
                         const struct gt__span *span)
{
	uint64_t count = 0;
	uint32_t i;

	for (i = 0; i < c->host_span_count; i++) {
		const struct gt__host_span *h = &c->host_spans[i];

		count += h->kind == GT_HOST_EXIT && !h->tracing &&
		         h->vcpu == span->view.vcpu &&
		         h->start_ns >= span->view.start_ns &&
		         h->start_ns < span->view.end_ns;
	}
	return count;
}
