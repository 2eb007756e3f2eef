/* SPDX-License-Identifier: MIT */
#include "schedule_settings.h"
#include <guesttrace/guest.h>

#include "schedule_world.h"
#include "tests/support/process_memory.h"

#include <stdio.h>

#define RING_BYTES   ((size_t)32 << 20)
#define NESTED_BYTES ((size_t)1 << 20)
#define SAVED_BYTES  ((size_t)1 << 18)
#define RESTORES_MAX 50u

static uint64_t rings[RING_BYTES / 8], nested[NESTED_BYTES / 8];

/* The guest's memory, and its TSCs, at a snapshot. */
static struct {
	uint64_t rings[SAVED_BYTES / 8], nested[SAVED_BYTES / 8];
	struct gt_vcpu vcpus[SCHEDULE_VCPUS];
	struct gt_control control;
	uint64_t tsc[SCHEDULE_VCPUS];
	bool valid;
} saved;

/* ---- What the VMM does --------------------------------------------------- */

static void take(void)
{
	must(gt_host_drain(world.host), "drain");
}

static void take_snapshot(void)
{
	struct memfile file = {.count = 0};
	struct gt_output output = {.write = memfile_write, .context = &file};
	struct schedule_seen seen;

	must(gt_host_snapshot(world.host, &output), "snapshot");
	schedule_replay(&file, &seen);
	world.judge(&seen, "snapshot");
	free(file.bytes);
}

static void begin_work(uint32_t vcpu)
{
	unsigned slot = (unsigned)truth_random(OPEN_WORK);
	char name[24];

	if (world.open_work[slot] || world.work == SCHEDULE_WORK)
		return;
	snprintf(name, sizeof(name), "%u", (unsigned)world.work);
	world.first_read_ps = 0;
	world.open_work[slot] = gt_host_work_begin(world.host, vcpu, name);
	schedule_work[world.work][0] = world.first_read_ps;
	world.open_number[slot] = world.work++;
	world.open_vcpu[slot] = vcpu;
}

static void end_work(unsigned slot)
{
	if (!world.open_work[slot])
		return;
	world.first_read_ps = 0;
	gt_host_work_end(world.host, world.open_work[slot]);
	schedule_work[world.open_number[slot]][1] = world.first_read_ps;
	world.open_work[slot] = 0;
}

/* What it read of the clocks is not in the run's own frames. */
static void take_behind_snapshot(void)
{
	end_work((unsigned)truth_random(OPEN_WORK));
	take_snapshot();
	if (one_in(2))
		take();
}

/* Its work is over before a vCPU runs again. */
static void go_in(uint32_t vcpu)
{
	for (unsigned slot = 0; slot < OPEN_WORK; slot++)
		if (world.open_vcpu[slot] == vcpu)
			end_work(slot);
	enter(vcpu);
}

static void all_leave(void)
{
	for (uint32_t i = 0; i < world.vcpus; i++)
		if (world.inside[i])
			leave_for(i, GT_EXIT_INTERRUPTED);
}

static bool may_be_saved(void)
{
	return world.ring_bytes <= SAVED_BYTES &&
	       world.nested_bytes <= SAVED_BYTES;
}

static void save(void)
{
	if (!may_be_saved())
		return;
	all_leave();
	memcpy(saved.rings, rings, world.ring_bytes);
	memcpy(saved.nested, nested, world.nested_bytes);
	memcpy(saved.vcpus, vcpus, sizeof(saved.vcpus));
	saved.control = gt_control;
	for (uint32_t i = 0; i < world.vcpus; i++)
		saved.tsc[i] = guest_tsc(i, schedule_truth.tsc);
	saved.valid = true;
}

/* A host learns a vCPU's TSC from its exits. */
static void tell_tscs(void)
{
	for (uint32_t i = 0; i < world.vcpus; i++) {
		if (!world.inside[i])
			enter(i);
		leave_for(i, GT_EXIT_OTHER);
	}
}

/* The guest's TSCs go on from where they were. */
static void restore(void)
{
	struct gt_exit state = process_memory_exit();

	if (!saved.valid || world.restores == RESTORES_MAX)
		return;
	world.restores++;
	schedule_restored = true;
	all_leave();
	take();
	memcpy(rings, saved.rings, world.ring_bytes);
	memcpy(nested, saved.nested, world.nested_bytes);
	memcpy(vcpus, saved.vcpus, sizeof(saved.vcpus));
	gt_control = saved.control;
	for (uint32_t i = 0; i < world.vcpus; i++)
		world.tsc[i].offset +=
			(int64_t)(saved.tsc[i] -
		                  guest_tsc(i, schedule_truth.tsc));
	state.tsc_offset = world.tsc[0].offset;
	state.tsc_ratio = world.tsc[0].ratio;
	state.tsc_ratio_shift = world.tsc[0].shift;
	must(gt_host_resumed(world.host, 0, &state, 0), "resumed");
	tell_tscs();
}

/* ---- A schedule ---------------------------------------------------------- */

