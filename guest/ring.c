/* SPDX-License-Identifier: MIT */
/*
 * The slow path of recording: a level that is free, room in its ring, the end
 * of a block. Everything here runs with the ring taken (its limit is 0), so
 * that an interrupting handler goes to the next level.
 */
#include "doorbell.h"
#include "encoder.h"

/* In gt_vcpu.unsaid: one change, made while nobody was inside level 0. */
#define GT_UNSAID       (UINT64_C(1) << 32)
/* One of a span that was not current: no word of what is current tells of it.
 */
#define GT_UNSAID_BELOW (UINT64_C(1) << 48)

static uint64_t lost_so_far(const struct gt_vcpu *vcpu)
{
	uint64_t lost = gt__load(&vcpu->lost);

	for (unsigned level = 0; level < GT_LEVELS; level++)
		lost += gt__load(&vcpu->ring[level].lost);
	return lost;
}

static volatile uint64_t *head(struct gt_ring *ring, uint32_t kind,
                               uint64_t bytes)
{
	volatile uint64_t *at =
		(volatile uint64_t *)(uintptr_t)(ring->base_gva +
	                                         (ring->pos & ring->mask));

	at[0] = bytes / 8 << 32 | (uint64_t)kind << 48;
	return at + 1;
}

static void publish(struct gt_ring *ring, uint64_t bytes)
{
	gt__barrier();
	gt__store(&ring->pos, ring->pos + bytes);
}

/*
 * Whether what is current has changed and no record could say so. A handler
 * says it only of what changed while nobody was inside level 0: else it may
 * stand between a record of level 0 and the change that this one is about.
 */
static bool is_sync_due(const struct gt_vcpu *vcpu, const struct gt_ring *ring)
{
	uint64_t unsaid = gt__load(&vcpu->unsaid) ^ gt__load(&vcpu->told);

	return ring == &vcpu->ring[0] ? unsaid : unsaid / GT_UNSAID;
}

/*
 * From here a reader that lost its place, or lacks what was lost, knows again
 * where it is. What changes meanwhile is for the next one.
 */
static void sync(struct gt_vcpu *vcpu, struct gt_ring *ring)
{
	volatile uint64_t *at = head(ring, GT_RECORD_SYNC, GT_SYNC_BYTES);
	uint64_t unsaid = gt__load(&vcpu->unsaid);
	uint64_t change = unsaid ^ gt__load(&vcpu->told);
	uint64_t flags = !change                     ? GT_RECORD_SAID
	                 : change >= GT_UNSAID_BELOW ? GT_RECORD_BELOW
	                                             : GT_RECORD_UNSAID;
	uint32_t crossed = vcpu->crossed;

	if (crossed != vcpu->straight)
		flags |= GT_RECORD_CROSSED;
	at[-1] |= flags << 56;
	/* Before the TSC: what a handler loses from here on is not in it. */
	at[2] = lost_so_far(vcpu);
	at[0] = GT_TSC();
	at[1] = gt__load(&vcpu->current);
	at[3] = gt__load(&vcpu->cut);
	at[4] = gt__load(&vcpu->context);
	publish(ring, GT_SYNC_BYTES);
	gt__barrier();
	gt__store(&vcpu->told, unsaid); /* a handler before that says it too */
	if (!at[1])
		vcpu->straight = crossed; /* nothing leads back there */
}

/* The position behind the last byte that may be written now. */
static uint64_t end_of_room(const struct gt_ring *ring)
{
	if (ring->mode == GT_RING_OVERWRITE)
		return UINT64_MAX;
	return gt__load(&ring->tail) + ring->mask + 1;
}

static uint64_t end_of_block(const struct gt_ring *ring)
{
	return (ring->pos | (ring->block_bytes - 1)) + 1;
}

/* Bytes that must be free before `bytes` can be recorded at `pos`. */
static uint64_t needed(const struct gt_ring *ring, uint64_t opening_bytes,
                       uint64_t sync_bytes, uint64_t bytes)
{
	uint64_t left = end_of_block(ring) - ring->pos;

	if (left == ring->block_bytes)
		return opening_bytes + bytes;
	if (sync_bytes + bytes <= left)
		return sync_bytes + bytes;
	return left + opening_bytes + bytes;
}

/*
 * The host may sleep until a block is full. It sets `want`, fences and looks at
 * `pos` again; we have published `pos`, fence and look at `want`: one of the
 * two sees the other. Pairs with gt__guest_want() in host/live/rings.c. An
 * atomic that changes nothing is a full fence and costs a third of mfence.
 */
static void wake(const struct gt_vcpu *vcpu, const struct gt_ring *ring)
{
	__asm__ volatile("lock; addl $0, -4(%%rsp)" ::: "memory", "cc");
	if (gt__load(&ring->want))
		gt__doorbell(GT_DOORBELL_WAKE | (uint64_t)vcpu->index << 32);
}

