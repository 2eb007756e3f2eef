/* SPDX-License-Identifier: MIT */
/* Captures that no host wrote (threats D1, F9). */
#include "tests/support/frames.h"
#include "tests/support/golden_run.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct textsink shown;

static int setup(void **unused)
{
	shown = textsink_new();
	return frames_setup(unused);
}

static int teardown(void **unused)
{
	textsink_free(&shown);
	return frames_teardown(unused);
}

static int replay(void)
{
	return memfile_replay(&frames_file, frames_file.count, &shown);
}

static void expect(uint64_t spans, uint64_t bad_records)
{
	assert_int_equal(replay(), 0);
	assert_int_equal(shown.summary.spans, spans);
	assert_int_equal(shown.summary.losses.bad_records, bad_records);
}

/* ---- What is no capture -------------------------------------------------- */

static int count_site(void *context, const struct gt_site_view *site,
                      enum gt_site_kind kind)
{
	(void)site;
	(void)kind;
	++*(unsigned *)context;
	return 0;
}

static int list_sites(unsigned *ret_count)
{
	struct memfile copy = frames_file;

	*ret_count = 0;
	return gt_capture_sites(memfile_read, &copy, count_site, ret_count);
}

static void expect_foreign(void)
{
	unsigned sites;

	assert_int_equal(replay(), -GT_ERROR_NOT_A_CAPTURE);
	assert_int_equal(shown.count, 0);
	assert_int_equal(list_sites(&sites), -GT_ERROR_NOT_A_CAPTURE);
}

static void foreign_files_are_refused(void **unused)
{
	static const char elf[] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\76\0";
	uint32_t state = 1;

	(void)unused;
	expect_foreign(); /* empty */
	memfile_write(&frames_file, "f", 1);
	expect_foreign();
	memfile_write(&frames_file, elf, sizeof(elf));
	expect_foreign();
	frames_file.count = 0;
	memfile_write(&frames_file, elf, sizeof(elf));
	expect_foreign();
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t byte = (uint8_t)(state >> 24);

		state = state * 1664525 + 1013904223;
		memfile_write(&frames_file, &byte, 1);
	}
	expect_foreign();
	frames_file.count = 0;
	frames_end(); /* a good frame, but not the first one of a capture */
	expect_foreign();
}

static void the_start_is_checked(void **unused)
{
	size_t whole;

	(void)unused;
	frames_start(GT_ABI_VERSION + 1, 1);
	frames_seal(GT__FRAME_START, 0);
	assert_int_equal(replay(), -GT_ERROR_BAD_VERSION);
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t vcpus[] = {0, GT_VCPUS_MAX + 1,
		                                 UINT32_MAX};

		frames_file.count = 0;
		frames_start(GT_ABI_VERSION, vcpus[i]);
		frames_seal(GT__FRAME_START, 0);
		assert_int_equal(replay(), -GT_ERROR_NOT_A_CAPTURE);
	}
	frames_start(GT_ABI_VERSION, GT_VCPUS_MAX);
	whole = frames_buffer.count;
	for (frames_buffer.count = GT__FRAME_HEAD; frames_buffer.count < whole;
	     frames_buffer.count++) {
		frames_file.count = 0;
		frames_seal(GT__FRAME_START, 0);
		assert_int_equal(replay(), -GT_ERROR_NOT_A_CAPTURE);
	}
	frames_file.count = 0;
	frames_seal(GT__FRAME_START, 0);
	assert_int_equal(replay(), 0);
}

#define MONOTONIC_AT (GT__FRAME_HEAD + 96)
#define REALTIME_AT  (GT__FRAME_HEAD + 56)

