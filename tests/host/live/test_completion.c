/* SPDX-License-Identifier: MIT */
/*
 * A writer is killed at every byte of its capture: from what it left behind and
 * the guest's memory comes every record that the guest had made, and none twice
 * (threats F8, H4). How many it had made is the test's own count.
 */
#include "host/frames/frame.h"
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"
#include "tests/support/memfile.h"

#include <guesttrace/host_completion.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct memfile capture;
static uint64_t made;   /* records, by now */
static uint32_t guests; /* announcements accepted before the latest one */
static uint64_t kills;

/* ---- Completing a copy --------------------------------------------------- */

static long read_copy(void *context, uint64_t at, void *bytes, size_t count)
{
	struct memfile *copy = context;

	if (at >= copy->count)
		return 0;
	if (count > copy->count - at)
		count = copy->count - at;
	if (count > 100)
		count = 100;
	memcpy(bytes, copy->bytes + at, count);
	return (long)count;
}

static int truncate_copy(void *context, uint64_t bytes)
{
	struct memfile *copy = context;

	assert_true(bytes < copy->count);
	copy->count = bytes;
	return 0;
}

static struct gt_completion_options options_of(struct memfile *copy)
{
	struct gt_exit exit = bare_exit(0, 0);
	struct gt_completion_options options = {
		.size = sizeof(options),
		.memory = {bare_slot()},
		.memory_slots = 1,
		.guests_before = guests,
		.control_gva = GVA(control),
		.cr0 = exit.cr0,
		.cr3 = exit.cr3,
		.cr4 = exit.cr4,
		.efer = exit.efer,
		.read = read_copy,
		.truncate = truncate_copy,
		.write = memfile_write,
		.context = copy,
		.ending = GT_ENDING_FAILED,
		.message = "killed",
		.read_clock = inproc_options().read_clock,
	};

	return options;
}

static struct memfile copy_of(size_t count)
{
	struct memfile copy = {.bytes = malloc(count + 1),
	                       .count = count,
	                       .room = count + 1};

	memcpy(copy.bytes, capture.bytes, count);
	return copy;
}

/* ---- What comes of it ---------------------------------------------------- */

struct seen {
	struct gt_sink sink;
	uint64_t count, last_ns;
	bool twice;
	struct gt_summary summary;
};

static int see_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	struct seen *seen = (struct seen *)sink;

	(void)trace;
	/* A tick of the guest's clock is one record at most. */
	seen->twice |= seen->count > 0 && event->time_ns <= seen->last_ns;
	seen->last_ns = event->time_ns;
	seen->count++;
	return 0;
}

static int see_end(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_summary *summary)
{
	(void)trace;
	((struct seen *)sink)->summary = *summary;
	return 0;
}

static struct seen replay(struct memfile *file)
{
	struct seen seen = {.sink = {.event = see_event, .end = see_end}};
	struct gt_sink *const sinks[] = {&seen.sink};
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = memfile_read,
		.context = file,
		.sinks = sinks,
		.sink_count = 1,
	};

	file->done = 0;
	assert_int_equal(gt_replay(&options), 0);
	return seen;
}

/* Killed with so many bytes of the capture written. */
static void kill_at(size_t count, uint64_t records)
{
	struct memfile copy = copy_of(count);
	struct gt_completion_options options = options_of(&copy);
	uint64_t now = inproc_now;
	struct seen seen;

	assert_int_equal(gt_capture_complete(&options), 1);
	seen = replay(&copy);
	assert_int_equal(seen.count, records);
	assert_false(seen.twice);
	assert_int_equal(seen.summary.ending, GT_ENDING_FAILED);
	assert_int_equal(seen.summary.losses.cut_bytes, 0);
	assert_int_equal(seen.summary.losses.bad_records, 0);
	assert_int_equal(seen.summary.losses.adjusted_records, 0);
	/* And only once. */
	options.context = &copy;
	assert_int_equal(gt_capture_complete(&options), 0);
	free(copy.bytes);
	inproc_now = now;
	kills++;
}

