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
#include "groups.h"
#include "sort_ns.h"
#include "export/out/words.h"
#include <string.h>

struct names {
	struct gt__collect *c;
	struct gt__span **spans; /* by group, then by start */
	struct start *starts;    /* room for those of one name */
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
	gt__sort_ns(times, whole);
	n.p50_ns = times[gt__nearest_rank(whole, 50) - 1];
	n.p99_ns = times[gt__nearest_rank(whole, 99) - 1];
	n.max_ns = times[whole - 1];
	return n;
}

/* What a span is sorted by, beside it: to look it up there for each comparison
 * would take longer than all else. */
struct start {
	uint64_t start_ns;
	uint64_t sequence;
	struct gt__span *span;
};

static int compare_start(const void *left, const void *right)
{
	const struct start *a = left, *b = right;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

/* By start; they come as they were closed, which is often the same. */
static void sort_spans(struct gt__span **spans, uint32_t count,
                       struct start *starts)
{
	bool sorted = true;
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct gt_span_view *v = &spans[i]->view;

		starts[i] = (struct start){v->start_ns, v->sequence, spans[i]};
		if (i && compare_start(&starts[i - 1], &starts[i]) > 0)
			sorted = false;
	}
	if (sorted)
		return;
	qsort(starts, count, sizeof *starts, compare_start);
	for (i = 0; i < count; i++)
		spans[i] = starts[i].span;
}

/* Those that count, by group; ends[g] is behind the last one of group g. */
static void place(const struct names *names, uint32_t *ends, uint32_t groups)
{
	const struct gt__collect *c = names->c;
	uint32_t i, at = 0;

	for (i = 0; i < c->span_count; i++)
		ends[c->spans[i].group] += gt__counts(&c->spans[i]);
	for (i = 0; i < groups; i++) {
		uint32_t count = ends[i];

		ends[i] = at;
		at += count;
	}
	for (i = 0; i < c->span_count; i++)
		if (gt__counts(&c->spans[i]))
			names->spans[ends[c->spans[i].group]++] = &c->spans[i];
}

static void add_name(struct names *names, struct gt__span **spans,
                     uint32_t count)
{
	struct gt__collect *c = names->c;
	struct gt__name *n = &c->names[c->name_count++];

	sort_spans(spans, count, names->starts);
	*n = sum_up(names, spans, count);
	n->weight = gt__weight_of(n, c->sort);
	names->next_split += (size_t)2 * c->timeline.columns;
}

static bool fill(struct names *names)
{
	struct gt__collect *c = names->c;
	uint32_t i, groups, from = 0, *ends;
	bool fits;

	if (!gt__collect_number(c, &groups))
		return false;
	ends = calloc(groups + (size_t)1, sizeof *ends);
	c->names = malloc((groups + (size_t)1) * sizeof *c->names);
	fits = ends && c->names;
	if (fits)
		place(names, ends, groups);
	for (i = 0; fits && i < groups; i++) {
		if (ends[i] > from)
			add_name(names, names->spans + from, ends[i] - from);
		from = ends[i];
	}
	free(ends);
	return fits;
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
	bool done;

	names.starts = malloc(room * sizeof *names.starts);
	done = names.spans && names.times && names.starts && fill(&names);
	free(names.starts);
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
