/* SPDX-License-Identifier: MIT */
/* What somebody may have meant who mistyped a word. */
#ifndef GT_CLI_SIMILAR_H
#define GT_CLI_SIMILAR_H

#include <stddef.h>

/*
 * The word nearest to `text` of those that `word` gives by number from 0 on, up
 * to NULL; NULL: none is near, which is one letter wrong, missing, too many or
 * swapped in three, or what it begins with.
 */
const char *similar(const char *text,
                    const char *(*word)(const void *context, size_t number),
                    const void *context);

#endif
