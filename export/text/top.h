/* SPDX-License-Identifier: MIT */
/* What top.c keeps and top_view.c shows. */
#ifndef GUESTTRACE_TOP_H
#define GUESTTRACE_TOP_H

#include "tree.h"
#include "export/out/escape.h"
#include "export/out/numbers.h"
#include "export/out/values.h"
#include "export/out/words.h"

#define ROWS_MAX 4096u /* names */

/* A name: of spans, or of counters. */
struct top_row {
	const struct gt_site_view *site; /* one of its */
	uint64_t count, drawn_count;     /* spans that ended; when last drawn */
	uint64_t errors, total_ns, max_ns, open;
	uint64_t counted;
	bool is_counter;
	uint8_t value_bytes;
	char values[120]; /* the last, escaped */
};

struct site_row {
	const struct gt_site_view *site;
	uint32_t row;
};

struct top_span {
	uint64_t id; /* first: key of the tree */
	uint64_t start_ns, sequence;
	const struct gt_site_view *site;
	struct top_span *older, *newer;
	uint32_t vcpu;
};

/* Of one run. */
struct top {
	struct gt__run_sink head;
	struct gt_report_options options;
	const struct gt_trace *trace; /* NULL: not begun */
	void *sites;                  /* of tsearch(3) */
	struct site_row recent;       /* in front of them */
	struct top_row *rows;         /* ROWS_MAX */
	uint32_t row_count;
	void *open_spans; /* of tsearch(3) */
	struct top_span *oldest, *newest;
	uint64_t open_count;
	uint64_t exit_ns[GT_EXIT_REASONS];
	uint64_t last_ns;  /* the latest time that was seen */
	uint64_t drawn_ns; /* that of the picture before */
	uint64_t drawn[4]; /* what was counted by then */
	struct gt__out text;
	unsigned rows_at_end;
	bool ended;
};

/* A picture of at most so many lines; 0: any. */
void gt__top_put(struct top *x, const struct gt_summary *so_far,
                 uint64_t now_ns, unsigned lines);

#endif
