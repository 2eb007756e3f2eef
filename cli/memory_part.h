/* SPDX-License-Identifier: MIT */
/* What --memory says: FILE[@GPA[:OFFSET[:LENGTH]]]. */
#ifndef GT_CLI_MEMORY_PART_H
#define GT_CLI_MEMORY_PART_H

#include <stdbool.h>
#include <stdint.h>

struct memory_part {
	char *path; /* for free() */
	uint64_t gpa, offset, length;
	unsigned numbers; /* how many of these were given */
};

/* A name may have an @ of its own. False: there is no memory for it. */
bool memory_part_parse(const char *text, struct memory_part *ret_part);

#endif
