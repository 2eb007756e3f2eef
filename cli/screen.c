/* SPDX-License-Identifier: MIT */
#include "screen.h"
#include "options.h"
#include "places.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MIN 20 /* a narrower terminal is taken for this wide */
#define COLUMNS_MAX 10000

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static bool wants_colours(enum screen_colours colours)
{
	const char *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");

	if (colours != COLOURS_AUTO)
		return colours == COLOURS_ALWAYS;
	if (is_set("NO_COLOR"))
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	return isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

static unsigned clamp(long columns)
{
	return columns < COLUMNS_MIN   ? COLUMNS_MIN
	       : columns > COLUMNS_MAX ? COLUMNS_MAX
	                               : (unsigned)columns;
}

static unsigned find_columns(void)
{
	const char *given = getenv("COLUMNS");
	struct winsize size;
	char *end;
	long columns;

	if (given && *given) {
		columns = strtol(given, &end, 10);
		if (*end == '\0' && columns > 0)
			return clamp(columns);
	}
	if (isatty(STDOUT_FILENO) &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return clamp(size.ws_col);
	return 0;
}

void screen_look(enum screen_colours colours,
                 struct gt_report_options *ret_options)
{
	ret_options->colours = wants_colours(colours);
	ret_options->columns = find_columns();
}

bool screen_takes(const char *what, const char *path, bool forced)
{
	if (forced || !isatty(STDOUT_FILENO) || !place_is_standard_output(path))
		return true;
	complain("%s is nothing for a terminal: name a file, or --force", what);
	return false;
}

bool screen_parse(const char *word, enum screen_colours *ret_colours)
{
	static const char *const words[] = {"auto", "always", "never", NULL};
	unsigned index;

	if (!parse_word("color", word, words, &index))
		return false;
	*ret_colours = (enum screen_colours)index;
	return true;
}
