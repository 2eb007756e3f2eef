/* SPDX-License-Identifier: MIT */
/* Page tables from what a core says of virtual addresses. */
#ifndef GT_CLI_DUMP_PAGING_H
#define GT_CLI_DUMP_PAGING_H

#include "dump.h"

struct mapped {
	uint64_t *words; /* tables of 512, the first of them the root */
	uint64_t tables, room;
	uint64_t pages_left; /* that may be mapped */
};

/* Work and memory are bounded by the length of the file. */
void mapped_init(struct mapped *mapped, uint64_t file_bytes);
void mapped_fini(struct mapped *mapped);

/* -ENOMEM. What is not at pages is passed over. */
int mapped_add(struct mapped *mapped, uint64_t gva, uint64_t gpa,
               uint64_t bytes);

/* Adds them to the dump, as the last root. -ENOMEM. */
int mapped_end(struct mapped *mapped, struct dump *dump);

#endif
