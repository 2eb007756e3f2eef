/* SPDX-License-Identifier: MIT */
#include "rings.h"

#include <errno.h>
#include <stddef.h>

/* In overwrite mode what lies below is gone or about to go. */
static uint64_t oldest_whole(const struct gt__ring_view *ring, uint64_t pos)
{
	uint64_t end = (pos / ring->block_bytes + 1) * ring->block_bytes;

	return end > ring->bytes ? end - ring->bytes : 0;
}

static int copy(const struct gt__guest *guest, const struct gt__paging *paging,
                const struct gt__ring_view *ring, uint64_t from, uint64_t count,
                uint8_t *to)
{
	uint64_t offset = from & (ring->bytes - 1);
	uint64_t first = ring->bytes - offset;
	int r = 0;

	if (first > count)
		first = count;
	if (first > 0)
		r = gt__memory_read(guest->memory, paging,
		                    ring->base_gva + offset, to, first);
	if (r == 0 && count > first)
		r = gt__memory_read(guest->memory, paging, ring->base_gva,
		                    to + first, count - first);
	return r;
}

/*
 * Where to begin so that at most the ring is read. A `pos` that is no record's
 * end or went back is not to be believed: then nothing is read. One that ran
 * away, which an honest guest does in overwrite mode only, has cost the rest.
 */
static bool find_range(const struct gt__ring_view *ring, uint64_t pos,
                       uint64_t *ret_from, uint64_t *ret_overwritten)
{
	uint64_t oldest;

	*ret_from = ring->tail;
	*ret_overwritten = 0;
	if (ring->base_gva == 0 || pos % 8 != 0 || pos < ring->tail ||
	    pos >> GT_ID_VCPU_SHIFT)
		return false;
	if (!ring->overwrite && pos - ring->tail <= ring->bytes)
		return true;
	oldest = oldest_whole(ring, pos);
	if (oldest > ring->tail) {
		*ret_from = oldest;
		*ret_overwritten = oldest - ring->tail;
	}
	return true;
}

static uint64_t ring_gva(const struct gt__guest *guest, uint32_t vcpu,
                         unsigned level, size_t member)
{
	return guest->vcpus_gva + vcpu * sizeof(struct gt_vcpu) +
	       offsetof(struct gt_vcpu, ring) + level * sizeof(struct gt_ring) +
	       member;
}

/* The guest may have gone on: what it overwrote meanwhile is cut off. */
static uint64_t overtaken(const struct gt__guest *guest,
                          const struct gt__paging *paging, uint32_t vcpu,
                          unsigned level, uint64_t from, uint64_t pos)
{
	const struct gt__ring_view *ring = &guest->rings[vcpu][level];
	uint64_t gva =
		ring_gva(guest, vcpu, level, offsetof(struct gt_ring, pos));
	uint64_t now, oldest;

	/* The copy is made before `pos` is read again. */
	gt__memory_fence();
	if (!ring->overwrite ||
	    gt__memory_load(guest->memory, paging, gva, &now) < 0)
		return 0;
	oldest = oldest_whole(ring, now);
	if (oldest <= from)
		return 0;
	return oldest < pos ? oldest - from : pos - from;
}

/* What a vCPU says of itself while it may be running. */
struct look {
	uint64_t pos[GT_LEVELS];
	uint64_t lost[2]; /* records, strings cut */
	uint64_t inside;  /* bit per level: somebody is in a record */
};

static uint64_t vcpu_gva(const struct gt__guest *guest, uint32_t vcpu,
                         size_t member)
{
	return guest->vcpus_gva + vcpu * sizeof(struct gt_vcpu) + member;
}

#define LOOK_WORDS (3 * GT_LEVELS + 2)
_Static_assert(LOOK_WORDS <= GT_MEMORY_WORDS_MAX, "a look is one call");

/*
 * What a look loads, and where. The order matters. `limit` before `pos`: who
 * has left the record by then has published it. The innermost level first: what
 * is seen there and interrupted a record finds that record published, or its
 * level still taken.
 */
