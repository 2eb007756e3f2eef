/* SPDX-License-Identifier: MIT */
/*
 * Rows are found by the row above and the name. Where a name stands above
 * itself, what is found is the row up there, so that the way up is gone once
 * for each such pair, and is GT__PATH_DEPTH_MAX long at most.
 */
#include "paths.h"
#include "prune.h"
#include <string.h>

struct found {
	uint32_t parent;
	uint32_t group;
	uint32_t row; /* GT__ROOT: the slot is free */
};

struct builder {
	struct gt__paths *paths;
	uint32_t size;       /* of paths->rows */
	struct found *slots; /* open addressing, at most half full */
	uint32_t used, mask;
	struct gt__hash_key key;
	bool failed;
};

static struct found *slot_of(const struct builder *b, uint32_t parent,
                             uint32_t group)
{
	uint64_t hash = gt__hash_word(&b->key, (uint64_t)parent << 32 | group);
	uint32_t i = (uint32_t)hash & b->mask;

	for (;; i = (i + 1) & b->mask) {
		struct found *f = &b->slots[i];

		if (f->row == GT__ROOT ||
		    (f->parent == parent && f->group == group))
			return f;
	}
}

static bool grow_slots(struct builder *b)
{
	struct found *old = b->slots;
	uint32_t i, size = old ? (b->mask + 1) * 2 : 256;
	uint32_t count = old ? b->mask + 1 : 0;

	b->slots = malloc(size * sizeof *b->slots);
	if (!b->slots) {
		b->slots = old;
		return false;
	}
	memset(b->slots, 0xff, size * sizeof *b->slots);
	b->mask = size - 1;
	for (i = 0; i < count; i++)
		if (old[i].row != GT__ROOT)
			*slot_of(b, old[i].parent, old[i].group) = old[i];
	free(old);
	return true;
}

static uint32_t add_row(struct builder *b, uint32_t parent, uint32_t group,
                        const struct gt_site_view *site, struct gt_text by)
{
	struct gt__paths *p = b->paths;
	uint32_t size = b->size ? b->size * 2 : 256;
	struct gt__path *larger;

	if (p->count == b->size) {
		larger = realloc(p->rows, size * sizeof *p->rows);
		if (!larger) {
			b->failed = true;
			return GT__ROOT;
		}
		p->rows = larger;
		b->size = size;
	}
	p->rows[p->count] = (struct gt__path){
		.parent = parent,
		.depth = parent == GT__ROOT ? 0 : p->rows[parent].depth + 1,
		.group = group,
		.site = site,
		.by = by,
	};
	return p->count++;
}

/* The row of a name below another row, perhaps above that; GT__ROOT: none. */
static uint32_t row_above(const struct gt__paths *p, uint32_t row,
                          uint32_t group)
{
	while (row != GT__ROOT && p->rows[row].group != group)
		row = p->rows[row].parent;
	return row;
}

/* GT__ROOT: out of memory. */
static uint32_t row_below(struct builder *b, uint32_t parent, uint32_t group,
                          const struct gt_site_view *site, struct gt_text by)
{
	struct gt__paths *p = b->paths;
	struct found *f;
	uint32_t row;

	if (2 * (uint64_t)b->used >= b->mask && !grow_slots(b)) {
		b->failed = true;
		return GT__ROOT;
	}
	f = slot_of(b, parent, group);
	if (f->row != GT__ROOT)
		return f->row;
	row = row_above(p, parent, group);
	if (row == GT__ROOT && parent != GT__ROOT &&
	    p->rows[parent].depth + 1 >= GT__PATH_DEPTH_MAX)
		row = parent;
	if (row == GT__ROOT)
		row = add_row(b, parent, group, site, by);
	if (row == GT__ROOT)
		return row;
	*f = (struct found){parent, group, row};
	b->used++;
	return row;
}

static bool begin(struct builder *b, struct gt__paths *paths)
{
	*paths = (struct gt__paths){0};
	*b = (struct builder){.paths = paths, .key = gt__hash_key()};
	return grow_slots(b);
}

