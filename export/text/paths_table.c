/* SPDX-License-Identifier: MIT */
/* Calls and callers: a row for each path, its name in a tree. */
#include "export/out/columns.h"
#include "export/out/escape.h"
#include "export/out/numbers.h"
#include "export/run/paths.h"
#include "json_members.h"
#include "tree.h"
#include "analysis_views.h"
#include <errno.h>

#define DRAWN_DEPTH_MAX 32u /* deeper rows say their depth in a number */

enum column {
	COUNT,
	TOTAL,
	SELF,
	SHARE,
	COLUMN_COUNT,
};

static const struct gt__column columns[COLUMN_COUNT] = {
	[COUNT] = {"count", 9, 1},
	[TOTAL] = {"total", 12, 0},
	[SELF] = {"self", 12, 2},
	[SHARE] = {"%", 7, 0},
};

struct table {
	const struct gt__paths *paths;
	const char *by;                 /* key; NULL: names alone */
	unsigned shown;                 /* 1 << enum column */
	bool last[DRAWN_DEPTH_MAX + 1]; /* by depth: nothing follows there */
};

static bool build(struct gt__paths *paths, struct gt__out *o,
                  struct gt__collect *c, const struct gt_analysis *analysis)
{
	bool done = analysis->callers
	                    ? gt__paths_invert(paths, c, analysis->callers)
	                    : gt__paths_build(paths, c);

	if (!done && !o->error)
		o->error = -ENOMEM;
	return done;
}

static void put_cells(struct gt__out *o, const struct table *t,
                      const struct gt__path *path)
{
	if (t->shown & 1u << COUNT)
		gt__put_count(o, path->count, columns[COUNT].width);
	if (t->shown & 1u << TOTAL)
		gt__put_duration_in(o, path->total_ns, columns[TOTAL].width);
	if (t->shown & 1u << SELF)
		gt__put_duration_in(o, path->self_ns, columns[SELF].width);
	if (t->shown & 1u << SHARE)
		gt__put_percent(o, path->total_ns, t->paths->whole_ns,
		                columns[SHARE].width);
}

static void put_branch(struct gt__out *o, struct table *t,
                       const struct gt__path *path)
{
	uint32_t i, depth = path->depth;

	if (depth > DRAWN_DEPTH_MAX)
		depth = DRAWN_DEPTH_MAX;
	t->last[depth] = path->last;
	gt__put(o, "  ");
	gt__paint(o, GT__DIM);
	for (i = 1; i < depth; i++)
		gt__put(o, t->last[i] ? "   " : "\u2502  ");
	if (depth)
		gt__put(o, path->last ? "\u2514\u2500 " : "\u251c\u2500 ");
	gt__unpaint(o);
}

static void put_row(struct gt__out *o, struct table *t,
                    const struct gt__path *path)
{
	size_t from = o->used;

	put_cells(o, t, path);
	put_branch(o, t, path);
	gt__put_bold(o, path->site->name);
	gt__put_by(o, t->by, path->by);
	gt__paint(o, GT__DIM);
	gt__put(o, "  [");
	gt__put_terminal(o, path->site->target);
	gt__put_char(o, ']');
	if (path->depth > DRAWN_DEPTH_MAX) {
		gt__put(o, "  (depth ");
		gt__put_u64(o, path->depth);
		gt__put_char(o, ')');
	}
	gt__unpaint(o);
	gt__end_line(o, from);
	gt__out_record(o);
}

/* What is below a row that is too short, or on the last level, is hidden. */
static uint32_t put_rows(struct gt__out *o, struct table *t,
                         const struct gt_report_options *options)
{
	uint32_t i, hidden = 0,
		    depth = options->depth ? options->depth : UINT32_MAX;
	uint32_t below = depth; /* the first depth that is hidden here */

	for (i = 0; i < t->paths->count; i++) {
		const struct gt__path *path = &t->paths->rows[i];

		if (path->depth < below)
			below = depth;
		if (path->depth < below &&
		    path->total_ns >= options->min_duration_ns) {
			put_row(o, t, path);
			continue;
		}
		if (path->depth < below)
			below = path->depth + 1;
		hidden++;
	}
	return hidden;
}

static void put_notes(struct gt__out *o, const struct gt__paths *paths,
                      uint32_t hidden)
{
	size_t from;

	if (hidden) {
		gt__put_count(o, hidden, columns[COUNT].width);
		gt__put(o, hidden == 1 ? " path not shown\n"
		                       : " paths not shown\n");
	}
	if (!paths->deep)
		return;
	from = o->used;
	gt__put_count(o, paths->deep, columns[COUNT].width);
	gt__put(o, " spans below too many names: counted as a part of those "
	           "above them");
	gt__wrap_line(o, from, columns[COUNT].width + 2);
}

void gt__put_paths(struct gt__out *o, struct gt__collect *c,
                   const struct gt_summary *summary,
                   const struct gt_report_options *options,
                   const struct gt_analysis *analysis)
{
	struct gt__paths paths;
	struct table t = {.paths = &paths, .by = c->by};
	size_t from;

	if (build(&paths, o, c, analysis)) {
		gt__put_char(o, '\n');
		from = o->used;
		gt__put_painted(o, GT__BOLD,
		                analysis->callers ? "callers" : "calls");
		gt__put_partial(o, summary);
		gt__wrap_line(o, from, 2);
		t.shown = gt__fit_columns(o, columns, COLUMN_COUNT,
		                          (1u << COLUMN_COUNT) - 1);
		gt__put_column_heads(o, columns, COLUMN_COUNT, t.shown);
		put_notes(o, &paths, put_rows(o, &t, options));
		if (!paths.count)
			gt__put(o, analysis->callers ? "no span of that name\n"
			                             : "no span\n");
	}
	gt__paths_fini(&paths);
}

void gt__put_paths_json(struct gt__out *o, struct gt__collect *c,
                        const struct gt_analysis *analysis)
{
	struct gt__paths paths;
	bool done = build(&paths, o, c, analysis);
	uint32_t i;

	gt__member_key(o, ",\n", analysis->callers ? "callers" : "calls");
	gt__put_char(o, '[');
	for (i = 0; done && i < paths.count; i++) {
		const struct gt__path *path = &paths.rows[i];

		gt__put(o, i ? ",\n{\"parent\":" : "\n{\"parent\":");
		if (path->parent == GT__ROOT)
			gt__put(o, "null");
		else
			gt__put_u64(o, path->parent);
		gt__member_text(o, "name", path->site->name);
		gt__member_text(o, "target", path->site->target);
		if (c->by)
			gt__member_by(o, path->by);
		gt__member_u64(o, "count", path->count);
		gt__member_u64(o, "total_ns", path->total_ns);
		gt__member_u64(o, "self_ns", path->self_ns);
		gt__put_char(o, '}');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
	gt__paths_fini(&paths);
}