static size_t look_gvas(const struct gt__guest *guest, uint32_t vcpu,
                        uint64_t gvas[LOOK_WORDS])
{
	static const size_t members[] = {offsetof(struct gt_ring, limit),
	                                 offsetof(struct gt_ring, pos),
	                                 offsetof(struct gt_ring, lost)};
	size_t count = 0;

	for (unsigned level = GT_LEVELS; level-- > 0;)
		for (unsigned i = 0;
		     guest->rings[vcpu][level].base_gva != 0 && i < 3; i++)
			gvas[count++] =
				ring_gva(guest, vcpu, level, members[i]);
	gvas[count++] = vcpu_gva(guest, vcpu, offsetof(struct gt_vcpu, lost));
	gvas[count++] = vcpu_gva(guest, vcpu, offsetof(struct gt_vcpu, cut));
	return count;
}

static int look_at(const struct gt__guest *guest,
                   const struct gt__paging *paging, uint32_t vcpu,
                   struct look *ret_look)
{
	uint64_t gvas[LOOK_WORDS], words[LOOK_WORDS], *word = words;
	size_t count = look_gvas(guest, vcpu, gvas);
	int r = gt__memory_load_words(guest->memory, paging, gvas, words,
	                              count);

	*ret_look = (struct look){.inside = 0};
	if (r < 0)
		return r;
	for (unsigned level = GT_LEVELS; level-- > 0;) {
		if (guest->rings[vcpu][level].base_gva == 0)
			continue;
		if (word[0] == 0)
			ret_look->inside |= UINT64_C(1) << level;
		ret_look->pos[level] = word[1];
		ret_look->lost[0] += word[2];
		word += 3;
	}
	ret_look->lost[0] += word[0] - guest->lost_before[vcpu][0];
	ret_look->lost[1] = word[1] - guest->lost_before[vcpu][1];
	return 0;
}

/* Of what was overwritten, from `from` to `to`, what was recorded for us. */
static uint64_t missed(const struct gt__ring_view *ring, uint64_t from,
                       uint64_t to)
{
	if (from < ring->joined)
		from = ring->joined;
	return to > from ? to - from : 0;
}

/* One level; stores position and bytes at `range`. */
static int read_level(struct gt__guest *guest, const struct gt__paging *paging,
                      uint32_t vcpu, unsigned level, uint64_t pos,
                      struct gt__frame_buffer *buffer, uint64_t range[2],
                      uint64_t *overwritten)
{
	const struct gt__ring_view *ring = &guest->rings[vcpu][level];
	uint64_t from, gone, late;
	uint8_t *to;
	int r;

	range[0] = ring->tail;
	range[1] = 0;
	if (!find_range(ring, pos, &from, &gone))
		return ring->base_gva == 0 ? 0 : -GT_ERROR_BAD_RING;
	to = gt__frame_extend(buffer, pos - from);
	if (!to)
		return -ENOMEM;
	if (guest->memory->has_holes) {
		uint64_t begin = from;
		int64_t got =
			gt__holes_read(guest, paging, ring, &from, pos, to);

		buffer->count -= pos - begin - (got < 0 ? 0 : (uint64_t)got);
		range[0] = from;
		range[1] = got < 0 ? 0 : (uint64_t)got;
		*overwritten += missed(ring, begin - gone, from);
		return got < 0 ? (int)got : 0;
	}
	r = copy(guest, paging, ring, from, pos - from, to);
	if (r < 0) {
		buffer->count -= pos - from;
		return r;
	}
	late = overtaken(guest, paging, vcpu, level, from, pos);
	memmove(to, to + late, pos - from - late);
	buffer->count -= late;
	range[0] = from + late;
	range[1] = pos - from - late;
	*overwritten += missed(ring, from - gone, from + late);
	return 0;
}

