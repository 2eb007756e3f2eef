/* SPDX-License-Identifier: MIT */
/*
 * A ring of which pages are missing. What lies before a hole ends with its last
 * whole record. Behind it records are found again by their being a chain: each
 * fits its site and ends where the next one begins, up to the end of the block.
 */
#include "rings.h"

#include "host/decode/native.h"

#include <errno.h>

#define PAGE_BYTES UINT64_C(4096)
/* Records in a row, where the end of the block is missing as well. */
#define CHAIN_MIN  3u
#define CHAIN_ENDS 255u

struct ring_look {
	struct gt__guest *guest;
	const struct gt__paging *paging;
	const struct gt__ring_view *ring;
};

static uint64_t gva_of(const struct gt__ring_view *ring, uint64_t pos)
{
	return ring->base_gva + (pos & (ring->bytes - 1));
}

/* Bytes to the end of the guest's page, or of the ring. */
static uint64_t left_of_page(const struct gt__ring_view *ring, uint64_t pos)
{
	uint64_t page = PAGE_BYTES - gva_of(ring, pos) % PAGE_BYTES;
	uint64_t wrap = ring->bytes - (pos & (ring->bytes - 1));

	return page < wrap ? page : wrap;
}

/* From `pos` on, page by page: how much is there. */
static uint64_t copy_there(const struct ring_look *look, uint64_t pos,
                           uint64_t count, uint8_t *to)
{
	uint64_t done = 0;

	while (done < count) {
		uint64_t part = left_of_page(look->ring, pos + done);

		if (part > count - done)
			part = count - done;
		if (gt__memory_read(look->guest->memory, look->paging,
		                    gva_of(look->ring, pos + done), to + done,
		                    part) < 0)
			break;
		done += part;
	}
	return done;
}

/* The first position behind the pages that are missing from `pos` on. */
static uint64_t behind_hole(const struct ring_look *look, uint64_t pos,
                            uint64_t end)
{
	uint8_t byte;

	while (pos < end &&
	       gt__memory_read(look->guest->memory, look->paging,
	                       gva_of(look->ring, pos), &byte, 1) < 0)
		pos += left_of_page(look->ring, pos);
	return pos < end ? pos : end;
}

static uint64_t end_of_block(const struct gt__ring_view *ring, uint64_t pos,
                             uint64_t end)
{
	uint64_t block = (pos / ring->block_bytes + 1) * ring->block_bytes;

	return block < end ? block : end;
}

/* Of `count` bytes that begin with a record: those of whole records. What is
 * none is for the reader to tell, as ever, up to the end of its block. */
static uint64_t whole_records(const struct ring_look *look, uint64_t pos,
                              uint64_t count, const uint8_t *bytes)
{
	uint64_t done = 0;

	while (done < count) {
		uint64_t end =
			end_of_block(look->ring, pos + done, UINT64_MAX) - pos;
		uint64_t left = (end < count ? end : count) - done;
		struct gt__record record;
		size_t length = gt__record_read(look->guest->sites,
		                                bytes + done, left, &record);

		if (length == 0 && end > count)
			break;
		done += length ? length : left;
	}
	return done;
}

/* A pad says nothing but how long it is: it must be to the end. */
static size_t link_of(const struct ring_look *look, const uint8_t *bytes,
                      uint64_t count, bool is_whole)
{
	struct gt__record record;
	size_t length =
		gt__record_read(look->guest->sites, bytes, count, &record);

	if (length > 0 && record.kind == GT_RECORD_PAD &&
	    (!is_whole || length != count || (uint32_t)gt__load64(bytes) != 0))
		return 0;
	return length;
}

/*
 * Where a chain of records begins in `count` bytes; `count`: nowhere.
 * `is_whole`: they go to the end of the block, or of the ring's records.
 */
static int64_t find_chain(const struct ring_look *look, const uint8_t *bytes,
                          uint64_t count, bool is_whole)
{
	uint64_t words = count / 8, found = words;
	uint8_t *chain = calloc(words + 1, 1);

	if (!chain)
		return -ENOMEM;
	chain[words] = is_whole ? CHAIN_ENDS : 0;
	for (uint64_t i = words; i-- > 0;) {
		size_t length =
			link_of(look, bytes + 8 * i, count - 8 * i, is_whole);
		uint8_t next = length ? chain[i + length / 8] : 0;

		if (length == 0)
			continue;
		chain[i] = next < CHAIN_ENDS - 1 ? next + 1 : next;
		if (is_whole ? next == CHAIN_ENDS : chain[i] >= CHAIN_MIN)
			found = i;
	}
	free(chain);
	return (int64_t)(8 * found);
}

/* The first record at or behind `pos`, which is there. */
static int64_t next_record(const struct ring_look *look, uint64_t pos,
                           uint64_t end, uint8_t *scratch)
{
	uint64_t block = end_of_block(look->ring, pos, end);
	uint64_t there;
	int64_t at;

	if (pos % look->ring->block_bytes == 0)
		return (int64_t)pos;
	there = copy_there(look, pos, block - pos, scratch);
	at = find_chain(look, scratch, there, there == block - pos);
	if (at < 0)
		return at;
	/* Nothing is found here: on behind it. */
	return (int64_t)(pos + (uint64_t)at);
}

int64_t gt__holes_read(struct gt__guest *guest, const struct gt__paging *paging,
                       const struct gt__ring_view *ring, uint64_t *from,
                       uint64_t pos, uint8_t *to)
{
	const struct ring_look look = {guest, paging, ring};
	uint64_t first = *from;

	while (*from < pos) {
		uint64_t there = copy_there(&look, *from, pos - *from, to);
		uint64_t whole =
			*from + there == pos
				? there
				: whole_records(&look, *from, there, to);
		int64_t next;

		if (whole > 0) {
			guest->missing_bytes += *from - first;
			return (int64_t)whole;
		}
		next = (int64_t)behind_hole(&look, *from + there, pos);
		if ((uint64_t)next < pos)
			next = next_record(&look, (uint64_t)next, pos, to);
		if (next < 0)
			return next;
		*from = (uint64_t)next;
	}
	guest->missing_bytes += *from - first;
	return 0;
}

void gt__holes_read_sites(struct gt__guest *guest,
                          const struct gt__paging *paging, uint8_t *to)
{
	for (uint64_t at = 0, part; at < guest->sites_bytes; at += part) {
		uint64_t gva = guest->sites_gva + at;

		part = PAGE_BYTES - gva % PAGE_BYTES;
		if (part > guest->sites_bytes - at)
			part = guest->sites_bytes - at;
		if (gt__memory_read(guest->memory, paging, gva, to + at, part) <
		    0) {
			memset(to + at, 0, part);
			guest->missing_sites_bytes += part;
		}
	}
}
