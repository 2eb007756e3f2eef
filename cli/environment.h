/* SPDX-License-Identifier: MIT */
/* What variables of the environment may look like. */
#ifndef GT_CLI_ENVIRONMENT_H
#define GT_CLI_ENVIRONMENT_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/*
 * Whether `count` bytes are that word, in any case of letters, with blanks
 * around it (OpenTelemetry, "Environment Variable Specification", "Enum").
 */
static inline bool environment_is_word(const char *text, size_t count,
                                       const char *word)
{
	size_t length = strlen(word);

	while (count > 0 && isspace((unsigned char)*text)) {
		text++;
		count--;
	}
	while (count > 0 && isspace((unsigned char)text[count - 1]))
		count--;
	return count == length && strncasecmp(text, word, length) == 0;
}

#endif
