/* SPDX-License-Identifier: MIT */
/* A bound on changes, such as `p99 > +5%`. */
#ifndef GUESTTRACE_FAIL_IF_H
#define GUESTTRACE_FAIL_IF_H

#include "changes.h"

struct gt__fail_if {
	unsigned metric;
	bool less;
	double percent;
};

/* 0, or -EINVAL and what is wrong. */
int gt__fail_if_read(const char *text, struct gt__fail_if *ret,
                     const char **ret_why);
/*
 * Whether a change is over the bound. That of a name which only one side has
 * never is, nor one of the median or the average that is taken for noise.
 */
bool gt__fails(const struct gt__fail_if *bound,
               const struct gt__change *change);

#endif
