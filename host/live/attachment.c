/* SPDX-License-Identifier: MIT */
/*
 * Attaching to a guest of another process's, and leaving it. All addresses are
 * translated here, once.
 */
#include "host_inside.h"

#include <guesttrace/attach.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Intel SDM volume 3, 2.5 and 2.2.1: 64-bit paging is on. */
#define CR0_PAGING (UINT64_C(1) << 31 | 1)
#define CR4_PAE    (UINT64_C(1) << 5)
#define CR4_LA57   (UINT64_C(1) << 12)
#define EFER_LONG  (UINT64_C(1) << 10 | UINT64_C(1) << 8)

#define PINNED_MAX 1048576u

#define SETTLE_NS     20000000u
#define SETTLE_NS_MAX 999999999u

bool gt_owner_read(const void *bytes, size_t count, struct gt_owner *ret_owner)
{
	struct gt_control control = {0};

	memcpy(&control, bytes,
	       count < sizeof(control) ? count : sizeof(control));
	if (control.magic != GT_CONTROL_MAGIC)
		return false;
	if (control.size < sizeof(control))
		control.owner = control.lease_ticks = control.beat = 0;
	*ret_owner = (struct gt_owner){
		.word = control.owner,
		.owner = control.owner == GT_OWNER_VMM
	                         ? 0
	                         : (uint32_t)control.owner,
		.beat = control.beat,
		.lease_ticks = control.lease_ticks,
	};
	return true;
}

/* ---- Translating --------------------------------------------------------- */

static int pin_piece(struct gt__attached *attached,
                     const struct gt__pinned *piece)
{
	struct gt__pinned *last = attached->pinned + attached->pinned_count;

	if (attached->pinned_count > 0) {
		last--;
		if (last->gva + last->bytes == piece->gva &&
		    last->gpa + last->bytes == piece->gpa &&
		    last->is_writable == piece->is_writable) {
			last->bytes += piece->bytes;
			return 0;
		}
	}
	if (attached->pinned_count == attached->pinned_room) {
		size_t room =
			attached->pinned_room ? 2 * attached->pinned_room : 16;
		void *grown = room > PINNED_MAX
		                      ? NULL
		                      : realloc(attached->pinned,
		                                room * sizeof(*piece));

		if (!grown)
			return -ENOMEM;
		attached->pinned = grown;
		attached->pinned_room = room;
	}
	attached->pinned[attached->pinned_count++] = *piece;
	return 0;
}

static int pin(struct gt__attached *attached, const struct gt__guest *guest,
               const struct gt__paging *paging, uint64_t gva, uint64_t count)
{
	struct gt__pinned piece;
	int r = 0;

	for (; r == 0 && count > 0; gva += piece.bytes, count -= piece.bytes) {
		r = gt__memory_find(guest->memory, paging, gva, count, &piece);
		if (r == 0)
			r = pin_piece(attached, &piece);
		if (r < 0)
			break;
	}
	return r;
}

static int compare(const void *left, const void *right)
{
	const struct gt__pinned *a = left, *b = right;

	return (a->gva > b->gva) - (a->gva < b->gva);
}

static int pin_all(struct gt__attached *attached, const struct gt__guest *guest,
                   const struct gt__paging *paging)
{
	int r = pin(attached, guest, paging, guest->control_gva,
	            guest->control_bytes);

	if (r == 0)
		r = pin(attached, guest, paging, guest->vcpus_gva,
		        guest->vcpus * sizeof(struct gt_vcpu));
	if (r == 0)
		r = pin(attached, guest, paging, guest->sites_gva,
		        guest->sites_bytes);
	for (uint32_t i = 0; r == 0 && i < guest->vcpus; i++)
		for (unsigned level = 0; r == 0 && level < GT_LEVELS; level++)
			r = pin(attached, guest, paging,
			        guest->rings[i][level].base_gva,
			        guest->rings[i][level].bytes);
	qsort(attached->pinned, attached->pinned_count,
	      sizeof(*attached->pinned), compare);
	return r;
}

/* ---- Taking it ----------------------------------------------------------- */

static int check_owner(const struct gt__guest *guest,
                       const struct gt__paging *paging, bool takes_over)
{
	struct gt_control control;
	int r = gt__attached_control(guest, paging, &control);

	if (r < 0)
		return r;
	return control.owner && !takes_over ? -GT_ERROR_HAS_OWNER : 0;
}

/* Its sites as they are now, and which of them are on. */
static int keep_sites(struct gt__attached *attached,
                      const struct gt__guest *guest,
                      const struct gt__paging *paging)
{
	uint8_t *bytes = malloc(guest->sites_bytes + 1);
	int r = bytes ? 0 : -ENOMEM;

	if (r == 0 && guest->sites_bytes > 0)
		r = gt__memory_read(guest->memory, paging, guest->sites_gva,
		                    bytes, guest->sites_bytes);
	if (r == 0)
		r = gt__sites_new(bytes, guest->sites_bytes, guest->sites_gva,
		                  &attached->sites);
	if (r == 0) {
		attached->states =
			calloc((size_t)attached->sites->count + 1, 1);
		r = attached->states ? 0 : -ENOMEM;
	}
	for (uint32_t i = 0; r == 0 && i < attached->sites->count; i++)
		attached->states[i] = bytes[attached->sites->sites[i].offset];
	free(bytes);
	return r;
}

