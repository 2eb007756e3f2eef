/* SPDX-License-Identifier: MIT */
/* Names of files where one command writes several of a kind. */
#ifndef GT_CLI_NUMBERED_H
#define GT_CLI_NUMBERED_H

#include <stdint.h>

/*
 * FILE.END for 0, FILE-2.END for 1 and so on. For free(); NULL: there is no
 * memory.
 */
char *numbered_path(const char *path, uint32_t number);

#endif
