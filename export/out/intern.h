/* SPDX-License-Identifier: MIT */
/*
 * Numbers for sites, by pointer, so that a stream names each site once.
 * Bounded: a site beyond GT__INTERN_MAX gets no number and is named each time.
 */
#ifndef GUESTTRACE_INTERN_H
#define GUESTTRACE_INTERN_H

#include <guesttrace/export.h>

#define GT__INTERN_MAX (1u << 16)

struct gt__interned {
	const struct gt_site_view *site;
	uint32_t number; /* from 1 */
};

struct gt__intern { /* zeroed is a valid beginning */
	struct gt__interned *slots;
	uint32_t mask; /* slots - 1 */
	uint32_t count;
};

void gt__intern_fini(struct gt__intern *intern);

/* The site's number, 0 if there are too many; `ret_new`: it never had one. */
int gt__intern(struct gt__intern *intern, const struct gt_site_view *site,
               uint32_t *ret_number, bool *ret_new);

#endif
