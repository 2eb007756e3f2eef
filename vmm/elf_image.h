/* SPDX-License-Identifier: MIT */
/*
 * Which parts of an ELF file belong where in a guest. Reads a file that may be
 * hostile and may change meanwhile: the headers are copied once and checked as
 * a copy; whoever loads the segments gets lengths that are within the file as
 * it was, and has to cope with a short read.
 *
 * Accepted: ELF64, little-endian, x86-64, ET_EXEC, at most 64 program headers,
 * loadable segments in ascending order that share no page, none of them both
 * writable and executable, the entry in an executable one. Sections are not
 * looked at.
 */
#ifndef ELF_IMAGE_H
#define ELF_IMAGE_H

#include "paging.h"

#include <elf.h>

#define VM__ELF_HEADERS_MAX 64u
#define VM__BUILD_ID_MAX    64u /* bytes */

/* An open file, or bytes in memory where fd is -1. */
struct vm__elf_source {
	int fd;
	const unsigned char *bytes;
	uint64_t n;
};

struct vm__elf_segment {
	uint64_t gva;          /* first byte that comes from the file */
	uint64_t memory_bytes; /* never 0 */
	uint64_t file_offset;
	uint64_t file_bytes; /* 0 to memory_bytes */
	uint64_t page_gva;   /* the whole pages that it lies in */
	uint64_t page_bytes;
	unsigned prot; /* enum vm__prot */
};

struct vm__elf {
	uint64_t entry_gva;
	unsigned char build_id[VM__BUILD_ID_MAX];
	unsigned build_id_bytes; /* 0: none */
	unsigned count;
	struct vm__elf_segment segment[VM__ELF_HEADERS_MAX];
};

/* Exactly `n` bytes from `offset`. 0, -ENOEXEC if there are fewer, -errno. */
int vm__elf_read(const struct vm__elf_source *source, uint64_t offset, void *to,
                 size_t n);

/*
 * Checks a file and lists its segments. 0, -ENOEXEC, or -errno of reading; on
 * failure *ret_why is a constant string that says what is wrong, and nothing of
 * *ret_elf is to be used.
 */
int vm__elf_parse(const struct vm__elf_source *source, struct vm__elf *ret_elf,
                  const char **ret_why);

/* elf_notes.c, for vm__elf_parse(): fills in the build id, if there is one. */
void vm__elf_find_build_id(const struct vm__elf_source *source,
                           const Elf64_Phdr *headers, unsigned count,
                           struct vm__elf *elf);

#endif
