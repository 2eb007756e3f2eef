/* SPDX-License-Identifier: MIT */
/*
 * The one door to guest memory: by guest virtual address, through the guest's
 * page tables, bounds-checked, by copy. Nothing else in host/ may touch it.
 */
#ifndef GT_HOST_MEMORY_H
#define GT_HOST_MEMORY_H

#include <guesttrace/host.h>

/* Control registers that the walk depends on, snapshotted at a VM exit. */
struct gt__paging {
	uint64_t cr0, cr3, cr4, efer;
};

/* A stretch of guest virtual memory that was translated for good. */
struct gt__pinned {
	uint64_t gva, gpa, bytes;
	bool is_writable;
};

struct gt__memory {
	struct gt_memory_slot slots[GT_MEMORY_SLOTS_MAX];
	uint32_t count;
	/* The guest is gone, and so may be pages of it: what is missing is
	 * counted, and costs what lay there. */
	bool has_holes;
	/* By GVA, apart; not 0: they stand in for page tables, which nobody
	 * tells of any longer. The array is not of this struct. */
	const struct gt__pinned *pinned;
	size_t pinned_count;
};

/*
 * Copies `count` bytes at `gva` to `to`. 0; -EINVAL for count 0; or
 * GT_ERROR_WRAPS, _NOT_CANONICAL, _PAGING_MODE, _UNMAPPED, _RESERVED_BIT,
 * _OUTSIDE_RAM, with `to` partly written.
 */
int gt__memory_read(const struct gt__memory *memory,
                    const struct gt__paging *paging, uint64_t gva, void *to,
                    size_t count);

/*
 * Loads one aligned word that the guest may be storing: whole, once, and before
 * anything that is read later. As above, and -EINVAL for an address that is no
 * multiple of 8.
 */
int gt__memory_load(const struct gt__memory *memory,
                    const struct gt__paging *paging, uint64_t gva,
                    uint64_t *ret_word);

/*
 * The same of several words, in their order. The access of a slot is asked at
 * once for those that lie there: each time may be a system call. An error
 * leaves `words` partly written.
 */
int gt__memory_load_words(const struct gt__memory *memory,
                          const struct gt__paging *paging, const uint64_t *gvas,
                          uint64_t *words, size_t count);

/*
 * Copies `count` bytes to `gva`, each aligned 8-byte word in one store. As
 * above, and GT_ERROR_READ_ONLY where the guest itself may not write, or a slot
 * says that nobody does.
 */
int gt__memory_write(const struct gt__memory *memory,
                     const struct gt__paging *paging, uint64_t gva,
                     const void *from, size_t count);

/*
 * Where the byte at `gva` lies, how many of `count` follow it there, and
 * whether the guest may write them. Errors as of gt__memory_read().
 */
int gt__memory_find(const struct gt__memory *memory,
                    const struct gt__paging *paging, uint64_t gva, size_t count,
                    struct gt__pinned *ret_piece);

/* All our accesses to guest memory before it come before all behind it. */
static inline void gt__memory_fence(void)
{
	__asm__ volatile("mfence" ::: "memory");
}

#endif
