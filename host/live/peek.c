/* SPDX-License-Identifier: MIT */
/*
 * By how much the TSC of an attached guest differs from the host's, where
 * nobody says: what moves between two looks was recorded between them. So the
 * newest record was made before this look, and the oldest one that the look
 * before did not see was made after it.
 */
#include "host_inside.h"

#include <stddef.h>

/* Looks of one round while nothing can be shown. */
#define LOOKS      64u
/* Good enough: about twice what a look cannot tell. */
#define RIPE_TICKS (3 * (int64_t)STORE_BUFFER_TICKS)
#define LATE_LOOKS 50u

/* That may be held beside what rings are long. */
#define HELD_BYTES_MIN (UINT64_C(1) << 20)

struct looker {
	struct gt_host *host;
	const struct gt__paging *paging;
	uint32_t vcpu;
	const struct gt__ring_view *ring;
};

static uint64_t ring_gva(const struct looker *looker, size_t member)
{
	return looker->host->guest.vcpus_gva +
	       looker->vcpu * sizeof(struct gt_vcpu) +
	       offsetof(struct gt_vcpu, ring) + member;
}

static bool load(const struct looker *looker, size_t member, uint64_t *ret_word)
{
	return gt__memory_load(&looker->host->memory, looker->paging,
	                       ring_gva(looker, member), ret_word) == 0;
}

static bool read_ring(const struct looker *looker, uint64_t pos, void *to,
                      size_t count)
{
	return gt__memory_read(&looker->host->memory, looker->paging,
	                       looker->ring->base_gva +
	                               (pos & (looker->ring->bytes - 1)),
	                       to, count) == 0;
}

/* The TSC of the record at `pos`, or of the one behind the padding there. */
static bool tsc_at(const struct looker *looker, uint64_t pos, uint64_t end,
                   uint64_t *ret_tsc)
{
	uint64_t block = looker->ring->block_bytes, words[2];

	for (unsigned i = 0; i < 2 && pos + sizeof(words) <= end; i++) {
		if (!read_ring(looker, pos, words, sizeof(words)))
			return false;
		*ret_tsc = words[1];
		if (GT_RECORD_KIND(words[0]) != GT_RECORD_PAD)
			return true;
		pos = (pos | (block - 1)) + 1;
	}
	return false;
}

/* The last TSC of a block's records; 0: there is none. */
static uint64_t last_tsc(const uint64_t *words, size_t count)
{
	uint64_t tsc = 0;

	for (size_t at = 0; at + 2 <= count;) {
		size_t length = GT_RECORD_WORDS(words[at]);

		if (GT_RECORD_KIND(words[at]) != GT_RECORD_PAD)
			tsc = words[at + 1];
		if (length == 0 || length > count - at)
			break;
		at += length;
	}
	return tsc;
}

static bool newest_tsc(const struct looker *looker, uint64_t pos,
                       uint64_t *ret_tsc)
{
	uint64_t *words = looker->host->guest.attached->block;
	uint64_t begin = (pos - 1) & ~(looker->ring->block_bytes - 1);

	if (pos == 0 || looker->ring->block_bytes > GT__BLOCK_BYTES_MAX ||
	    !read_ring(looker, begin, words, pos - begin))
		return false;
	*ret_tsc = last_tsc(words, (pos - begin) / 8);
	return *ret_tsc != 0;
}

/* What has moved since the look before. */
static void learn(const struct looker *looker, const struct host_peek *before,
                  uint64_t pos, uint64_t now_tsc)
{
	struct gt_host *host = looker->host;
	int64_t low, high = INT64_MAX;
	uint64_t oldest, newest, now;

	if (!newest_tsc(looker, pos, &newest))
		return;
	low = (int64_t)(newest - now_tsc);
	if (before->tsc && before->is_free && pos > before->pos &&
	    tsc_at(looker, before->pos, pos, &oldest))
		high = (int64_t)(oldest - before->tsc + STORE_BUFFER_TICKS);
	/* It may have come round meanwhile. */
	if (!load(looker, offsetof(struct gt_ring, pos), &now) ||
	    now - (pos > before->pos ? before->pos : pos) >=
	            looker->ring->bytes - looker->ring->block_bytes)
		return;
	gt__offset_narrow(host, looker->vcpu, low, high, before->tsc);
}

static void peek_vcpu(struct gt_host *host, uint32_t number)
{
	struct host_vcpu *vcpu = &host->vcpus[number];
	const struct looker looker = {host, &vcpu->paging, number,
	                              &host->guest.rings[number][0]};
	const uint64_t gvas[] = {
		ring_gva(&looker, offsetof(struct gt_ring, limit)),
		ring_gva(&looker, offsetof(struct gt_ring, pos))};
	uint64_t words[2]; /* of the two */
	struct host_peek now;

	if (looker.ring->base_gva == 0 || !vcpu->guess.is_on)
		return;
	gt__outbox_read(host);
	now.tsc = host->reading.tsc;
	if (gt__memory_load_words(&host->memory, looker.paging, gvas, words,
	                          2) < 0)
		return;
	now.is_free = words[0] != 0;
	now.pos = words[1];
	if (now.pos % 8 == 0 && now.pos != vcpu->peek.pos) {
		gt__outbox_read(host);
		learn(&looker, &vcpu->peek, now.pos, host->reading.tsc);
	}
	vcpu->peek = now;
}

void gt__peek(struct gt_host *host)
{
	unsigned looks = host->is_holding ? LOOKS : 1;

	for (unsigned i = 0; i < looks; i++)
		for (uint32_t vcpu = 0; vcpu < host->guest.vcpus; vcpu++)
			peek_vcpu(host, vcpu);
}

static int64_t doubt_of(const struct host_guess *guess)
{
	return guess->is_on && guess->has_any ? gt__offset_doubt(guess) : 0;
}

uint64_t gt__peek_doubt(const struct gt_host *host)
{
	int64_t doubt = 0;

	for (uint32_t i = 0; i < host->guest.vcpus; i++) {
		int64_t one = doubt_of(&host->vcpus[i].guess);

		if (one > doubt && one < INT64_MAX)
			doubt = one;
	}
	return (uint64_t)doubt;
}

/* What an honest guest records meanwhile is not more. */
static bool is_too_much(const struct gt_host *host)
{
	uint64_t bytes = HELD_BYTES_MIN;

	for (uint32_t i = 0; i < host->guest.vcpus; i++)
		for (unsigned level = 0; level < GT_LEVELS; level++)
			bytes += 2 * host->guest.rings[i][level].bytes;
	return host->held.count > bytes;
}

bool gt__held_is_ripe(const struct gt_host *host)
{
	bool any = false, all = true;

	for (uint32_t i = 0; i < host->guest.vcpus; i++) {
		const struct host_guess *guess = &host->vcpus[i].guess;

		if (!guess->is_on)
			return true;
		if (!guess->has_any || guess->high == INT64_MAX)
			continue;
		any = true;
		all &= doubt_of(guess) <= RIPE_TICKS;
	}
	return (any && (all || host->held_looks >= LATE_LOOKS)) ||
	       is_too_much(host);
}
