/* SPDX-License-Identifier: MIT */
/* What the subcommands share. Only cli/ prints and exits. */
#ifndef GT_CLI_COMMAND_H
#define GT_CLI_COMMAND_H

#include <stdbool.h>

/* Exit statuses: of `run`, then of every other subcommand. */
enum {
	RUN_STATUS_MAX = 119, /* the guest's own, up to here */
	RUN_TIMEOUT = 124,
	RUN_FAILED = 125,
	RUN_GUEST_DIED = 126,
	RUN_INTERRUPTED = 130,
	COMMAND_FAILED = 1,
	COMMAND_USAGE = 2,
};

/*
 * Prints "guesttrace: ..." on standard error, one line. What a guest or a file
 * said may be among the arguments: bytes that are not printable become '?'.
 */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/*
 * From now on `say` gets each such line, with its end, first; false: it is for
 * standard error. Before there are other threads.
 */
void complain_by(bool (*say)(const char *line));

/* Text for a negative code of the host library or an errno. */
const char *code_text(int code);

#endif
