/* SPDX-License-Identifier: MIT */
/* What one run may go on to do, from its options. */
#ifndef GT_CLI_CONFINEMENT_H
#define GT_CLI_CONFINEMENT_H

#include "session.h"

/* A command without a guest. */
struct reading {
	char *const *paths; /* which it reads */
	int count;
	const struct outputs *outputs; /* or NULL */
	const char *output;            /* beside them; NULL: there is none */
	bool sends;                    /* beside them, too */
	const char *spool;             /* of what is sent, or NULL */
};

/*
 * Before the first of the files is opened, and nothing but the command line
 * and the environment was read. Complains and returns < 0 on failure. Nothing
 * happens after --no-sandbox.
 */
int confinement_of_reading(const struct reading *reading);

/*
 * When the VM is there, and before its guest is read: keeps guest memory out
 * of cores and, unless it is not wanted, begins the sandbox. Stores what
 * snapshots are named after, for free(). Complains and returns < 0 on failure.
 */
int confinement_begin(const struct session_options *options,
                      const struct vm *vm, char **ret_snapshot_base);

#endif
