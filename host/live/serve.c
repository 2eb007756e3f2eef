/* SPDX-License-Identifier: MIT */
/* What a VM exit asks for, and the taking of what the rings hold. */
#include "host_inside.h"

#include <errno.h>

/* How many records a look brings is known when they are decoded. */
static struct gt__quota *quota_now(struct gt_host *host)
{
	gt__quota_records(&host->quota,
	                  gt__pipeline_so_far(host->pipeline)->records);
	return &host->quota;
}

/* 1: there was something to take. */
static int drain_vcpu(struct gt_host *host, const struct gt__paging *paging,
                      uint32_t vcpu)
{
	struct gt__frame_buffer *frame = &host->frame;
	int r, read_error, sent;

	gt__frame_begin(frame);
	r = gt__guest_read(&host->guest, paging, vcpu, frame, &read_error);
	if (r <= 0)
		return r;
	gt__outbox_records_head(host, vcpu, frame);
	gt__quota_spend(&host->quota, frame->count - GT__FRAME_HEAD);
	sent = gt__outbox_send(host, GT__FRAME_RECORDS, vcpu);
	host->unmerged = true;
	/* Taken in any case: a second time would be worse than a loss. */
	r = gt__guest_taken(&host->guest, paging, vcpu, frame);
	if (r == 0)
		r = sent;
	if (r == 0)
		r = read_error;
	return r < 0 ? r : 1;
}

/*
 * What was recorded before this moment is seen in the rings from now on. A vCPU
 * that runs may have read its TSC while the store that takes the ring still sat
 * in its store buffer: to us nobody is inside.
 */
static uint64_t seen_before(const struct gt_host *host)
{
	uint64_t tsc = host->reading.tsc, first = host->first_reading.tsc;

	if (host->guest.attached)
		tsc -= gt__peek_doubt(host) + STORE_BUFFER_TICKS;
	for (uint32_t i = 0; i < host->options.vcpus; i++)
		if (gt__outbox_is_inside(&host->vcpus[i])) {
			tsc -= STORE_BUFFER_TICKS;
			break;
		}
	return (int64_t)(tsc - first) < 0 ? first : tsc;
}

int gt__serve_drain(struct gt_host *host)
{
	const struct gt__paging *paging = &host->vcpus[host->last_vcpu].paging;
	int result = 0;
	uint64_t tsc;

	if (host->guest.attached) {
		result = gt__attached_beat(&host->guest, paging);
		if (result > 0)
			result = gt__serve_tell(host, paging);
		if (result < 0)
			return result;
		gt__peek(host);
	}
	gt__outbox_read(host);
	tsc = seen_before(host);
	gt__outbox_exits(host);
	/* What the rings hold is of before this, and is yet to come. */
	if (host->guest.vcpus > 0 && !gt__outbox_may_look(host))
		return 0;
	if (!gt__quota_takes(quota_now(host), host->reading.monotonic_ns))
		return 0;
	for (uint32_t i = 0; i < host->guest.vcpus; i++) {
		int r = drain_vcpu(host, paging, i);

		/* From hole to hole. */
		while (r > 0 && host->memory.has_holes)
			r = drain_vcpu(host, paging, i);

		if (r < 0 && result >= 0)
			result = r;
		else if (result == 0)
			result = r;
	}
	gt__outbox_merge(host, tsc);
	host->held_looks += host->is_holding;
	if (host->is_holding && gt__held_is_ripe(host))
		gt__outbox_keep_error(host, gt__held_release(host));
	return result;
}

int gt__serve_tell(struct gt_host *host, const struct gt__paging *paging)
{
	struct gt__guest *guest = &host->guest;
	int context = gt__guest_set_context(guest, paging, &host->context,
	                                    host->trace_state);
	int sampler =
		gt__guest_set_sampler(guest, paging, &host->options.sampler);
	int states =
		gt__guest_set_states(guest, paging, guest->sites, host->filter);
	int want = gt__guest_want(guest, paging, host->wanted);
	int owner = guest->attached ? 0 : gt__guest_own(guest, paging);

	if (context < 0 || sampler < 0)
		return context < 0 ? context : sampler;
	if (states < 0 || want < 0)
		return states < 0 ? states : want;
	return owner;
}

/* Some pages may stay read-only for good: it is tried less often, then. */
#define EAGER_TRIES 64u

/* What it could not be told before, as its memory could not be written. */
static void pay_debts(struct gt_host *host, const struct gt__paging *paging)
{
	struct gt__guest *guest = &host->guest;

	if (!guest->owes || !gt__outbox_may_look(host) ||
	    (guest->tries++ >= EAGER_TRIES && guest->tries % EAGER_TRIES))
		return;
	guest->owes = false;
	gt__guest_remind(guest, paging);
	gt__serve_tell(host, paging);
}

