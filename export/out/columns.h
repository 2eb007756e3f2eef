/* SPDX-License-Identifier: MIT */
/* Tables whose last column is a name: what a narrow terminal leaves out. */
#ifndef GUESTTRACE_COLUMNS_H
#define GUESTTRACE_COLUMNS_H

#include "terminal.h"

struct gt__column {
	const char *head;
	unsigned width;
	unsigned drops; /* the lowest gives way first; 0 stays */
};

/*
 * Which of `shown` (1 << index) stay so that a name has room on the terminal;
 * all of them where lines have no end.
 */
unsigned gt__fit_columns(const struct gt__out *out,
                         const struct gt__column *columns, unsigned count,
                         unsigned shown);

/* The line above the table. */
void gt__put_column_heads(struct gt__out *out, const struct gt__column *columns,
                          unsigned count, unsigned shown);

#endif
