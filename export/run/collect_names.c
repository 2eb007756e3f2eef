/* SPDX-License-Identifier: MIT */
/*
 * The table of names: of all spans that have a name and a target.
 *
 * Spans of one name may be open at once, be it that it calls itself or that
 * several vCPUs are in it. Their total is the time in which at least one of
 * them was open, in the whole run: no moment counts twice, and none belongs to
 * more than the run lasted. Where it went is asked of the vCPU of the span that
 * was open first.
 *
 * A span that was not seen from its opening to its close says nothing of how
 * long one takes: it is counted, and left out of the percentiles. If it is not
 * even known that it was open until its end, its time is left out as well.
 */
#include "collect.h"
#include "export/out/words.h"
#include <string.h>

struct names {
	struct gt__collect *c;
	struct gt__span **spans; /* by name, target, start */
	uint64_t *times;         /* room for those of one name */
	uint64_t *next_split;
};

static int compare_texts(struct gt_text a, struct gt_text b)
{
	size_t count = a.count < b.count ? a.count : b.count;
	int order = count ? memcmp(a.bytes, b.bytes, count) : 0;

	return order ? order : (a.count > b.count) - (a.count < b.count);
}

static int compare_starts(const struct gt__span *a, const struct gt__span *b)
{
	if (a->view.start_ns != b->view.start_ns)
		return a->view.start_ns < b->view.start_ns ? -1 : 1;
	if (a->view.sequence != b->view.sequence)
		return a->view.sequence < b->view.sequence ? -1 : 1;
	return 0;
}

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
	if (!order)
		order = compare_texts(a->by, b->by);
	return order ? order : compare_starts(a, b);
}

static int compare_by_name(const void *left, const void *right)
{
	const struct gt__span *a = *(const struct gt__span *const *)left;
	const struct gt__span *b = *(const struct gt__span *const *)right;
	int order = compare_texts(a->view.site->name, b->view.site->name);

	return order ? order : compare_starts(a, b);
}

static int compare_by_target(const void *left, const void *right)
{
	const struct gt__span *a = *(const struct gt__span *const *)left;
	const struct gt__span *b = *(const struct gt__span *const *)right;
	int order = compare_texts(a->view.site->target, b->view.site->target);

	return order ? order : compare_starts(a, b);
}

static int compare_totals(const void *left, const void *right)
{
	const struct gt__total *a = left, *b = right;

	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return compare_texts(a->text, b->text);
}

static int compare_names(const void *left, const void *right)
{
	const struct gt__name *a = left, *b = right;
	int order;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	order = compare_texts(a->name, b->name);
	if (!order)
		order = compare_texts(a->target, b->target);
	return order ? order : compare_texts(a->by, b->by);
}

