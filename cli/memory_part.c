/* SPDX-License-Identifier: MIT */
#include "memory_part.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Up to three numbers with colons between them. */
static bool parse_numbers(struct memory_part *part, const char *text)
{
	uint64_t *const to[] = {&part->gpa, &part->offset, &part->length};

	for (;;) {
		char *end;

		errno = 0;
		if (*text < '0' || *text > '9' || part->numbers == 3)
			return false;
		*to[part->numbers++] = strtoull(text, &end, 0);
		if (errno || (*end != '\0' && *end != ':'))
			return false;
		if (*end == '\0')
			return true;
		text = end + 1;
	}
}

bool memory_part_parse(const char *text, struct memory_part *ret_part)
{
	const char *at = strrchr(text, '@');
	struct memory_part part = {.numbers = 0};

	if (at && parse_numbers(&part, at + 1))
		part.path = strndup(text, (size_t)(at - text));
	else
		part = (struct memory_part){.path = strdup(text)};
	*ret_part = part;
	return part.path != NULL;
}
