/* SPDX-License-Identifier: MIT */
/* What a guest says of itself once, checked once; and what it is told. */
#include "rings.h"
#include "host/decode/w3c.h"
#include "host/frames/functions.h"

#include <errno.h>
#include <stddef.h>

/* The first version of the control block ended here. */
#define CONTROL_BYTES_MIN offsetof(struct gt_control, tracestate_gva)

static bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static int check_control(const struct gt_control *control, uint32_t vcpus_max,
                         const struct gt_limits *limits)
{
	if (control->magic != GT_CONTROL_MAGIC)
		return -GT_ERROR_BAD_CONTROL;
	if (control->version != GT_ABI_VERSION)
		return -GT_ERROR_BAD_VERSION;
	if (control->size < CONTROL_BYTES_MIN ||
	    control->vcpu_bytes != sizeof(struct gt_vcpu) ||
	    control->vcpus < 1 || control->vcpus > vcpus_max ||
	    control->vcpus_gva % sizeof(uint64_t) != 0)
		return -GT_ERROR_BAD_CONTROL;
	if (control->sites_bytes > limits->sites_bytes ||
	    control->sites_bytes > GT_SITES_BYTES_MAX ||
	    control->sites_gva % GT_SITE_ALIGN != 0)
		return -GT_ERROR_BAD_SITES;
	return 0;
}

static int check_ring(const struct gt_ring *ring,
                      const struct gt_limits *limits,
                      struct gt__ring_view *ret_view)
{
	uint64_t bytes = ring->mask + 1;

	*ret_view = (struct gt__ring_view){.base_gva = ring->base_gva};
	if (ring->base_gva == 0)
		return 0;
	if (!is_power_of_two(bytes) || bytes < GT_RING_BYTES_MIN ||
	    bytes > limits->ring_bytes || ring->base_gva % 8 != 0 ||
	    !is_power_of_two(ring->block_bytes) ||
	    ring->block_bytes < GT_BLOCK_BYTES_MIN ||
	    ring->block_bytes > bytes / 2)
		return -GT_ERROR_BAD_RING;
	ret_view->bytes = bytes;
	ret_view->block_bytes = ring->block_bytes;
	ret_view->overwrite = ring->mode == GT_RING_OVERWRITE;
	return 0;
}

static int read_vcpu(const struct gt__guest *guest,
                     const struct gt__paging *paging, uint32_t vcpu,
                     struct gt_vcpu *ret_vcpu)
{
	return gt__memory_read(guest->memory, paging,
	                       guest->vcpus_gva +
	                               (uint64_t)vcpu * sizeof(*ret_vcpu),
	                       ret_vcpu, sizeof(*ret_vcpu));
}

/*
 * Rings that are larger than the memory are some of it several times over.
 * Honest ones lie apart: of one dump they are together no longer than it.
 */
static uint64_t rings_bytes_max(const struct gt__memory *memory,
                                const struct gt_limits *limits)
{
	uint64_t max = limits->rings_bytes, sum = 0;

	for (uint32_t i = 0; i < memory->count; i++)
		sum += memory->slots[i].bytes;
	if (memory->has_holes && limits->ring_bytes < max)
		max = limits->ring_bytes;
	return sum < max ? sum : max;
}

