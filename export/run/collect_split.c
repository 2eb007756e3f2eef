/* SPDX-License-Identifier: MIT */
/* Sums over the stretches of each vCPU, and their differences. */
#include "collect_split.h"
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

#define NO_COLUMN UINT32_MAX

struct gt__moment {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t waiting_ns; /* <= end_ns - start_ns */
	uint32_t vcpu;
	uint32_t column; /* of what the vCPU did, waiting apart */
};

static enum gt__part part_of(const struct gt__host_span *s)
{
	if (s->kind == GT_HOST_GUEST)
		return GT__PART_GUEST;
	if (s->tracing)
		return GT__PART_TRACING;
	return (enum gt__part)(GT__PART_EXIT +
	                       (s->reason < GT_EXIT_REASONS ? s->reason : 0));
}

static int compare_moments(const void *left, const void *right)
{
	const struct gt__moment *a = left, *b = right;

	if (a->vcpu != b->vcpu)
		return a->vcpu < b->vcpu ? -1 : 1;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return a->end_ns < b->end_ns ? -1 : a->end_ns > b->end_ns;
}

static void find_columns(struct gt__timeline *t, uint32_t *column_of,
                         const struct gt__host_span *spans, uint32_t count)
{
	bool occurs[GT__PARTS] = {
		[GT__PART_GUEST] = true,
		[GT__PART_WAITING] = true,
		[GT__PART_UNKNOWN] = true,
	};
	uint32_t i;

	for (i = 0; i < count; i++)
		if (spans[i].kind != GT_HOST_WORK)
			occurs[part_of(&spans[i])] = true;
	for (i = 0; i < GT__PARTS; i++) {
		column_of[i] = NO_COLUMN;
		if (!occurs[i])
			continue;
		column_of[i] = t->columns;
		t->parts[t->columns++] = (enum gt__part)i;
	}
}

static void fill(struct gt__timeline *t, const uint32_t *column_of,
                 const struct gt__host_span *spans, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct gt__host_span *s = &spans[i];

		if (s->kind == GT_HOST_WORK || s->end_ns <= s->start_ns)
			continue;
		t->moments[t->moment_count++] = (struct gt__moment){
			.start_ns = s->start_ns,
			.end_ns = s->end_ns,
			.waiting_ns = s->waiting_ns,
			.vcpu = s->vcpu,
			.column = column_of[part_of(s)],
		};
	}
	if (t->moment_count)
		qsort(t->moments, t->moment_count, sizeof *t->moments,
		      compare_moments);
}

/* No overlap, nothing empty, and no more waiting than there is time. */
static void straighten(struct gt__timeline *t)
{
	uint32_t i, n = 0;

	for (i = 0; i < t->moment_count; i++) {
		struct gt__moment m = t->moments[i];

		if (n && t->moments[n - 1].vcpu == m.vcpu &&
		    m.start_ns < t->moments[n - 1].end_ns)
			m.start_ns = t->moments[n - 1].end_ns;
		if (m.end_ns <= m.start_ns)
			continue;
		if (m.waiting_ns > m.end_ns - m.start_ns)
			m.waiting_ns = m.end_ns - m.start_ns;
		t->moments[n++] = m;
	}
	t->moment_count = n;
}

static void add_elapsed(const struct gt__moment *m, uint64_t elapsed_ns,
                        uint64_t *row)
{
	uint64_t duration_ns = m->end_ns - m->start_ns;
	uint64_t waiting_ns =
		(uint64_t)((u128)m->waiting_ns * elapsed_ns / duration_ns);

	row[GT__PART_WAITING] += waiting_ns;
	row[m->column] += elapsed_ns - waiting_ns;
}

static void sum_up(struct gt__timeline *t)
{
	size_t size = t->columns * sizeof *t->sums;
	uint32_t i;

	for (i = 0; i < t->moment_count; i++) {
		const struct gt__moment *before = &t->moments[i - !!i];
		uint64_t *row = t->sums + (size_t)i * t->columns;

		memset(row, 0, size);
		if (!i || before->vcpu != t->moments[i].vcpu)
			continue;
		memcpy(row, row - t->columns, size);
		add_elapsed(before, before->end_ns - before->start_ns, row);
	}
}