/* Threat F12. */
static void no_time_comes_round_to_before_the_start(void **unused)
{
	static const struct {
		uint64_t start_ns, offset_ns, end_ns;
		int result;
	} cases[] = {
		{1000, 1000, 5000, 0},
		{1000, INT64_MAX - 1000, INT64_MAX, 0},
		{1000, INT64_MAX - 1000, UINT64_MAX, 0}, /* no end, then */
		{1000, 1000, (uint64_t)INT64_MAX + 1, 0},
		{1000, INT64_MAX, 5000, -GT_ERROR_NOT_A_CAPTURE},
		{1000, (uint64_t)-1001, 5000, -GT_ERROR_NOT_A_CAPTURE},
		{UINT64_MAX, 2000, 5000, -GT_ERROR_NOT_A_CAPTURE},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		frames_file.count = 0;
		frames_start(GT_ABI_VERSION, 1);
		gt__store64(frames_buffer.bytes + REALTIME_AT,
		            cases[i].offset_ns);
		gt__store64(frames_buffer.bytes + MONOTONIC_AT,
		            cases[i].start_ns);
		frames_seal(GT__FRAME_START, 0);
		frames_end();
		frames_file.count -= frames_buffer.count;
		gt__store64(frames_buffer.bytes + GT__FRAME_HEAD + 16,
		            cases[i].end_ns);
		frames_seal(GT__FRAME_END, 0);
		assert_int_equal(replay(), cases[i].result);
		if (cases[i].result == 0)
			assert_true(shown.summary.end_ns >=
			            cases[i].start_ns + cases[i].offset_ns);
	}
}

/* What began to say of which image, VM and host the run is: or not. */
static void names_that_may_be_missing_are_whole_or_absent(void **unused)
{
	size_t whole[4];

	(void)unused;
	frames_start(GT_ABI_VERSION, 1);
	whole[0] = frames_buffer.count;
	for (unsigned i = 1; i < 4; i++) {
		gt__frame_put_text(&frames_buffer, "some\xff", 5);
		whole[i] = frames_buffer.count;
	}
	for (unsigned i = 0; i < 3; i++) {
		frames_buffer.count = whole[i];
		frames_file.count = 0;
		frames_seal(GT__FRAME_START, 0);
		assert_int_equal(replay(), 0);
		while (++frames_buffer.count < whole[i + 1]) {
			frames_file.count = 0;
			frames_seal(GT__FRAME_START, 0);
			assert_int_equal(replay(), -GT_ERROR_NOT_A_CAPTURE);
		}
	}
	frames_file.count = 0;
	frames_seal(GT__FRAME_START, 0);
	assert_int_equal(replay(), 0);
}

static size_t host_name_bytes;

static int keep_host_name(struct gt_sink *sink, const struct gt_trace *trace)
{
	(void)sink;
	host_name_bytes = trace->host_name.count;
	return 0;
}

/* An exporter repeats names: 1 MiB of one would be as much for each span. */
static void a_name_is_cut_before_it_is_repeated(void **unused)
{
	size_t bytes = 1 << 20;
	char *name = malloc(bytes);

	(void)unused;
	assert_non_null(name);
	memset(name, 'n', bytes);
	frames_start(GT_ABI_VERSION, 1);
	gt__frame_put_text(&frames_buffer, "", 0);
	gt__frame_put_text(&frames_buffer, "", 0);
	gt__frame_put_text(&frames_buffer, name, (uint32_t)bytes);
	frames_seal(GT__FRAME_START, 0);
	shown.sink.begin = keep_host_name;
	assert_int_equal(replay(), 0);
	assert_int_equal(host_name_bytes, 4096);
	free(name);
}

/* ---- Frames at the wrong place ------------------------------------------- */

static void frames_that_make_no_sense_are_counted(void **unused)
{
	unsigned sites;

	(void)unused;
	frames_start(GT_ABI_VERSION, 2);
	frames_seal(GT__FRAME_START, 0);
	frames_open(0, 0);     /* 1: before the announcement */
	frames_sites();        /* 2: likewise */
	frames_guest(3, 1024); /* 3: more vCPUs than the trace has */
	frames_guest(2, 1024);
	frames_open(0, 0); /* 4: before the sites */
	frames_sites();
	frames_open(0, 0);
	frames_open(0, 2);     /* 5: no such vCPU */
	frames_open(0, 65535); /* 6 */
	frames_start(GT_ABI_VERSION, 2);
	frames_seal(GT__FRAME_START, 0); /* 7: a second one */
	gt__frame_begin(&frames_buffer);
	frames_seal(0, 0);     /* 8: types of the future */
	frames_seal(200, 0);   /* 9 */
	frames_seal(65535, 9); /* 10 */
	frames_open(16, 0);
	frames_end();
	frames_end();       /* 11: twice */
	frames_open(32, 0); /* 12: behind the end */
	expect(2, 12);
	assert_int_equal(shown.summary.ending, GT_ENDING_HALTED);
	assert_int_equal(list_sites(&sites), 0);
	assert_int_equal(sites, 4);
}

