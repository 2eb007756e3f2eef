/* SPDX-License-Identifier: MIT */
/* What the page has of all spans, shown or not: sums by path, durations by
 * name, exits. Names are told by their row in the table of names. */
#include "html.h"
#include "export/out/words.h"
#include "export/run/exit_sums.h"
#include "export/run/paths.h"
#include <errno.h>
#include <string.h>

#define PATHS      20000u /* the largest ones */
#define HISTOGRAMS 1000u  /* of the names with the largest totals */
#define BUCKETS    256u   /* of a histogram: four for each doubling */
#define EXIT_ROWS  2000u

static void fail(struct gt__html_run *r)
{
	if (!r->out->error)
		r->out->error = -ENOMEM;
}

/* Per group the row of its name, GT__ROOT if it is not in the page; to be
 * freed.
 */
static uint32_t *rows_of_groups(struct gt__html_run *r)
{
	const struct gt__collect *c = r->c;
	uint32_t i, groups = 1;
	uint32_t *rows;

	for (i = 0; i < c->name_count; i++)
		if (c->names[i].group >= groups)
			groups = c->names[i].group + 1;
	for (i = 0; i < c->span_count; i++)
		if (c->spans[i].group >= groups)
			groups = c->spans[i].group + 1;
	rows = malloc(groups * sizeof *rows);
	if (!rows) {
		fail(r);
		return NULL;
	}
	memset(rows, 0xff, groups * sizeof *rows);
	for (i = 0; i < c->name_count && i < GT__HTML_NAMES; i++)
		rows[c->names[i].group] = i;
	return rows;
}

/* ---- Paths --------------------------------------------------------------- */

static int compare_falling(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a < *b) - (*a > *b);
}

/* The least total of the largest PATHS ones; false: out of memory. */
static bool least_total(const struct gt__paths *paths, uint64_t *ret_ns)
{
	uint64_t *totals;
	uint32_t i;

	*ret_ns = 0;
	if (paths->count <= PATHS)
		return true;
	totals = malloc(paths->count * sizeof *totals);
	if (!totals)
		return false;
	for (i = 0; i < paths->count; i++)
		totals[i] = paths->rows[i].total_ns;
	qsort(totals, paths->count, sizeof *totals, compare_falling);
	*ret_ns = totals[PATHS - 1] + 1; /* of equal ones none */
	free(totals);
	return true;
}

/* Those of a name and a path that are in the page; returns how many are not. */
static uint32_t put_path_rows(struct gt__html_run *r,
                              const struct gt__paths *paths,
                              const uint32_t *names, uint64_t least_ns,
                              uint32_t *places)
{
	struct gt__out *o = r->out;
	uint32_t i, put = 0;

	for (i = 0; i < paths->count; i++) {
		const struct gt__path *p = &paths->rows[i];
		bool root = p->parent == GT__ROOT;

		places[i] = GT__ROOT;
		if (p->total_ns < least_ns || names[p->group] == GT__ROOT ||
		    (!root && places[p->parent] == GT__ROOT))
			continue;
		places[i] = put;
		gt__put(o, put++ ? ",\n[" : "\n[");
		gt__put_u64(o, names[p->group]);
		gt__put_char(o, ',');
		gt__put_i64(o, root ? -1 : (int64_t)places[p->parent]);
		gt__html_column(o, p->count);
		gt__html_column(o, p->total_ns);
		gt__html_column(o, p->self_ns);
		gt__put_char(o, ']');
		gt__out_record(o);
	}
	return paths->count - put;
}

static void put_paths(struct gt__html_run *r, const uint32_t *names)
{
	struct gt__paths paths;
	uint32_t *places = NULL, left_out = 0;
	uint64_t least_ns;

	gt__html_key(r->out, "paths");
	gt__put_char(r->out, '[');
	if (gt__paths_build(&paths, r->c) && least_total(&paths, &least_ns))
		places = malloc((paths.count + (size_t)1) * sizeof *places);
	if (places)
		left_out = put_path_rows(r, &paths, names, least_ns, places);
	else
		fail(r);
	gt__put_char(r->out, ']');
	gt__html_number(r->out, "left_out_paths", left_out);
	free(places);
	gt__paths_fini(&paths);
}

