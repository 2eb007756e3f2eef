/* SPDX-License-Identifier: MIT */
/* The memory of a guest that is gone, from files. */
#ifndef GT_CLI_DUMP_H
#define GT_CLI_DUMP_H

#include <guesttrace/host.h>

#define DUMP_FILES_MAX   64u
#define DUMP_LAYOUTS_MAX 16u

struct dump_piece {
	uint64_t gpa, bytes; /* whole pages */
	const uint8_t *host; /* at any alignment */
	uint32_t layout;     /* 0: of each; else of that one alone */
};

/*
 * Where memory of a file lay may not be known for sure: then there are several
 * layouts, one of which is in use.
 */
struct dump {
	struct dump_piece *pieces; /* in use, by GPA, apart from each other */
	uint64_t count;
	struct dump_piece *known; /* of all layouts */
	uint64_t known_count, known_room;
	uint32_t layouts; /* beside the pieces that are of each; 0: as 1 */
	uint64_t *roots;  /* CR3 of each vCPU, as a core says */
	uint64_t root_count;
	uint64_t tsc_khz; /* as a snapshot says; 0: it does not */
	struct {
		void *bytes;
		size_t count;
		char *path;     /* NULL: of no file */
	} files[DUMP_FILES_MAX]; /* mapped: private copies */
	uint32_t file_count;
};

/*
 * Adds FILE[@GPA[:OFFSET[:LENGTH]]]: raw bytes of the file, from OFFSET on, at
 * that address (0 without one); or an ELF core, such as QEMU's
 * dump-guest-memory writes, whose segments say where they were; or a compressed
 * kdump; or the core of a process that had a guest's memory; or a directory, a snapshot of
 * cloud-hypervisor. Complains and returns < 0.
 */
int dump_add(struct dump *dump, const char *text);

/* The FILE of that, for free(). Complains and returns NULL: no memory. */
char *dump_path(const char *text);

/* dump_foreign.c: what only says where pieces lie. -EINVAL, -E2BIG, ... */
int dump_add_elf(struct dump *dump, const uint8_t *bytes, size_t count);
int dump_add_directory(struct dump *dump, const char *path);
/* dump_notes.c: page tables' roots that ELF notes name. -ENOMEM. */
int dump_add_notes(struct dump *dump, const uint8_t *bytes, size_t count);

/*
 * dump_kdump.c: compressed kdumps, also flattened ones, as QEMU's
 * dump-guest-memory -z and makedumpfile write them. libkdumpfile reads them,
 * which is loaded while files may be opened: before the command is confined.
 * `path` is for messages; -ENOTSUP where it has complained.
 */
void dump_kdump_load(void);
bool dump_is_kdump(const uint8_t *bytes, size_t count);
int dump_add_kdump(struct dump *dump, const char *path, const uint8_t *bytes,
                   size_t count);

/* The name of a format that is not read, and what to do; NULL: none of them. */
const char *dump_foreign(const uint8_t *bytes, size_t count);

/* For these: a piece of the latest file; and a file by its path. */
int dump_add_piece(struct dump *dump, uint64_t gpa, const uint8_t *bytes,
                   uint64_t count, uint32_t layout);
int dump_map_file(struct dump *dump, const char *path);
/* Of mmap(), which may have failed; it is unmapped with the dump. */
int dump_keep_mapping(struct dump *dump, void *bytes, size_t count);
int dump_add_root(struct dump *dump, uint64_t cr3);

/* From now on it is that layout, 0 to dump_layouts() - 1. -ENOMEM, -EEXIST. */
uint32_t dump_layouts(const struct dump *dump);
int dump_use(struct dump *dump, uint32_t layout);

/* Complains and returns true if writing `output` would replace one of them. */
bool dump_is_replaced(const struct dump *dump, const char *output);
void dump_fini(struct dump *dump);

/* What lies at a GPA, if all of it is in one piece; else NULL. */
const uint8_t *dump_at(const struct dump *dump, uint64_t gpa, uint64_t bytes);

/* All of it, for the host library; valid while the dump stays as it is. */
struct gt_memory_slot dump_slot(struct dump *dump);

/* The first page-aligned GPA behind all pieces, and how long they are. */
uint64_t dump_end(const struct dump *dump);
uint64_t dump_bytes(const struct dump *dump);

/*
 * Adds 1 GiB pages that map each of the first 512 GiB to itself; stores the
 * GPA of their root. -E2BIG, -ENOMEM.
 */
int dump_add_identity(struct dump *dump, uint64_t *ret_root);

#endif
