/* SPDX-License-Identifier: MIT */
/* What one run may go on to do, from its options. */
#ifndef GT_CLI_CONFINEMENT_H
#define GT_CLI_CONFINEMENT_H

#include "session.h"

/*
 * When the VM is there, and before outputs are opened: keeps guest memory out
 * of cores and, unless it is not wanted, begins the sandbox. Stores what
 * snapshots are named after, for free(). Complains and returns < 0 on failure.
 */
int confinement_begin(const struct session_options *options,
                      const struct vm *vm, char **ret_snapshot_base);

#endif
