/* SPDX-License-Identifier: MIT */
/* Filter directives: which sites are on. The language is in host.h. */
#ifndef GT_HOST_FILTER_H
#define GT_HOST_FILTER_H

#include <guesttrace/host.h>

#define GT__DIRECTIVES_MAX 64u

struct gt__directive {
	struct gt_text target; /* empty: every target */
	enum gt_level level;
};

struct gt__filter {
	struct gt__directive directives[GT__DIRECTIVES_MAX];
	uint32_t count;
};

/* `text` must outlive the filter. 0 or -GT_ERROR_BAD_FILTER. */
int gt__filter_parse(const char *text, struct gt__filter *ret_filter);

bool gt__filter_admits(const struct gt__filter *filter,
                       const struct gt_site_view *site);

#endif
