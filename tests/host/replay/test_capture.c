/* SPDX-License-Identifier: MIT */
/*
 * A capture gives what the run gave, whole or cut or damaged (threats F8, F9).
 * `test_capture --write-golden DIR` writes DIR/basic.gtrace and DIR/basic.txt,
 * which the test compares with those in the directory GOLDEN_DIR.
 */
#define GT_TARGET "capture"
#include "tests/support/golden_run.h"
#include "tests/support/inproc.h"
#include "tests/support/interrupted.h"
#include "tests/support/memfile.h"
#include "tests/support/random64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static uint64_t ring[16384 / 8];
static struct memfile file;
static struct textsink live, replayed;

static int setup(void **unused)
{
	(void)unused;
	live = textsink_new();
	replayed = textsink_new();
	file = (struct memfile){.bytes = NULL};
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	textsink_free(&live);
	textsink_free(&replayed);
	free(file.bytes);
	return 0;
}

/* ---- Live runs ----------------------------------------------------------- */

static void run(size_t ring_bytes, enum gt_ring_mode mode, void (*work)(void))
{
	struct gt_host_options options = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = ring_bytes,
	                           .mode = mode};
	struct gt_sink *const sinks[] = {&live.sink};

	inproc_now = 1000;
	options.sinks = sinks;
	options.sink_count = 1;
	options.capture = (struct gt_output){memfile_write, &file};
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	gt_init(&guest);
	work();
	assert_int_equal(
		gt_host_finish(inproc_host, GT_ENDING_ABORTED, 0, "the end"),
		0);
	gt_host_free(inproc_host);
	inproc_host = NULL;
}

static void replay(size_t count)
{
	assert_int_equal(memfile_replay(&file, count, &replayed), 0);
}

static void expect_equal(void)
{
	static const size_t pieces[] = {0, 1, 7, 4096};

	for (unsigned i = 0; i < 4; i++) {
		file.piece = pieces[i];
		replay(file.count);
		assert_string_equal(replayed.text, live.text);
	}
	file.piece = 0;
}

static void spans_and_events(void)
{
	for (unsigned i = 0; i < 300; i++) {
		GT_SPAN(outer, GT_INFO, "outer", gt_u64("i", i));
		GT_EVENT(GT_INFO, "event", gt_str("s", "some text"));
		{
			GT_SPAN(inner, GT_DEBUG, "inner");
			GT_COUNTER(GT_INFO, "counter", gt_u64("i", i));
			gt_switch(i % 5, 0);
		}
		GT_RECORD(outer, gt_error("why"));
		if (i % 50 == 0)
			gt_host_drain(inproc_host);
	}
}

static void filters(void)
{
	static const char *const all[] = {"off", "info", "debug", "capture=3"};

	for (unsigned i = 0; i < 8; i++) {
		gt_host_set_filter(inproc_host, all[i % 4]);
		spans_and_events();
	}
}

static void nested(void)
{
	GT_EVENT(GT_INFO, "nested");
	gt_flush();
}

static void interrupts(void)
{
	for (unsigned i = 0; i < 500; i++) {
		interrupt_handler = i % 3 ? NULL : nested;
		GT_EVENT(GT_INFO, "event", gt_u64("i", i));
	}
}

/* Requests that are refused, exits of any kind, times that run backwards. */
static void trouble(void)
{
	for (unsigned i = 0; i < 600; i++) {
		struct gt_exit exit = process_memory_exit();

		GT_EVENT(GT_INFO, "event", gt_u64("i", i));
		exit.reason = (enum gt_exit_reason)(i % 20);
		exit.r10 = i;
		exit.r9 = (uintptr_t)&gt_control;
		exit.tsc_offset = i % 7 ? 0 : 12345;
		if (exit.r10 != GT_DOORBELL_ANNOUNCE)
			gt_host_exit(inproc_host, 0, &exit);
		if (i % 100 == 0)
			inproc_now -= 500;
	}
}

static void a_capture_gives_what_the_run_gave(void **unused)
{
	static void (*const works[])(void) = {spans_and_events, filters,
	                                      interrupts, trouble};

	(void)unused;
	for (unsigned i = 0; i < 4; i++)
		for (unsigned mode = 0; mode < 3; mode++)
			for (unsigned shrink = 0; shrink < 2; shrink++) {
				teardown(NULL);
				setup(NULL);
				run(shrink ? 4096 : sizeof(ring),
				    (enum gt_ring_mode)mode, works[i]);
				assert_true(live.count > 1000);
				expect_equal();
			}
}

