/* SPDX-License-Identifier: MIT */
/*
 * Packs a text of 124 KB, unpacks it again, and compares.
 *
 *   compress.elf [--repeat N]
 *
 * The text is data/service.log, the packed form that of LZ4's blocks; each
 * block may refer to up to 64 KiB before it.
 *
 * In the trace: a span per phase and per block, where unpacking a block is
 * linked to having packed it; a counter of bytes in and out. With --filter
 * info,compress=trace also each of 6,500 matches, as fast as a guest can.
 */
#define GT_TARGET "compress"

#include <guesttrace/guest.h>

#include "../runtime/runtime.h"
#include "embed.h"
#include "result.h"
#include "trace.h"

EMBED(service_log, "service.log");

#define BLOCK_BYTES    8192u
#define BLOCKS_MAX     64u
#define DISTANCE_MAX   65535u
#define MATCH_MIN      4u
#define SEARCH_MARGIN  12u /* LZ4: no match starts nearer to a block's end, */
#define LITERAL_MARGIN 5u  /* and none comes nearer */
#define HASH_BITS      13u

struct output {
	uint8_t *bytes;
	size_t used;
	size_t room;
	bool full; /* something did not fit */
};

struct input {
	const uint8_t *at;
	const uint8_t *end;
	bool bad; /* ended too early */
};

struct block {
	size_t from; /* in the text */
	size_t bytes;
	size_t packed_from;
	size_t packed_bytes;
	struct gt_span packed_by;
};

struct archive {
	const uint8_t *text;
	size_t bytes;
	struct output packed;
	struct output unpacked;
	struct block blocks[BLOCKS_MAX];
	uint32_t block_count;
	uint32_t last_at[1u << HASH_BITS]; /* where four bytes were, plus 1 */
};

/* ---- Packing ------------------------------------------------------------- */

static void put(struct output *to, const uint8_t *bytes, size_t n)
{
	if (n > to->room - to->used) {
		to->full = true;
		return;
	}
	memcpy(to->bytes + to->used, bytes, n);
	to->used += n;
}

static void put_byte(struct output *to, size_t byte)
{
	put(to, &(uint8_t){(uint8_t)byte}, 1);
}

/* What of a length exceeds the four bits that the token has for it. */
static void put_rest(struct output *to, size_t length)
{
	if (length < 15)
		return;
	for (length -= 15; length >= 255; length -= 255)
		put_byte(to, 255);
	put_byte(to, length);
}

static size_t nibble(size_t length)
{
	return length < 15 ? length : 15;
}

/* Literals and, unless it is the block's last sequence, a match. */
static void put_sequence(struct output *to, const uint8_t *literals, size_t n,
                         size_t distance, size_t match)
{
	size_t more = match ? match - MATCH_MIN : 0;

	put_byte(to, nibble(n) << 4 | nibble(more));
	put_rest(to, n);
	put(to, literals, n);
	if (!match)
		return;
	put_byte(to, distance & 0xff);
	put_byte(to, distance >> 8);
	put_rest(to, more);
}

static uint32_t hash_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word * 2654435761u >> (32 - HASH_BITS);
}

/* How far the text at `at` equals an earlier part; 0: not worth it. */
static size_t find_match(struct archive *archive, size_t at, size_t end,
                         size_t *ret_distance)
{
	const uint8_t *text = archive->text;
	uint32_t *last = &archive->last_at[hash_at(text + at)];
	size_t before = *last, length = 0;

	*last = (uint32_t)at + 1;
	if (before == 0 || at - (before - 1) > DISTANCE_MAX)
		return 0;
	before--;
	while (at + length < end && text[before + length] == text[at + length])
		length++;
	*ret_distance = at - before;
	return length < MATCH_MIN ? 0 : length;
}

static void pack_text(struct archive *archive, size_t at, size_t end)
{
	size_t literals = at, distance = 0;

	while (at + SEARCH_MARGIN < end) {
		size_t match = find_match(archive, at, end - LITERAL_MARGIN,
		                          &distance);

		if (match == 0) {
			at++;
			continue;
		}
		GT_EVENT(GT_TRACE, "match", gt_u64("bytes", match),
		         gt_u64("distance", distance));
		put_sequence(&archive->packed, archive->text + literals,
		             at - literals, distance, match);
		at += match;
		literals = at;
	}
	put_sequence(&archive->packed, archive->text + literals, end - literals,
	             0, 0);
}

/*
 * The copy of the span is for a link: closing a span clears it. The source is
 * still the owner.
 */
static void pack_block(struct archive *archive, struct block *block)
{
	uint32_t sum = checksum(CHECKSUM_START, archive->text + block->from,
	                        block->bytes);
	GT_SPAN(span, GT_INFO, "pack_block", gt_u64("from", block->from),
	        gt_u64("bytes", block->bytes),
	        gt_bytes("checksum", &sum, sizeof(sum)));

	block->packed_by = span;
	block->packed_from = archive->packed.used;
	pack_text(archive, block->from, block->from + block->bytes);
	block->packed_bytes = archive->packed.used - block->packed_from;
	GT_RECORD(span, gt_u64("packed", block->packed_bytes),
	          gt_f64("ratio",
	                 (double)block->bytes / (double)block->packed_bytes));
	GT_COUNTER(GT_INFO, "packed", gt_u64("in", block->from + block->bytes),
	           gt_u64("out", archive->packed.used));
}

