/* SPDX-License-Identifier: MIT */
#include "numbered.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *numbered_path(const char *path, uint32_t number)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	char *numbered = NULL;
	int head = (int)strlen(path);

	if (number == 0)
		return strdup(path);
	if (dot && dot != path && (!slash || dot > slash + 1))
		head = (int)(dot - path);
	if (asprintf(&numbered, "%.*s-%" PRIu32 "%s", head, path, number + 1,
	             path + head) < 0)
		return NULL;
	return numbered;
}