int gt__guest_read(struct gt__guest *guest, const struct gt__paging *paging,
                   uint32_t vcpu, struct gt__frame_buffer *buffer,
                   int *ret_error)
{
	size_t head = buffer->count;
	uint64_t overwritten = 0, ranges[GT_LEVELS][2], any = 0;
	struct look look;
	int r, first_error = 0;

	*ret_error = 0;
	if (guest->memory->has_holes && guest->rings[vcpu][0].base_gva == 0)
		return 0; /* it is missing, as was said */
	r = look_at(guest, paging, vcpu, &look);
	if (r < 0)
		return r;
	if (!gt__frame_extend(buffer, GT__RECORDS_HEAD))
		return -ENOMEM;
	for (unsigned i = 0; i < GT_LEVELS; i++) {
		r = read_level(guest, paging, vcpu, i, look.pos[i], buffer,
		               ranges[i], &overwritten);
		if (first_error == 0)
			first_error = r;
		any |= ranges[i][1];
	}
	if (buffer->no_memory)
		return -ENOMEM;
	if (!any && memcmp(look.lost, guest->lost[vcpu], 16) == 0 &&
	    !(guest->memory->has_holes && overwritten))
		return first_error;
	memcpy(guest->lost[vcpu], look.lost, sizeof(look.lost));
	gt__store64(buffer->bytes + head + 32, look.lost[0]);
	gt__store64(buffer->bytes + head + 40, look.lost[1]);
	gt__store64(
		buffer->bytes + head + 48,
		gt__inside_word(look.inside, overwritten, guest->preemptible));
	memcpy(buffer->bytes + head + 56, ranges, sizeof(ranges));
	*ret_error = first_error;
	return 1;
}

static int write_tail(struct gt__guest *guest, const struct gt__paging *paging,
                      uint32_t vcpu, unsigned level)
{
	uint64_t gva =
		ring_gva(guest, vcpu, level, offsetof(struct gt_ring, tail));

	if (guest->rings[vcpu][level].base_gva == 0)
		return 0;
	return gt__guest_write(guest, paging, gva,
	                       &guest->rings[vcpu][level].tail,
	                       sizeof(uint64_t));
}

int gt__guest_taken(struct gt__guest *guest, const struct gt__paging *paging,
                    uint32_t vcpu, const struct gt__frame_buffer *buffer)
{
	const uint8_t *ranges = buffer->bytes + GT__FRAME_HEAD + 56;
	int first_error = 0;

	for (unsigned i = 0; i < GT_LEVELS; i++, ranges += 16) {
		struct gt__ring_view *ring = &guest->rings[vcpu][i];
		int r;

		if (gt__load64(ranges) + gt__load64(ranges + 8) == ring->tail)
			continue;
		ring->tail = gt__load64(ranges) + gt__load64(ranges + 8);
		r = write_tail(guest, paging, vcpu, i);
		if (first_error == 0)
			first_error = r;
	}
	return first_error;
}

/* What it has recorded so far counts as taken, and what it has lost as told. */
static int resume_vcpu(struct gt__guest *guest, const struct gt__paging *paging,
                       uint32_t vcpu)
{
	struct look look;
	int r = look_at(guest, paging, vcpu, &look);

	for (unsigned i = 0; r == 0 && i < GT_LEVELS; i++) {
		if (look.pos[i] % 8 != 0 || look.pos[i] >> GT_ID_VCPU_SHIFT)
			return -GT_ERROR_BAD_RING;
		guest->rings[vcpu][i].tail = look.pos[i];
	}
	memcpy(guest->lost_before[vcpu], look.lost, sizeof(look.lost));
	return r;
}

static int join_vcpu(struct gt__guest *guest, const struct gt__paging *paging,
                     uint32_t vcpu)
{
	struct look look;
	int r = look_at(guest, paging, vcpu, &look);

	for (unsigned i = 0; r == 0 && i < GT_LEVELS; i++) {
		struct gt__ring_view *ring = &guest->rings[vcpu][i];

		/* Of another `pos` reading says that it is not to be believed.
		 */
		if (look.pos[i] % 8 != 0 || look.pos[i] >> GT_ID_VCPU_SHIFT)
			continue;
		ring->joined = look.pos[i];
		if (look.pos[i] > ring->bytes)
			ring->tail = oldest_whole(ring, look.pos[i]);
	}
	return r;
}