/* ---- Frames -------------------------------------------------------------- */

static uint32_t load32(size_t at)
{
	uint32_t value;

	memcpy(&value, file.bytes + at, 4);
	return value;
}

static size_t end_of_frame(size_t at)
{
	return at + 16 + load32(at + 4);
}

static unsigned type_of_frame(size_t at)
{
	return load32(at + 12) & 0xffff;
}

static void golden(void)
{
	assert_int_equal(golden_run((struct gt_output){memfile_write, &file},
	                            &live.sink),
	                 0);
}

static void a_capture_cut_anywhere_gives_its_whole_frames(void **unused)
{
	struct textsink whole = textsink_new();
	size_t edge = 0;

	(void)unused;
	golden();
	for (size_t cut = 0; cut <= file.count; cut++) {
		int r = memfile_replay(&file, cut, &replayed);

		if (cut == end_of_frame(edge)) {
			edge = cut;
			assert_int_equal(memfile_replay(&file, cut, &whole), 0);
			assert_int_equal(whole.summary.losses.cut_bytes, 0);
		}
		if (edge == 0) {
			assert_int_equal(r, -GT_ERROR_NOT_A_CAPTURE);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(replayed.summary.losses.cut_bytes, cut - edge);
		assert_int_equal(replayed.summary.losses.bad_records,
		                 whole.summary.losses.bad_records);
		/* Equal but for the count of cut bytes at the very end. */
		*strrchr(replayed.text, ' ') = '\0';
		*strrchr(whole.text, ' ') = '\0';
		assert_string_equal(replayed.text, whole.text);
		strcat(whole.text, " 0\n");
	}
	assert_int_equal(edge, file.count);
	assert_string_equal(whole.text, live.text);
	textsink_free(&whole);
}

/*
 * After a loss of power a file may be as long as it was to be, and end with
 * what has never reached the disk: zeros, or whatever was there before.
 */
static void a_tail_that_never_reached_the_disk_is_cut_off(void **unused)
{
	struct textsink whole = textsink_new();
	struct memfile torn;
	size_t edge = 0;

	(void)unused;
	golden();
	torn = (struct memfile){.bytes = malloc(file.count + 512),
	                        .count = file.count + 512};
	for (size_t cut = end_of_frame(0); cut < file.count; cut++) {
		if (edge == 0 || cut == end_of_frame(edge)) {
			edge = cut;
			assert_int_equal(memfile_replay(&file, cut, &whole), 0);
		}
		for (unsigned kind = 0; kind < 2; kind++) {
			memcpy(torn.bytes, file.bytes, cut);
			for (size_t i = cut; i < torn.count; i++)
				torn.bytes[i] =
					kind ? (uint8_t)random64() : 0;
			/* Or it would be the same file. */
			torn.bytes[cut] = (uint8_t)~file.bytes[cut];
			assert_int_equal(memfile_replay(&torn, torn.count,
			                                &replayed),
			                 0);
			assert_int_equal(replayed.summary.losses.cut_bytes,
			                 torn.count - edge);
			assert_int_equal(replayed.summary.losses.bad_records,
			                 whole.summary.losses.bad_records);
			assert_int_equal(replayed.summary.ending,
			                 GT_ENDING_UNKNOWN);
			*strrchr(replayed.text, ' ') = '\0';
			*strrchr(whole.text, ' ') = '\0';
			assert_string_equal(replayed.text, whole.text);
			strcat(whole.text, " 0\n");
		}
	}
	free(torn.bytes);
	textsink_free(&whole);
}

static void events(void)
{
	for (unsigned i = 0; i < 24; i++) {
		GT_EVENT(GT_INFO, "event", gt_u64("i", i));
		if (i % 3 == 2)
			gt_flush();
	}
}

static bool has_event(unsigned number)
{
	char end[24];

	snprintf(end, sizeof(end), " event i:u=%u\n", number);
	return strstr(replayed.text, end) != NULL;
}

/* Three events a frame: those of the frame at `bad` may be gone, no others. */
static void expect_events_but_those_in(size_t bad)
{
	unsigned number = 0;

	for (size_t at = 0; at < file.count; at = end_of_frame(at))
		if (type_of_frame(at) == 4)
			for (unsigned i = 0; i < 3; i++, number++)
				if (has_event(number) != (at != bad))
					fail_msg("event %u, frame at %zu",
					         number, bad);
	assert_int_equal(number, 24);
}

static void flip_every_bit_of(size_t frame)
{
	size_t end = end_of_frame(frame);
	unsigned type = type_of_frame(frame);

	for (size_t bit = 8 * frame; bit < 8 * end; bit++) {
		uint8_t mask = (uint8_t)(1u << bit % 8);
		int r;

		file.bytes[bit / 8] ^= mask;
		r = memfile_replay(&file, file.count, &replayed);
		file.bytes[bit / 8] ^= mask;
		assert_int_equal(r, type == 1 ? -GT_ERROR_NOT_A_CAPTURE : 0);
		if (r < 0)
			continue;
		/* The last frame counts as cut off, any other as damaged. */
		assert_true(replayed.summary.losses.bad_records > 0 ||
		            replayed.summary.losses.cut_bytes == end - frame);
		if (type < 4) /* without the guest's sites are no records */
			continue;
		expect_events_but_those_in(frame);
		/* How many records those are nobody knows, but of what size. */
		assert_int_equal(replayed.summary.losses.bad_bytes +
		                         replayed.summary.losses.cut_bytes,
		                 end - frame);
	}
}

static void any_flipped_bit_costs_its_frame_and_no_other(void **unused)
{
	unsigned frames = 0;

	(void)unused;
	run(sizeof(ring), GT_RING_FLUSH, events);
	expect_equal();
	expect_events_but_those_in(file.count);
	for (size_t at = 0; at < file.count; at = end_of_frame(at), frames++)
		if (type_of_frame(at) != 3) /* a large one, see below */
			flip_every_bit_of(at);
	assert_true(frames > 12);
}

static void any_flipped_bit_of_all_kinds_of_records_is_safe(void **unused)
{
	(void)unused;
	golden();
	for (size_t bit = 0; bit < 8 * file.count; bit++) {
		file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memfile_replay(&file, file.count, &replayed);
		file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* In GOLDEN_DIR, or in the source tree if the test is started there. */
static void read_golden(const char *name, struct memfile *ret_file)
{
	char path[512];
	uint8_t bytes[4096];
	size_t count;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s",
	         getenv("GOLDEN_DIR") ? getenv("GOLDEN_DIR") : "tests/golden",
	         name);
	in = fopen(path, "rb");
	if (!in)
		fail_msg("%s: cannot be read", path);
	while ((count = fread(bytes, 1, sizeof(bytes), in)) > 0)
		memfile_write(ret_file, bytes, count);
	fclose(in);
}

/* Old captures stay readable, and the bytes do not change by accident. */
static void the_golden_capture_is_read_and_written_as_ever(void **unused)
{
	struct memfile expected = {.bytes = NULL}, text = {.bytes = NULL};

	(void)unused;
	read_golden("basic.gtrace", &expected);
	read_golden("basic.txt", &text);
	golden();
	assert_int_equal(file.count, expected.count);
	assert_memory_equal(file.bytes, expected.bytes, file.count);
	assert_int_equal(memfile_replay(&expected, expected.count, &replayed),
	                 0);
	assert_int_equal(replayed.count, text.count);
	assert_memory_equal(replayed.text, text.bytes, text.count);
	assert_string_equal(replayed.text, live.text);
	free(expected.bytes);
	free(text.bytes);
}

static int write_golden(const char *directory)
{
	const char *names[] = {"basic.gtrace", "basic.txt"};
	char path[512];
	int r;

	setup(NULL);
	r = golden_run((struct gt_output){memfile_write, &file}, &live.sink);
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		const void *bytes = i ? (void *)live.text : file.bytes;
		size_t count = i ? live.count : file.count;
		FILE *out;

		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		out = fopen(path, "wb");
		r = out && fwrite(bytes, 1, count, out) == count ? 0 : -EIO;
		if (out && fclose(out) != 0)
			r = -EIO;
	}
	teardown(NULL);
	return r;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_capture_gives_what_the_run_gave),
		T(a_capture_cut_anywhere_gives_its_whole_frames),
		T(a_tail_that_never_reached_the_disk_is_cut_off),
		T(any_flipped_bit_costs_its_frame_and_no_other),
		T(any_flipped_bit_of_all_kinds_of_records_is_safe),
		T(the_golden_capture_is_read_and_written_as_ever),
	};

	if (argc == 3 && strcmp(argv[1], "--write-golden") == 0)
		return write_golden(argv[2]) < 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
