/* SPDX-License-Identifier: MIT */
/* Of host.h: guest memory, and that of the process. */
#ifndef GUESTTRACE_HOST_MEMORY_H
#define GUESTTRACE_HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How to get at guest memory that cannot be had by a plain access. `host` and
 * the offset are of the slot; `offset` and `count` lie within its `bytes`, and
 * `count` is at most a page of the guest's, which may be 1 GiB. An aligned word
 * of 8 bytes is copied whole, as the guest may be storing or loading it. They
 * return 0, or any negative number if not all of it can be copied now: to the
 * guest's page tables that is memory that is not there (GT_ERROR_OUTSIDE_RAM),
 * or pages that cannot be written for now (GT_ERROR_READ_ONLY). They are called
 * under the host's lock, by whichever thread called the host, and must not call
 * it.
 */
struct gt_memory_access {
	int (*read)(void *host, uint64_t offset, void *to, size_t count);
	int (*write)(void *host, uint64_t offset, const void *from,
	             size_t count);
	/*
	 * Optional: `count` aligned words, GT_MEMORY_WORDS_MAX at most, each from
	 * its own offset, one after the other in this order, as the guest goes on
	 * storing. NULL: `read` is called for each of them.
	 */
	int (*read_words)(void *host, const uint64_t *offsets, uint64_t *words,
	                  size_t count);
};

#define GT_MEMORY_WORDS_MAX 16u

/*
 * Of a mapping that the VMM may protect, shrink or unmap at any time, or whose
 * file others may cut: the kernel copies, and no access is a signal. Two system
 * calls for each copy and for each level of each page walk: see
 * docs/performance.md. What cannot be read is never an error of the host's.
 */
extern const struct gt_memory_access gt_memory_checked;

/*
 * One piece of guest RAM. Slots do not overlap.
 *
 * Without `access` the library reads, and unless the slot is `read_only`
 * writes, any byte of it by plain loads and stores, in each call from the one
 * that hands the slot over until gt_host_set_memory() takes it back or the host
 * is freed. The VMM vouches for that: the mapping is there, nobody protects it
 * (PROT_READ is enough for what is `read_only`), and what is behind it can
 * neither shrink nor fail (no file that somebody else may cut). Memory that a
 * balloon or a hole punched took away and that reads as zeros is as good as any
 * other. All else wants `access`.
 */
struct gt_memory_slot {
	uint64_t gpa;
	uint64_t bytes;
	void *host; /* with `access`: whatever that takes */
	/*
	 * Nothing is written here, whatever the guest's page tables allow: of
	 * memory that several VMs share, or that is mapped for reading alone. A
	 * guest that puts there what the host is to write is refused.
	 */
	bool read_only;
	const struct gt_memory_access *access; /* NULL, or outlives the host */
};

#define GT_MEMORY_SLOTS_MAX 8u

/*
 * For a VMM that forbids itself to ask the kernel for memory once a guest runs:
 * takes `bytes` now, of which malloc() then gives, here and in all of the
 * process. It has one heap for all threads from then on, and none of it is
 * given back. Call it first, before there are other threads. When they are
 * used up malloc() asks the kernel after all (brk, mmap): with RLIMIT_AS in its
 * way that is -ENOMEM, which an embedding VMM survives. docs/security.md has
 * the list of system calls. Errors: -ENOMEM; -ENOTSUP where malloc() is not that of glibc.
 */
int gt_reserve_memory(size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
