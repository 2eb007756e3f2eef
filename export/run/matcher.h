/* SPDX-License-Identifier: MIT */
/* Names that a pattern finds. */
#ifndef GUESTTRACE_MATCHER_H
#define GUESTTRACE_MATCHER_H

#include <guesttrace/export.h>

/* A name as fnmatch(3) wants it; the buffer grows and serves all names. */
struct gt__matcher {
	const char *pattern;
	const struct gt_site_view *site; /* of the last answer */
	bool matches;
	char *text;
	size_t size;
};

/* By fnmatch(3); of no pattern all. Without memory nothing is found. */
bool gt__matches(struct gt__matcher *matcher, const struct gt_site_view *site);
void gt__matcher_fini(struct gt__matcher *matcher);

/* The same of one name. */
bool gt__name_matches(const char *pattern, struct gt_text name);

#endif
