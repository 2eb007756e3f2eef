/* SPDX-License-Identifier: MIT */
/*
 * A live host: between exits of two vCPUs the guest's memory changes in any
 * way, page tables, control block, descriptors and rings among it, and the VMM
 * makes each call that there is (threats A1, B5, H1, H2). At the end the capture
 * has to show what the live sink was shown. The input: u8 wire and the rest of
 * the setting, then steps of u8 what, u8 vCPU and details.
 */
#include "doubting_sink.h"
#include "guest_input.h"
#include "tests/support/memfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static struct memfile capture, other;

static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	(void)context;
	inproc_now++;
	*ret_reading = (struct gt_clock_reading){.tsc = inproc_now,
	                                         .monotonic_ns = inproc_now,
	                                         .realtime_ns = inproc_now};
}

static void fill_random(void *context, void *bytes, size_t count)
{
	(void)context;
	memset(bytes, 0x5a, count);
}

static struct gt_output into(struct memfile *file)
{
	file->count = file->done = 0;
	return (struct gt_output){memfile_write, file};
}

static void set_filter(struct gt_host *host, struct input *input)
{
	char text[16] = "";
	size_t count = (size_t)take(input, 1) % sizeof(text);

	for (size_t i = 0; i < count; i++)
		text[i] = (char)take(input, 1);
	gt_host_set_filter(host, text);
}

static void hand_over(struct gt_host *host, uint32_t vcpu, struct input *input)
{
	size_t at = (size_t)take(input, 2) % sizeof(ram->ring);
	size_t count = (size_t)take(input, 2) % (sizeof(ram->ring) - at);

	gt_host_batch(host, vcpu, ram->ring + at, count, take(input, 2),
	              (int64_t)take(input, 1));
}

static struct gt_exit any_exit(struct input *input)
{
	struct gt_exit exit = bare_exit(take(input, 1), GVA(control));
	uint64_t what = take(input, 1);

	if (what & 1)
		exit.reason = (enum gt_exit_reason)(take(input, 1) % 9);
	if (what & 2)
		exit.port = (uint16_t)take(input, 2);
	if (what & 4)
		exit.r8 = take(input, 8);
	if (what & 8)
		exit.r9 = take(input, 8);
	if (what & 16)
		exit.r10 = take(input, 8);
	if (what & 32)
		exit.cr3 = take(input, 4);
	if (what & 64)
		exit.tsc_offset = (int64_t)take(input, 8);
	if (what & 128) {
		exit.tsc_ratio = take(input, 8);
		exit.tsc_ratio_shift = (uint32_t)take(input, 1) % 64;
	}
	return exit;
}

static void take_batch(struct gt_host *host, uint32_t vcpu, struct input *input)
{
	struct gt_exit exit = bare_exit(0, 0);

	exit.r8 = GT_BATCH_MAGIC;
	exit.r9 = GVA(ring) + take(input, 2);
	exit.r10 = take(input, 2);
	gt_host_exit(host, vcpu, &exit);
}

static void move_memory(struct gt_host *host, bool away)
{
	struct gt_memory_slot slot = bare_slot();

	gt_host_set_memory(host, &slot, away ? 0 : 1);
}

/* Returns whether the capture is another one from now on. */
static bool take_step(struct gt_host *host, struct input *input)
{
	unsigned what = (unsigned)take(input, 1);
	uint32_t vcpu = (uint32_t)take(input, 1) % 3;
	struct gt_exit exit;
	struct gt_output to;

	inproc_now += what >> 4;
	switch (what & 15) {
	case 0:
		patch(input);
		break;
	case 1:
		bare_record(vcpu ? &ram->fake_vcpu : &ram->vcpu);
		break;
	case 2:
	case 3:
	case 4:
		exit = bare_exit((what & 15) - 1 + ((uint64_t)vcpu << 32),
		                 GVA(control));
		gt_host_exit(host, vcpu, &exit);
		break;
	case 5:
		exit = any_exit(input);
		gt_host_exit(host, vcpu, &exit);
		break;
	case 6:
		take_batch(host, vcpu, input);
		break;
	case 7:
		hand_over(host, vcpu, input);
		break;
	case 8:
		gt_host_drain(host);
		break;
	case 9:
		gt_host_enter(host, vcpu, take(input, 1));
		break;
	case 10:
		to = into(&other);
		gt_host_snapshot(host, &to);
		break;
	case 11:
		exit = any_exit(input);
		gt_host_resumed(host, vcpu, &exit, take(input, 1) & 1);
		break;
	case 12:
		gt_host_want_wake(host, vcpu & 1);
		gt_host_sample(host);
		gt_host_control(host);
		break;
	case 13:
		gt_host_work_end(host, gt_host_work_begin(host, vcpu, "disk"));
		break;
	case 14:
		set_filter(host, input);
		break;
	case 15:
		if (vcpu < 2) {
			move_memory(host, vcpu == 0);
			break;
		}
		to = into(&other);
		return gt_host_rotate(host, &to) == 0;
	}
	return false;
}

static void expect_same(const struct doubting_sink *live)
{
	struct doubting_sink seen = doubting_sink();
	struct gt_sink *const sinks[] = {&seen.sink};
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = memfile_read,
		.context = &capture,
		.sinks = sinks,
		.sink_count = 1,
		.limits = {.open_spans = 64, .span_bytes = 16384},
	};

	check(gt_replay(&options) == 0);
	check(seen.closed == live->closed && seen.events == live->events);
	check(seen.counters == live->counters && seen.lost == live->lost);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct doubting_sink seen = doubting_sink();
	struct gt_sink *const sinks[] = {&seen.sink};
	struct input input = {bytes, count};
	struct gt_host_options options = {
		.size = sizeof(options),
		.memory = {{.gpa = 0}},
		.memory_slots = 1,
		.vcpus = 2,
		.sinks = sinks,
		.sink_count = 1,
		.read_clock = read_clock,
		.random = fill_random,
		.limits = {.open_spans = 64, .span_bytes = 16384},
	};
	uint64_t setting = take(&input, 1);
	struct gt_host *host;
	bool is_whole = true;

	make_guest();
	options.memory[0] = bare_slot();
	options.memory[0].read_only = setting & 4;
	options.has_holes = setting & 8;
	options.wire = (enum gt_wire)(setting % 4 % 3);
	options.capture = into(&capture);
	if (setting & 16)
		options.limits.record_bytes_per_s = 1 << 20;
	if (setting & 32)
		options.limits.exits_per_s = 1 << 10;
	if (gt_host_new(&options, &host) < 0)
		return 0;
	while (input.left > 0)
		if (take_step(host, &input))
			is_whole = false;
	gt_host_finish(host, GT_ENDING_HALTED, 0, "the end");
	gt_host_free(host);
	if (is_whole)
		expect_same(&seen);
	return 0;
}
