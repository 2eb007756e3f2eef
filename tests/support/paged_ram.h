/* SPDX-License-Identifier: MIT */
/*
 * Guest RAM in three slots, page tables in it, and a walk of them that is slow
 * and simple: what host/memory/memory.c is compared with.
 */
#ifndef GUESTTRACE_TESTS_PAGED_RAM_H
#define GUESTTRACE_TESTS_PAGED_RAM_H

#include "host/memory/memory.h"

#define PAGE       4096u
#define LOW        UINT64_C(0x100000) /* page tables, then data */
#define LOW_PAGES  320u
#define HUGE       UINT64_C(0x40000000) /* a multiple of 1 GiB */
#define HUGE_BYTES (UINT64_C(0x200000) + 0x804)
#define FAR        UINT64_C(0x100000000) /* three pages and a bit */
#define FAR_BYTES  (3 * PAGE + 12u)

/* A slot is a block of its own, so that ASan sees a step beside it. */
extern struct gt__memory ram_memory;
extern const struct gt__paging ram_paging; /* CR3 is page 0 of LOW */

/* For cmocka: random bytes, but zeros where tables go. */
int ram_setup(void **unused);
int ram_teardown(void **unused);

uint64_t ram_random(void);
uint32_t ram_checksum(void); /* of all of it */

/* Where `count` bytes lie on the host; NULL: not in one slot. */
uint8_t *ram_at(uint64_t gpa, uint64_t count);
uint64_t ram_page(unsigned number); /* GPA of a page of LOW */

/* The model: one byte, and some; not across the ends of the address space. */
int ram_walk(uint64_t gva, bool write, uint8_t **ret_at);
int ram_read(uint64_t gva, uint8_t *to, size_t count);

void ram_set_entry(unsigned table, unsigned index, uint64_t entry);
/* GVA 0 .. 2 MiB by the tables 0..3: page `first + i` is `gpa[i]`. */
void ram_map(unsigned first, unsigned count, const uint64_t *gpa);

/* What is tested: gt__memory_read() and gt__memory_write(). */
int ram_get(uint64_t gva, void *to, size_t count);
int ram_put(uint64_t gva, const void *from, size_t count);

#endif