/* Back to what they were. */
static int restore_sites(struct gt__guest *guest,
                         const struct gt__paging *paging)
{
	const struct gt__attached *attached = guest->attached;
	bool quiet = true;
	int first_error = 0;

	for (uint32_t i = 0; i < attached->sites->count; i++)
		quiet &= attached->states[i] == GT_SITE_OFF ||
		         attached->sites->sites[i].kind == GT_SITE_FIELDS;
	if (!quiet)
		first_error = gt__guest_set_quiet(guest, paging, 0);
	for (uint32_t i = 0; i < attached->sites->count; i++) {
		const struct gt__site *site = &attached->sites->sites[i];
		int r = 0;

		if (site->kind != GT_SITE_FIELDS)
			r = gt__guest_write(guest, paging,
			                    guest->sites_gva + site->offset,
			                    &attached->states[i], 1);
		if (first_error == 0)
			first_error = r;
	}
	if (quiet && first_error == 0)
		first_error = gt__guest_set_quiet(guest, paging, 1);
	return first_error;
}

/* Nothing was written yet; from here on it is ours. */
static int claim(struct gt_host *host)
{
	struct gt__guest *guest = &host->guest;
	const struct gt__paging *paging = &host->vcpus[0].paging;
	int r = gt__attached_claim(guest, paging);

	if (r < 0)
		return r;
	r = gt__guest_join(guest, paging);
	if (r == 0)
		r = gt__serve_tell(host, paging);
	if (r < 0) {
		restore_sites(guest, paging);
		gt__attached_release(guest, paging);
	}
	return r;
}

static int take(struct gt_host *host, const struct gt_attachment *attachment)
{
	struct gt__guest *guest = &host->guest;
	const struct gt__paging *paging = &host->vcpus[0].paging;
	struct gt__attached *attached = calloc(1, sizeof(*attached));
	int r = attached ? 0 : -ENOMEM;

	guest->attached = attached;
	if (r == 0) {
		attached->block = malloc(GT__BLOCK_BYTES_MAX);
		r = attached->block ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = check_owner(guest, paging, attachment->takes_over);
	if (r == 0)
		r = keep_sites(attached, guest, paging);
	if (r == 0)
		r = pin_all(attached, guest, paging);
	if (r == 0)
		r = gt__serve_introduce(host, paging);
	if (r < 0)
		return r;
	guest->sites = attached->sites;
	guest->tracestate_gva = 0; /* nothing beside it tells what it is */
	host->memory.pinned = attached->pinned;
	host->memory.pinned_count = attached->pinned_count;
	host->options.random(host->options.random_context, &attached->owner,
	                     sizeof(attached->owner));
	attached->owner = attached->owner << 32 | attachment->owner;
	attached->lease_ticks = attachment->lease_ticks;
	attached->settle_ns =
		attachment->settle_ns ? attachment->settle_ns : SETTLE_NS;
	return claim(host);
}

/* ---- Public functions ---------------------------------------------------- */

static void set_vcpus(struct gt_host *host,
                      const struct gt_attachment *attachment)
{
	const struct gt__tsc tsc = {attachment->tsc_offset,
	                            attachment->tsc_ratio,
	                            attachment->tsc_ratio_shift & 63};

	for (uint32_t i = 0; i < host->options.vcpus; i++) {
		struct host_vcpu *vcpu = &host->vcpus[i];

		vcpu->paging = (struct gt__paging){
			CR0_PAGING, attachment->root,
			CR4_PAE | (attachment->has_five_levels ? CR4_LA57 : 0),
			EFER_LONG};
		if (tsc.offset == GT_TSC_OFFSET_UNKNOWN)
			vcpu->guess = (struct host_guess){.is_on = true};
		else
			vcpu->tsc = tsc;
	}
}

int gt_host_attach(const struct gt_host_options *options,
                   const struct gt_attachment *attachment,
                   struct gt_host **ret_host)
{
	struct gt_attachment copy = {.owner = 0};
	struct gt_host *host;
	int r;

	memcpy(&copy, attachment,
	       attachment->size < sizeof(copy) ? attachment->size
	                                       : sizeof(copy));
	if (copy.owner <= GT_OWNER_VMM || options->wire != GT_WIRE_NATIVE ||
	    copy.lease_ticks >> 62 || copy.settle_ns > SETTLE_NS_MAX)
		return -EINVAL;
	r = gt__host_make(options, true, &host);
	if (r < 0)
		return r;
	set_vcpus(host, &copy);
	r = gt__guest_announce(&host->guest, &host->memory,
	                       &host->vcpus[0].paging, copy.control_gva,
	                       host->options.vcpus, &host->limits);
	host->announcements = 1;
	if (r == 0)
		r = take(host, &copy);
	if (r < 0) {
		gt_host_free(host);
		return r;
	}
	*ret_host = host;
	return 0;
}

/* What was recorded until its sites were as before is ours, too. */
static int leave(struct gt_host *host)
{
	struct gt__guest *guest = &host->guest;
	const struct gt__paging *paging = &host->vcpus[0].paging;
	int r = restore_sites(guest, paging);
	int drained = gt__serve_drain(host), released;

	released = gt__attached_release(guest, paging);
	if (r == 0)
		r = drained < 0 ? drained : released;
	return r;
}

int gt_host_detach(struct gt_host *host)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished && host->guest.attached) {
		r = leave(host);
		if (!host->guest.attached->over)
			host->guest.attached->over = -GT_ERROR_GUEST_GONE;
	}
	pthread_mutex_unlock(&host->lock);
	return r;
}
