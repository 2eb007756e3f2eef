/* SPDX-License-Identifier: MIT */
/* The memory of a guest that is gone, from files. */
#ifndef GT_CLI_DUMP_H
#define GT_CLI_DUMP_H

#include <guesttrace/host.h>

struct dump {
	struct gt_memory_slot slots[GT_MEMORY_SLOTS_MAX];
	uint32_t count;
	struct {
		void *bytes;
		size_t count;
		char *path;           /* NULL: of no file */
	} files[GT_MEMORY_SLOTS_MAX]; /* mapped: private, writable copies */
	uint32_t file_count;
};

/*
 * Adds FILE[@GPA]: raw bytes at that address (0 without one), or an ELF core,
 * such as QEMU's dump-guest-memory writes, whose segments say where they were.
 * Complains and returns < 0.
 */
int dump_add(struct dump *dump, const char *text);

/* Complains and returns true if writing `output` would replace one of them. */
bool dump_is_replaced(const struct dump *dump, const char *output);
void dump_fini(struct dump *dump);

/* What lies at a GPA, if all of it is in one slot; else NULL. */
const void *dump_at(const struct dump *dump, uint64_t gpa, uint64_t bytes);

/* The first page-aligned GPA behind all slots. */
uint64_t dump_end(const struct dump *dump);

/*
 * Adds 1 GiB pages that map each of the first 512 GiB to itself; stores the
 * GPA of their root. -E2BIG, -ENOMEM.
 */
int dump_add_identity(struct dump *dump, uint64_t *ret_root);

#endif