static void one_thing(void)
{
	uint32_t vcpu = (uint32_t)truth_random(world.vcpus);
	uint64_t what = truth_random(1000);

	pause_for(world.pace_bits);
	if (what < 600 && world.inside[vcpu])
		for (uint64_t n = truth_step(4); n > 0; n--)
			record(vcpu);
	else if (what < 850 && world.inside[vcpu])
		leave_for(vcpu, truth_random(2) ? GT_EXIT_HALT : GT_EXIT_MMIO);
	else if (what < 850)
		go_in(vcpu);
	else if (what < 900 && !world.inside[vcpu])
		begin_work(vcpu);
	else if (what < 940)
		end_work((unsigned)truth_random(OPEN_WORK));
	else if (what < 970)
		gt_host_sample(world.host);
	else if (what < 990)
		take();
	else if (what < 993)
		take_behind_snapshot();
	else if (what < 995)
		save();
	else if (what < 997)
		restore();
	else if (what < 998)
		pause_for(44); /* an hour, perhaps */
}

/* A stretch with one kind of thing only: more than any store holds. */
static void many_things(uint64_t count)
{
	uint32_t vcpu = (uint32_t)truth_random(world.vcpus);
	uint64_t what = truth_random(4);

	if (!world.inside[vcpu])
		go_in(vcpu);
	for (uint64_t i = 0; i < count; i++) {
		if (what == 0 || one_in(30))
			record(vcpu);
		pause_for(world.pace_bits);
		if (what == 1) {
			leave_for(vcpu, GT_EXIT_HALT);
			go_in(vcpu);
		} else if (what == 2) {
			gt_host_sample(world.host);
		}
	}
}

static size_t ring_bytes(uint64_t records)
{
	size_t bytes = GT_RING_BYTES_MIN * world.vcpus;

	while (bytes < RING_BYTES && bytes < records * 32 && !one_in(4))
		bytes *= 2;
	return bytes < RING_BYTES ? bytes : RING_BYTES;
}

static void make_guest(uint64_t records)
{
	world.ring_bytes = ring_bytes(records);
	world.nested_bytes = one_in(2) ? 3 * 4096 * world.vcpus : 0;
	memset(vcpus, 0, sizeof(vcpus));
	enter(0);
	schedule_vcpu = vcpus;
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = rings,
		.ring_bytes = world.ring_bytes,
		.mode = (enum gt_ring_mode)truth_random(3),
		.vcpus = vcpus,
		.vcpu_count = world.vcpus,
		.nested = world.nested_bytes ? nested : NULL,
		.nested_bytes = world.nested_bytes,
	});
	tell_tscs();
}

static void make_world(uint64_t number, struct schedule_seen *shown,
                       struct memfile *capture)
{
	struct gt_sink *const sinks[] = {&shown->sink};
	struct gt_host_options options = {
		.size = sizeof(options),
		.sinks = sinks,
		.sink_count = 1,
		.capture = {.write = memfile_write, .context = capture},
		.read_clock = read_clock,
		.limits = {.announcements = RESTORES_MAX + 1},
	};

	truth_state = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
	schedule_truth = truth_make();
	world.vcpus = one_in(2) ? 1 : (uint32_t)truth_step(6);
	if (world.vcpus > SCHEDULE_VCPUS)
		world.vcpus = SCHEDULE_VCPUS;
	world.scaled = one_in(4) && schedule_truth.tsc < UINT64_C(1) << 60;
	world.moving = one_in(4);
	world.interrupts = one_in(3);
	world.pace_bits = 8 + (unsigned)truth_random(21);
	for (uint32_t i = 0; i < world.vcpus; i++) {
		random_tsc(&world.tsc[i]);
		schedule_turns[i].count = 0;
	}
	options.vcpus = world.vcpus;
	options.memory_slots = process_memory_slots(options.memory);
	schedule_sink(shown);
	must(gt_host_new(&options, &world.host), "new");
}

void schedule_run(uint64_t number, struct schedule_seen *shown,
                  struct memfile *capture,
                  void (*judge)(struct schedule_seen *seen, const char *what))
{
	uint64_t things;

	memset(&world, 0, sizeof(world));
	saved.valid = schedule_moved = schedule_restored = false;
	world.judge = judge;
	make_world(number, shown, capture);
	/* Few are long, or there would be no time for many. */
	things = truth_step(number % 5000 == 7 ? 17 : 7);
	world.made_max = number % 5000 == 7 ? SCHEDULE_RECORDS : 20000;
	make_guest(4 * things);
	for (uint64_t i = 0; i < things; i++)
		one_thing();
	if (one_in(20) || number % 5000 == 7)
		many_things(truth_step(number % 5000 == 7 ? 19 : 12));
	for (uint64_t i = truth_step(5); i > 0; i--)
		one_thing();
	for (unsigned slot = 0; slot < OPEN_WORK; slot++)
		end_work(slot);
	gt_host_finish(world.host, GT_ENDING_HALTED, 0, NULL);
	gt_host_free(world.host);
}
