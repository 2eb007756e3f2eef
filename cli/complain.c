/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <guesttrace/host.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void complain(const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (char *at = line; *at; at++)
		if (*at < 0x20 || *at > 0x7e)
			*at = '?';
	fprintf(stderr, "guesttrace: %s\n", line);
}

const char *code_text(int code)
{
	return -code < GT_ERROR_NOT_CANONICAL ? strerror(-code)
	                                      : gt_error_text(code);
}