/* ---- Durations ----------------------------------------------------------- */

/* Four times its power of two, and the two bits behind the first one. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned power = ns ? 63u - (unsigned)__builtin_clzll(ns) : 0;
	uint64_t next = power >= 2 ? ns >> (power - 2) : ns << (2 - power);

	return power * 4 + (ns ? (unsigned)next & 3 : 0);
}

static void put_histogram(struct gt__out *o, const uint32_t *buckets)
{
	const char *comma = "[";
	unsigned i;

	for (i = 0; i < BUCKETS; i++) {
		if (!buckets[i])
			continue;
		gt__put(o, comma);
		gt__put_u64(o, i);
		gt__html_column(o, buckets[i]);
		comma = ",";
	}
	gt__put(o, *comma == '[' ? "[]" : "]");
}

static void put_histograms(struct gt__html_run *r, const uint32_t *names)
{
	const struct gt__collect *c = r->c;
	uint32_t i,
		count = c->name_count < HISTOGRAMS ? c->name_count : HISTOGRAMS;
	uint32_t *buckets =
		calloc(count + (size_t)1, BUCKETS * sizeof *buckets);

	gt__html_key(r->out, "histograms");
	gt__put_char(r->out, '[');
	if (!buckets)
		fail(r);
	for (i = 0; buckets && i < c->span_count; i++) {
		const struct gt__span *s = &c->spans[i];

		if (names[s->group] < count &&
		    !(s->view.flags & GT__UNFINISHED))
			buckets[names[s->group] * (size_t)BUCKETS +
			        bucket_of(gt__span_ns(s))]++;
	}
	for (i = 0; buckets && i < count; i++) {
		gt__put(r->out, i ? ",\n" : "\n");
		put_histogram(r->out, buckets + i * (size_t)BUCKETS);
		gt__out_record(r->out);
	}
	gt__put_char(r->out, ']');
	free(buckets);
}

/* ---- Exits --------------------------------------------------------------- */

static void put_exit(struct gt__html_run *r, const uint32_t *names,
                     const struct gt__exits *e)
{
	struct gt__out *o = r->out;
	uint32_t name = e->span == GT__ROOT ? GT__ROOT
	                                    : names[r->c->spans[e->span].group];

	gt__put(o, "[\"");
	gt__put(o, gt__exit_word(e->reason));
	gt__put_char(o, '"');
	gt__html_column(o, e->port);
	gt__html_column(o, e->tracing);
	gt__put_char(o, ',');
	gt__put_i64(o, name == GT__ROOT ? -1 : (int64_t)name);
	gt__html_column(o, e->count);
	gt__html_column(o, e->total_ns);
	gt__html_column(o, e->p50_ns);
	gt__html_column(o, e->p99_ns);
	gt__html_column(o, e->max_ns);
	gt__put_char(o, ']');
	gt__out_record(o);
}

static void put_exits(struct gt__html_run *r, const char *key, bool by_span,
                      const uint32_t *names)
{
	uint32_t i, count;
	struct gt__exits *exits = gt__sum_up_exits(r->c, by_span, &count);

	gt__html_key(r->out, key);
	gt__put_char(r->out, '[');
	if (!exits)
		fail(r);
	for (i = 0; exits && i < count && i < EXIT_ROWS; i++) {
		gt__put(r->out, i ? ",\n" : "\n");
		put_exit(r, names, &exits[i]);
	}
	gt__put_char(r->out, ']');
	free(exits);
}

void gt__html_sums(struct gt__html_run *r)
{
	uint32_t *names = rows_of_groups(r);

	if (!names)
		return;
	put_paths(r, names);
	put_histograms(r, names);
	put_exits(r, "exit_sums", false, names);
	put_exits(r, "exits_by_span", true, names);
	free(names);
}
