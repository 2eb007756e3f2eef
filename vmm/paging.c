/* SPDX-License-Identifier: MIT */
/*
 * Guest RAM and the page tables in it. Nothing here trusts the tables to be as
 * they were written: a guest that replaces them can at worst make a look-up
 * fail, since each physical address is checked against the RAM.
 */
#include "paging.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PTE_PRESENT UINT64_C(1)
#define PTE_WRITE   UINT64_C(2)
#define PTE_LARGE   (UINT64_C(1) << 7)
#define PTE_NX      (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0xffffffffff000)

#define RUNS_MAX       64u /* of one mapping; the emulator pays for each */
#define LARGE_RUNS_MAX 4u

static uint64_t round_up(uint64_t n, uint64_t step)
{
	return (n + step - 1) / step * step;
}

static bool table_new(struct vm__space *space, uint64_t *ret_gpa)
{
	if (space->high - space->low < VM__PAGE_BYTES)
		return false;
	space->high -= VM__PAGE_BYTES;
	memset(space->ram + space->high, 0, VM__PAGE_BYTES);
	*ret_gpa = space->high;
	return true;
}

/* A table entry's place; NULL if the table is not whole inside the RAM. */
static unsigned char *entry_at(const struct vm__space *space, uint64_t table,
                               uint64_t gva, unsigned level)
{
	uint64_t index = gva >> (12 + 9 * level) & 511;

	table &= PTE_ADDRESS;
	if (table > space->ram_bytes - VM__PAGE_BYTES)
		return NULL;
	return space->ram + table + 8 * index;
}

static uint64_t entry_get(const unsigned char *place)
{
	uint64_t entry;

	memcpy(&entry, place, sizeof entry);
	return entry;
}

static int entry_set(struct vm__space *space, uint64_t gva, unsigned leaf,
                     uint64_t value)
{
	uint64_t table = space->root;

	for (unsigned level = 3; level > leaf; level--) {
		unsigned char *place = entry_at(space, table, gva, level);
		uint64_t entry = entry_get(place);

		if (!(entry & PTE_PRESENT)) {
			if (!table_new(space, &entry))
				return -ENOMEM;
			entry |= PTE_PRESENT | PTE_WRITE;
			memcpy(place, &entry, sizeof entry);
		}
		table = entry;
	}
	memcpy(entry_at(space, table, gva, leaf), &value, sizeof value);
	return 0;
}

static int map_run(struct vm__space *space, const struct vm__run *run,
                   uint64_t page_bytes)
{
	uint64_t flags = PTE_PRESENT;
	unsigned leaf = page_bytes == VM__LARGE_BYTES ? 1 : 0;

	flags |= run->prot & VM__WRITE ? PTE_WRITE : 0;
	flags |= run->prot & VM__EXECUTE ? 0 : PTE_NX;
	flags |= leaf ? PTE_LARGE : 0;
	for (uint64_t at = 0; at < run->bytes; at += page_bytes) {
		int result = entry_set(space, run->gva + at, leaf,
		                       (run->gpa + at) | flags);

		if (result < 0)
			return result;
	}
	return space->mapped ? space->mapped(space->ctx, run) : 0;
}

/* The first run of the virtual range gets the last of the physical one. */
static int map_reversed(struct vm__space *space, const struct vm__run *whole,
                        uint64_t page_bytes, unsigned runs_max)
{
	uint64_t pages = whole->bytes / page_bytes;
	uint64_t step = round_up(pages, runs_max) / runs_max * page_bytes;

	for (uint64_t at = 0, n; at < whole->bytes; at += n) {
		struct vm__run run = {.gva = whole->gva + at,
		                      .prot = whole->prot};
		int result;

		n = whole->bytes - at < step ? whole->bytes - at : step;
		run.bytes = n;
		run.gpa = whole->gpa + whole->bytes - at - n;
		result = map_run(space, &run, page_bytes);
		if (result < 0)
			return result;
	}
	return 0;
}

static int open_ram(unsigned char *at, uint64_t bytes, int fd)
{
	const int prot = PROT_READ | PROT_WRITE;

	if (fd < 0)
		return mprotect(at, bytes, prot) < 0 ? -ENOMEM : 0;
	return mmap(at, bytes, prot, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd,
	            0) == MAP_FAILED
	               ? -errno
	               : 0;
}

