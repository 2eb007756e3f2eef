/* SPDX-License-Identifier: MIT */
/* Which spans of a large trace a page shows, and what stands for the others. */
#include "html.h"
#include <errno.h>
#include <string.h>

#define GAPS 2000u /* of the run's length: a longer one parts two blocks */

struct rank {
	uint64_t duration_ns;
	uint32_t index;
	bool marked; /* failed or interrupted */
};

struct maker {
	struct gt__excerpt *e;
	struct gt__collect *c;
	uint32_t *open;  /* per span, below which: its block, or GT__ROOT */
	uint32_t *roots; /* per vCPU: the block that is no span's */
	uint32_t size;   /* of the blocks */
	uint32_t limit;
	uint64_t gap_ns;
};

static int compare_ranks(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->marked != b->marked)
		return a->marked ? -1 : 1;
	if (a->duration_ns != b->duration_ns)
		return a->duration_ns > b->duration_ns ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Marks what is shown. */
static int choose(struct gt__excerpt *e, const struct gt__collect *c,
                  uint32_t limit)
{
	struct rank *ranks;
	uint32_t i;

	if (c->span_count <= limit) {
		memset(e->shown, true, c->span_count);
		return 0;
	}
	ranks = malloc(c->span_count * sizeof *ranks);
	if (!ranks)
		return -ENOMEM;
	for (i = 0; i < c->span_count; i++) {
		const struct gt_span_view *s = &c->spans[i].view;

		ranks[i] = (struct rank){
			.duration_ns = s->end_ns - s->start_ns,
			.index = i,
			.marked = s->status == GT_STATUS_ERROR ||
		                  s->flags & GT_SPAN_INTERRUPTED,
		};
	}
	qsort(ranks, c->span_count, sizeof *ranks, compare_ranks);
	for (i = 0; i < limit; i++)
		e->shown[ranks[i].index] = true;
	free(ranks);
	return 0;
}

static uint32_t *open_block(const struct maker *m, uint32_t parent,
                            uint32_t vcpu)
{
	return parent == GT__ROOT ? &m->roots[vcpu % GT_VCPUS_MAX]
	                          : &m->open[parent];
}

static bool fits(const struct maker *m, const struct gt__block *b,
                 const struct gt_span_view *s)
{
	if (b->count == UINT32_MAX)
		return false;
	if (m->e->block_count >= m->limit)
		return true; /* coarse, but bounded */
	return b->vcpu == s->vcpu && (s->start_ns <= b->end_ns ||
	                              s->start_ns - b->end_ns <= m->gap_ns);
}

static int add_block(struct maker *m, const struct gt_span_view *s,
                     uint32_t parent, uint32_t *ret_block)
{
	struct gt__excerpt *e = m->e;
	struct gt__block *larger;

	if (e->block_count == m->size) {
		m->size = m->size ? m->size * 2 : 256;
		larger = realloc(e->blocks, m->size * sizeof *larger);
		if (!larger)
			return -ENOMEM;
		e->blocks = larger;
	}
	*ret_block = e->block_count++;
	e->blocks[*ret_block] = (struct gt__block){
		.start_ns = s->start_ns,
		.end_ns = s->end_ns,
		.parent = parent,
		.vcpu = s->vcpu,
	};
	return 0;
}

static int hide(struct maker *m, const struct gt__span *span, uint32_t parent)
{
	const struct gt_span_view *s = &span->view;
	uint32_t *open = open_block(m, parent, s->vcpu);
	struct gt__block *b;
	int rc;

	if (*open == GT__ROOT || !fits(m, &m->e->blocks[*open], s)) {
		rc = add_block(m, s, parent, open);
		if (rc)
			return rc;
	}
	b = &m->e->blocks[*open];
	if (b->start_ns > s->start_ns)
		b->start_ns = s->start_ns;
	if (b->end_ns < s->end_ns)
		b->end_ns = s->end_ns;
	b->self_ns += span->self_ns;
	b->count++;
	m->e->hidden_count++;
	return 0;
}

static int place_all(struct maker *m)
{
	const struct gt__item *item;
	struct gt__walk walk = {0};
	int rc = 0;

	while (!rc && (item = gt__collect_next(m->c, &walk))) {
		const struct gt__span *span;
		uint32_t parent;

		if (item->kind != GT__SPAN_ITEM)
			continue;
		span = &m->c->spans[item->index];
		parent = span->parent == GT__ROOT ? GT__ROOT
		                                  : m->e->place[span->parent];
		if (m->e->shown[item->index]) {
			/* What comes behind it is no neighbour of before. */
			*open_block(m, parent, span->view.vcpu) = GT__ROOT;
			m->e->place[item->index] = m->e->shown_count++;
		} else {
			m->e->place[item->index] = parent;
			rc = hide(m, span, parent);
		}
	}
	return rc;
}

int gt__excerpt_make(struct gt__excerpt *e, struct gt__collect *c,
                     uint32_t limit)
{
	size_t spans = c->span_count + (size_t)1;
	struct maker m = {
		.e = e,
		.c = c,
		.open = malloc(spans * sizeof *m.open),
		.roots = malloc(GT_VCPUS_MAX * sizeof *m.roots),
		.limit = limit,
	};
	uint64_t first_ns = UINT64_MAX, last_ns = 0;
	uint32_t i;
	int rc = -ENOMEM;

	memset(e, 0, sizeof *e);
	e->place = malloc(spans * sizeof *e->place);
	e->shown = calloc(spans, sizeof *e->shown);
	for (i = 0; i < c->span_count; i++) {
		const struct gt_span_view *s = &c->spans[i].view;

		first_ns = s->start_ns < first_ns ? s->start_ns : first_ns;
		last_ns = s->end_ns > last_ns ? s->end_ns : last_ns;
	}
	m.gap_ns = first_ns < last_ns ? (last_ns - first_ns) / GAPS : 0;
	if (m.open && m.roots && e->place && e->shown) {
		memset(m.open, 0xff, spans * sizeof *m.open);
		memset(m.roots, 0xff, GT_VCPUS_MAX * sizeof *m.roots);
		rc = choose(e, c, limit);
	}
	if (!rc)
		rc = place_all(&m);
	free(m.open);
	free(m.roots);
	return rc;
}

/* Those that are looked for when something went wrong. */
static bool is_grave(const struct gt__event *event)
{
	return !event->counter && event->view.site->level != 0 &&
	       event->view.site->level <= GT_WARN;
}

int gt__html_choose_events(struct gt__html_run *r, uint32_t limit)
{
	const struct gt__collect *c = r->c;
	uint32_t i, kept = 0, left = 0;
	uint64_t room, others = 0;

	if (c->event_count <= limit)
		return 0;
	r->event_shown = calloc(c->event_count, sizeof *r->event_shown);
	if (!r->event_shown)
		return -ENOMEM;
	for (i = 0; i < c->event_count; i++)
		if (kept < limit / 2 && is_grave(&c->events[i])) {
			r->event_shown[i] = true;
			kept++;
		}
	room = limit - kept;
	left = c->event_count - kept;
	for (i = 0; i < c->event_count; i++)
		if (!r->event_shown[i]) {
			/* The n-th is shown when n rooms fill one more. */
			r->event_shown[i] = (others + 1) * room / left >
			                    others * room / left;
			others++;
		}
	r->hidden_events = c->event_count - limit;
	return 0;
}

void gt__excerpt_fini(struct gt__excerpt *e)
{
	free(e->place);
	free(e->shown);
	free(e->blocks);
	memset(e, 0, sizeof *e);
}