/* ---- From above ---------------------------------------------------------- */

struct level {
	uint32_t row;
	bool counts;
};

struct ways {
	struct builder b;
	struct level *rows; /* by depth: of the spans above */
	uint32_t *open;     /* by row: spans of it on the way down to here */
	uint32_t open_size;
};

static bool see_open(struct ways *w)
{
	uint32_t size = w->b.size;
	uint32_t *larger;

	if (w->open_size == size)
		return true;
	larger = realloc(w->open, size * sizeof *w->open);
	if (!larger)
		return false;
	memset(larger + w->open_size, 0,
	       (size - w->open_size) * sizeof *larger);
	w->open = larger;
	w->open_size = size;
	return true;
}

static void add_span(struct ways *w, const struct gt__span *s, uint32_t row)
{
	struct gt__path *path = &w->b.paths->rows[row];

	path->used = true;
	if (path->group != s->group) {
		w->b.paths->deep++;
		path->self_ns += s->self_ns;
		return;
	}
	path->count++;
	if (s->view.flags & GT__END_UNKNOWN)
		return;
	path->self_ns += s->self_ns;
	if (!w->open[row])
		path->total_ns += gt__span_ns(s);
}

static bool walk_down(struct ways *w, struct gt__collect *c)
{
	const struct gt__item *item;
	struct gt__walk walk = {0};
	uint32_t depth = 0;

	while ((item = gt__collect_next(c, &walk))) {
		const struct gt__span *s = &c->spans[item->index];
		uint32_t row;

		if (item->kind != GT__SPAN_ITEM)
			continue;
		for (; depth > walk.depth; depth--)
			w->open[w->rows[depth - 1].row] -=
				w->rows[depth - 1].counts;
		row = row_below(&w->b,
		                depth ? w->rows[depth - 1].row : GT__ROOT,
		                s->group, s->view.site, s->by);
		if (row == GT__ROOT || !see_open(w))
			return false;
		if (gt__counts(s)) {
			add_span(w, s, row);
			w->open[row]++;
		}
		w->rows[depth++] = (struct level){row, gt__counts(s)};
	}
	return true;
}

/* ---- The order of the rows ----------------------------------------------- */

struct order {
	uint32_t index; /* as the rows were made */
	const struct gt__path *path;
};

static int compare_rows(const void *left, const void *right)
{
	const struct gt__path *a = ((const struct order *)left)->path;
	const struct gt__path *b = ((const struct order *)right)->path;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	if (a->self_ns != b->self_ns)
		return a->self_ns > b->self_ns ? -1 : 1;
	return (a->group > b->group) - (a->group < b->group);
}

/* Of a row, or behind all of them of those without parent. */
struct family {
	uint32_t next, end; /* of the rows below it, in the order */
	uint32_t row;       /* where it stands now */
};

static void find_families(const struct order *order, uint32_t count,
                          uint32_t root, struct family *families)
{
	uint32_t i, parent;

	for (i = 0; i < count; i++) {
		parent = order[i].path->parent;
		if (parent == GT__ROOT)
			parent = root;
		if (families[parent].next == families[parent].end)
			families[parent].next = i;
		families[parent].end = i + 1;
	}
}

/* Writes the rows anew, each before those below it. */
static void lay_out(const struct gt__paths *p, const struct order *order,
                    uint32_t count, struct family *families,
                    struct gt__path *to)
{
	uint32_t root = p->count, at = root, made = 0;

	families[root].row = GT__ROOT;
	while (made < count) {
		struct family *f = &families[at];
		const struct order *next = &order[f->next];

		if (f->next == f->end) {
			at = p->rows[at].parent;
			if (at == GT__ROOT)
				at = root;
			continue;
		}
		to[made] = *next->path;
		to[made].parent = f->row;
		to[made].last = ++f->next == f->end;
		at = next->index;
		families[at].row = made++;
	}
}