static int compare_times(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

uint64_t gt__nearest_rank(uint64_t count, unsigned percent)
{
	/* ceil(percent / 100 * count) without its overflow */
	return count / 100 * percent + (count % 100 * percent + 99) / 100;
}

static void add_rows(uint64_t *sum, const uint64_t *rows, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		sum[i] += rows[i];
}

/* What a span adds to the time up to `covered_ns`, in which one was open. */
static uint64_t uncovered_ns(const struct gt__span *s, uint64_t *covered_ns)
{
	uint64_t from = s->view.start_ns, to = s->view.end_ns;

	if (from < *covered_ns)
		from = *covered_ns;
	if (from >= to)
		return 0;
	*covered_ns = to;
	return to - from;
}

static void add_total(struct gt__collect *c, struct gt__name *n,
                      const struct gt__span *s, uint64_t *covered_ns)
{
	uint64_t ns = uncovered_ns(s, covered_ns);

	n->total_ns += ns;
	if (ns == gt__span_ns(s))
		add_rows(n->split, s->split, c->timeline.columns);
	else if (ns)
		gt__timeline_add(&c->timeline, s->view.vcpu,
		                 s->view.end_ns - ns, s->view.end_ns, n->split);
}

__extension__ typedef unsigned __int128 u128;

uint64_t gt__average(const uint64_t *times, uint32_t count)
{
	u128 sum = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		sum += times[i];
	return (uint64_t)((sum + count / 2) / count);
}

uint64_t gt__weight_of(const struct gt__name *n, enum gt_sort sort)
{
	switch (sort) {
	case GT_SORT_SELF:
		return n->self_ns;
	case GT_SORT_COUNT:
		return n->count;
	case GT_SORT_AVG:
		return n->avg_ns;
	case GT_SORT_P50:
		return n->p50_ns;
	case GT_SORT_P99:
		return n->p99_ns;
	case GT_SORT_MAX:
		return n->max_ns;
	case GT_SORT_TOTAL:
		break;
	}
	return n->total_ns;
}

static struct gt__name sum_up(const struct names *names,
                              struct gt__span *const *spans, uint32_t count)
{
	uint32_t i, whole = 0, columns = names->c->timeline.columns;
	struct gt__name n = {
		.name = spans[0]->view.site->name,
		.target = spans[0]->view.site->target,
		.by = spans[0]->by,
		.group = spans[0]->group,
		.count = count,
		.split = names->next_split,
	};
	uint64_t covered_ns = 0, *times = names->times;

	for (i = 0; i < count; i++) {
		const struct gt__span *s = spans[i];

		if (!(s->view.flags & GT__UNFINISHED))
			times[whole++] = gt__span_ns(s);
		if (s->view.flags & GT__END_UNKNOWN) {
			n.end_unknown++;
			continue;
		}
		add_total(names->c, &n, s, &covered_ns);
		n.self_ns += s->self_ns;
		add_rows(n.split + columns, s->split + columns, columns);
	}
	n.unfinished = count - whole;
	if (!whole)
		return n;
	n.avg_ns = gt__average(times, whole);
	qsort(times, whole, sizeof *times, compare_times);
	n.p50_ns = times[gt__nearest_rank(whole, 50) - 1];
	n.p99_ns = times[gt__nearest_rank(whole, 99) - 1];
	n.max_ns = times[whole - 1];
	return n;
}

static bool same_name(const struct gt__span *a, const struct gt__span *b)
{
	const struct gt_site_view *x = a->view.site, *y = b->view.site;

	return (x == y || (gt__same_text(x->name, y->name) &&
	                   gt__same_text(x->target, y->target))) &&
	       gt__same_text(a->by, b->by);
}

static uint32_t group_length(struct gt__span *const *spans, uint32_t count)
{
	uint32_t n = 1;

	while (n < count && same_name(spans[0], spans[n]))
		n++;
	return n;
}

/* Numbers those of a group, and leaves those in front that count. */
static uint32_t number(struct gt__span **spans, uint32_t count, uint32_t group)
{
	uint32_t i, n = 0;

	for (i = 0; i < count; i++) {
		spans[i]->group = group;
		if (gt__counts(spans[i]))
			spans[n++] = spans[i];
	}
	return n;
}

static bool fill(struct names *names)
{
	struct gt__collect *c = names->c;
	uint32_t i, groups = 0, group = 0;

	for (i = 0; i < c->span_count; i++)
		names->spans[i] = &c->spans[i];
	qsort(names->spans, c->span_count, sizeof *names->spans, compare_spans);
	for (i = 0; i < c->span_count; groups++)
		i += group_length(names->spans + i, c->span_count - i);
	c->names = malloc((groups + (size_t)1) * sizeof *c->names);
	for (i = 0; c->names && i < c->span_count;) {
		uint32_t all =
			group_length(names->spans + i, c->span_count - i);
		uint32_t counted = number(names->spans + i, all, group++);

		if (counted) {
			struct gt__name *n = &c->names[c->name_count++];

			*n = sum_up(names, names->spans + i, counted);
			n->weight = gt__weight_of(n, c->sort);
			names->next_split += (size_t)2 * c->timeline.columns;
		}
		i += all;
	}
	return c->names != NULL;
}

bool gt__collect_names(struct gt__collect *c)
{
	size_t room = c->span_count + (size_t)1;
	struct names names = {
		.c = c,
		.spans = malloc(room * sizeof *names.spans),
		.times = malloc(room * sizeof *names.times),
		/* Behind the rows of the spans. */
		.next_split = c->splits +
	                      (size_t)2 * c->timeline.columns * c->span_count,
	};
	bool done = names.spans && names.times && fill(&names);

	free(names.spans);
	free(names.times);
	if (done)
		qsort(c->names, c->name_count, sizeof *c->names, compare_names);
	return done;
}

/* ---- Totals of names alone, or of targets -------------------------------- */

static struct gt_text text_of(const struct gt__span *s, bool target)
{
	return target ? s->view.site->target : s->view.site->name;
}

static uint32_t total_up(struct gt__total *totals,
                         struct gt__span *const *spans, uint32_t count,
                         bool target)
{
	struct gt__total *total = totals;
	uint64_t covered_ns = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct gt_text text = text_of(spans[i], target);

		if (i && !gt__same_text(total->text, text)) {
			total++;
			covered_ns = 0;
		}
		total->text = text;
		if (!(spans[i]->view.flags & GT__END_UNKNOWN))
			total->ns += uncovered_ns(spans[i], &covered_ns);
	}
	return count ? (uint32_t)(total - totals) + 1 : 0;
}

struct gt__total *gt__collect_totals(const struct gt__collect *c, bool target,
                                     uint32_t *ret_count)
{
	size_t room = c->span_count + (size_t)1;
	struct gt__total *totals = calloc(room, sizeof *totals);
	struct gt__span **spans = malloc(room * sizeof *spans);
	uint32_t i;

	*ret_count = 0;
	for (i = 0; spans && i < c->span_count; i++)
		spans[i] = &c->spans[i];
	if (totals && spans) {
		qsort(spans, c->span_count, sizeof *spans,
		      target ? compare_by_target : compare_by_name);
		*ret_count = total_up(totals, spans, c->span_count, target);
		qsort(totals, *ret_count, sizeof *totals, compare_totals);
	}
	if (!spans) {
		free(totals);
		totals = NULL;
	}
	free(spans);
	return totals;
}
