/* SPDX-License-Identifier: MIT */
/* Filter directives: which sites are on. The language is in host.h. */
#ifndef GT_HOST_FILTER_H
#define GT_HOST_FILTER_H

#include <guesttrace/host.h>

#define GT__DIRECTIVES_MAX   64u
#define GT__FILTER_BYTES_MAX 65536u /* of its text */

struct gt__directive {
	struct gt_text target; /* empty: every target */
	enum gt_level level;
};

/* One allocation, with a copy of the text behind the directives: free() it. */
struct gt__filter {
	uint32_t count;
	struct gt__directive directives[];
};

/* 0, -ENOMEM or -GT_ERROR_BAD_FILTER. */
int gt__filter_new(struct gt_text text, struct gt__filter **ret_filter);

/*
 * The same for a wire: one that tells no levels has -GT_ERROR_NO_LEVELS for
 * directives that are neither off nor trace.
 */
int gt__filter_for(enum gt_wire wire, const char *text,
                   struct gt__filter **ret_filter);

bool gt__filter_admits(const struct gt__filter *filter,
                       const struct gt_site_view *site);

/* Whether a target is off at all levels. */
bool gt__filter_mutes(const struct gt__filter *filter, struct gt_text target);

/* Whether every target is. */
bool gt__filter_mutes_all(const struct gt__filter *filter);

#endif
