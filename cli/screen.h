/* SPDX-License-Identifier: MIT */
/* What standard output is: a terminal, how wide, with colours or without. */
#ifndef GT_CLI_SCREEN_H
#define GT_CLI_SCREEN_H

#include <guesttrace/export.h>

enum screen_colours {
	COLOURS_AUTO,
	COLOURS_ALWAYS,
	COLOURS_NEVER,
};

/*
 * Sets columns and colours. The width is $COLUMNS, or a terminal's own, or
 * without end. Colours are there on a terminal, unless NO_COLOR is set or TERM
 * is `dumb`; with CLICOLOR_FORCE anywhere; `colours` goes before all of these.
 */
void screen_look(enum screen_colours colours,
                 struct gt_report_options *ret_options);

/* auto, always, never. Complains and returns false. */
bool screen_parse(const char *word, enum screen_colours *ret_colours);

/*
 * Whether bytes that are no text may go to `path`: not to a terminal that is
 * standard output, unless forced. Complains of `what` if not.
 */
bool screen_takes(const char *what, const char *path, bool forced);

#endif