/* Makes room for `bytes` in one block; false: there is none, even now. */
static bool make_room(struct gt_vcpu *vcpu, struct gt_ring *ring,
                      uint64_t bytes)
{
	uint64_t sync_bytes = is_sync_due(vcpu, ring) ? GT_SYNC_BYTES : 0;
	uint64_t opening_bytes =
		ring == &vcpu->ring[0] ? GT_SYNC_BYTES : sync_bytes;
	uint64_t need = needed(ring, opening_bytes, sync_bytes, bytes);
	uint64_t left;

	if (opening_bytes + bytes > ring->block_bytes)
		return false;
	if (need > end_of_room(ring) - ring->pos) {
		if (ring->mode != GT_RING_FLUSH)
			return false;
		gt__doorbell(GT_DOORBELL_FLUSH | (uint64_t)vcpu->index << 32);
		if (need > end_of_room(ring) - ring->pos)
			return false;
	}
	left = end_of_block(ring) - ring->pos;
	if (sync_bytes + bytes > left) {
		head(ring, GT_RECORD_PAD, left);
		publish(ring, left);
		left = ring->block_bytes;
	}
	if (left == ring->block_bytes)
		wake(vcpu, ring);
	if (left == ring->block_bytes ? opening_bytes : sync_bytes)
		sync(vcpu, ring);
	return true;
}

/*
 * Sends the next record of every level that is free to make_room(), for a sync
 * record. In one instruction: a thread that is preempted there keeps its 0. Who
 * is inside a record of level 0 puts back the limit it has: the host ends what
 * its interrupter had entered, and the next block opens with a sync.
 */
void gt__unsaid(struct gt_vcpu *vcpu)
{
	uint64_t inside = !gt__load(&vcpu->ring[0].limit);

	__asm__ volatile("addq %1, %0"
	                 : "+m"(vcpu->unsaid)
	                 : "r"(inside ? 1 : GT_UNSAID)
	                 : "memory", "cc");
	for (unsigned level = 0; level < GT_LEVELS; level++) {
		uint64_t *limit = &vcpu->ring[level].limit;
		uint64_t was = gt__load(limit);

		if (was)
			__asm__ volatile("cmpxchgq %2, %1"
			                 : "+a"(was), "+m"(*limit)
			                 : "r"(UINT64_C(1))
			                 : "memory", "cc");
	}
}

void gt__unsaid_below(struct gt_vcpu *vcpu)
{
	__asm__ volatile("addq %1, %0"
	                 : "+m"(vcpu->unsaid)
	                 : "r"(GT_UNSAID_BELOW)
	                 : "memory", "cc");
}

static uint64_t limit_of(const struct gt_ring *ring)
{
	uint64_t room = end_of_room(ring), block = end_of_block(ring);

	return room < block ? room : block;
}

/*
 * `limit` is what the caller took from level 0; 0: somebody was inside. Returns
 * a taken ring with room for `bytes` in one block, whose `next` is the limit to
 * put back; NULL: the record is counted as lost.
 */
struct gt_ring *gt__take_slow(struct gt_vcpu *vcpu, uint64_t bytes,
                              uint64_t limit)
{
	struct gt_ring *ring = &vcpu->ring[0];

	while (!limit) {
		/* Without memory of its own no level stands in for level 0. */
		if (!vcpu->ring[0].base_gva ||
		    ++ring == &vcpu->ring[GT_LEVELS]) {
			gt__count(&vcpu->lost);
			return NULL;
		}
		limit = gt__grab(&ring->limit);
	}
	if (!make_room(vcpu, ring, bytes)) {
		gt__count(&ring->lost);
		gt__barrier();
		gt__store(&ring->limit, limit);
		return NULL;
	}
	ring->next = limit_of(ring);
	return ring;
}

/* Whether an encoder does it. */
static bool is_done(unsigned operation)
{
	if (!gt__encoder)
		return false;
	gt__encoder(operation, NULL, NULL, NULL);
	return true;
}

void gt_flush(void)
{
	if (is_done(GT__FLUSH))
		return;
	gt__doorbell(GT_DOORBELL_FLUSH | (uint64_t)GT_THIS_VCPU()->index << 32);
}

void gt_call_begin(void)
{
	is_done(GT__CALL_BEGIN);
}

void gt_call_end(void)
{
	if (!is_done(GT__CALL_END))
		gt_flush();
}

/* The unfinished records of the abandoned levels were never published. */
GT__SMALL void gt_abandon(void)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();
	struct gt__slot slot;

	if (is_done(GT_RECORD_ABANDON))
		return;
	for (unsigned level = 0; level < GT_LEVELS; level++)
		if (!gt__load(&vcpu->ring[level].limit) &&
		    vcpu->ring[level].base_gva)
			gt__store(&vcpu->ring[level].limit, 1);
	gt__store(&vcpu->current, 0);
	slot = gt__take(vcpu, GT_RECORD_BYTES);
	if (!slot.ring) {
		gt__unsaid(vcpu);
		return;
	}
	gt__head(slot, 0, GT_RECORD_ABANDON, 0, GT_RECORD_BYTES);
	gt__publish(slot, GT_RECORD_BYTES);
}