bool gt__timeline_build(struct gt__timeline *t,
                        const struct gt__host_span *spans, uint32_t count)
{
	uint32_t column_of[GT__PARTS];

	*t = (struct gt__timeline){0};
	find_columns(t, column_of, spans, count);
	t->moments = malloc((count + (size_t)1) * sizeof *t->moments);
	t->row = malloc(t->columns * sizeof *t->row);
	if (!t->moments || !t->row)
		return false;
	fill(t, column_of, spans, count);
	straighten(t);
	t->sums = calloc(t->moment_count + (size_t)1,
	                 t->columns * sizeof *t->sums);
	if (!t->sums)
		return false;
	sum_up(t);
	return true;
}

void gt__timeline_fini(struct gt__timeline *t)
{
	free(t->moments);
	free(t->sums);
	free(t->row);
	*t = (struct gt__timeline){0};
}

/* It begins at `time_ns` or before, on `vcpu` or one before it. */
static inline bool has_begun(const struct gt__moment *m, uint32_t vcpu,
                             uint64_t time_ns)
{
	return m->vcpu < vcpu || (m->vcpu == vcpu && m->start_ns <= time_ns);
}

/* How many have: they are the first ones. */
static uint32_t begun(struct gt__timeline *t, uint32_t vcpu, uint64_t time_ns)
{
	uint32_t low = t->begun, high = t->moment_count;

	if ((low == 0 || has_begun(&t->moments[low - 1], vcpu, time_ns)) &&
	    (low == high || !has_begun(&t->moments[low], vcpu, time_ns)))
		return low;
	low = 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (has_begun(&t->moments[middle], vcpu, time_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return t->begun = low;
}

/* Adds what `vcpu` did up to `time_ns`. */
static void add_until(struct gt__timeline *t, uint32_t vcpu, uint64_t time_ns,
                      uint64_t *row)
{
	uint32_t i, count = begun(t, vcpu, time_ns);
	const struct gt__moment *m = &t->moments[count - !!count];
	const uint64_t *sums;

	if (!count || m->vcpu != vcpu)
		return;
	sums = t->sums + (size_t)(count - 1) * t->columns;
	for (i = 0; i < t->columns; i++)
		row[i] += sums[i];
	if (time_ns > m->end_ns)
		time_ns = m->end_ns;
	add_elapsed(m, time_ns - m->start_ns, row);
}

/* t->row becomes the parts of the interval; unknown is what is left over. */
static void find_parts(struct gt__timeline *t, uint32_t vcpu, uint64_t from_ns,
                       uint64_t to_ns)
{
	uint64_t left_ns = to_ns - from_ns;
	uint32_t i;

	memset(t->row, 0, t->columns * sizeof *t->row);
	add_until(t, vcpu, from_ns, t->row);
	for (i = 0; i < t->columns; i++)
		t->row[i] = 0 - t->row[i];
	add_until(t, vcpu, to_ns, t->row);
	for (i = 0; i < t->columns; i++)
		left_ns -= t->row[i];
	t->row[GT__PART_UNKNOWN] = left_ns;
}

void gt__timeline_add(struct gt__timeline *t, uint32_t vcpu, uint64_t from_ns,
                      uint64_t to_ns, uint64_t *row)
{
	uint32_t i;

	find_parts(t, vcpu, from_ns, to_ns);
	for (i = 0; i < t->columns; i++)
		row[i] += t->row[i];
}

void gt__timeline_sum(struct gt__timeline *t, uint32_t vcpus, uint64_t from_ns,
                      uint64_t to_ns, uint64_t *row)
{
	uint32_t vcpu;

	for (vcpu = 0; vcpu < vcpus && from_ns < to_ns; vcpu++)
		gt__timeline_add(t, vcpu, from_ns, to_ns, row);
}

void gt__timeline_take(struct gt__timeline *t, uint32_t vcpu, uint64_t from_ns,
                       uint64_t to_ns, uint64_t *row)
{
	uint32_t i;

	find_parts(t, vcpu, from_ns, to_ns);
	for (i = 0; i < t->columns; i++)
		row[i] -= t->row[i];
}