static bool pack(struct archive *archive)
{
	GT_SPAN(span, GT_INFO, "pack", gt_u64("bytes", archive->bytes),
	        gt_ptr("text", archive->text));
	size_t left = archive->bytes;

	while (left > 0 && archive->block_count < BLOCKS_MAX) {
		struct block *block = &archive->blocks[archive->block_count++];

		block->from = archive->bytes - left;
		block->bytes = left < BLOCK_BYTES ? left : BLOCK_BYTES;
		pack_block(archive, block);
		left -= block->bytes;
	}
	if (left == 0 && !archive->packed.full)
		return true;
	GT_RECORD(span, gt_error("no room for the packed text"));
	return false;
}

/* ---- Unpacking ----------------------------------------------------------- */

static const uint8_t *get(struct input *from, size_t n)
{
	const uint8_t *at = from->at;

	if ((size_t)(from->end - at) < n) {
		from->bad = true;
		return NULL;
	}
	from->at += n;
	return at;
}

static size_t get_byte(struct input *from)
{
	const uint8_t *at = get(from, 1);

	return at ? *at : 0;
}

static size_t get_length(struct input *from, size_t length)
{
	size_t more = length == 15 ? 255 : 0;

	while (more == 255) {
		more = get_byte(from);
		length += more;
	}
	return length;
}

/* A match may overlap what it writes: "ab" at distance 1 becomes "abbbb". */
static void copy_match(struct output *to, size_t distance, size_t n)
{
	if (distance == 0 || distance > to->used || n > to->room - to->used) {
		to->full = true;
		return;
	}
	for (; n > 0; n--, to->used++)
		to->bytes[to->used] = to->bytes[to->used - distance];
}

static void unpack_sequence(struct input *from, struct output *to)
{
	size_t token = get_byte(from);
	size_t n = get_length(from, token >> 4);
	const uint8_t *literals = get(from, n);
	size_t distance;

	if (literals)
		put(to, literals, n);
	if (from->bad || from->at == from->end)
		return;
	distance = get_byte(from);
	distance |= get_byte(from) << 8;
	copy_match(to, distance, get_length(from, token & 15) + MATCH_MIN);
}

static bool unpack_block(struct archive *archive, const struct block *block)
{
	GT_SPAN(span, GT_INFO, "unpack_block", gt_link(block->packed_by),
	        gt_u64("bytes", block->packed_bytes));
	struct output *to = &archive->unpacked;
	const uint8_t *packed = archive->packed.bytes + block->packed_from;
	struct input from = {packed, packed + block->packed_bytes, false};

	while (from.at < from.end && !from.bad && !to->full)
		unpack_sequence(&from, to);
	if (!from.bad && !to->full && to->used == block->from + block->bytes)
		return true;
	GT_RECORD(span, gt_error("not a packed block"));
	return false;
}

static bool unpack(struct archive *archive)
{
	GT_SPAN(span, GT_INFO, "unpack", gt_u64("bytes", archive->packed.used));

	for (uint32_t i = 0; i < archive->block_count; i++)
		if (!unpack_block(archive, &archive->blocks[i]))
			return false;
	return true;
}

/* ---- The whole ----------------------------------------------------------- */

static bool verify(const struct archive *archive)
{
	GT_SPAN(span, GT_INFO, "verify");
	bool same = archive->unpacked.used == archive->bytes &&
	            memcmp(archive->unpacked.bytes, archive->text,
	                   archive->bytes) == 0;

	GT_RECORD(span, gt_bool("same", same));
	if (!same)
		GT_RECORD(span, gt_error("the text has changed"));
	return same;
}

static struct output new_output(size_t room)
{
	void *bytes = runtime_alloc(room, 8);

	if (!bytes)
		runtime_panic("no memory for the text");
	return (struct output){.bytes = bytes, .room = room};
}

static bool round_trip(struct archive *archive, uint64_t round)
{
	GT_SPAN(span, GT_INFO, "round_trip", gt_u64("round", round));

	archive->block_count = 0;
	archive->packed.used = 0;
	archive->unpacked.used = 0;
	memset(archive->last_at, 0, sizeof(archive->last_at));
	return pack(archive) && unpack(archive) && verify(archive);
}

static void print(const struct archive *archive)
{
	runtime_print("compress:");
	result_u64("bytes", archive->bytes);
	result_u64("packed", archive->packed.used);
	result_hex("checksum", checksum(CHECKSUM_START, archive->packed.bytes,
	                                archive->packed.used));
	runtime_print("\n");
}

int guest_main(int argc, char **argv)
{
	static struct archive archive;
	uint64_t repeat = 1;
	bool same = true;

	if (argc > 2 && !strcmp(argv[1], "--repeat"))
		repeat = runtime_parse_u64(argv[2]);
	archive.text = (const uint8_t *)service_log;
	archive.bytes = (size_t)(service_log_end - service_log);
	archive.packed = new_output(archive.bytes + archive.bytes / 64 + 64);
	archive.unpacked = new_output(archive.bytes);
	trace_start();
	for (uint64_t round = 0; round < repeat && same; round++)
		same = round_trip(&archive, round);
	trace_stop();
	print(&archive);
	return same ? 0 : 1;
}
