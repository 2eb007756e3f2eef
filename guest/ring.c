/* SPDX-License-Identifier: MIT */
/*
 * The slow path of recording: a level that is free, room in its ring, the end
 * of a block. Everything here runs with the ring taken (its limit is 0), so
 * that an interrupting handler goes to the next level.
 */
#include "doorbell.h"
#include "encoder.h"

/* In gt_vcpu.unsaid: one change, made while nobody was inside level 0. */
#define GT_UNSAID        (UINT64_C(1) << 32)
/* One of a span that was not current: no word of what is current tells of it.
 */
#define GT_UNSAID_BELOW  (UINT64_C(1) << 48)
/* No count: that of `told` is another one while a switch has no record yet. */
#define GT_UNSAID_SWITCH (UINT64_C(1) << 63)

/* In gt_ring.next of a full ring: more than this and as many records as are
 * lost by then, or no doorbell. No position is that high. */
#define IN_VAIN (UINT64_C(1) << 63)

static __attribute__((noinline)) void ring_bell(const struct gt_vcpu *vcpu,
                                                enum gt_doorbell why)
{
	gt__doorbell(why | (uint64_t)vcpu->index << 32);
}

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
	uint64_t flags = !change ? GT_RECORD_SAID
	                 : change == GT_UNSAID_SWITCH
	                         ? GT_RECORD_SAID | GT_RECORD_SWITCHED
	                 : change << 1 >= GT_UNSAID_BELOW << 1
	                         ? GT_RECORD_BELOW
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
		ring_bell(vcpu, GT_DOORBELL_WAKE);
}

/*
 * Whether a doorbell has made room for `need` bytes. Where one did not, there
 * may be nobody who takes records, and leaving the VM costs more than they are
 * worth: the next is due when another ring full of them is lost. Somebody who
 * moves the tail meanwhile needs none.
 */
static bool ask_for_room(const struct gt_vcpu *vcpu, struct gt_ring *ring,
                         uint64_t need)
{
	uint64_t lost = IN_VAIN + ring->lost;

	if (ring->mode != GT_RING_FLUSH || ring->next > lost)
		return false;
	ring_bell(vcpu, GT_DOORBELL_FLUSH);
	if (need <= end_of_room(ring) - ring->pos)
		return true;
	ring->next = lost + ring->mask / GT_RECORD_BYTES;
	return false;
}

GT__SMALL void gt_set_level(enum gt_level level)
{
	uint64_t at = gt_control.sites_gva;
	uint64_t end = at + gt_control.sites_bytes;
	const uint8_t on = gt__encoder ? GT_SITE_OUT_OF_LINE : GT_SITE_NATIVE;

	gt_control.quiet = level == GT_OFF;
	for (; end - at >= sizeof(struct gt_site); at += GT_SITE_ALIGN) {
		struct gt_site *site = (struct gt_site *)(uintptr_t)at;

		if (site->magic != GT_SITE_MAGIC ||
		    site->kind == GT_SITE_FIELDS)
			continue;
		*(volatile uint8_t *)&site->state =
			site->level <= level ? on : GT_SITE_OFF;
	}
}

/* From `root` on, so that each is a short way from the first. */
enum {
	ROOT,
	OWNER,
	LEASE,
	BEAT,
	UNTIL,
	SEEN
};

_Static_assert(offsetof(struct gt_control, beat_seen) -
                               offsetof(struct gt_control, root) ==
                       8 * SEEN,
               "the words are in that order");

/*
 * Says where the page tables are, where that can be read (CPL 0), and switches
 * sites off whose reader gives no sign of life. UNTIL before SEEN: of two
 * vCPUs that come here at once, one that sees the beat as seen sees a TSC that
 * is as new. One that goes back, as that of another vCPU may, ends nothing.
 */
GT__SLOW void gt__look_at_owner(void)
{
	volatile uint64_t *words = &gt_control.root;
	uint64_t word, now, lease;

	__asm__("" : "+r"(words)); /* one address for all of them */
	__asm__ volatile("movl %%cs, %k0" : "=r"(word));
	if (!(word & 3)) {
		__asm__ volatile("movq %%cr3, %0" : "=r"(word));
		words[ROOT] = word;
	}
	lease = words[LEASE];
	if (!lease)
		return;
	now = GT_TSC();
	word = words[BEAT];
	if (word != words[SEEN]) {
		words[UNTIL] = now + lease;
		words[SEEN] = word;
	} else if ((int64_t)(now - words[UNTIL]) > 0) {
		words[LEASE] = 0;
		words[OWNER] = 0;
		gt_set_level(GT_OFF);
	}
}