static int write_and_be_killed(void *context, const void *bytes, size_t count)
{
	size_t before = capture.count;
	/* With its END it is complete. */
	size_t last = ((const uint8_t *)bytes)[12] == GT__FRAME_END ? count - 1
	                                                            : count;

	memfile_write(&capture, bytes, count);
	(void)context;
	/* Before START is whole there is nothing to complete. */
	for (size_t i = before == 0 ? count : 0; i <= last; i++)
		kill_at(before + i, made);
	return 0;
}

/* ---- The run ------------------------------------------------------------- */

static void start(void)
{
	struct gt_host_options options = inproc_options();

	options.sink_count = 0;
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.capture = (struct gt_output){write_and_be_killed, NULL};
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	gt_host_enter(inproc_host, 0, 0);
}

static void ask(uint64_t operation)
{
	struct gt_exit exit = bare_exit(operation, GVA(control));

	assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 1);
	gt_host_enter(inproc_host, 0, 0);
}

static void announce(void)
{
	ask(GT_DOORBELL_ANNOUNCE);
}

static void record(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		bare_record(&ram->vcpu);
		made++;
	}
}

static void a_writer_killed_anywhere_costs_no_record(void **unused)
{
	(void)unused;
	start();
	announce();
	for (unsigned round = 0; round < 12; round++) {
		record(round * 7 % 23);
		ask(GT_DOORBELL_FLUSH);
		record(round % 3);
		gt_host_sample(inproc_host);
	}
	assert_int_equal(
		gt_host_finish(inproc_host, GT_ENDING_UNKNOWN, 0, NULL), 0);
	assert_true(kills > 3000);
}

static void a_guest_that_begins_again_is_told_apart(void **unused)
{
	uint64_t position;

	(void)unused;
	start();
	announce();
	record(9);
	ask(GT_DOORBELL_FLUSH);
	record(3);
	ask(GT_DOORBELL_FLUSH);
	/* What it had not handed over is gone with its rings. */
	position = ram->vcpu.ring[0].pos;
	bare_init();
	assert_true(position > ram->vcpu.ring[0].pos);
	guests = 1;
	record(4);
	announce();
	record(5);
	ask(GT_DOORBELL_FLUSH);
	record(2);
	gt_host_sample(inproc_host);
}

/* ---- What is refused ----------------------------------------------------- */

static void a_capture_that_is_damaged_is_left_as_it_is(void **unused)
{
	struct memfile copy;
	struct gt_completion_options options;

	(void)unused;
	start();
	announce();
	record(3);
	ask(GT_DOORBELL_FLUSH);
	for (size_t at = 0; at < capture.count; at++) {
		size_t count = capture.count;
		int r;

		copy = copy_of(count);
		copy.bytes[at] ^= 0x40;
		options = options_of(&copy);
		r = gt_capture_complete(&options);
		/* A length that is wrong may look like a torn frame. */
		if (r < 0)
			assert_int_equal(copy.count, count);
		else
			assert_int_equal(r, 1);
		free(copy.bytes);
	}
	copy = copy_of(0);
	options = options_of(&copy);
	assert_int_equal(gt_capture_complete(&options),
	                 -GT_ERROR_NOT_A_CAPTURE);
	free(copy.bytes);
}

static void memory_that_is_no_guest_costs_nothing_but_itself(void **unused)
{
	struct memfile copy;
	struct gt_completion_options options;
	struct seen seen;

	(void)unused;
	start();
	announce();
	record(3);
	ask(GT_DOORBELL_FLUSH);
	record(3);
	ram->control.magic ^= 1;
	copy = copy_of(capture.count);
	options = options_of(&copy);
	assert_int_equal(gt_capture_complete(&options), -GT_ERROR_BAD_CONTROL);
	seen = replay(&copy);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.summary.ending, GT_ENDING_FAILED);
	free(copy.bytes);
}

static int setup(void **unused)
{
	(void)unused;
	bare_new();
	bare_init();
	inproc_clear();
	made = kills = 0;
	guests = 0;
	return 0;
}

static int teardown(void **unused)
{
	free(capture.bytes);
	capture = (struct memfile){.bytes = NULL};
	bare_free();
	return inproc_teardown(unused);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_writer_killed_anywhere_costs_no_record),
		T(a_guest_that_begins_again_is_told_apart),
		T(a_capture_that_is_damaged_is_left_as_it_is),
		T(memory_that_is_no_guest_costs_nothing_but_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
