/* SPDX-License-Identifier: MIT */
/*
 * A core that was made with paging has what the guest had mapped, and that is
 * seldom its page tables. But its segments say by which virtual addresses it
 * was mapped: from that come page tables as good as the guest's.
 */
#include "dump_paging.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES UINT64_C(4096)
#define ENTRIES    512u
#define ADDRESS    UINT64_C(0x000ffffffffff000)
#define FLAGS      UINT64_C(3) /* present, writable */
/* Above all memory that there is. */
#define TABLES_GPA (UINT64_C(1) << 51)
/* What is mapped more than that often is nobody's kernel. */
#define TIMES_MAX  8u

void mapped_init(struct mapped *mapped, uint64_t file_bytes)
{
	*mapped = (struct mapped){
		.pages_left = TIMES_MAX * (file_bytes / PAGE_BYTES + 1)};
}

void mapped_fini(struct mapped *mapped)
{
	free(mapped->words);
}

/* The number of a new table, from 0, or -ENOMEM. */
static int64_t new_table(struct mapped *mapped)
{
	const size_t bytes = ENTRIES * sizeof(uint64_t);
	uint64_t *grown = mapped->words;

	if (mapped->tables == mapped->room) {
		mapped->room = 2 * mapped->room + 8;
		grown = realloc(mapped->words, mapped->room * bytes);
	}
	if (!grown)
		return -ENOMEM;
	mapped->words = grown;
	memset(grown + mapped->tables * ENTRIES, 0, bytes);
	return (int64_t)mapped->tables++;
}

static int map_page(struct mapped *mapped, uint64_t gva, uint64_t gpa)
{
	uint64_t table = 0, at;

	for (unsigned level = 3; level > 0; level--) {
		at = table * ENTRIES + (gva >> (12 + 9 * level) & 511);
		if (mapped->words[at] == 0) {
			int64_t fresh = new_table(mapped);

			if (fresh < 0)
				return (int)fresh;
			mapped->words[at] = (TABLES_GPA +
			                     (uint64_t)fresh * PAGE_BYTES) |
			                    FLAGS;
		}
		table = ((mapped->words[at] & ADDRESS) - TABLES_GPA) /
		        PAGE_BYTES;
	}
	at = table * ENTRIES + (gva >> 12 & 511);
	if (mapped->words[at] == 0)
		mapped->words[at] = gpa | FLAGS;
	return 0;
}

int mapped_add(struct mapped *mapped, uint64_t gva, uint64_t gpa,
               uint64_t bytes)
{
	int r = mapped->tables == 0 ? (int)new_table(mapped) : 0;

	if ((gva | gpa) % PAGE_BYTES != 0 || gpa >> 51)
		return r < 0 ? r : 0;
	for (uint64_t at = 0; r == 0 && bytes - at >= PAGE_BYTES &&
	                      mapped->pages_left > 0;
	     at += PAGE_BYTES, mapped->pages_left--)
		r = map_page(mapped, gva + at, gpa + at);
	return r;
}

int mapped_end(struct mapped *mapped, struct dump *dump)
{
	uint64_t bytes = mapped->tables * PAGE_BYTES;
	void *tables;
	int r;

	if (bytes == 0)
		return 0;
	tables = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r = dump_keep_mapping(dump, tables, bytes);
	if (r < 0)
		return r;
	memcpy(tables, mapped->words, bytes);
	r = dump_add_piece(dump, TABLES_GPA, tables, bytes, 0);
	return r < 0 ? r : dump_add_root(dump, TABLES_GPA);
}