static void filters_that_are_none_are_counted(void **unused)
{
	static const char *const texts[] = {"a=", "=1", "a=6", "off", ""};

	(void)unused;
	frames_beginning();
	for (unsigned i = 0; i < 5; i++) {
		gt__frame_begin(&frames_buffer);
		gt__frame_put(&frames_buffer, texts[i], strlen(texts[i]));
		frames_seal(GT__FRAME_FILTER, 0);
	}
	expect(0, 3);
}

/* Ids would be those of other vCPUs, or 0, which is nobody's. */
static void positions_without_an_id_are_refused(void **unused)
{
	static const uint64_t bad[] = {UINT64_C(1) << 54, UINT64_MAX,
	                               UINT64_MAX - 3, UINT64_C(1) << 63};

	(void)unused;
	frames_beginning();
	for (unsigned i = 0; i < 4; i++)
		frames_open(bad[i], 0);
	frames_open((UINT64_C(1) << 54) - 16, 0);
	expect(1, 4);
}

static void announcements_of_another_length_are_refused(void **unused)
{
	size_t whole;

	(void)unused;
	frames_beginning();
	frames_guest(2, 1024);
	whole = frames_buffer.count;
	for (frames_buffer.count = GT__FRAME_HEAD; frames_buffer.count < whole;
	     frames_buffer.count++)
		frames_seal(GT__FRAME_GUEST, 0);
	gt__frame_put64(&frames_buffer, 0);
	frames_seal(GT__FRAME_GUEST, 0);
	frames_open(0, 0);
	expect(1, whole - GT__FRAME_HEAD + 1);
}

static void lengths_that_lie_are_refused(void **unused)
{
	static const uint64_t bad[] = {0,
	                               8,
	                               15,
	                               17,
	                               24,
	                               UINT64_C(1) << 31,
	                               UINT64_C(1) << 63,
	                               UINT64_MAX,
	                               UINT64_MAX - 15};

	(void)unused;
	frames_beginning();
	for (unsigned i = 0; i < 9; i++) {
		frames_records(0, bad[i]);
		frames_open_record(1);
		frames_seal(GT__FRAME_RECORDS, 0);
	}
	expect(0, 9);
	frames_open(0, 0);
	expect(1, 9);
}

static void any_size_of_block_is_safe(void **unused)
{
	static const uint64_t blocks[] = {
		0, 1, 7, 1000, UINT64_C(1) << 63, UINT64_MAX};

	(void)unused;
	for (unsigned i = 0; i < 6; i++) {
		frames_file.count = 0;
		frames_start(GT_ABI_VERSION, 1);
		frames_seal(GT__FRAME_START, 0);
		frames_guest(1, blocks[i]);
		frames_sites();
		frames_records(0, 40 * 8);
		for (unsigned j = 0; j < 40; j++)
			gt__frame_put64(&frames_buffer,
			                j * UINT64_C(0x123456789));
		frames_seal(GT__FRAME_RECORDS, 0);
		frames_open(320, 0);
		assert_int_equal(replay(), 0);
		assert_int_equal(shown.summary.spans, 1);
	}
}

/* Each has another length than the one before: none is that one again. */
static void more_site_tables_than_fit_are_refused(void **unused)
{
	static const uint8_t padding[8 * 1000];

	(void)unused;
	frames_start(GT_ABI_VERSION, 1);
	frames_seal(GT__FRAME_START, 0);
	for (unsigned i = 0; i < 1000; i++) {
		frames_guest(1, 1024);
		gt__frame_begin(&frames_buffer);
		gt__frame_put(&frames_buffer, padding, 8 * (size_t)(1000 - i));
		frames_seal(GT__FRAME_SITES, 0);
	}
	expect(0, 1000 - 64);
}

/* Records of a guest that are a frame themselves, in a frame that is damaged;
 * a span of another vCPU follows, and no end. */
