/* SPDX-License-Identifier: MIT */
/* Files that the command reads; "-" is standard input. */
#ifndef GT_CLI_INPUTS_H
#define GT_CLI_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

/* A file descriptor for input_close(), or a negative errno. */
int input_open(const char *path);
void input_close(int fd);

/* The same of a regular file: what is none is copied into memory first. */
int input_open_whole(const char *path);

/* Complains and returns false if standard input is to be read more than once.
 */
bool inputs_are_apart(char *const *paths, int count);

/* The `read` of gt_replay(); `context` is an int, the file descriptor. */
long read_file(void *context, void *bytes, size_t count);

#endif
