/* SPDX-License-Identifier: MIT */
/*
 * Page tables and addresses (threats A6, B5): two slots of RAM, filled from the
 * input, reads and writes as the input asks for, and each byte read compared
 * with a second walk. The input: u8 requests, CR0, CR3, CR4, EFER, then the
 * requests of 12 bytes (GVA, u16 bytes, u16: write if odd), then the RAM.
 */
#include "host/decode/bytes.h"
#include "host/memory/memory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define PAGES      6u
#define LOW        UINT64_C(0x1000)
#define HIGH       UINT64_C(0x40000000)
#define HIGH_BYTES 0x1804u

static struct gt__memory memory = {.count = 2};

static const uint8_t *find(uint64_t gpa, uint64_t count)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct gt_memory_slot *slot = &memory.slots[i];

		if (gpa >= slot->gpa && count <= slot->bytes &&
		    gpa - slot->gpa <= slot->bytes - count)
			return (const uint8_t *)slot->host + (gpa - slot->gpa);
	}
	return NULL;
}

/* What lies at one address; NULL: nothing does. */
static const uint8_t *walk(uint64_t cr3, uint64_t gva)
{
	uint64_t table = cr3 & UINT64_C(0xffffffffff000);

	for (int shift = 39; shift >= 12; shift -= 9) {
		const uint8_t *at = find(table + (gva >> shift & 511) * 8, 8);
		uint64_t entry = at ? gt__load64(at) : 0;
		uint64_t size = UINT64_C(1) << shift;

		if (!(entry & 1))
			return NULL;
		table = entry & UINT64_C(0xffffffffff000);
		if (shift == 12)
			break;
		if (!(entry & 128))
			continue;
		table &= ~UINT64_C(4096);
		if (shift == 39 || table % size)
			return NULL;
		return find(table + gva % size, 1);
	}
	return find(table + gva % 4096, 1);
}

static void request(const struct gt__paging *paging, const uint8_t *bytes)
{
	uint64_t gva = gt__load64(bytes);
	size_t count = gt__load16(bytes + 8) % 8192;
	bool write = gt__load16(bytes + 10) & 1;
	uint8_t *copy = calloc(1, count + !count);
	int r;

	if (!copy)
		abort();
	r = write ? gt__memory_write(&memory, paging, gva, copy, count)
	          : gt__memory_read(&memory, paging, gva, copy, count);
	for (size_t i = 0; r == 0 && i < count && !write; i++) {
		const uint8_t *at = walk(paging->cr3, gva + i);

		if (!at || *at != copy[i])
			abort();
	}
	if (r < 0 && r > -GT_ERROR_NOT_CANONICAL && count > 0)
		abort();
	free(copy);
}

static void fill(unsigned slot, uint64_t gpa, size_t size,
                 const uint8_t **bytes, size_t *count)
{
	uint8_t *ram = calloc(1, size);
	size_t piece = *count < size ? *count : size;

	if (!ram)
		abort();
	memcpy(ram, *bytes, piece);
	*bytes += piece;
	*count -= piece;
	memory.slots[slot] =
		(struct gt_memory_slot){.gpa = gpa, .bytes = size, .host = ram};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct gt__paging paging;
	const uint8_t *requests = bytes + 33;
	size_t request_count;

	if (count < 33)
		return 0;
	request_count = bytes[0] % 16;
	paging = (struct gt__paging){
		gt__load64(bytes + 1), gt__load64(bytes + 9),
		gt__load64(bytes + 17), gt__load64(bytes + 25)};
	bytes += 33;
	count -= 33;
	if (request_count > count / 12)
		request_count = count / 12;
	bytes += 12 * request_count;
	count -= 12 * request_count;
	fill(0, LOW, PAGES * 4096, &bytes, &count);
	fill(1, HIGH, HIGH_BYTES, &bytes, &count);
	for (size_t i = 0; i < request_count; i++)
		request(&paging, requests + 12 * i);
	free(memory.slots[0].host);
	free(memory.slots[1].host);
	return 0;
}
