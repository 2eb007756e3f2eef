/* SPDX-License-Identifier: MIT */
/* Where in the order of the tree the host's own spans stand. */
#include "collect.h"

struct mark {
	uint64_t time_ns;
	uint64_t sequence;
	uint32_t vcpu;
};

static int compare_marks(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;

	if (a->vcpu != b->vcpu)
		return a->vcpu < b->vcpu ? -1 : 1;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static uint32_t fill(const struct gt__collect *c, struct mark *marks)
{
	uint32_t i, n = 0;

	for (i = 0; i < c->span_count; i++) {
		const struct gt_span_view *v = &c->spans[i].view;

		marks[n++] = (struct mark){v->start_ns, v->sequence, v->vcpu};
	}
	for (i = 0; i < c->event_count; i++) {
		const struct gt_event_view *v = &c->events[i].view;

		marks[n++] = (struct mark){v->time_ns, v->sequence, v->vcpu};
	}
	qsort(marks, n, sizeof *marks, compare_marks);
	return n;
}

/* Of the last record of the vCPU up to that time; 0: there is none. */
static uint64_t sequence_at(const struct mark *marks, uint32_t count,
                            uint32_t vcpu, uint64_t time_ns)
{
	const struct mark key = {time_ns, UINT64_MAX, vcpu};
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_marks(&marks[middle], &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && marks[low - 1].vcpu == vcpu ? marks[low - 1].sequence : 0;
}

bool gt__collect_place_host_spans(struct gt__collect *c)
{
	size_t room = (size_t)c->span_count + c->event_count + 1;
	struct mark *marks = malloc(room * sizeof *marks);
	uint32_t i, count;

	if (!marks)
		return false;
	count = fill(c, marks);
	for (i = 0; i < c->host_span_count; i++) {
		struct gt__host_span *h = &c->host_spans[i];

		h->sequence = sequence_at(marks, count, h->vcpu, h->start_ns);
	}
	free(marks);
	return true;
}
