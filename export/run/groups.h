/* SPDX-License-Identifier: MIT */
/* Numbers for what spans are called, so that nothing is compared as a text. */
#ifndef GUESTTRACE_GROUPS_H
#define GUESTTRACE_GROUPS_H

#include "collect.h"

struct gt__group;

struct gt__group_table { /* open addressing, at most half full */
	struct gt__group *slots;
	uint32_t used, mask;
	struct gt__hash_key key;
};

struct gt__numbering { /* zeroed is a valid beginning */
	struct gt__group_table sites, groups;
	struct gt__kept_keys texts; /* the collector's, or of sites */
	uint32_t count;
	/* The last answer, which is that of most spans, and of what it was. */
	uint32_t number;
	const struct gt_site_view *site;
	const char *by;
};

/* 1 + the number of its name, target and value of `by`, from 0 in the order in
 * which they are met; 0: out of memory. */
uint32_t gt__group_number(struct gt__numbering *n, const struct gt__span *span);
void gt__numbering_fini(struct gt__numbering *n);

/*
 * Gives each span the number of its name, target and value of `by`, from 0, in
 * the order in which they are met. False: out of memory.
 */
bool gt__collect_number(struct gt__collect *c, uint32_t *ret_groups);

#endif
