/* SPDX-License-Identifier: MIT */
/* What a guest prints, on a stream of this process. */
#ifndef GT_CLI_CONSOLE_H
#define GT_CLI_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outlet;

struct console {
	int fd;
	bool may_wait;
	bool escapes; /* a terminal: what it would act on becomes '?' */
	struct outlet *outlet;  /* NULL: not needed */
	uint64_t dropped_bytes; /* more than the outlet could take */
	int error; /* the first of writing; nothing more is written then */
};

/* On standard output, or, where that is an export's, on standard error. */
int console_open(struct console *console, bool on_standard_error);

void console_print(struct console *console, const char *bytes, size_t count);

/* Complains and returns < 0 if something could not be written. Harmless when
 * not open. */
int console_close(struct console *console);

#endif