/* Makes room for `bytes` in one block; false: there is none, even now. */
static bool make_room(struct gt_vcpu *vcpu, struct gt_ring *ring,
                      uint64_t bytes)
{
	uint64_t sync_bytes = is_sync_due(vcpu, ring) ? GT_SYNC_BYTES : 0;
	uint64_t left = end_of_block(ring) - ring->pos;
	uint64_t pad_bytes = sync_bytes + bytes > left ? left : 0;
	bool opens_block = pad_bytes || left == ring->block_bytes;
	uint64_t need;

	if (opens_block && ring == &vcpu->ring[0])
		sync_bytes = GT_SYNC_BYTES;
	if (sync_bytes + bytes > ring->block_bytes)
		return false;
	need = pad_bytes + sync_bytes + bytes;
	if (need > end_of_room(ring) - ring->pos &&
	    !ask_for_room(vcpu, ring, need))
		return false;
	if (pad_bytes) {
		head(ring, GT_RECORD_PAD, pad_bytes);
		publish(ring, pad_bytes);
	}
	if (opens_block)
		wake(vcpu, ring);
	if (sync_bytes)
		sync(vcpu, ring);
	return true;
}

/*
 * Something that the next sync record has to say. Sends the next record of
 * every level that is free to make_room(), for one. In one instruction: a
 * thread that is preempted there keeps its 0. Who is inside a record of level 0
 * puts back the limit it has: the host ends what its interrupter had entered,
 * and the next block opens with a sync.
 */
static GT__SMALL void leave_for_sync(struct gt_vcpu *vcpu, uint64_t what)
{
	__asm__ volatile("addq %1, %0"
	                 : "+m"(vcpu->unsaid)
	                 : "r"(what)
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

void gt__unsaid(struct gt_vcpu *vcpu)
{
	uint64_t inside = !gt__load(&vcpu->ring[0].limit);

	leave_for_sync(vcpu, inside ? 1 : GT_UNSAID);
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
GT__SLOW struct gt_ring *gt__take_slow(struct gt_vcpu *vcpu, uint64_t bytes,
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
	gt__look_at_owner();
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

__attribute__((noinline)) void gt_flush(void)
{
	if (is_done(GT__FLUSH))
		return;
	ring_bell(GT_THIS_VCPU(), GT_DOORBELL_FLUSH);
}

GT__SMALL void gt_call_begin(void)
{
	is_done(GT__CALL_BEGIN);
}

void gt_call_end(void)
{
	if (!is_done(GT__CALL_END))
		gt_flush();
}

/*
 * Tells that `context` and `current` change, by a record. It takes its slot
 * before they do: a sync record that opens the slot's block must still name
 * what was. They are stored between head and publishing, see begin_word() in
 * handle.c.
 */
static __attribute__((noinline)) void
record_change(struct gt_vcpu *vcpu, uint32_t kind, uint64_t bytes,
              uint64_t context, uint64_t current)
{
	struct gt_ring *ring =
		gt__take_slow(vcpu, bytes, gt__grab(&vcpu->ring[0].limit));
	volatile uint64_t *at;

	if (ring) {
		at = head(ring, kind, bytes);
		at[0] = GT_TSC();
	}
	gt__store(&vcpu->context, context);
	gt__store(&vcpu->current, current);
	if (!ring) {
		gt__unsaid(vcpu);
		return;
	}
	if (kind == GT_RECORD_SWITCH) {
		at[1] = context;
		at[2] = current;
	}
	publish(ring, bytes);
	gt__barrier();
	gt__store(&ring->limit, ring->next);
}

/* Whether somebody is inside a record; `expel`: not any more. */
static GT__SMALL bool is_taken(struct gt_vcpu *vcpu, bool expel)
{
	for (unsigned level = 0; level < GT_LEVELS; level++) {
		struct gt_ring *ring = &vcpu->ring[level];

		if (gt__load(&ring->limit) || !ring->base_gva)
			continue;
		if (!expel)
			return true;
		gt__store(&ring->limit, 1);
	}
	return false;
}

/*
 * Where no site is on, a switch needs no record before there is another: a sync
 * record then tells of it. Not where somebody is inside a record, which would
 * then come before the switch that it came after.
 */
GT__SMALL uint64_t gt_switch(uint64_t context, uint64_t current)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();
	uint64_t previous = gt__load(&vcpu->current);

	if (gt__encoder) {
		gt__store(&vcpu->context, context);
		is_done(GT_RECORD_SWITCH);
	} else if (gt_control.quiet && !is_taken(vcpu, false)) {
		gt__store(&vcpu->context, context);
		gt__store(&vcpu->current, current);
		if (gt__load(&vcpu->unsaid) == gt__load(&vcpu->told))
			leave_for_sync(vcpu, GT_UNSAID_SWITCH);
	} else {
		record_change(vcpu, GT_RECORD_SWITCH, GT_SWITCH_BYTES, context,
		              current);
	}
	return previous;
}

/* The unfinished records of the abandoned levels were never published. */
GT__SMALL void gt_abandon(void)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();

	if (is_done(GT_RECORD_ABANDON))
		return;
	is_taken(vcpu, true);
	record_change(vcpu, GT_RECORD_ABANDON, GT_RECORD_BYTES,
	              gt__load(&vcpu->context), 0);
}
