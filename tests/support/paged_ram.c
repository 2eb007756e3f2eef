/* SPDX-License-Identifier: MIT */
#include "paged_ram.h"
#include "host/frames/crc32c.h"
#include "random64.h"

#include <stdlib.h>
#include <string.h>

struct gt__memory ram_memory;
const struct gt__paging ram_paging = {
	.cr0 = UINT64_C(0x80000001),
	.cr3 = LOW | 0x18, /* with cache bits, which say nothing of addresses */
	.cr4 = UINT64_C(1) << 5,
	.efer = UINT64_C(1) << 10,
};

uint64_t ram_random(void)
{
	return random64();
}

int ram_setup(void **unused)
{
	static const uint64_t gpas[] = {LOW, HUGE, FAR};
	static const uint64_t bytes[] = {LOW_PAGES * PAGE, HUGE_BYTES,
	                                 FAR_BYTES};

	(void)unused;
	ram_memory.count = 3;
	for (unsigned i = 0; i < 3; i++) {
		uint8_t *ram = malloc(bytes[i]);

		for (uint64_t j = 0; j < bytes[i]; j++)
			ram[j] = (uint8_t)ram_random();
		ram_memory.slots[i] = (struct gt_memory_slot){
			.gpa = gpas[i], .bytes = bytes[i], .host = ram};
	}
	memset(ram_memory.slots[0].host, 0, (size_t)64 * PAGE);
	return 0;
}

int ram_teardown(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < ram_memory.count; i++)
		free(ram_memory.slots[i].host);
	return 0;
}

/* ---- The model: one byte at a time --------------------------------------- */

uint8_t *ram_at(uint64_t gpa, uint64_t count)
{
	for (unsigned i = 0; i < ram_memory.count; i++) {
		const struct gt_memory_slot *slot = &ram_memory.slots[i];

		for (uint64_t j = 0; j < count; j++)
			if (gpa + j < slot->gpa ||
			    gpa + j >= slot->gpa + slot->bytes)
				goto next;
		return (uint8_t *)slot->host + (gpa - slot->gpa);
	next:;
	}
	return NULL;
}

int ram_walk(uint64_t gva, bool write, uint8_t **ret_at)
{
	static const uint64_t sizes[] = {0, 1u << 30, 1u << 21, 1u << 12};
	uint64_t table = LOW;

	for (unsigned depth = 0; depth < 4; depth++) {
		uint64_t index = gva << (16 + 9 * depth) >> 55;
		const uint8_t *at = ram_at(table + 8 * index, 8);
		bool large = depth == 3;
		uint64_t entry, base;

		if (!at)
			return -GT_ERROR_OUTSIDE_RAM;
		memcpy(&entry, at, 8);
		if (entry % 2 == 0)
			return -GT_ERROR_UNMAPPED;
		base = entry << 12 >> 24 << 12;
		if (depth < 3 && entry & 128) {
			uint64_t pat = base & 4096;

			if (depth == 0 || (base - pat) % sizes[depth] != 0)
				return -GT_ERROR_RESERVED_BIT;
			base -= pat;
			large = true;
		}
		if (write && !(entry & 2))
			return -GT_ERROR_READ_ONLY;
		table = base;
		if (!large)
			continue;
		*ret_at = ram_at(base + gva % sizes[depth], 1);
		return *ret_at ? 0 : -GT_ERROR_OUTSIDE_RAM;
	}
	abort();
}

int ram_read(uint64_t gva, uint8_t *to, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t *at;
		int r = ram_walk(gva + i, false, &at);

		if (r < 0)
			return r;
		to[i] = *at;
	}
	return 0;
}

/* ---- Tables -------------------------------------------------------------- */

void ram_set_entry(unsigned table, unsigned index, uint64_t entry)
{
	memcpy((uint8_t *)ram_memory.slots[0].host + table * PAGE + 8 * index,
	       &entry, 8);
}

uint64_t ram_page(unsigned number)
{
	return LOW + (uint64_t)number * PAGE;
}

void ram_map(unsigned first, unsigned count, const uint64_t *gpa)
{
	ram_set_entry(0, 0, ram_page(1) | 7);
	ram_set_entry(1, 0, ram_page(2) | 7);
	ram_set_entry(2, 0, ram_page(3) | 7);
	for (unsigned i = 0; i < count; i++)
		ram_set_entry(3, first + i, gpa[i] | 7);
}

int ram_get(uint64_t gva, void *to, size_t count)
{
	return gt__memory_read(&ram_memory, &ram_paging, gva, to, count);
}

int ram_put(uint64_t gva, const void *from, size_t count)
{
	return gt__memory_write(&ram_memory, &ram_paging, gva, from, count);
}

uint32_t ram_checksum(void)
{
	uint32_t crc = 0;

	for (unsigned i = 0; i < ram_memory.count; i++)
		crc = gt__crc32c(crc, ram_memory.slots[i].host,
		                 ram_memory.slots[i].bytes);
	return crc;
}
