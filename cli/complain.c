/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <guesttrace/host.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool (*say_instead)(const char *line);

void complain_by(bool (*say)(const char *line))
{
	say_instead = say;
}

void complain(const char *format, ...)
{
	char text[1024], line[sizeof(text) + 16];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (char *at = text; *at; at++)
		if (*at < 0x20 || *at > 0x7e)
			*at = '?';
	snprintf(line, sizeof(line), "guesttrace: %s\n", text);
	if (!say_instead || !say_instead(line))
		fputs(line, stderr);
}

const char *code_text(int code)
{
	return -code < GT_ERROR_NOT_CANONICAL ? strerror(-code)
	                                      : gt_error_text(code);
}