static void replay_forged(uint32_t seed)
{
	uint8_t forged[256];
	size_t count;

	frames_setup(NULL);
	frames_end();
	count = frames_file.count;
	assert_true(count <= sizeof(forged));
	memcpy(forged, frames_file.bytes, count);

	frames_setup(NULL);
	frames_start(GT_ABI_VERSION, 2);
	gt__store32(frames_buffer.bytes + GT__FRAME_HEAD + GT__START_SEED_AT,
	            seed);
	frames_seal(GT__FRAME_START, 0);
	frames_buffer.seed = seed;
	frames_guest(2, 0);
	frames_sites();
	frames_records(0, count);
	gt__frame_put(&frames_buffer, forged, count);
	frames_seal(GT__FRAME_RECORDS, 0);
	frames_file.bytes[frames_file.count - count - 1] ^= 1;
	frames_open(0, 1);
	frames_buffer.seed = 0;
	assert_int_equal(replay(), 0);
}

static void a_guest_cannot_put_frames_into_a_capture(void **unused)
{
	(void)unused;
	replay_forged(0); /* as if it knew: the rest is behind an end */
	assert_int_equal(shown.summary.ending, GT_ENDING_HALTED);
	assert_int_equal(shown.summary.spans, 0);
	replay_forged(0x12345678);
	assert_int_equal(shown.summary.ending, GT_ENDING_UNKNOWN);
	assert_int_equal(shown.summary.spans, 1);
}

/* Any byte of a good capture, under a CRC that is right. */
static void any_byte_of_any_payload_may_be_anything(void **unused)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	struct textsink live = textsink_new();
	size_t at = 0, bad = 0;
	uint32_t seed = 0;

	(void)unused;
	assert_int_equal(
		golden_run((struct gt_output){memfile_write, &frames_file},
	                   &live.sink),
		0);
	while (at < frames_file.count) {
		uint8_t *head = frames_file.bytes + at;
		size_t count = gt__load32(head + 4);

		for (size_t i = 16; i < 16 + count; i++) {
			uint8_t before = head[i];

			for (unsigned j = 0; j < 6; j++) {
				head[i] = j < 5 ? values[j] : before ^ 1;
				gt__store32(head + 8,
				            gt__frame_crc(seed, head, head + 16,
				                          count));
				bad += replay() < 0;
			}
			head[i] = before;
		}
		gt__store32(head + 8,
		            gt__frame_crc(seed, head, head + 16, count));
		if (at == 0)
			seed = gt__load32(head + 16 + GT__START_SEED_AT);
		at += 16 + count;
	}
	assert_true(bad > 0);
	assert_int_equal(replay(), 0);
	assert_string_equal(shown.text, live.text);
	textsink_free(&live);
}

/* ---- Errors of others ---------------------------------------------------- */

struct failing {
	struct memfile file;
	unsigned calls, fail_at;
};

static long failing_read(void *context, void *bytes, size_t count)
{
	struct failing *failing = context;

	if (failing->calls++ == failing->fail_at)
		return -EIO;
	return memfile_read(&failing->file, bytes, count);
}

static void an_error_of_the_reader_is_told(void **unused)
{
	struct failing failing;
	struct gt_replay_options options = {.size = sizeof(options),
	                                    .read = failing_read,
	                                    .context = &failing};

	(void)unused;
	frames_beginning();
	frames_file.piece = 16;
	for (unsigned at = 0; at <= frames_file.count / 16; at++) {
		failing = (struct failing){frames_file, 0, at};
		assert_int_equal(gt_replay(&options), -EIO);
		assert_int_equal(failing.calls, at + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(foreign_files_are_refused),
		T(the_start_is_checked),
		T(no_time_comes_round_to_before_the_start),
		T(names_that_may_be_missing_are_whole_or_absent),
		T(a_name_is_cut_before_it_is_repeated),
		T(frames_that_make_no_sense_are_counted),
		T(filters_that_are_none_are_counted),
		T(positions_without_an_id_are_refused),
		T(announcements_of_another_length_are_refused),
		T(lengths_that_lie_are_refused),
		T(any_size_of_block_is_safe),
		T(more_site_tables_than_fit_are_refused),
		T(a_guest_cannot_put_frames_into_a_capture),
		T(any_byte_of_any_payload_may_be_anything),
		T(an_error_of_the_reader_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