static int read_rings(struct gt__guest *guest, const struct gt__paging *paging,
                      const struct gt_limits *limits)
{
	uint64_t left = rings_bytes_max(guest->memory, limits);

	for (uint32_t i = 0; i < guest->vcpus; i++) {
		struct gt_vcpu vcpu;
		int r = read_vcpu(guest, paging, i, &vcpu);

		if (r < 0 && guest->memory->has_holes) {
			guest->missing_vcpus++;
			continue;
		}
		for (unsigned j = 0; r == 0 && j < GT_LEVELS; j++) {
			r = check_ring(&vcpu.ring[j], limits,
			               &guest->rings[i][j]);
			if (r == 0 && guest->rings[i][j].bytes > left)
				r = -GT_ERROR_BAD_RING;
			left -= r == 0 ? guest->rings[i][j].bytes : 0;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* No more than there is of it: behind it there may be no memory. */
static int read_control(const struct gt__memory *memory,
                        const struct gt__paging *paging, uint64_t gva,
                        struct gt_control *ret_control)
{
	struct gt_control control = {0};
	int r = gt__memory_read(memory, paging, gva, &control,
	                        CONTROL_BYTES_MIN);
	size_t size =
		control.size < sizeof(control) ? control.size : sizeof(control);

	if (r == 0 && size > CONTROL_BYTES_MIN)
		r = gt__memory_read(memory, paging, gva + CONTROL_BYTES_MIN,
		                    (uint8_t *)&control + CONTROL_BYTES_MIN,
		                    size - CONTROL_BYTES_MIN);
	*ret_control = control;
	return r;
}

int gt__guest_announce(struct gt__guest *guest, const struct gt__memory *memory,
                       const struct gt__paging *paging, uint64_t control_gva,
                       uint32_t vcpus_max, const struct gt_limits *limits)
{
	struct gt__guest fresh = {.memory = memory, .control_gva = control_gva};
	struct gt_control control;
	int r = read_control(memory, paging, control_gva, &control);

	if (r == 0)
		r = check_control(&control, vcpus_max, limits);
	if (r < 0)
		return r;
	fresh.vcpus = control.vcpus;
	fresh.vcpus_gva = control.vcpus_gva;
	fresh.sites_gva = control.sites_gva;
	fresh.sites_bytes = control.sites_bytes;
	fresh.sites_room = limits->sites_bytes < GT_SITES_BYTES_MAX
	                           ? limits->sites_bytes
	                           : GT_SITES_BYTES_MAX;
	fresh.generation = control.generation;
	fresh.has_sampler =
		control.size >= offsetof(struct gt_control, self_gva);
	fresh.has_owner = control.size >= sizeof(control);
	fresh.control_bytes =
		control.size < sizeof(control) ? control.size : sizeof(control);
	if (control.size >= offsetof(struct gt_control, sampler)) {
		fresh.has_quiet = true;
		fresh.tracestate_gva = control.tracestate_gva;
		fresh.tracestate_bytes = control.tracestate_bytes;
	}
	fresh.preemptible = control.flags & GT_CONTROL_PREEMPTIBLE;
	fresh.rings = calloc(fresh.vcpus, sizeof(*fresh.rings));
	fresh.lost = calloc(fresh.vcpus, sizeof(*fresh.lost));
	fresh.lost_before = calloc(fresh.vcpus, sizeof(*fresh.lost_before));
	r = fresh.rings && fresh.lost && fresh.lost_before
	            ? read_rings(&fresh, paging, limits)
	            : -ENOMEM;
	if (r < 0) {
		gt__guest_fini(&fresh);
		return r;
	}
	gt__guest_fini(guest);
	*guest = fresh;
	return 0;
}

void gt__guest_fini(struct gt__guest *guest)
{
	free(guest->rings);
	free(guest->lost);
	free(guest->lost_before);
	guest->rings = NULL;
	guest->lost = guest->lost_before = NULL;
	guest->vcpus = 0;
	gt__attached_free(guest->attached);
	guest->attached = NULL;
}

/* Longer texts are not compared. */
static bool is_there(const struct gt__guest *guest,
                     const struct gt__paging *paging, uint64_t gva,
                     const void *from, size_t count)
{
	uint8_t now[64];

	return count <= sizeof(now) &&
	       gt__memory_read(guest->memory, paging, gva, now, count) == 0 &&
	       memcmp(now, from, count) == 0;
}

int gt__guest_write(struct gt__guest *guest, const struct gt__paging *paging,
                    uint64_t gva, const void *from, size_t count)
{
	int r;

	if (guest->memory->has_holes)
		return 0; /* nobody will read it */
	if (guest->attached) {
		r = gt__attached_check(guest, paging, gva);
		if (r < 0)
			return r;
	}
	if (guest->is_restored && is_there(guest, paging, gva, from, count))
		return 0;
	r = gt__memory_write(guest->memory, paging, gva, from, count);
	if (r != -GT_ERROR_READ_ONLY)
		return r;
	guest->owes = true;
	return guest->is_restored ? 0 : r;
}

void gt__guest_put(const struct gt__guest *guest,
                   struct gt__frame_buffer *buffer)
{
	gt__frame_put32(buffer, guest->generation);
	gt__frame_put32(buffer, guest->vcpus);
	gt__frame_put64(buffer, guest->sites_gva);
	gt__frame_put64(buffer, guest->id_base);
	for (uint32_t i = 0; i < guest->vcpus; i++)
		for (unsigned j = 0; j < GT_LEVELS; j++)
			gt__frame_put64(buffer, guest->rings[i][j].block_bytes);
}

struct door {
	const struct gt__memory *memory;
	const struct gt__paging *paging;
};

static int read_through(void *context, uint64_t gva, void *to, size_t count)
{
	const struct door *door = context;

	return gt__memory_read(door->memory, door->paging, gva, to, count);
}

int gt__guest_put_sites(struct gt__guest *guest,
                        const struct gt__paging *paging,
                        struct gt__frame_buffer *buffer)
{
	struct door door = {guest->memory, paging};
	const struct gt__functions functions = {read_through, &door,
	                                        guest->sites_room};
	uint8_t *to = gt__frame_extend(buffer, guest->sites_bytes);
	int r = 0;

	if (!to)
		return -ENOMEM;
	if (guest->sites_bytes == 0)
		return 0;
	if (guest->memory->has_holes)
		gt__holes_read_sites(guest, paging, to);
	else
		r = gt__memory_read(guest->memory, paging, guest->sites_gva, to,
		                    guest->sites_bytes);
	return r < 0 ? r : gt__put_functions(buffer, &functions);
}

int gt__guest_set_context(struct gt__guest *guest,
                          const struct gt__paging *paging,
                          const struct gt_context *context,
                          const char *tracestate)
{
	char text[GT_TRACESTATE_BYTES];
	size_t room = guest->tracestate_bytes;
	int r = gt__guest_write(guest, paging,
	                        guest->control_gva +
	                                offsetof(struct gt_control, context),
	                        context, sizeof(*context));

	if (r < 0 || !tracestate || !guest->tracestate_gva || room == 0)
		return r;
	if (room > sizeof(text))
		room = sizeof(text);
	gt__tracestate_fit((struct gt_text){tracestate, strlen(tracestate)},
	                   text, room);
	return gt__guest_write(guest, paging, guest->tracestate_gva, text,
	                       strlen(text) + 1);
}

int gt__guest_set_sampler(struct gt__guest *guest,
                          const struct gt__paging *paging,
                          const struct gt_sampler *sampler)
{
	if (!guest->has_sampler ||
	    (sampler->dropped == 0 && sampler->ignores_parent == 0))
		return 0;
	return gt__guest_write(guest, paging,
	                       guest->control_gva +
	                               offsetof(struct gt_control, sampler),
	                       sampler, sizeof(*sampler));
}

/* Old control blocks have reserved bytes there. */
int gt__guest_set_quiet(struct gt__guest *guest,
                        const struct gt__paging *paging, uint32_t quiet)
{
	if (!guest->has_quiet)
		return 0;
	return gt__guest_write(guest, paging,
	                       guest->control_gva +
	                               offsetof(struct gt_control, quiet),
	                       &quiet, sizeof(quiet));
}

static bool is_any_on(const struct gt__sites *sites,
                      const struct gt__filter *filter)
{
	for (uint32_t i = 0; i < sites->count; i++)
		if (sites->sites[i].kind != GT_SITE_FIELDS &&
		    gt__filter_admits(filter, &sites->sites[i].view))
			return true;
	return false;
}

int gt__guest_own(struct gt__guest *guest, const struct gt__paging *paging)
{
	const uint64_t owner = GT_OWNER_VMM;

	if (!guest->has_owner)
		return 0;
	return gt__guest_write(guest, paging,
	                       guest->control_gva +
	                               offsetof(struct gt_control, owner),
	                       &owner, sizeof(owner));
}

int gt__guest_set_states(struct gt__guest *guest,
                         const struct gt__paging *paging,
                         const struct gt__sites *sites,
                         const struct gt__filter *filter)
{
	bool quiet = !sites || !is_any_on(sites, filter);
	int first_error = quiet ? 0 : gt__guest_set_quiet(guest, paging, 0), r;

	/* NULL: it announced itself, but its sites were never read. */
	for (uint32_t i = 0; sites && i < sites->count; i++) {
		const struct gt__site *site = &sites->sites[i];
		uint8_t state = GT_SITE_OFF;

		if (site->kind == GT_SITE_FIELDS)
			continue;
		if (gt__filter_admits(filter, &site->view))
			state = GT_SITE_NATIVE;
		r = gt__guest_write(guest, paging,
		                    guest->sites_gva + site->offset, &state,
		                    sizeof(state));
		if (first_error == 0)
			first_error = r;
	}
	r = quiet ? gt__guest_set_quiet(guest, paging, 1) : 0;
	return first_error ? first_error : r;
}
