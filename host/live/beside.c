/* SPDX-License-Identifier: MIT */
/*
 * Whether a guest of another process's is still what it was, and ours. It runs
 * on, may reboot, and may give its memory to something else at any time, and
 * nobody tells us. So before each write what lies beside it must be as it was;
 * and the guest itself switches its sites off when the beat stops.
 */
#include "rings.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

void gt__attached_free(struct gt__attached *attached)
{
	if (!attached)
		return;
	gt__sites_free(attached->sites);
	free(attached->states);
	free(attached->block);
	free(attached->pinned);
	free(attached);
}

int gt__attached_control(const struct gt__guest *guest,
                         const struct gt__paging *paging,
                         struct gt_control *ret_control)
{
	size_t size = guest->has_owner ? sizeof(*ret_control)
	                               : sizeof(ret_control->magic);

	*ret_control = (struct gt_control){0};
	return gt__memory_read(guest->memory, paging, guest->control_gva,
	                       ret_control, size);
}

/* An old guest has no word for an owner: there nobody else is noticed. */
static int check_control(const struct gt__guest *guest,
                         const struct gt__paging *paging)
{
	struct gt_control control;

	if (guest->attached->over)
		return guest->attached->over;
	if (gt__attached_control(guest, paging, &control) < 0 ||
	    control.magic != GT_CONTROL_MAGIC)
		return -GT_ERROR_GUEST_GONE;
	if (guest->has_owner && control.owner != guest->attached->owner)
		return -GT_ERROR_HAS_OWNER;
	return 0;
}

/* A ring is described as it was. */
static int check_ring(const struct gt__guest *guest,
                      const struct gt__paging *paging, uint64_t gva)
{
	uint64_t offset =
		gva - guest->vcpus_gva - offsetof(struct gt_vcpu, ring);
	uint32_t vcpu = (uint32_t)(offset / sizeof(struct gt_vcpu));
	unsigned level = (unsigned)(offset % sizeof(struct gt_vcpu) /
	                            sizeof(struct gt_ring));
	const struct gt__ring_view *view;
	struct gt_ring ring;

	if (vcpu >= guest->vcpus || level >= GT_LEVELS)
		return -GT_ERROR_GUEST_GONE;
	view = &guest->rings[vcpu][level];
	if (gt__memory_read(guest->memory, paging,
	                    guest->vcpus_gva +
	                            (uint64_t)vcpu * sizeof(struct gt_vcpu) +
	                            offsetof(struct gt_vcpu, ring) +
	                            level * sizeof(ring),
	                    &ring, offsetof(struct gt_ring, tail)) < 0 ||
	    ring.base_gva != view->base_gva || ring.mask + 1 != view->bytes ||
	    ring.block_bytes != view->block_bytes)
		return -GT_ERROR_GUEST_GONE;
	return 0;
}

static int check_site(const struct gt__guest *guest,
                      const struct gt__paging *paging, uint64_t gva)
{
	uint32_t magic;

	if (gt__memory_read(guest->memory, paging,
	                    gva + offsetof(struct gt_site, magic), &magic,
	                    sizeof(magic)) < 0 ||
	    magic != GT_SITE_MAGIC)
		return -GT_ERROR_GUEST_GONE;
	return 0;
}

int gt__attached_check(const struct gt__guest *guest,
                       const struct gt__paging *paging, uint64_t gva)
{
	int r = check_control(guest, paging);

	if (r == 0 &&
	    gva - guest->vcpus_gva < guest->vcpus * sizeof(struct gt_vcpu))
		return check_ring(guest, paging, gva);
	if (r == 0 && gva - guest->sites_gva < guest->sites_bytes)
		return check_site(guest, paging, gva);
	return r;
}

static int put(const struct gt__guest *guest, const struct gt__paging *paging,
               size_t member, uint64_t word)
{
	return gt__memory_write(guest->memory, paging,
	                        guest->control_gva + member, &word,
	                        sizeof(word));
}

#define PUT(guest, paging, member, word) \
	put(guest, paging, offsetof(struct gt_control, member), word)

static void pause_ns(long ns)
{
	struct timespec span = {.tv_nsec = ns};

	while (nanosleep(&span, &span) < 0)
		;
}

/*
 * The beat before the lease: a guest that sees the one has seen the other. Who
 * writes last has it.
 */
int gt__attached_claim(struct gt__guest *guest, const struct gt__paging *paging)
{
	struct gt__attached *attached = guest->attached;
	struct gt_control control;
	int r;

	if (!guest->has_owner)
		return 0;
	r = gt__attached_control(guest, paging, &control);
	if (r < 0 || control.magic != GT_CONTROL_MAGIC)
		return r < 0 ? r : -GT_ERROR_GUEST_GONE;
	attached->beat = control.beat + 1;
	r = PUT(guest, paging, beat, attached->beat);
	if (r == 0)
		r = PUT(guest, paging, lease_ticks, attached->lease_ticks);
	if (r == 0)
		r = PUT(guest, paging, owner, attached->owner);
	if (r < 0)
		return r;
	pause_ns(attached->settle_ns);
	return check_control(guest, paging);
}

int gt__attached_beat(struct gt__guest *guest, const struct gt__paging *paging)
{
	struct gt__attached *attached = guest->attached;
	struct gt_control control;
	int r = check_control(guest, paging);

	if (r == 0)
		return guest->has_owner
		               ? PUT(guest, paging, beat, ++attached->beat)
		               : 0;
	/* We were late, and it has let go of us: nobody else has it. */
	if (r == -GT_ERROR_HAS_OWNER &&
	    gt__attached_control(guest, paging, &control) == 0 &&
	    control.owner == 0) {
		r = gt__attached_claim(guest, paging);
		if (r == 0)
			return 1;
	}
	attached->over = r;
	return r;
}

int gt__attached_release(struct gt__guest *guest,
                         const struct gt__paging *paging)
{
	int r = check_control(guest, paging);

	if (r < 0 || !guest->has_owner)
		return r;
	r = PUT(guest, paging, lease_ticks, 0);
	return r < 0 ? r : PUT(guest, paging, owner, 0);
}
