/* SPDX-License-Identifier: MIT */
/*
 * The html format: a page with the trace as JSON in it.
 *
 * The page itself (export/html/) is bundled when guesttrace is built. A page
 * takes a bounded number of spans, so that a browser can hold it; of a larger
 * trace it gets an excerpt, with the rest in blocks of neighbours.
 */
#ifndef GUESTTRACE_HTML_H
#define GUESTTRACE_HTML_H

#include "export/run/collect.h"
#include "export/out/intern.h"

/* What stands before and behind the data. Made by export/html/bundle. */
extern const unsigned char gt__html_before[];
extern const size_t gt__html_before_bytes;
extern const unsigned char gt__html_behind[];
extern const size_t gt__html_behind_bytes;

#define GT__HTML_NAMES 10000u /* of a run: the largest ones */

/* Neighbours on one vCPU, below one shown span, that are not shown. */
struct gt__block {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t self_ns; /* of all of them */
	uint32_t parent;  /* number of a shown span, or GT__ROOT */
	uint32_t vcpu;
	uint32_t count;
};

/* Which spans of a collected trace are shown. */
struct gt__excerpt {
	/*
	 * Per span: the number of its place among the shown ones in the order
	 * of the tree; of one that is not shown, that of the nearest shown span
	 * above it, or GT__ROOT.
	 */
	uint32_t *place;
	bool *shown;
	uint32_t shown_count;
	struct gt__block *blocks;
	uint32_t block_count;
	uint32_t hidden_count; /* spans in blocks */
};

/*
 * Keeps at most `limit` spans: the failed and interrupted ones, then the
 * longest. Makes at most 3 * `limit` + GT_VCPUS_MAX blocks. Returns
 * 0 or -ENOMEM; in both cases gt__excerpt_fini() is due.
 */
int gt__excerpt_make(struct gt__excerpt *excerpt, struct gt__collect *c,
                     uint32_t limit);
void gt__excerpt_fini(struct gt__excerpt *excerpt);

/*
 * One run being written, as JSON that export/html/model.js reads and whose
 * columns it tells. Times are ns since the run's start; what may be beyond 2^53
 * is a string. No `<` is in it, so that it cannot end the element it is in.
 */
struct gt__html_run {
	struct gt__out *out;
	struct gt__collect *c;
	const struct gt_summary *summary;
	struct gt__excerpt excerpt;
	struct gt__intern sites;
	bool *event_shown; /* per event; NULL: all are */
	uint32_t hidden_events;
};

static inline bool gt__html_shows_event(const struct gt__html_run *run,
                                        uint32_t index)
{
	return !run->event_shown || run->event_shown[index];
}
/*
 * Of more than `limit` events keeps failures and warnings, as far as they are
 * half of that, and of the others so many, spread over the whole run. Returns 0
 * or -ENOMEM; `event_shown` is the caller's to free.
 */
int gt__html_choose_events(struct gt__html_run *run, uint32_t limit);

/* Members of the run's object, each behind a comma. */
void gt__html_sites(struct gt__html_run *run); /* before the others */
void gt__html_spans(struct gt__html_run *run);
void gt__html_blocks(struct gt__html_run *run);
void gt__html_events(struct gt__html_run *run);
void gt__html_sums(struct gt__html_run *run);      /* of all spans and exits */
void gt__html_host(struct gt__html_run *run);      /* stretches of the host */
void gt__html_losses(struct gt__html_run *run);    /* and where they are */
void gt__html_parts(struct gt__html_run *run);     /* the columns of a split */
void gt__html_run_split(struct gt__html_run *run); /* of all vCPUs */
/* A row of such columns; NULL: none is known. */
void gt__html_split(struct gt__html_run *run, const uint64_t *row);

void gt__html_text(struct gt__out *out, struct gt_text text);
void gt__html_key(struct gt__out *out, const char *key);
void gt__html_number(struct gt__out *out, const char *key, uint64_t value);
void gt__html_column(struct gt__out *out, uint64_t value);
/* At most 4 KiB of it, cut between two code points. */
struct gt_text gt__html_shorten(struct gt_text text);
/* Time since the run's start. */
uint64_t gt__html_since(const struct gt__html_run *run, uint64_t time_ns);

#endif
