/* SPDX-License-Identifier: MIT */
/*
 * Guest virtual address -> bytes. Intel SDM volume 3, 4.5 "4-Level Paging", and
 * AMD APM volume 2, 5.3 "Long-Mode Page Translation", give the same bits.
 *
 * The guest owns the tables and may change them while we walk: each entry is
 * loaded once, the depth is fixed, and every address is compared with the slots
 * before it is used.
 */
#include "memory.h"

#include <errno.h>
#include <string.h>

#define CR0_PE         (UINT64_C(1) << 0)
#define CR0_PG         (UINT64_C(1) << 31)
#define CR4_PAE        (UINT64_C(1) << 5)
#define CR4_LA57       (UINT64_C(1) << 12)
#define EFER_LMA       (UINT64_C(1) << 10)
#define ENTRY_PRESENT  (UINT64_C(1) << 0)
#define ENTRY_WRITABLE (UINT64_C(1) << 1)
#define ENTRY_LARGE    (UINT64_C(1) << 7)
#define ENTRY_ADDRESS  UINT64_C(0x000ffffffffff000) /* bits 51:12 */
#define PAGE_BYTES     UINT64_C(4096)

/* Where a guest physical address lies. */
struct place {
	const struct gt_memory_slot *slot;
	uint64_t offset;
	uint64_t bytes; /* what there is of the slot from there on */
};

static bool find(const struct gt__memory *memory, uint64_t gpa,
                 struct place *ret_place)
{
	for (uint32_t i = 0; i < memory->count; i++) {
		const struct gt_memory_slot *slot = &memory->slots[i];
		uint64_t offset = gpa - slot->gpa;

		if (gpa < slot->gpa || offset >= slot->bytes)
			continue;
		*ret_place = (struct place){slot, offset, slot->bytes - offset};
		return true;
	}
	return false;
}

static unsigned char *mapped(const struct place *place)
{
	return (unsigned char *)place->slot->host + place->offset;
}

/* What cannot be read is as good as not there. */
static int copy_out(const struct place *place, void *to, size_t count)
{
	const struct gt_memory_slot *slot = place->slot;

	if (!slot->access)
		memcpy(to, mapped(place), count);
	else if (slot->access->read(slot->host, place->offset, to, count) < 0)
		return -GT_ERROR_OUTSIDE_RAM;
	return 0;
}

static int load_entry(const struct gt__memory *memory, uint64_t gpa,
                      uint64_t *ret_entry)
{
	struct place place;

	if (!find(memory, gpa, &place) || place.bytes < sizeof(*ret_entry))
		return -GT_ERROR_OUTSIDE_RAM;
	if (place.slot->access)
		return copy_out(&place, ret_entry, sizeof(*ret_entry));
	*ret_entry = *(const volatile uint64_t *)(const void *)mapped(&place);
	return 0;
}

/* A page of `size` bytes must begin at a multiple; bit 12 selects its PAT. */
static bool has_reserved_bits(uint64_t entry, uint64_t size, unsigned level)
{
	if (!(entry & ENTRY_LARGE))
		return false;
	return level >= 3 ||
	       (entry & ENTRY_ADDRESS & (size - 1) & ~PAGE_BYTES) != 0;
}

static bool has_five_levels(const struct gt__paging *paging)
{
	return paging->cr4 & CR4_LA57;
}

/* One address; `ret_bytes` of its page follow it. */
static int walk(const struct gt__memory *memory,
                const struct gt__paging *paging, uint64_t gva, bool write,
                uint64_t *ret_gpa, uint64_t *ret_bytes)
{
	uint64_t table = paging->cr3 & ENTRY_ADDRESS;

	for (unsigned level = has_five_levels(paging) ? 4 : 3;; level--) {
		unsigned shift = 12 + 9 * level;
		uint64_t size = UINT64_C(1) << shift;
		uint64_t entry;
		int r = load_entry(memory, table + (gva >> shift & 511) * 8,
		                   &entry);

		if (r < 0)
			return r;
		if (!(entry & ENTRY_PRESENT))
			return -GT_ERROR_UNMAPPED;
		if (level > 0 && has_reserved_bits(entry, size, level))
			return -GT_ERROR_RESERVED_BIT;
		if (write && !(entry & ENTRY_WRITABLE))
			return -GT_ERROR_READ_ONLY;
		table = entry & ENTRY_ADDRESS;
		if (level > 0 && !(entry & ENTRY_LARGE))
			continue;
		*ret_gpa = (table & ~(size - 1)) + (gva & (size - 1));
		*ret_bytes = size - (gva & (size - 1));
		return 0;
	}
}

