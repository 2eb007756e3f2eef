/* SPDX-License-Identifier: MIT */
/*
 * A directory that the command writes: it appears under its name only when all
 * of its files are whole.
 */
#ifndef GT_CLI_DIRECTORY_H
#define GT_CLI_DIRECTORY_H

#include "destination.h"

struct directory {
	char *path;
	char *temporary; /* where the files are until they are whole */
	struct directory_file *_Atomic files;
	struct leftover leftover;
};

/*
 * `path` must not exist, or be an empty directory. Complains and returns < 0 on
 * failure.
 */
int directory_open(struct directory *directory, const char *path);

/* Creates files in it; `context` is the struct directory. */
struct gt_directory directory_of(struct directory *directory);

/* The first error of writing its files; 0: none. */
int directory_error(const struct directory *directory);

/*
 * Closes the files and gives the directory its name; with `whole` false, or if
 * one of them could not be written, removes it. Complains of what failed since
 * it was opened and returns < 0 then. Harmless when not open.
 */
int directory_close(struct directory *directory, bool whole);

#endif
