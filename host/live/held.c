/* SPDX-License-Identifier: MIT */
/*
 * What an attached guest had recorded before its TSC is known waits here, as
 * frames. Then the trace begins with its oldest record, by the rate at which
 * the clocks have run since.
 */
#include "host_inside.h"
#include "host/time/bend.h"

/* A kernel slews its clock by no more: adjtimex(2), 500 ppm. */
#define SLEW_PARTS 2000u

/* So that the oldest record lies behind the beginning. */
#define MARGIN_TICKS 65536u

struct held_frame {
	const uint8_t *bytes;
	size_t count;
	enum gt__frame_type type;
	uint32_t vcpu;
};

static bool next_frame(const struct gt_host *host, size_t *at,
                       struct held_frame *ret_frame)
{
	const uint8_t *head = host->held.bytes + *at;

	if (*at >= host->held.count)
		return false;
	*ret_frame =
		(struct held_frame){head, GT__FRAME_HEAD + gt__load32(head + 4),
	                            (enum gt__frame_type)gt__load16(head + 12),
	                            gt__load16(head + 14)};
	*at += ret_frame->count;
	return true;
}

/* ---- Where it begins ----------------------------------------------------- */

static void take_older(uint64_t *oldest_tsc, uint64_t tsc)
{
	if ((int64_t)(tsc - *oldest_tsc) < 0)
		*oldest_tsc = tsc;
}

/* The first record of each level: of those behind it none is older. */
static void look_at_records(const struct gt_host *host,
                            const struct held_frame *frame,
                            uint64_t *oldest_tsc)
{
	const uint8_t *ranges = frame->bytes + GT__FRAME_HEAD + 56;
	const uint8_t *records =
		frame->bytes + GT__FRAME_HEAD + GT__RECORDS_HEAD;
	const struct gt__tsc *tsc = &host->vcpus[frame->vcpu].tsc;

	for (unsigned level = 0; level < GT_LEVELS; level++) {
		uint64_t count = gt__load64(ranges + 16 * level + 8);

		if (count >= GT_RECORD_BYTES &&
		    GT_RECORD_KIND(gt__load64(records)) != GT_RECORD_PAD &&
		    tsc->ratio == 0)
			take_older(oldest_tsc, gt__load64(records + 8) -
			                               (uint64_t)tsc->offset);
		records += count;
	}
}

static uint64_t oldest_of(const struct gt_host *host)
{
	uint64_t oldest_tsc = host->first_reading.tsc;
	struct held_frame frame;

	for (size_t at = 0; next_frame(host, &at, &frame);)
		if (frame.type == GT__FRAME_RECORDS)
			look_at_records(host, &frame, &oldest_tsc);
	return oldest_tsc;
}

/*
 * Back to `tsc`, but not to before the machine was on. What the clocks did then
 * nobody knows but that they were not slewed by more than that.
 */
static void begin_at(struct gt_host *host, uint64_t tsc)
{
	struct gt_clock_reading *first = &host->first_reading;
	uint64_t ticks = first->tsc - tsc + MARGIN_TICKS, ns;
	const struct gt_clock_reading *now = &host->reading;

	if (tsc == first->tsc || now->tsc == first->tsc)
		return;
	ns = gt__scale(now->monotonic_ns - first->monotonic_ns, ticks,
	               now->tsc - first->tsc);
	if (ns >= first->monotonic_ns || ns >= first->realtime_ns)
		return;
	first->tsc -= ticks;
	first->monotonic_ns -= ns;
	first->realtime_ns -= ns;
	if (first->boottime_ns)
		first->boottime_ns -= ns;
	first->gap_ns += ns / SLEW_PARTS + 1;
}

/* ---- Showing ------------------------------------------------------------- */

/* Of one that has recorded nothing while we looked: as another one has it. */
static void complete_guesses(struct gt_host *host)
{
	const struct host_guess *known = NULL;

	for (uint32_t i = 0; i < host->guest.vcpus; i++) {
		const struct host_guess *guess = &host->vcpus[i].guess;

		if (guess->has_any && (!known || guess->high < known->high))
			known = guess;
	}
	for (uint32_t i = 0; known && i < host->guest.vcpus; i++)
		if (!host->vcpus[i].guess.has_any)
			host->vcpus[i].guess = *known;
	/* Nothing is known at all. */
	for (uint32_t i = 0; !known && i < host->guest.vcpus; i++)
		host->vcpus[i].guess.high = INT64_MAX;
	for (uint32_t i = 0; i < host->guest.vcpus; i++)
		if (host->vcpus[i].guess.is_on)
			host->vcpus[i].tsc = (struct gt__tsc){
				.offset = host->vcpus[i].guess.low};
}

static void tell_offsets(struct gt_host *host)
{
	for (uint32_t i = 0; i < host->guest.vcpus; i++) {
		struct host_vcpu *vcpu = &host->vcpus[i];

		vcpu->guess.first = vcpu->guess.low;
		vcpu->guess.since_tsc = 0;
		if (vcpu->guess.is_on)
			gt__offset_tell(host, i);
		else
			gt__outbox_tsc(host, i, 0, &vcpu->tsc, -1);
	}
}

int gt__held_release(struct gt_host *host)
{
	struct held_frame frame;
	int r = 0;

	complete_guesses(host);
	gt__outbox_read(host);
	begin_at(host, oldest_of(host));
	host->is_holding = false;
	host->sent_ns = host->first_reading.monotonic_ns;
	host->sent_tsc = host->first_reading.tsc;
	gt__outbox_begin(host);
	tell_offsets(host);
	for (size_t at = 0; next_frame(host, &at, &frame) && r == 0;)
		r = gt__outbox_deliver(host, frame.bytes, frame.count,
		                       frame.type, frame.vcpu);
	free(host->held.bytes);
	host->held = (struct gt__frame_buffer){.count = 0};
	return r < 0 ? r : host->error;
}