/* The last stretch that begins at or before it. */
static int pinned_at(const struct gt__memory *memory, uint64_t gva, bool write,
                     uint64_t *ret_gpa, uint64_t *ret_bytes)
{
	const struct gt__pinned *pinned = memory->pinned;
	size_t low = 0, high = memory->pinned_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pinned[middle].gva <= gva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || gva - pinned[low - 1].gva >= pinned[low - 1].bytes)
		return -GT_ERROR_UNMAPPED;
	if (write && !pinned[low - 1].is_writable)
		return -GT_ERROR_READ_ONLY;
	*ret_gpa = pinned[low - 1].gpa + (gva - pinned[low - 1].gva);
	*ret_bytes = pinned[low - 1].bytes - (gva - pinned[low - 1].gva);
	return 0;
}

static bool is_canonical(const struct gt__paging *paging, uint64_t gva)
{
	unsigned bits = has_five_levels(paging) ? 57 : 48;
	uint64_t top = gva >> (bits - 1);

	return top == 0 || top == UINT64_MAX >> (bits - 1);
}

static int check(const struct gt__paging *paging, uint64_t gva, size_t count)
{
	uint64_t last;

	if (count == 0)
		return -EINVAL;
	if (count - 1 > ~gva)
		return -GT_ERROR_WRAPS;
	last = gva + (count - 1);
	if (!is_canonical(paging, gva) || !is_canonical(paging, last) ||
	    gva >> 63 != last >> 63)
		return -GT_ERROR_NOT_CANONICAL;
	if (!(paging->cr0 & CR0_PE) || !(paging->cr0 & CR0_PG) ||
	    !(paging->cr4 & CR4_PAE) || !(paging->efer & EFER_LMA))
		return -GT_ERROR_PAGING_MODE;
	return 0;
}

/* The next stretch of guest memory that lies in one piece on the host. */
static int next_piece(const struct gt__memory *memory,
                      const struct gt__paging *paging, uint64_t gva,
                      size_t count, bool write, struct place *ret_place,
                      size_t *ret_count)
{
	uint64_t gpa, page_bytes;
	int r = memory->pinned_count > 0
	                ? pinned_at(memory, gva, write, &gpa, &page_bytes)
	                : walk(memory, paging, gva, write, &gpa, &page_bytes);

	if (r < 0)
		return r;
	if (!find(memory, gpa, ret_place))
		return -GT_ERROR_OUTSIDE_RAM;
	if (write && ret_place->slot->read_only)
		return -GT_ERROR_READ_ONLY;
	if (count > page_bytes)
		count = page_bytes;
	*ret_count = count > ret_place->bytes ? ret_place->bytes : count;
	return 0;
}

int gt__memory_find(const struct gt__memory *memory,
                    const struct gt__paging *paging, uint64_t gva, size_t count,
                    struct gt__pinned *ret_piece)
{
	struct place place;
	size_t piece;
	int r = check(paging, gva, count);

	if (r < 0)
		return r;
	r = next_piece(memory, paging, gva, count, true, &place, &piece);
	ret_piece->is_writable = r == 0;
	if (r == -GT_ERROR_READ_ONLY)
		r = next_piece(memory, paging, gva, count, false, &place,
		               &piece);
	if (r < 0)
		return r;
	ret_piece->gva = gva;
	ret_piece->gpa = place.slot->gpa + place.offset;
	ret_piece->bytes = piece;
	return 0;
}

int gt__memory_read(const struct gt__memory *memory,
                    const struct gt__paging *paging, uint64_t gva, void *to,
                    size_t count)
{
	unsigned char *out = to;
	struct place place;
	size_t piece;
	int r = check(paging, gva, count);

	while (r == 0 && count > 0) {
		r = next_piece(memory, paging, gva, count, false, &place,
		               &piece);
		if (r == 0)
			r = copy_out(&place, out, piece);
		if (r < 0)
			break;
		out += piece;
		gva += piece;
		count -= piece;
	}
	return r;
}

