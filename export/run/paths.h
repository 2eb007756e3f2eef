/* SPDX-License-Identifier: MIT */
/* The spans of a trace summed up by path: which name called which. */
#ifndef GUESTTRACE_PATHS_H
#define GUESTTRACE_PATHS_H

#include "collect.h"

#define GT__PATH_DEPTH_MAX 256u

/*
 * A path is the names from a span without parent down to a span. Each name is
 * on it once: a span below one of its own name is counted with that one, with
 * all that is below it. A span with GT__PATH_DEPTH_MAX names above it is
 * counted with its parent, as part of its self time.
 */
struct gt__path {
	uint32_t parent; /* row, before this one; or GT__ROOT */
	uint32_t depth;
	uint32_t group;  /* as of its spans */
	bool last;       /* no row of the same parent follows */
	uint64_t weight; /* what the rows are sorted by */
	bool used;       /* a span counts here or below */
	const struct gt_site_view *site;
	struct gt_text by; /* value that tells it apart, as of its spans */
	uint64_t count;    /* of spans that count */
	uint64_t total_ns; /* of spans that are in no other one of the path */
	uint64_t self_ns;  /* of all of them */
};

struct gt__paths {
	struct gt__path *rows; /* each before those below; the largest first */
	uint32_t count;
	uint64_t whole_ns; /* total of rows below no other one that has spans */
	uint64_t deep;     /* spans over GT__PATH_DEPTH_MAX */
};

/*
 * Of a collector that is built. False: out of memory. gt__paths_fini() in any
 * case.
 */
bool gt__paths_build(struct gt__paths *paths, struct gt__collect *c);
/*
 * The same from below: rows without parent are the names that `pattern` finds,
 * below a row are its callers. Total and self are those of the spans found.
 */
bool gt__paths_invert(struct gt__paths *paths, struct gt__collect *c,
                      const char *pattern);
void gt__paths_fini(struct gt__paths *paths);

#endif
