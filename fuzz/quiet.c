/* SPDX-License-Identifier: MIT */
/* What the command says, which nobody reads here: made, and thrown away. */
#include "cli/command.h"

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
}

const char *code_text(int code)
{
	return -code < GT_ERROR_NOT_CANONICAL ? strerror(-code)
	                                      : gt_error_text(code);
}
