/* SPDX-License-Identifier: MIT */
/*
 * The ring reader: what the guest's words say is any, and at most a ring is
 * copied, of bytes within the ring, to room that there is, over its wrap and
 * before it. The ring is as the announcement lets it be: whole blocks, their
 * number and length powers of 2.
 */
#include "eva.h"
#include "host/frames/functions.h"
#include "host/live/rings.h"

#define RING_BYTES  64u
#define BLOCK_BYTES 32u
#define RING_GVA    UINT64_C(0x7fff0000)
#define VCPUS_GVA   UINT64_C(0x10000)

static uint8_t payload[GT__FRAME_HEAD + GT__RECORDS_HEAD + RING_BYTES];
static struct gt__ring_view rings[1][GT_LEVELS];
static uint64_t lost[1][2], lost_before[1][2];
static struct gt__memory memory;
static struct gt__paging paging;
static struct gt__guest guest = {
	.memory = &memory,
	.vcpus_gva = VCPUS_GVA,
	.vcpus = 1,
	.rings = rings,
	.lost = lost,
	.lost_before = lost_before,
};

static uint64_t pos; /* as it is when it is first read */
static unsigned loads;

/* ---- What it calls ------------------------------------------------------- */

/* `limit`, `pos`, `lost` of the level; then the vCPU's counters, and `pos`. */
int gt__memory_load(const struct gt__memory *of, const struct gt__paging *by,
                    uint64_t gva, uint64_t *ret_word)
{
	(void)of;
	(void)by;
	//@ assert VCPUS_GVA <= gva <= VCPUS_GVA + sizeof(struct gt_vcpu) - 8;
	*ret_word = ++loads == 2 ? pos : any(0, UINT64_MAX);
	return any(0, 3) ? 0 : -1;
}

int gt__memory_read(const struct gt__memory *of, const struct gt__paging *by,
                    uint64_t gva, void *to, size_t count)
{
	(void)of;
	(void)by;
	//@ assert 0 < count <= RING_BYTES;
	//@ assert RING_GVA <= gva && gva + count <= RING_GVA + RING_BYTES;
	make_any(to, count);
	return any(0, 1) ? 0 : -1;
}

/* What holes.c says of itself. */
int64_t gt__holes_read(struct gt__guest *of, const struct gt__paging *by,
                       const struct gt__ring_view *ring, uint64_t *from,
                       uint64_t end, uint8_t *to)
{
	uint64_t count = end - *from;

	(void)of;
	(void)by;
	(void)ring;
	//@ assert count <= RING_BYTES;
	if (any(0, 1))
		return -12;
	for (uint64_t skipped = 0; skipped <= count; skipped += 8)
		if (any(0, 1)) {
			*from += skipped;
			count -= skipped;
			break;
		}
	if (count > 0)
		make_any(to, count);
	return (int64_t)count;
}

int gt__guest_write(struct gt__guest *to, const struct gt__paging *by,
                    uint64_t gva, const void *from, size_t count)
{
	(void)to;
	(void)by;
	//@ assert VCPUS_GVA <= gva <= VCPUS_GVA + sizeof(struct gt_vcpu) - 8;
	//@ assert count == 8;
	//@ assert \valid_read((const char *)from + (0 .. 7));
	return any(0, 1) ? 0 : -GT_ERROR_READ_ONLY;
}

/* realloc(): more than a ring is never asked for. */
void *grow(void *bytes, size_t count);

void *grow(void *bytes, size_t count)
{
	(void)count;
	//@ assert \false;
	return bytes;
}

/* ---- Any guest ----------------------------------------------------------- */

static void take(uint64_t tail, uint64_t at)
{
	struct gt__frame_buffer buffer = {.bytes = payload,
	                                  .count = GT__FRAME_HEAD,
	                                  .room = sizeof(payload)};
	int error;

	rings[0][0].tail = tail;
	pos = at;
	loads = 0;
	if (gt__guest_read(&guest, &paging, 0, &buffer, &error) == 1)
		gt__guest_taken(&guest, &paging, 0, &buffer);
}

/* From a place in the ring on: up to more than it, and where nothing is taken.
 */
static void take_from(uint64_t tail)
{
	static const unsigned more[] = {0,  8,  24,  32,  40, 56,
	                                64, 72, 104, 136, 3};

	//@ loop unroll 11;
	for (unsigned i = 0; i < 11; i++)
		take(tail, tail + more[i]);
	take(tail, tail + (UINT64_C(1) << 40));
	take(tail, any(0, tail - 1));
	take(tail, any(UINT64_C(1) << GT_ID_VCPU_SHIFT, UINT64_MAX));
}

/* In the middle, at the end of a block, before the wrap. */
static void take_all(uint64_t base)
{
	take_from(base + 8);
	take_from(base + BLOCK_BYTES);
	take_from(base + RING_BYTES - 8);
}

void read_ring(void);
void read_holes(void);

static void take_any(void)
{
	rings[0][0].base_gva = RING_GVA;
	rings[0][0].bytes = RING_BYTES;
	rings[0][0].block_bytes = BLOCK_BYTES;
	lost[0][0] = any(0, UINT64_MAX);
	lost[0][1] = any(0, UINT64_MAX);
	//@ loop unroll 2;
	for (unsigned overwrite = 0; overwrite < 2; overwrite++) {
		rings[0][0].overwrite = overwrite;
		take_all(0);
		take_all((UINT64_C(1) << GT_ID_VCPU_SHIFT) - 4 * RING_BYTES);
	}
}

void read_ring(void)
{
	take_any();
}

void read_holes(void)
{
	memory.has_holes = true;
	take_any();
}
