/* SPDX-License-Identifier: MIT */
#include "histogram.h"
#include "export/out/escape.h"
#include "export/out/numbers.h"
#include "export/out/words.h"
#include <errno.h>
#include <string.h>

#define BUCKETS_MAX 60u /* 1, 2, 5 times ten powers of 0..19 */
#define CELLS       40u
#define CELLS_MIN   4u
#define COLUMNS     12u

/* The end of bucket i, which begins at that of bucket i - 1 (0: at 0). */
static uint64_t bucket_end_ns(unsigned i)
{
	static const uint64_t steps[] = {1, 2, 5};
	uint64_t end_ns = steps[i % 3];

	for (i /= 3; i; i--)
		end_ns = end_ns > UINT64_MAX / 10 ? UINT64_MAX : end_ns * 10;
	return end_ns;
}

static unsigned bucket_of(uint64_t ns)
{
	unsigned i = 0;

	while (i + 1 < BUCKETS_MAX && ns >= bucket_end_ns(i))
		i++;
	return i;
}

static int compare_times(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Of those that were not seen whole only the number. */
static uint32_t find_times(const struct gt__collect *c, const char *pattern,
                           uint64_t *times, uint32_t *ret_unfinished)
{
	const struct gt_site_view *site = NULL;
	bool matches = false;
	uint32_t i, n = 0;

	*ret_unfinished = 0;
	for (i = 0; i < c->span_count; i++) {
		const struct gt_span_view *v = &c->spans[i].view;

		if (v->site != site)
			matches = gt__name_matches(pattern, v->site->name);
		site = v->site;
		if (!gt__counts(&c->spans[i]))
			continue;
		if (matches && v->flags & GT__UNFINISHED)
			++*ret_unfinished;
		else if (matches)
			times[n++] = v->end_ns - v->start_ns;
	}
	qsort(times, n, sizeof *times, compare_times);
	return n;
}

/* What the terminal leaves beside a bucket's ends and its count; 0: no bar. */
static unsigned bar_cells(const struct gt__out *o, uint64_t most)
{
	unsigned used = 2 * COLUMNS + 5 + (unsigned)gt__digits(most);

	if (!o->columns || o->columns >= used + CELLS)
		return CELLS;
	return o->columns >= used + CELLS_MIN ? o->columns - used : 0;
}

static void put_bucket(struct gt__out *o, unsigned i, uint64_t count,
                       uint64_t most)
{
	unsigned cells = bar_cells(o, most);
	size_t from = o->used;

	gt__put_duration_in(o, i ? bucket_end_ns(i - 1) : 0, COLUMNS);
	gt__put(o, " \u2013");
	gt__put_duration_in(o, bucket_end_ns(i), COLUMNS - 1);
	if (cells) {
		gt__put(o, "  ");
		gt__put_bar(o, count, most, cells);
	}
	gt__put(o, "  ");
	gt__put_u64(o, count);
	gt__end_line(o, from);
	gt__out_record(o);
}

static void put_buckets(struct gt__out *o, const uint64_t *times, uint32_t n)
{
	uint64_t counts[BUCKETS_MAX] = {0}, most = 0;
	unsigned first = bucket_of(times[0]), last = bucket_of(times[n - 1]);
	uint32_t i;

	for (i = 0; i < n; i++)
		counts[bucket_of(times[i])]++;
	for (i = first; i <= last; i++)
		if (counts[i] > most)
			most = counts[i];
	for (i = first; i <= last; i++)
		put_bucket(o, i, counts[i], most);
}

static void put_rank(struct gt__out *o, const char *word, uint64_t ns)
{
	gt__put(o, word);
	gt__put_duration(o, ns);
}

static void put_ranks(struct gt__out *o, const uint64_t *times, uint32_t n)
{
	size_t from = o->used;

	gt__put_u64(o, n);
	gt__put(o, n == 1 ? " span" : " spans");
	put_rank(o, "  min ", times[0]);
	put_rank(o, "  p50 ", times[gt__nearest_rank(n, 50) - 1]);
	put_rank(o, "  p90 ", times[gt__nearest_rank(n, 90) - 1]);
	put_rank(o, "  p99 ", times[gt__nearest_rank(n, 99) - 1]);
	put_rank(o, "  max ", times[n - 1]);
	gt__wrap_line(o, from, 0);
}

static void put_unfinished(struct gt__out *o, uint32_t count)
{
	size_t from = o->used;

	gt__put_u64(o, count);
	gt__put(o, count == 1 ? " more span" : " more spans");
	gt__put(o, " not seen from opening to close, left out");
	gt__wrap_line(o, from, 2);
}

void gt__put_histogram(struct gt__out *o, const struct gt__collect *c,
                       const struct gt_summary *summary, const char *pattern)
{
	struct gt_text name = {pattern, strlen(pattern)};
	uint64_t *times = malloc((c->span_count + (size_t)1) * sizeof *times);
	uint32_t n, unfinished;
	size_t from;

	if (!times) {
		o->error = o->error ? o->error : -ENOMEM;
		return;
	}
	n = find_times(c, pattern, times, &unfinished);
	gt__put_char(o, '\n');
	from = o->used;
	gt__put_bold(o, name);
	gt__put_partial(o, summary);
	gt__wrap_line(o, from, 2);
	if (n) {
		put_buckets(o, times, n);
		gt__put_char(o, '\n');
		put_ranks(o, times, n);
	} else if (!unfinished) {
		gt__put(o, "no span of that name\n");
	}
	if (unfinished)
		put_unfinished(o, unfinished);
	free(times);
}
