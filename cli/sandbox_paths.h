/* SPDX-License-Identifier: MIT */
/* Which files the process may go on to open, by Landlock. */
#ifndef GT_CLI_SANDBOX_PATHS_H
#define GT_CLI_SANDBOX_PATHS_H

#include "sandbox.h"

/*
 * For the calling thread and all that it makes. 0; 1 where this kernel has no
 * Landlock: nothing is forbidden then; or a negative errno.
 */
int sandbox_paths(const struct sandbox_plan *plan);

#endif
