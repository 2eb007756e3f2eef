/* SPDX-License-Identifier: MIT */
#include "exit_sums.h"

struct sample {
	uint64_t key; /* group + 1 of the span, reason, port, tracing */
	uint64_t ns;
	uint32_t span;
};

static int compare_samples(const void *left, const void *right)
{
	const struct sample *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->ns > b->ns) - (a->ns < b->ns);
}

static int compare_totals(const void *left, const void *right)
{
	const struct gt__exits *a = left, *b = right;

	if (a->total_ns != b->total_ns)
		return a->total_ns > b->total_ns ? -1 : 1;
	if (a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return (a->span > b->span) - (a->span < b->span);
}

static bool counts(const struct gt__collect *c, const struct gt__host_span *h)
{
	if (h->kind != GT_HOST_EXIT)
		return false;
	if (!c->choice)
		return true;
	if (!gt__is_in_range(c->choice, c->head.trace, h->start_ns, h->end_ns))
		return false;
	return !gt__choice_is_of_spans(c->choice) ||
	       (h->parent != GT__ROOT && c->spans[h->parent].chosen);
}

static struct sample sample_of(const struct gt__collect *c,
                               const struct gt__host_span *h, bool by_span)
{
	struct sample s = {.ns = h->end_ns - h->start_ns, .span = GT__ROOT};
	uint64_t group = 0;

	if (by_span && h->parent != GT__ROOT) {
		s.span = h->parent;
		group = c->spans[h->parent].group + (uint64_t)1;
	}
	s.key = group << 25 | (uint64_t)(h->reason & 0xff) << 17 |
	        (uint64_t)h->port << 1 | h->tracing;
	return s;
}

/* `samples` have one key and are sorted. */
static struct gt__exits sum_up(const struct sample *samples, uint32_t count)
{
	uint32_t i;
	struct gt__exits e = {
		.reason = (enum gt_exit_reason)(samples->key >> 17 & 0xff),
		.port = (uint16_t)(samples->key >> 1),
		.tracing = samples->key & 1,
		.span = samples->span,
		.count = count,
		.p50_ns = samples[gt__nearest_rank(count, 50) - 1].ns,
		.p99_ns = samples[gt__nearest_rank(count, 99) - 1].ns,
		.max_ns = samples[count - 1].ns,
	};

	for (i = 0; i < count; i++)
		e.total_ns += samples[i].ns;
	return e;
}

struct gt__exits *gt__sum_up_exits(const struct gt__collect *c, bool by_span,
                                   uint32_t *ret_count)
{
	size_t room = c->host_span_count + (size_t)1;
	struct sample *samples = malloc(room * sizeof *samples);
	struct gt__exits *rows = NULL;
	uint32_t i, from, n = 0;

	*ret_count = 0;
	for (i = 0; samples && i < c->host_span_count; i++)
		if (counts(c, &c->host_spans[i]))
			samples[n++] = sample_of(c, &c->host_spans[i], by_span);
	if (samples) {
		qsort(samples, n, sizeof *samples, compare_samples);
		rows = malloc((n + (size_t)1) * sizeof *rows);
	}
	for (from = i = 0; rows && i < n; i++) {
		if (i + 1 < n && samples[i + 1].key == samples[from].key)
			continue;
		rows[(*ret_count)++] = sum_up(samples + from, i + 1 - from);
		from = i + 1;
	}
	free(samples);
	if (rows)
		qsort(rows, *ret_count, sizeof *rows, compare_totals);
	return rows;
}