int gt__guest_join(struct gt__guest *guest, const struct gt__paging *paging)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < guest->vcpus; i++)
		r = join_vcpu(guest, paging, i);
	return r;
}

int gt__guest_remind(struct gt__guest *guest, const struct gt__paging *paging)
{
	uint64_t gva =
		guest->control_gva + offsetof(struct gt_control, generation);
	int first_error =
		gt__guest_write(guest, paging, gva, &guest->generation,
	                        sizeof(guest->generation));

	for (uint32_t i = 0; i < guest->vcpus; i++)
		for (unsigned level = 0; level < GT_LEVELS; level++) {
			int r = write_tail(guest, paging, i, level);

			if (first_error == 0)
				first_error = r;
		}
	return first_error;
}

int gt__guest_resume(struct gt__guest *guest, const struct gt__paging *paging)
{
	int r = 0;

	guest->is_restored = true;
	guest->generation++;
	for (uint32_t i = 0; r == 0 && i < guest->vcpus; i++)
		r = resume_vcpu(guest, paging, i);
	return r < 0 ? r : gt__guest_remind(guest, paging);
}

int gt__guest_want(struct gt__guest *guest, const struct gt__paging *paging,
                   bool want)
{
	uint64_t word = want;
	int first_error = 0;

	for (uint32_t vcpu = 0; vcpu < guest->vcpus; vcpu++)
		for (unsigned level = 0; level < GT_LEVELS; level++) {
			int r = 0;

			if (guest->rings[vcpu][level].base_gva != 0)
				r = gt__guest_write(
					guest, paging,
					ring_gva(
						guest, vcpu, level,
						offsetof(struct gt_ring, want)),
					&word, sizeof(word));
			if (first_error == 0)
				first_error = r;
		}
	/* Pairs with wake() in guest/ring.c: who looks at `pos` after this. */
	gt__memory_fence();
	return first_error;
}

/* What cannot be read has not moved. */
static void load_positions(const struct gt__guest *guest,
                           const struct gt__paging *paging, uint32_t vcpu,
                           uint64_t positions[GT_LEVELS])
{
	uint64_t gvas[GT_LEVELS], words[GT_LEVELS];
	size_t count = 0, at = 0;
	int r;

	for (unsigned level = 0; level < GT_LEVELS; level++)
		if (guest->rings[vcpu][level].base_gva != 0)
			gvas[count++] = ring_gva(guest, vcpu, level,
			                         offsetof(struct gt_ring, pos));
	r = gt__memory_load_words(guest->memory, paging, gvas, words, count);
	for (unsigned level = 0; level < GT_LEVELS; level++) {
		const struct gt__ring_view *ring = &guest->rings[vcpu][level];

		positions[level] =
			r < 0 || ring->base_gva == 0 ? ring->tail : words[at++];
	}
}

uint64_t gt__guest_positions(const struct gt__guest *guest,
                             const struct gt__paging *paging)
{
	uint64_t positions[GT_LEVELS], sum = 0;

	for (uint32_t vcpu = 0; vcpu < guest->vcpus; vcpu++) {
		load_positions(guest, paging, vcpu, positions);
		for (unsigned level = 0; level < GT_LEVELS; level++)
			sum += positions[level];
	}
	return sum;
}

bool gt__guest_has_more(const struct gt__guest *guest,
                        const struct gt__paging *paging)
{
	uint64_t positions[GT_LEVELS];

	for (uint32_t vcpu = 0; vcpu < guest->vcpus; vcpu++) {
		load_positions(guest, paging, vcpu, positions);
		/* Somewhere in between a block has ended. */
		for (unsigned level = 0; level < GT_LEVELS; level++)
			if ((positions[level] ^
			     guest->rings[vcpu][level].tail) >=
			            guest->rings[vcpu][level].block_bytes &&
			    guest->rings[vcpu][level].base_gva != 0)
				return true;
	}
	return false;
}
