/* SPDX-License-Identifier: MIT */
/*
 * Where paths lead: whether two of them are one file, by whatever name, and
 * whether it exists or not. NULL and "-" are a standard stream.
 */
#ifndef GT_CLI_PLACES_H
#define GT_CLI_PLACES_H

#include <stdbool.h>

bool place_is_stream(const char *path);

/*
 * Whether writing to `path` is writing to standard output: it is a standard
 * stream, or the file, pipe or terminal that standard output is.
 */
bool place_is_standard_output(const char *path);

/* Standard error is that file. Not, if standard output is it, too. */
bool place_is_standard_error(const char *path);

/*
 * Whether standard output and standard error are one file or pipe. Terminals
 * and /dev/null are no such file.
 */
bool place_streams_are_one(void);

/* Whether two outputs would be written into each other. */
bool place_is_one(const char *output, const char *other);

/*
 * Complains and returns true if a file that is to be read is the one that
 * `output` would write.
 */
bool place_is_input(const char *output, const char *input);

/* How messages call it: the path, or "standard input", "standard output". */
const char *place_input_name(const char *path);
const char *place_output_name(const char *path);

/* What a link leads to, which need not exist: for free(). -ELOOP, -ENOMEM. */
int place_follow(const char *path, char **ret_path);

#endif
