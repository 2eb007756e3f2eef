/* SPDX-License-Identifier: MIT */
/* A sink that writes all that it is shown as text: equal text, equal trace. */
#ifndef GUESTTRACE_TESTS_TEXTSINK_H
#define GUESTTRACE_TESTS_TEXTSINK_H

#include <guesttrace/export.h>

struct textsink {
	struct gt_sink sink;
	char *text; /* NUL-terminated; NULL before there is any */
	size_t count, room;
	struct gt_summary summary; /* of the last `end`, without its message */
};

struct textsink textsink_new(void);
void textsink_free(struct textsink *sink);

#endif
