/* SPDX-License-Identifier: MIT */
/* The formats of exports, by the names that the command line has for them. */
#ifndef GT_CLI_FORMATS_H
#define GT_CLI_FORMATS_H

#include "otlp_formats.h"

#include <stdbool.h>
#include <stddef.h>

/* A format of several files has no `new_sink`. */
struct format {
	const char *name;
	new_sink_fn *new_sink;
};

/* A format by its name on the command line; NULL: none. */
const struct format *format_find(const char *name, size_t length);
/* Complains of one that format_find() does not know. */
void format_unknown(const char *name, size_t length);
/* All names, for messages: "tree, perfetto, ...". */
const char *format_names(void);

/* The same for programs: "tree|perfetto|...". */
const char *format_choices(void);

#endif
