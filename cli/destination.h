/* SPDX-License-Identifier: MIT */
/*
 * Files that the command writes. An export appears under its name only when it
 * is whole: until then it stands beside it, as NAME.PID-N.partial, which no
 * signal but SIGKILL leaves behind. It takes the place of the file that a link
 * leads to, and its mode; one that has no name left is written in place. A
 * capture is written in place, since what there is of it can be read at any
 * time. Its file is locked (F_OFD_SETLK of fcntl(2)) for as long as it is open:
 * so no two write it, and who follows it sees that its writer is gone.
 */
#ifndef GT_CLI_DESTINATION_H
#define GT_CLI_DESTINATION_H

#include "leftovers.h"

#include <guesttrace/export.h>

#include <stdbool.h>
#include <sys/types.h>

struct outlet;

struct destination {
	char *path;      /* NULL: standard output */
	char *temporary; /* what is open until it is whole; NULL: path itself */
	struct leftover leftover; /* the temporary */
	int fd;                   /* -1: not open */
	bool may_wait;
	struct outlet *outlet; /* what is written goes there; NULL: to fd */
	int error;             /* the first of writing there; 0: none */
};

/*
 * Of standard output, by any name (places.h), nothing is opened. `mode` is that
 * of a file that was not there, less what the umask takes; one that was keeps
 * its own. Complains and returns < 0 on failure.
 */
int destination_open(struct destination *destination, const char *path,
                     bool in_place, mode_t mode);

/* A capture has all that a guest has said. Nobody else reads it unasked. */
#define DESTINATION_PRIVATE 0600
#define DESTINATION_EXPORT  0644

/* Writes there; `context` is the struct destination. */
struct gt_output destination_output(struct destination *destination);

/*
 * Closes it and gives it its name; with `whole` false, or if it could not be
 * written, removes it, but for a capture. Complains of what failed since it was
 * opened and returns < 0 then. Harmless when not open.
 */
int destination_close(struct destination *destination, bool whole);

#endif
