/* SPDX-License-Identifier: MIT */
#include "changes.h"

static int compare_changes(const void *left, const void *right)
{
	const struct gt__change *a = left, *b = right;

	if (a->impact != b->impact)
		return a->impact > b->impact ? -1 : 1;
	return gt__compare_names(a->before ? a->before : a->after,
	                         b->before ? b->before : b->after);
}

static uint64_t weight_of(const struct gt__kept *kept)
{
	return kept ? kept->name.weight : 0;
}

static uint32_t pair_names(const struct gt__side *b, const struct gt__side *a,
                           struct gt__change *changes)
{
	uint32_t i = 0, j = 0, n = 0;

	while (i < b->count || j < a->count) {
		struct gt__change *change = &changes[n++];
		uint64_t before, after;
		int order = i == b->count   ? 1
		            : j == a->count ? -1
		                            : gt__compare_names(b->names[i],
		                                                a->names[j]);

		*change = (struct gt__change){0};
		if (order <= 0)
			change->before = b->names[i++];
		if (order >= 0)
			change->after = a->names[j++];
		before = weight_of(change->before);
		after = weight_of(change->after);
		change->impact =
			after > before ? after - before : before - after;
	}
	return n;
}

static struct gt__ranks compare(const struct gt__durations *before,
                                const struct gt__durations *after)
{
	return gt__compare_ranks(before->ns, before->count, after->ns,
	                         after->count);
}

static void test(struct gt__change *change, bool guests)
{
	const struct gt__kept *b = change->before, *a = change->after;

	if (!b || !a || !b->spans.count || !a->spans.count)
		return;
	change->verdict = GT__NOISE;
	change->by_traces = b->medians.count >= GT__TRACES_ENOUGH &&
	                    a->medians.count >= GT__TRACES_ENOUGH;
	if (guests)
		change->guests = compare(&b->guests, &a->guests);
	change->ranks = change->by_traces ? compare(&b->medians, &a->medians)
	                                  : compare(&b->spans, &a->spans);
}

/* All medians of one side beyond all of the other; of two traces they are. */
static bool is_apart(const struct gt__change *change, bool slower)
{
	const struct gt__durations *low = &change->before->medians;
	const struct gt__durations *high = &change->after->medians;

	if (change->by_traces || (low->count == 1 && high->count == 1))
		return true;
	if (!slower) {
		low = &change->after->medians;
		high = &change->before->medians;
	}
	return low->ns[low->count - 1] < high->ns[0];
}

static void judge(struct gt__change *change)
{
	bool slower = change->ranks.delta > 0;

	if (change->ranks.p < GT__RANKS_P && change->ranks.delta != 0 &&
	    is_apart(change, slower))
		change->verdict = slower ? GT__SLOWER : GT__FASTER;
}

static bool correct(struct gt__change *changes, uint32_t count, bool guests)
{
	double *p = malloc((count + (size_t)1) * sizeof *p);
	uint32_t i, n = 0;
	bool done;

	if (!p)
		return false;
	for (i = 0; i < count; i++)
		if (changes[i].verdict != GT__NOT_TESTED)
			p[n++] = guests ? changes[i].guests.p
			                : changes[i].ranks.p;
	done = gt__correct_many(p, n);
	for (i = n = 0; i < count; i++) {
		if (changes[i].verdict == GT__NOT_TESTED)
			continue;
		if (guests)
			changes[i].guests.p = p[n++];
		else
			changes[i].ranks.p = p[n++];
	}
	free(p);
	return done;
}

struct gt__change *gt__find_changes(const struct gt__side *before,
                                    const struct gt__side *after, bool guests,
                                    uint32_t *ret_count)
{
	size_t most = (size_t)before->count + after->count + 1;
	struct gt__change *changes = malloc(most * sizeof *changes);
	uint32_t i, count;

	*ret_count = 0;
	if (!changes)
		return NULL;
	count = pair_names(before, after, changes);
	for (i = 0; i < count; i++)
		test(&changes[i], guests);
	if (!correct(changes, count, false) ||
	    (guests && !correct(changes, count, true))) {
		free(changes);
		return NULL;
	}
	for (i = 0; i < count; i++)
		if (changes[i].verdict != GT__NOT_TESTED)
			judge(&changes[i]);
	qsort(changes, count, sizeof *changes, compare_changes);
	*ret_count = count;
	return changes;
}
