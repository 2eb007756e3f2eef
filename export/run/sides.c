/* SPDX-License-Identifier: MIT */
#include "sides.h"
#include "sort_ns.h"
#include "split_words.h"
#include <search.h>
#include <string.h>

static int compare_text(struct gt_text a, struct gt_text b)
{
	size_t count = a.count < b.count ? a.count : b.count;
	int order = count ? memcmp(a.bytes, b.bytes, count) : 0;

	return order ? order : (a.count > b.count) - (a.count < b.count);
}

int gt__compare_names(const void *left, const void *right)
{
	const struct gt__name *a = left, *b = right;
	int order = compare_text(a->name, b->name);

	if (!order)
		order = compare_text(a->target, b->target);
	return order ? order : compare_text(a->by, b->by);
}

static void move_text(struct gt_text *text, char **to)
{
	if (!text->bytes)
		return;
	if (text->count)
		memcpy(*to, text->bytes, text->count);
	text->bytes = *to;
	*to += text->count;
}

static bool reserve(void **array, uint32_t *size, uint32_t count, size_t member)
{
	uint32_t wanted = *size ? *size * 2 : 16;
	void *larger;

	if (count < *size)
		return true;
	larger = count < UINT32_MAX / 2 ? realloc(*array, wanted * member)
	                                : NULL;
	if (!larger)
		return false;
	*array = larger;
	*size = wanted;
	return true;
}

bool gt__add_duration(struct gt__durations *d, uint64_t ns)
{
	if (!reserve((void **)&d->ns, &d->size, d->count, sizeof *d->ns))
		return false;
	d->ns[d->count++] = ns;
	return true;
}

/* ---- A trace ------------------------------------------------------------- */

static struct gt__kept *new_kept(struct gt__side *side,
                                 const struct gt__name *n)
{
	struct gt__kept *kept =
		calloc(1, sizeof *kept + n->name.count + n->target.count +
	                          n->by.count);
	char *texts = (char *)(kept + 1);

	if (!kept)
		return NULL;
	kept->name = (struct gt__name){
		.name = n->name, .target = n->target, .by = n->by};
	move_text(&kept->name.name, &texts);
	move_text(&kept->name.target, &texts);
	move_text(&kept->name.by, &texts);
	if (!reserve((void **)&side->names, &side->size, side->count,
	             sizeof(struct gt__kept *)) ||
	    !tsearch(kept, &side->tree, gt__compare_names)) {
		free(kept);
		return NULL;
	}
	side->names[side->count++] = kept;
	return kept;
}

static struct gt__kept *keep_name(struct gt__side *side,
                                  const struct gt__collect *c,
                                  const struct gt__name *n)
{
	struct gt__kept **found = tfind(n, &side->tree, gt__compare_names);
	struct gt__kept *kept = found ? *found : new_kept(side, n);

	if (!kept)
		return NULL;
	kept->name.count += n->count;
	kept->name.unfinished += n->unfinished;
	kept->name.end_unknown += n->end_unknown;
	kept->name.total_ns += n->total_ns;
	kept->name.self_ns += n->self_ns;
	kept->guest_ns +=
		gt__split_part_ns(&c->timeline, n->split, GT__PART_GUEST);
	kept->exits_ns +=
		gt__split_exits_ns(&c->timeline, n->split) +
		gt__split_part_ns(&c->timeline, n->split, GT__PART_TRACING);
	if ((gt__has_percentiles(n) &&
	     !gt__add_duration(&kept->medians, n->p50_ns)) ||
	    !gt__add_duration(&kept->totals, n->total_ns) ||
	    !gt__add_duration(&kept->traces, side->traces))
		return NULL;
	return kept;
}