static uint64_t weight_of(const struct gt__path *path, enum gt_sort sort)
{
	switch (sort) {
	case GT_SORT_SELF:
		return path->self_ns;
	case GT_SORT_COUNT:
		return path->count;
	case GT_SORT_AVG:
		return path->count ? path->total_ns / path->count : 0;
	case GT_SORT_TOTAL:
	case GT_SORT_P50:
	case GT_SORT_P99:
	case GT_SORT_MAX:
		break;
	}
	return path->total_ns;
}

/* What shares are of: the topmost rows with spans that count. */
static void sum_up(struct gt__paths *p)
{
	uint32_t i;

	for (i = 0; i < p->count; i++) {
		struct gt__path *row = &p->rows[i];

		/* From here on: a span counts here or above. */
		row->used = row->parent != GT__ROOT &&
		            p->rows[row->parent].used;
		if (!row->used)
			p->whole_ns += row->total_ns;
		row->used |= row->count > 0;
	}
}

static bool sort_rows(struct gt__paths *p, enum gt_sort sort)
{
	size_t room = p->count + (size_t)1;
	struct order *order = malloc(room * sizeof *order);
	struct gt__path *sorted = malloc(room * sizeof *sorted);
	struct family *families = calloc(room, sizeof *families);
	bool fits = order && sorted && families;
	uint32_t i, used = 0;

	for (i = p->count; fits && i--;) /* each behind those below it */
		if (p->rows[i].used && p->rows[i].parent != GT__ROOT)
			p->rows[p->rows[i].parent].used = true;
	for (i = 0; fits && i < p->count; i++)
		p->rows[i].weight = weight_of(&p->rows[i], sort);
	for (i = 0; fits && i < p->count; i++)
		if (p->rows[i].used)
			order[used++] = (struct order){i, &p->rows[i]};
	if (fits) {
		qsort(order, used, sizeof *order, compare_rows);
		find_families(order, used, p->count, families);
		lay_out(p, order, used, families, sorted);
		p->count = used;
	}
	free(order);
	free(families);
	free(fits ? p->rows : sorted);
	if (!fits)
		return false;
	p->rows = sorted;
	sum_up(p);
	return true;
}

bool gt__paths_build(struct gt__paths *paths, struct gt__collect *c)
{
	struct ways w = {0};
	bool done;

	w.rows = malloc((c->span_count + (size_t)1) * sizeof *w.rows);
	done = begin(&w.b, paths) && w.rows && walk_down(&w, c) &&
	       sort_rows(paths, c->sort);
	free(w.rows);
	free(w.open);
	free(w.b.slots);
	return done;
}

/* ---- From below ---------------------------------------------------------- */

static void add_path(struct gt__path *to, const struct gt__path *path)
{
	to->used = true;
	to->count += path->count;
	to->total_ns += path->total_ns;
	to->self_ns += path->self_ns;
}

static bool climb(struct builder *b, const struct gt__paths *from, uint32_t row)
{
	const struct gt__path *found = &from->rows[row];
	uint32_t at = GT__ROOT;

	for (; row != GT__ROOT; row = from->rows[row].parent) {
		at = row_below(b, at, from->rows[row].group,
		               from->rows[row].site, from->rows[row].by);
		if (at == GT__ROOT)
			return false;
		add_path(&b->paths->rows[at], found);
	}
	return true;
}

bool gt__paths_invert(struct gt__paths *paths, struct gt__collect *c,
                      const char *pattern)
{
	struct gt__paths from;
	struct builder b;
	bool done = begin(&b, paths);
	uint32_t i;

	done = gt__paths_build(&from, c) && done;
	for (i = 0; done && i < from.count; i++)
		if ((from.rows[i].count || from.rows[i].self_ns) &&
		    gt__name_matches(pattern, from.rows[i].site->name))
			done = climb(&b, &from, i);
	done = done && sort_rows(paths, c->sort);
	paths->deep = from.deep;
	gt__paths_fini(&from);
	free(b.slots);
	return done;
}

void gt__paths_fini(struct gt__paths *paths)
{
	free(paths->rows);
	paths->rows = NULL;
}