/* What is still open of the guest before ends by this. */
static void begin_life(struct gt_host *host)
{
	gt__outbox_read(host);
	gt__outbox_sample(host);
	gt__outbox_new_ids(host);
}

int gt__serve_introduce(struct gt_host *host, const struct gt__paging *paging)
{
	int r;

	host->guest.id_base = host->context.id_base;
	gt__frame_begin(&host->frame);
	gt__guest_put(&host->guest, &host->frame);
	r = gt__outbox_send(host, GT__FRAME_GUEST, 0);
	gt__frame_begin(&host->frame);
	if (r == 0)
		r = gt__guest_put_sites(&host->guest, paging, &host->frame);
	return r == 0 ? gt__outbox_send(host, GT__FRAME_SITES, 0) : r;
}

/* `resumed`: it has told nobody; its memory comes from a snapshot. */
static int announce(struct gt_host *host, const struct gt__paging *paging,
                    uint64_t control_gva, bool resumed)
{
	int r;

	if (host->guest.attached ||
	    (!resumed && host->announcements == host->limits.announcements))
		return -GT_ERROR_BAD_REQUEST;
	r = gt__guest_announce(&host->guest, &host->memory, paging, control_gva,
	                       host->options.vcpus, &host->limits);
	if (r == 0 && resumed)
		r = gt__guest_resume(&host->guest, paging);
	if (r < 0)
		return r;
	if (host->announcements + host->lives > 0 || resumed)
		begin_life(host);
	host->announcements += !resumed;
	host->lives += resumed;
	r = gt__serve_introduce(host, paging);
	if (r < 0) {
		gt__guest_fini(&host->guest);
		return r;
	}
	host->guest.sites = gt__pipeline_sites(host->pipeline);
	/* Without these its records can still be taken. */
	r = gt__serve_tell(host, paging);
	return r < 0 && !host->memory.has_holes ? r : GT_ANSWER_TAKEN;
}

static bool is_doorbell(const struct gt_exit *exit)
{
	return exit->reason == GT_EXIT_IO && exit->port == GT_PORT_TRACE &&
	       exit->out && exit->width_bytes == 1 && exit->count == 1 &&
	       exit->r8 == GT_DOORBELL_MAGIC;
}

static int serve(struct gt_host *host, const struct gt__paging *paging,
                 const struct gt_exit *exit)
{
	uint32_t request = (uint32_t)exit->r10;
	int r;

	if (request == GT_DOORBELL_ANNOUNCE)
		return announce(host, paging, exit->r9, false);
	if (request != GT_DOORBELL_FLUSH && request != GT_DOORBELL_WAKE)
		return -GT_ERROR_BAD_REQUEST;
	if (host->guest.vcpus == 0)
		return -GT_ERROR_NOT_ANNOUNCED;
	if (exit->r9 != host->guest.control_gva)
		return -GT_ERROR_BAD_CONTROL;
	if (request == GT_DOORBELL_WAKE)
		return GT_ANSWER_WAKE;
	if (!gt__quota_serves(quota_now(host), host->reading.monotonic_ns))
		return GT_ANSWER_TAKEN;
	r = gt__serve_drain(host);
	return r < 0 ? r : GT_ANSWER_TAKEN;
}

/* As gt_host_exit(). */
static int answer(struct gt_host *host, uint32_t vcpu,
                  const struct gt_exit *exit)
{
	int r;

	if (host->options.wire == GT_WIRE_NATIVE)
		return is_doorbell(exit)
		               ? serve(host, &host->vcpus[vcpu].paging, exit)
		               : GT_ANSWER_NONE;
	if (!gt__mailbox_is_named(exit, !host->options.no_piggyback) ||
	    !gt__quota_serves(quota_now(host), host->reading.monotonic_ns))
		return GT_ANSWER_NONE;
	r = gt__handover_exit(host, vcpu, exit);
	if (r < 0)
		return r;
	return exit->reason == GT_EXIT_IO && exit->port == GT_PORT_TRACE
	               ? GT_ANSWER_TAKEN
	               : GT_ANSWER_NONE;
}

/* It says something for us to take, and nothing else. */
static bool is_tracing(const struct gt_host *host, const struct gt_exit *exit)
{
	if (host->options.wire == GT_WIRE_NATIVE)
		return is_doorbell(exit);
	return exit->reason == GT_EXIT_IO && exit->port == GT_PORT_TRACE &&
	       gt__mailbox_is_named(exit, !host->options.no_piggyback);
}