int vm__space_init(struct vm__space *space, uint64_t ram_bytes, int fd)
{
	int r;

	size_t guard = VM__PAGE_BYTES;
	unsigned char *base =
		mmap(NULL, ram_bytes + 2 * guard, PROT_NONE,
	             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return -ENOMEM;
	r = open_ram(base + guard, ram_bytes, fd);
	if (r < 0) {
		munmap(base, ram_bytes + 2 * guard);
		return r;
	}
	space->ram = base + guard;
	space->shared = fd >= 0;
	space->ram_bytes = ram_bytes;
	space->low = 0;
	space->high = ram_bytes;
	return table_new(space, &space->root) ? 0 : -ENOMEM;
}

int vm__space_clear(const struct vm__space *space)
{
	/* Of a file MADV_DONTNEED would only forget the mapping. */
	int advice = space->shared ? MADV_REMOVE : MADV_DONTNEED;

	return madvise(space->ram, space->ram_bytes, advice) < 0 ? -errno : 0;
}

void vm__space_fini(struct vm__space *space)
{
	size_t guard = VM__PAGE_BYTES;

	if (space->ram)
		munmap(space->ram - guard, space->ram_bytes + 2 * guard);
	space->ram = NULL;
}

int vm__map(struct vm__space *space, uint64_t gva, uint64_t bytes,
            unsigned prot)
{
	struct vm__run whole = {gva, space->low, bytes, prot};

	if (bytes > space->high - space->low)
		return -ENOMEM;
	space->low += bytes;
	return map_reversed(space, &whole, VM__PAGE_BYTES, RUNS_MAX);
}

int vm__map_rest(struct vm__space *space, uint64_t gva, uint64_t *ret_bytes)
{
	/* Enough for any mix: one table per GiB, the ends, the levels above. */
	uint64_t tables = 8 + (space->ram_bytes >> 30);
	uint64_t free = space->high - space->low;
	struct vm__run large = {.gva = gva, .prot = VM__READ | VM__WRITE};
	struct vm__run head = large, tail = large;
	int result;

	*ret_bytes = 0;
	if (free <= tables * VM__PAGE_BYTES)
		return 0;
	tail.gpa = space->high - tables * VM__PAGE_BYTES;
	head.gpa = space->low;
	space->low = tail.gpa;
	large.gpa = round_up(head.gpa, VM__LARGE_BYTES);
	if (large.gpa > tail.gpa)
		large.gpa = tail.gpa;
	large.bytes =
		(tail.gpa - large.gpa) / VM__LARGE_BYTES * VM__LARGE_BYTES;
	head.bytes = large.gpa - head.gpa;
	head.gva = gva + large.bytes;
	tail.gva = head.gva + head.bytes;
	tail.bytes = tail.gpa - large.gpa - large.bytes;
	tail.gpa = large.gpa + large.bytes;
	*ret_bytes = large.bytes + head.bytes + tail.bytes;
	result = map_reversed(space, &large, VM__LARGE_BYTES, LARGE_RUNS_MAX);
	if (result == 0)
		result = map_reversed(space, &head, VM__PAGE_BYTES,
		                      LARGE_RUNS_MAX);
	if (result == 0)
		result = map_reversed(space, &tail, VM__PAGE_BYTES,
		                      LARGE_RUNS_MAX);
	return result;
}

unsigned char *vm__at(const struct vm__space *space, uint64_t gva,
                      unsigned prot, uint64_t *ret_bytes)
{
	uint64_t entry = space->root, page_bytes = 0, gpa;
	bool writable = true, executable = true;

	if ((uint64_t)((int64_t)(gva << 16) >> 16) != gva)
		return NULL;
	for (unsigned level = 4; level-- > 0;) {
		unsigned char *place = entry_at(space, entry, gva, level);

		entry = place ? entry_get(place) : 0;
		if (!(entry & PTE_PRESENT))
			return NULL;
		writable = writable && entry & PTE_WRITE;
		executable = executable && !(entry & PTE_NX);
		page_bytes = UINT64_C(1) << (12 + 9 * level);
		if (level == 1 && entry & PTE_LARGE)
			break;
	}
	gpa = entry & PTE_ADDRESS & ~(page_bytes - 1);
	if (gpa > space->ram_bytes || space->ram_bytes - gpa < page_bytes)
		return NULL;
	if ((prot & VM__WRITE && !writable) ||
	    (prot & VM__EXECUTE && !executable))
		return NULL;
	*ret_bytes = page_bytes - (gva & (page_bytes - 1));
	return space->ram + gpa + (gva & (page_bytes - 1));
}

bool vm__copy_in(const struct vm__space *space, uint64_t gva, const void *from,
                 size_t n, unsigned prot)
{
	const unsigned char *bytes = from;

	for (uint64_t part; n > 0; n -= part, gva += part, bytes += part) {
		unsigned char *to = vm__at(space, gva, prot, &part);

		if (!to)
			return false;
		part = part < n ? part : n;
		memcpy(to, bytes, part);
	}
	return true;
}

bool vm__copy_out(const struct vm__space *space, uint64_t gva, void *to,
                  size_t n, unsigned prot)
{
	unsigned char *bytes = to;

	for (uint64_t part; n > 0; n -= part, gva += part, bytes += part) {
		const unsigned char *from = vm__at(space, gva, prot, &part);

		if (!from)
			return false;
		part = part < n ? part : n;
		memcpy(bytes, from, part);
	}
	return true;
}
