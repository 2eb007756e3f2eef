/* SPDX-License-Identifier: MIT */
/* Text for a screen that knows no other characters: LC_ALL=C. */
#ifndef GT_CLI_ASCII_H
#define GT_CLI_ASCII_H

#include <guesttrace/export.h>

/* A character of which the rest is still to come. */
struct ascii {
	struct gt_output to;
	unsigned char begun[4];
	size_t count;
};

/*
 * Whether the locale, by the first of LC_ALL, LC_CTYPE and LANG that says
 * anything, is C or POSIX. Where nothing is said, as in most containers, it is
 * not.
 */
bool ascii_is_wanted(void);

/* What is written there goes to `to` in as many characters; both stay the
 * caller's. What has no likeness is `?`. */
struct gt_output ascii_output(struct ascii *ascii, const struct gt_output *to);

#endif