static struct gt__tsc tsc_of(const struct gt_host *host,
                             const struct gt_exit *exit)
{
	if (exit->tsc_offset != GT_TSC_OFFSET_UNKNOWN)
		return (struct gt__tsc){.offset = exit->tsc_offset,
		                        .ratio = exit->tsc_ratio,
		                        .shift = exit->tsc_ratio_shift & 63};
	/* Only batches tell of it. */
	if (host->options.wire == GT_WIRE_NATIVE)
		return (struct gt__tsc){.offset = 0};
	return (struct gt__tsc){.offset = GT_TSC_OFFSET_UNKNOWN};
}

/* Of the exit; without a quota nobody asks. */
static uint64_t now_ns(struct gt_host *host)
{
	if (host->quota.exits.per_s)
		gt__outbox_read(host);
	return host->reading.monotonic_ns;
}

void gt__serve_check_warp(struct gt_host *host, uint64_t before_tsc)
{
	if ((int64_t)(host->reading.tsc - before_tsc) < 0)
		host->clock_flags |= GT_CLOCK_WARPED;
}

int gt__serve_exit(struct gt_host *host, uint32_t number,
                   const struct gt_exit *exit)
{
	struct host_vcpu *vcpu = &host->vcpus[number];
	uint64_t before_tsc = host->reading.tsc;
	const struct gt__tsc tsc = tsc_of(host, exit);
	bool moved;
	int r;

	/* A dead vCPU may have lost its registers: the last good ones stay. */
	if (exit->cr3 != 0 || !vcpu->has_exited)
		vcpu->paging = (struct gt__paging){exit->cr0, exit->cr3,
		                                   exit->cr4, exit->efer};
	host->last_vcpu = number;
	host->has_moved = false;
	moved = gt__offset_set(host, number, &tsc);
	if (!gt__quota_exit(&host->quota, now_ns(host))) {
		vcpu->exit_tsc = host->reading.tsc;
		vcpu->has_exited = true;
		return is_tracing(host, exit) ? GT_ANSWER_TAKEN
		                              : GT_ANSWER_NONE;
	}
	gt__outbox_note_exit(host, number, exit, is_tracing(host, exit));
	gt__serve_check_warp(host, before_tsc);
	vcpu->has_exited = true;
	pay_debts(host, &vcpu->paging);
	/* As long as few offsets are those of the records that wait. */
	if (moved && host->guest.vcpus > 0 && gt__serve_drain(host) < 0)
		host->bad_requests++;
	r = answer(host, number, exit);
	if (r < 0)
		host->bad_requests++;
	return r;
}

int gt__serve_batch(struct gt_host *host, uint32_t number, const void *bytes,
                    size_t count, uint64_t guest_tsc, int64_t tsc_offset)
{
	const struct gt_exit now = {.tsc_offset = tsc_offset};
	const struct gt__tsc tsc = tsc_of(host, &now);
	uint64_t before_tsc = host->reading.tsc;
	int r;

	gt__outbox_read(host);
	gt__serve_check_warp(host, before_tsc);
	gt__offset_set(host, number, &tsc);
	if (!gt__quota_serves(quota_now(host), host->reading.monotonic_ns))
		return 0;
	r = gt__handover_bytes(host, number, bytes, count, guest_tsc);
	if (r < 0)
		host->bad_requests++;
	return r < 0 ? r : 0;
}

/* Where there is no control block, the guest's ids are all that starts over. */
static int resume(struct gt_host *host, const struct gt__paging *paging,
                  uint64_t control_gva)
{
	if (host->options.wire != GT_WIRE_NATIVE) {
		gt__mailbox_forget(&host->mailbox);
		gt__outbox_life(host);
		return 0;
	}
	if (control_gva == 0)
		control_gva = host->guest.control_gva;
	if (control_gva == 0)
		return 0; /* it will announce itself */
	return announce(host, paging, control_gva, true);
}

int gt__serve_resume(struct gt_host *host, uint32_t number,
                     const struct gt_exit *state, uint64_t control_gva)
{
	struct host_vcpu *vcpu = &host->vcpus[number];
	const struct gt__tsc tsc = tsc_of(host, state);
	int r;

	vcpu->paging = (struct gt__paging){state->cr0, state->cr3, state->cr4,
	                                   state->efer};
	host->last_vcpu = number;
	host->has_moved = false;
	gt__outbox_read(host);
	vcpu->enter_tsc = host->reading.tsc; /* since when its TSC is this */
	vcpu->guess.is_on = false; /* a restore moves what is unknown, too */
	gt__offset_set(host, number, &tsc);
	vcpu->has_exited = true;
	vcpu->looked_tsc = vcpu->carry_tsc = vcpu->enter_tsc;
	vcpu->enter_tsc = 0;
	r = resume(host, &vcpu->paging, control_gva);
	if (r < 0)
		host->bad_requests++;
	return r < 0 ? r : 0;
}
