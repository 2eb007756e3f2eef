/* SPDX-License-Identifier: MIT */
/*
 * The guest's address space: its RAM, which physical pages are taken, and the
 * four-level page tables that lie in that RAM.
 *
 * Physical memory is handed out from the bottom for pages and from the top for
 * page tables. A mapping of several pages is cut into runs that lie in physical
 * memory in the opposite order, so that nothing works by accident because a
 * virtual address looks like a physical one.
 */
#ifndef PAGING_H
#define PAGING_H

#include <guesttrace/abi.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM__PAGE_BYTES  UINT64_C(4096)
#define VM__LARGE_BYTES (UINT64_C(2) << 20)

/* Where things lie; an image may not reach into [RESERVED, RESERVED_END). */
#define VM__RESERVED_GVA     UINT64_C(0x700000000000)
#define VM__HEAP_GVA         UINT64_C(0x710000000000)
#define VM__STACK_GVA        UINT64_C(0x7d0000010000) /* vCPU 0's lowest byte */
#define VM__STACK_STEP       UINT64_C(0x40000) /* half of it is not mapped */
#define VM__BOOT_GVA         UINT64_C(0x7e0000003000)
#define VM__RESERVED_END_GVA UINT64_C(0x800000000000)

enum vm__prot {
	VM__READ = 1, /* always there */
	VM__WRITE = 2,
	VM__EXECUTE = 4,
};

/* A stretch that is contiguous in virtual and in physical memory. */
struct vm__run {
	uint64_t gva, gpa, bytes;
	unsigned prot;
};

struct vm__space {
	unsigned char *ram;
	uint64_t ram_bytes;
	bool shared; /* with others, who have its file */
	uint64_t low;  /* below: taken by pages */
	uint64_t high; /* from here: taken by page tables */
	uint64_t root; /* physical address of the top table, 0 for none */
	/* Told of each run as it is mapped; negative ends vm__map(). */
	int (*mapped)(void *ctx, const struct vm__run *run);
	void *ctx;
};

/* RAM between two guard pages, of that file unless `fd` is -1. 0, -ENOMEM, or
 * -errno of mapping the file. */
int vm__space_init(struct vm__space *space, uint64_t ram_bytes, int fd);
/* Makes all of it zero, and page tables with it. 0 or -errno. */
int vm__space_clear(const struct vm__space *space);
void vm__space_fini(struct vm__space *space);

/*
 * Maps [gva, gva + bytes), whole pages that are not mapped yet, to fresh
 * zeroed memory. 0, -ENOMEM, or what `mapped` returned.
 */
int vm__map(struct vm__space *space, uint64_t gva, uint64_t bytes,
            unsigned prot);

/*
 * Maps all memory that is left at `gva` (2 MiB aligned), with large pages where
 * physical memory allows. *ret_bytes may be 0. 0 or negative as above.
 */
int vm__map_rest(struct vm__space *space, uint64_t gva, uint64_t *ret_bytes);

/*
 * The memory behind a guest address: NULL if it is not mapped or `prot` asks
 * for more than the mapping grants; else *ret_bytes says how far it is
 * contiguous, at least 1.
 */
unsigned char *vm__at(const struct vm__space *space, uint64_t gva,
                      unsigned prot, uint64_t *ret_bytes);

/* Copies across pages. False if any of it lacks `prot`; then part is copied. */
bool vm__copy_in(const struct vm__space *space, uint64_t gva, const void *from,
                 size_t n, unsigned prot);
bool vm__copy_out(const struct vm__space *space, uint64_t gva, void *to,
                  size_t n, unsigned prot);

#endif