static int load_word(const struct place *place, uint64_t *ret_word)
{
	uint64_t word;
	int r = 0;

	if (!place->slot->access)
		word = __atomic_load_n(
			(const uint64_t *)(const void *)mapped(place),
			__ATOMIC_ACQUIRE);
	else
		r = copy_out(place, &word, sizeof(word));
	if (r == 0)
		*ret_word = word;
	return r;
}

static int find_word(const struct gt__memory *memory,
                     const struct gt__paging *paging, uint64_t gva,
                     struct place *ret_place)
{
	size_t piece;
	int r = gva % sizeof(uint64_t) ? -EINVAL
	                               : check(paging, gva, sizeof(uint64_t));

	if (r == 0)
		r = next_piece(memory, paging, gva, sizeof(uint64_t), false,
		               ret_place, &piece);
	/* A slot is a multiple of 8 bytes long, or its last ones are no word.
	 */
	return r == 0 && piece < sizeof(uint64_t) ? -GT_ERROR_OUTSIDE_RAM : r;
}

int gt__memory_load(const struct gt__memory *memory,
                    const struct gt__paging *paging, uint64_t gva,
                    uint64_t *ret_word)
{
	struct place place;
	int r = find_word(memory, paging, gva, &place);

	return r == 0 ? load_word(&place, ret_word) : r;
}

/* Words that lie in one slot, and are asked for at once. */
struct words {
	const struct gt_memory_slot *slot;
	uint64_t offsets[GT_MEMORY_WORDS_MAX];
	size_t count;
};

static int load_gathered(struct words *gathered, uint64_t *words)
{
	const struct gt_memory_slot *slot = gathered->slot;
	size_t count = gathered->count;

	gathered->count = 0;
	if (count == 0 ||
	    slot->access->read_words(slot->host, gathered->offsets, words,
	                             count) == 0)
		return 0;
	return -GT_ERROR_OUTSIDE_RAM;
}

int gt__memory_load_words(const struct gt__memory *memory,
                          const struct gt__paging *paging, const uint64_t *gvas,
                          uint64_t *words, size_t count)
{
	struct words gathered = {.slot = NULL};
	struct place place;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		r = find_word(memory, paging, gvas[i], &place);
		if (r == 0 && (place.slot != gathered.slot ||
		               gathered.count == GT_MEMORY_WORDS_MAX))
			r = load_gathered(&gathered,
			                  words + i - gathered.count);
		if (r < 0)
			break;
		gathered.slot = place.slot;
		if (place.slot->access && place.slot->access->read_words)
			gathered.offsets[gathered.count++] = place.offset;
		else
			r = load_word(&place, &words[i]);
	}
	return r < 0 ? r
	             : load_gathered(&gathered, words + count - gathered.count);
}

/* The guest reads whole words while we write them: no torn cursor. */
static void put(unsigned char *at, const unsigned char *from, size_t count)
{
	uint64_t word;

	while (count > 0) {
		if ((uintptr_t)at % sizeof(word) != 0 || count < sizeof(word)) {
			*(volatile unsigned char *)at++ = *from++;
			count--;
			continue;
		}
		memcpy(&word, from, sizeof(word));
		__atomic_store_n((uint64_t *)(void *)at, word,
		                 __ATOMIC_RELEASE);
		at += sizeof(word);
		from += sizeof(word);
		count -= sizeof(word);
	}
}

/* What cannot be written now may be writable later: as the guest's own pages.
 */
static int copy_in(const struct place *place, const unsigned char *from,
                   size_t count)
{
	const struct gt_memory_slot *slot = place->slot;

	if (!slot->access)
		put(mapped(place), from, count);
	else if (slot->access->write(slot->host, place->offset, from, count) <
	         0)
		return -GT_ERROR_READ_ONLY;
	return 0;
}

int gt__memory_write(const struct gt__memory *memory,
                     const struct gt__paging *paging, uint64_t gva,
                     const void *from, size_t count)
{
	const unsigned char *in = from;
	struct place place;
	size_t piece;
	int r = check(paging, gva, count);

	while (r == 0 && count > 0) {
		r = next_piece(memory, paging, gva, count, true, &place,
		               &piece);
		if (r == 0)
			r = copy_in(&place, in, piece);
		if (r < 0)
			break;
		in += piece;
		gva += piece;
		count -= piece;
	}
	return r;
}
