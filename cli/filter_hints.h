/* SPDX-License-Identifier: MIT */
/* What is said of a filter before a run. */
#ifndef GT_CLI_FILTER_HINTS_H
#define GT_CLI_FILTER_HINTS_H

#include <guesttrace/host.h>

/* Whether it is one, for that wire. Complains and returns false. */
bool filter_is_good(const char *filter, enum gt_wire wire);

/*
 * Complains of targets that no call site of the guest has, with those that are
 * near, and of a filter that leaves none on although it is not to be silent.
 * `image` is the guest's file, which may be changed.
 */
void filter_hints(const char *filter, const char *guest, char *image,
                  size_t bytes);

#endif
