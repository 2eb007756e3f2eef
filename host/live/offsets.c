/* SPDX-License-Identifier: MIT */
/*
 * By how much a vCPU's TSC differs from the host's: what the VMM says or, where
 * it cannot know, what the batches of the Hyperlight wires tell.
 *
 * An event was made before the host saw it, and behind the entry, or the look,
 * before it. So the offset is at least the largest difference seen of the first
 * kind, and at most the smallest of the second. Times are placed by the former,
 * as nearly always a batch leaves the guest right behind its last event.
 */
#include "host_inside.h"

/* Since when what is told now holds; 0: always. */
static uint64_t from_of(const struct host_vcpu *vcpu)
{
	if (!vcpu->has_exited && !vcpu->looked_tsc)
		return 0;
	if (vcpu->enter_tsc)
		return vcpu->enter_tsc;
	return vcpu->has_exited ? vcpu->exit_tsc : vcpu->looked_tsc;
}

bool gt__offset_set(struct gt_host *host, uint32_t number,
                    const struct gt__tsc *tsc)
{
	struct host_vcpu *vcpu = &host->vcpus[number];
	bool is_known = tsc->offset != GT_TSC_OFFSET_UNKNOWN;

	if (!is_known && vcpu->guess.is_on)
		return false;
	if (!is_known) {
		vcpu->guess = (struct host_guess){.is_on = true,
		                                  .since_tsc = from_of(vcpu)};
		return true;
	}
	if (!vcpu->guess.is_on && tsc->offset == vcpu->tsc.offset &&
	    tsc->ratio == vcpu->tsc.ratio && tsc->shift == vcpu->tsc.shift)
		return false;
	vcpu->guess.is_on = false;
	vcpu->tsc = *tsc;
	gt__outbox_tsc(host, number, from_of(vcpu), tsc, -1);
	return true;
}

/* ---- Estimating ---------------------------------------------------------- */

/* What a batch says of its vCPU's TSC. */
struct span_of_tsc {
	bool carries; /* its first event may be older than the look before */
	bool has_first, has_rest;
	uint64_t first, oldest, newest; /* `oldest` of the rest */
};

static int note(void *context, const struct gt_hyperlight_event *event)
{
	struct span_of_tsc *seen = context;
	bool is_first = !seen->has_first;

	seen->has_first = true;
	if (event->kind == GT_HYPERLIGHT_EDIT)
		return 0;
	/* 0.11 says in each batch when its call began: that may be long ago. */
	if (!seen->carries && event->kind == GT_HYPERLIGHT_START)
		return 0;
	if (is_first && seen->carries && event->kind != GT_HYPERLIGHT_START) {
		seen->first = event->tsc;
	} else if (!seen->has_rest ||
	           (int64_t)(event->tsc - seen->oldest) < 0) {
		seen->oldest = event->tsc;
		seen->has_rest = true;
	}
	if (seen->newest == 0 || (int64_t)(event->tsc - seen->newest) > 0)
		seen->newest = event->tsc;
	return 0;
}

/* No event of the vCPU that is to come was made before. */
static uint64_t lower_of(const struct gt_host *host,
                         const struct host_vcpu *vcpu, uint64_t looked_tsc)
{
	uint64_t tsc = looked_tsc ? looked_tsc : host->first_reading.tsc;

	if (vcpu->enter_tsc && (int64_t)(vcpu->enter_tsc - tsc) > 0)
		tsc = vcpu->enter_tsc;
	return tsc;
}

static int64_t lower(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* By how many ticks times may be too late; no overflow, whatever a guest says.
 */
int64_t gt__offset_doubt(const struct host_guess *guess)
{
	uint64_t doubt = (uint64_t)guess->high - (uint64_t)guess->first;

	return doubt > INT64_MAX ? INT64_MAX : (int64_t)doubt;
}

/* What this batch alone says. False: nothing. */
static bool bounds_of(const struct gt_host *host, const struct host_vcpu *vcpu,
                      const struct span_of_tsc *seen, uint64_t upper_tsc,
                      struct host_guess *ret_guess)
{
	struct host_guess guess = {.low = INT64_MIN, .high = INT64_MAX};

	if (!seen->has_rest && !seen->first)
		return false; /* no event in it has a time */
	guess.low = (int64_t)(seen->newest - upper_tsc);
	if (seen->has_rest)
		guess.high = (int64_t)(seen->oldest -
		                       lower_of(host, vcpu, vcpu->looked_tsc));
	if (seen->first)
		guess.high = lower(
			guess.high,
			(int64_t)(seen->first -
		                  (vcpu->carry_tsc ? vcpu->carry_tsc
		                                   : host->first_reading.tsc)));
	*ret_guess = guess;
	return true;
}

/* False: nothing has changed. */
static bool narrow(struct host_guess *guess, const struct host_guess *batch,
                   uint64_t since_tsc)
{
	int64_t low = guess->low, high = guess->high;

	if (!guess->has_any || batch->low > high || batch->high < low) {
		/* It has moved, or the guest lies: only this batch counts. */
		if (guess->has_any)
			guess->since_tsc = since_tsc;
		guess->has_any = true;
		guess->low = guess->first = batch->low;
		guess->high =
			batch->high < batch->low ? batch->low : batch->high;
		return true;
	}
	guess->low = batch->low > low ? batch->low : low;
	guess->high = lower(batch->high, high);
	return guess->low != low || guess->high != high;
}

void gt__offset_narrow(struct gt_host *host, uint32_t number, int64_t low,
                       int64_t high, uint64_t since_tsc)
{
	struct host_guess *guess = &host->vcpus[number].guess;
	const struct host_guess told = {.low = low, .high = high};

	if (guess->is_on && narrow(guess, &told, since_tsc) &&
	    !host->is_holding)
		gt__offset_tell(host, number);
}

void gt__offset_tell(struct gt_host *host, uint32_t number)
{
	struct host_vcpu *vcpu = &host->vcpus[number];

	vcpu->tsc = (struct gt__tsc){.offset = vcpu->guess.low};
	gt__outbox_tsc(host, number, vcpu->guess.since_tsc, &vcpu->tsc,
	               gt__offset_doubt(&vcpu->guess));
}

void gt__offset_learn(struct gt_host *host, uint32_t number,
                      const uint8_t *batch, size_t count, uint64_t guest_tsc,
                      uint64_t upper_tsc)
{
	struct host_vcpu *vcpu = &host->vcpus[number];
	struct host_guess told;
	struct span_of_tsc seen = {.carries = host->options.wire ==
	                                      GT_WIRE_HYPERLIGHT_0_12,
	                           .newest = guest_tsc};

	if (!vcpu->guess.is_on)
		return;
	gt_hyperlight_decode(host->options.wire, batch, count, NULL, note,
	                     &seen, NULL);
	if (bounds_of(host, vcpu, &seen, upper_tsc, &told))
		gt__offset_narrow(host, number, told.low, told.high,
		                  vcpu->looked_tsc);
}
