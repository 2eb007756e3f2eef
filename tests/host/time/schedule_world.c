/* SPDX-License-Identifier: MIT */
#define GT_TARGET "schedule"
#include "schedule_settings.h"
#include <guesttrace/guest.h>

#include "schedule_world.h"
#include "tests/support/process_memory.h"

#include <stdio.h>

__extension__ typedef unsigned __int128 u128;

struct gt_vcpu vcpus[SCHEDULE_VCPUS] __attribute__((aligned(64)));
struct gt_vcpu *schedule_vcpu;
struct truth schedule_truth;
bool schedule_moved, schedule_restored;
uint64_t schedule_made[SCHEDULE_RECORDS];
struct schedule_turns schedule_turns[SCHEDULE_VCPUS];
uint64_t schedule_work[SCHEDULE_WORK][2];
struct schedule_world world;

/* The test itself cannot go on. */
void must(int r, const char *what)
{
	if (r >= 0)
		return;
	printf("Bail out! %s: %s\n", what, gt_error_text(r));
	exit(1);
}

bool one_in(uint64_t n)
{
	return truth_random(n) == 0;
}

/* ---- Clocks -------------------------------------------------------------- */

uint64_t guest_tsc(uint32_t vcpu, uint64_t host_tsc)
{
	const struct gt__tsc *tsc = &world.tsc[vcpu];
	uint64_t scaled = host_tsc;

	if (tsc->ratio)
		scaled = (uint64_t)((u128)host_tsc * tsc->ratio >> tsc->shift);
	return scaled + (uint64_t)tsc->offset;
}

/* A vCPU enters or leaves: that is what the host reads its clocks for. */
static void turn(struct schedule_turns *turns)
{
	if (turns->count == turns->room) {
		turns->room = 2 * turns->room + 16;
		turns->ps = realloc(turns->ps, turns->room * sizeof(uint64_t));
	}
	turns->ps[turns->count++] = schedule_truth.ps;
}

void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	struct truth_reading reading;

	(void)context;
	truth_go_on(&schedule_truth, 20 + truth_random(200));
	reading = truth_read(&schedule_truth);
	*ret_reading = (struct gt_clock_reading){
		.tsc = reading.tsc,
		.monotonic_ns = reading.ns,
		.realtime_ns = reading.ns,
		.gap_ns = reading.gap_ns,
	};
	if (world.first_read_ps)
		return;
	world.first_read_ps = schedule_truth.ps;
	if (world.turning)
		turn(world.turning);
	world.turning = NULL;
}

static void something_within(uint32_t vcpu);

void pause_for(unsigned bits)
{
	truth_go_on(&schedule_truth, truth_step(bits));
}

uint64_t schedule_tsc(void)
{
	uint64_t *making = world.making;
	uint32_t vcpu = (uint32_t)(schedule_vcpu - vcpus);
	uint64_t tsc;

	if (world.interrupts && world.depth < 2 && one_in(20))
		something_within(vcpu);
	truth_go_on(&schedule_truth, truth_step(8));
	tsc = guest_tsc(vcpu, schedule_truth.tsc);
	if (making)
		*making = schedule_truth.ps;
	if (world.interrupts && world.depth < 2 && one_in(20))
		something_within(vcpu);
	world.making = making;
	return tsc;
}

/* ---- Entries and exits --------------------------------------------------- */

void random_tsc(struct gt__tsc *tsc)
{
	static const uint64_t ratios[] = {UINT64_C(1) << 31, UINT64_C(3) << 31,
	                                  UINT64_C(4660123123)};

	*tsc = (struct gt__tsc){
		.offset = (int64_t)truth_random(UINT64_C(1) << 50),
		.shift = 32,
	};
	if (world.scaled)
		tsc->ratio = ratios[truth_random(3)];
}

void enter(uint32_t vcpu)
{
	world.first_read_ps = 0;
	world.turning = &schedule_turns[vcpu];
	must(gt_host_enter(world.host, vcpu, 0), "enter");
	if (world.moving && one_in(50)) {
		random_tsc(&world.tsc[vcpu]);
		schedule_moved = true;
	}
	world.inside[vcpu] = true;
}

static void leave(uint32_t vcpu, struct gt_exit exit)
{
	exit.tsc_offset = world.tsc[vcpu].offset;
	exit.tsc_ratio = world.tsc[vcpu].ratio;
	exit.tsc_ratio_shift = world.tsc[vcpu].shift;
	world.inside[vcpu] = false;
	world.first_read_ps = 0;
	world.turning = &schedule_turns[vcpu];
	must(gt_host_exit(world.host, vcpu, &exit), "exit");
}

void leave_for(uint32_t vcpu, enum gt_exit_reason reason)
{
	struct gt_exit exit = process_memory_exit();

	exit.reason = reason;
	leave(vcpu, exit);
}

void schedule_doorbell(uint64_t operation, uint64_t control_gva);

void schedule_doorbell(uint64_t operation, uint64_t control_gva)
{
	struct gt_exit exit = process_memory_exit();
	uint32_t vcpu = (uint32_t)(operation >> 32);

	exit.r9 = control_gva;
	exit.r10 = operation;
	leave(vcpu, exit);
	enter(vcpu);
}

/* ---- What the guest does ------------------------------------------------- */

static uint64_t *next_record(uint64_t *ret_number)
{
	*ret_number = world.made++;
	return &schedule_made[*ret_number];
}

static void record_event(void)
{
	uint64_t i, *outer = world.making;

	world.making = next_record(&i);
	GT_EVENT(GT_INFO, "tick", gt_u64("i", i));
	world.making = outer;
}

static void record_span(void)
{
	uint64_t i, *outer = world.making;
	struct gt_span span;

	world.making = next_record(&i);
	world.made++;
	GT_OPEN(span, GT_INFO, "step", gt_u64("i", i));
	world.making = &schedule_made[i + 1];
	gt_close(&span);
	world.making = outer;
}

void record(uint32_t vcpu)
{
	if (world.made + 4 > world.made_max)
		return;
	schedule_vcpu = &vcpus[vcpu];
	if (one_in(3))
		record_span();
	else
		record_event();
}

/* Within a record of the vCPU's, before or behind its look at the TSC. */
static void something_within(uint32_t vcpu)
{
	uint64_t what = truth_random(6);

	world.depth++;
	if (what == 0)
		must(gt_host_drain(world.host), "drain");
	else if (what == 1)
		gt_host_sample(world.host);
	else if (what == 2)
		pause_for(world.pace_bits);
	else if (what == 3)
		record(vcpu); /* an interrupt's */
	if (what == 4 && world.inside[vcpu]) {
		leave_for(vcpu, GT_EXIT_OTHER);
		pause_for(world.pace_bits);
		enter(vcpu);
	}
	world.depth--;
	schedule_vcpu = &vcpus[vcpu];
}