static bool keep_spans(struct gt__kept *const *by_group,
                       const struct gt__collect *c)
{
	uint32_t i;

	for (i = 0; i < c->span_count; i++) {
		const struct gt__span *s = &c->spans[i];
		struct gt__kept *kept = by_group[s->group];

		if (!gt__counts(s) || s->view.flags & GT__UNFINISHED)
			continue;
		if (!gt__add_duration(&kept->spans, gt__span_ns(s)) ||
		    !gt__add_duration(&kept->guests,
		                      gt__split_part_ns(&c->timeline, s->split,
		                                        GT__PART_GUEST)))
			return false;
	}
	return true;
}

bool gt__side_add(struct gt__side *side, const struct gt__collect *c)
{
	/* There are no more groups than spans. */
	struct gt__kept **by_group =
		calloc(c->span_count + (size_t)1, sizeof *by_group);
	bool done = by_group;
	uint32_t i;

	for (i = 0; done && i < c->name_count; i++) {
		struct gt__kept *kept = keep_name(side, c, &c->names[i]);

		by_group[c->names[i].group] = kept;
		done = kept;
	}
	done = done && keep_spans(by_group, c);
	side->traces++;
	free(by_group);
	return done;
}

/* ---- All of them --------------------------------------------------------- */

static int compare_kept(const void *left, const void *right)
{
	return gt__compare_names(*(const struct gt__kept *const *)left,
	                         *(const struct gt__kept *const *)right);
}

static void sort(struct gt__durations *d)
{
	gt__sort_ns(d->ns, d->count);
}

static void find_percentiles(struct gt__kept *kept)
{
	const struct gt__durations *d = &kept->spans;

	if (!d->count)
		return;
	kept->name.avg_ns = gt__average(d->ns, d->count);
	kept->name.p50_ns = d->ns[gt__nearest_rank(d->count, 50) - 1];
	kept->name.p99_ns = d->ns[gt__nearest_rank(d->count, 99) - 1];
	kept->name.max_ns = d->ns[d->count - 1];
}

/* Those of an average trace; whether any was not whole stays what it is. */
static void average(struct gt__kept *kept, uint32_t traces)
{
	struct gt__name *n = &kept->name;
	bool all_unfinished = n->unfinished == n->count;
	bool all_unknown = n->end_unknown == n->count;

	n->count = (n->count + traces / 2) / traces;
	n->unfinished = (n->unfinished + traces / 2) / traces;
	n->end_unknown = (n->end_unknown + traces / 2) / traces;
	if (!n->count)
		n->count = 1;
	n->unfinished = all_unfinished              ? n->count
	                : n->unfinished >= n->count ? n->count - 1
	                                            : n->unfinished;
	n->end_unknown = all_unknown                  ? n->count
	                 : n->end_unknown >= n->count ? n->count - 1
	                                              : n->end_unknown;
	n->total_ns /= traces;
	n->self_ns /= traces;
	kept->guest_ns /= traces;
	kept->exits_ns /= traces;
}

void gt__side_close(struct gt__side *side, enum gt_sort sort_by)
{
	uint32_t i;

	for (i = 0; i < side->count; i++) {
		struct gt__kept *kept = side->names[i];

		sort(&kept->spans);
		sort(&kept->guests);
		sort(&kept->medians);
		find_percentiles(kept);
		if (side->traces > 1)
			average(kept, side->traces);
		kept->name.weight = gt__weight_of(&kept->name, sort_by);
	}
	if (side->count)
		qsort(side->names, side->count, sizeof(struct gt__kept *),
		      compare_kept);
}

static void free_nothing(void *kept)
{
	(void)kept;
}

void gt__side_fini(struct gt__side *side)
{
	uint32_t i;

	tdestroy(side->tree, free_nothing);
	for (i = 0; i < side->count; i++) {
		free(side->names[i]->spans.ns);
		free(side->names[i]->guests.ns);
		free(side->names[i]->medians.ns);
		free(side->names[i]->totals.ns);
		free(side->names[i]->traces.ns);
		free(side->names[i]);
	}
	free(side->names);
	*side = (struct gt__side){0};
}
