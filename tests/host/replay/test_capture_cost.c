/* SPDX-License-Identifier: MIT */
/* What a hostile capture costs (threats A3, D10, F9). */
#include "host/frames/crc32c.h"
#include "tests/support/allocated.h"
#include "tests/support/cpu_time.h"
#include "tests/support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct gt_replay_options options;

static int setup(void **unused)
{
	options = (struct gt_replay_options){.size = sizeof(options),
	                                     .read = memfile_read,
	                                     .context = &frames_file};
	return frames_setup(unused);
}

static size_t before_bytes, most_bytes;

static long measuring_read(void *context, void *bytes, size_t count)
{
	size_t now = allocated_bytes() - before_bytes;

	most_bytes = now > most_bytes ? now : most_bytes;
	return memfile_read(context, bytes, count);
}

/* Threat A3. */
static void a_claimed_length_costs_no_memory(void **unused)
{
	static const uint32_t claims[] = {0x3fffffff, 1u << 30, (1u << 30) + 1,
	                                  UINT32_MAX, 1u << 20};

	(void)unused;
	for (unsigned i = 0; i < 5; i++) {
		options.read = measuring_read;
		frames_setup(NULL);
		frames_beginning();
		memfile_write(&frames_file, "fram", 4);
		memfile_write(&frames_file, &claims[i], 4);
		frames_open(0, 0);
		before_bytes = allocated_bytes();
		most_bytes = 0;
		assert_int_equal(gt_replay(&options), 0);
		assert_in_range(most_bytes, 1, 256 << 10);
	}
}

static void measure(void *context, uint64_t bytes)
{
	size_t now = allocated_bytes() - before_bytes;

	(void)context;
	(void)bytes;
	most_bytes = now > most_bytes ? now : most_bytes;
}

/* Many vCPUs with large rings: the memory is not theirs for good. */
static void what_was_shown_costs_no_memory(void **unused)
{
	const uint32_t vcpus = 64, words = (2u << 20) / 8;

	(void)unused;
	options.progress = measure;
	frames_start(GT_ABI_VERSION, vcpus);
	frames_seal(GT__FRAME_START, 0);
	frames_guest(vcpus, 1024);
	frames_sites();
	for (uint32_t i = 0; i < vcpus; i++) {
		frames_records(0, words * 8);
		for (uint32_t j = 0; j < words; j++) /* pads */
			gt__frame_put64(&frames_buffer, UINT64_C(1) << 32);
		frames_seal(GT__FRAME_RECORDS, i);
		if (i % 8 == 0) /* and sometimes they wait for each other */
			frames_merge();
	}
	before_bytes = allocated_bytes();
	most_bytes = 0;
	assert_int_equal(gt_replay(&options), 0);
	assert_in_range(most_bytes, 1 << 20, 44 << 20);
}

/* A table of sites that take the most memory for their bytes. */
static void add_crowded_sites(uint32_t bytes, uint32_t line)
{
	struct gt_site head = {.kind = GT_SITE_SPAN,
	                       .fields = GT_SITE_FIELDS_MAX,
	                       .magic = GT_SITE_MAGIC,
	                       .line = line};
	char text[40] = "\0\0"; /* name, target and file are empty */

	for (unsigned i = 0; i < GT_SITE_FIELDS_MAX; i++)
		text[3 + 2 * i] = 'u';
	head.size = sizeof(head) + sizeof(text);
	gt__frame_begin(&frames_buffer);
	for (uint32_t at = 0; at < bytes; at += head.size) {
		gt__frame_put(&frames_buffer, &head, sizeof(head));
		gt__frame_put(&frames_buffer, text, sizeof(text));
	}
	frames_seal(GT__FRAME_SITES, 0);
}

/* Threat F9: 4 times the file and 64 MiB. */
static void site_tables_cost_no_more_memory_than_is_theirs(void **unused)
{
	const uint32_t tables = 24, bytes = 1 << 20;

	(void)unused;
	options.progress = measure;
	frames_beginning();
	for (uint32_t i = 0; i < tables; i++)
		add_crowded_sites(bytes, i);
	frames_end();
	before_bytes = allocated_bytes();
	most_bytes = 0;
	assert_int_equal(gt_replay(&options), 0);
	assert_in_range(most_bytes, 48 << 20,
	                ((size_t)64 << 20) + 4 * tables * (size_t)bytes);
}

static void replay_it(void *unused)
{
	(void)unused;
	frames_file.done = 0;
	assert_int_equal(gt_replay(&options), 0);
}

/* Each word begins a frame that is as long as the rest of the file. */
static void make_false_frames(uint32_t total)
{
	frames_setup(NULL);
	frames_beginning();
	for (uint32_t at = 0; at < total; at += 8) {
		uint32_t words[2] = {GT__FRAME_MAGIC, total - at - 16};

		memfile_write(&frames_file, words, 8);
	}
	frames_open(0, 0);
}

static uint8_t mebibytes[16 << 20];
static volatile uint32_t checksum;

static void sum_mebibytes(void *unused)
{
	(void)unused;
	checksum = gt__crc32c(0, mebibytes, sizeof(mebibytes));
}

/* It may sum up 4 GiB in vain, and each byte of the file eight times. */
static void a_file_of_false_frames_takes_linear_time(void **unused)
{
	const uint32_t bytes = 8u << 20;
	uint64_t summed = (UINT64_C(4) << 30) + 8 * bytes;
	uint64_t sum_ns = cpu_fastest_ns(sum_mebibytes, NULL);

	(void)unused;
	make_false_frames(bytes);
	assert_true(cpu_within(replay_it, NULL,
	                       3 * sum_ns * (summed / sizeof(mebibytes))));
}

static uint32_t guessed_place(uint64_t id, uint64_t key)
{
	uint64_t hash = id ^ key;

	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(hash ^ hash >> 33) & 4095;
}

/* 2,000 open spans, then events below the last; the id base is 0. */
static void make_lookups(bool colliding)
{
	uint64_t pos = 0, id = 0;
	unsigned count = 0;

	frames_setup(NULL);
	frames_beginning();
	for (; count < 2000; pos += 16) {
		id = pos + GT_ID_BASE(0, 0);
		if (colliding && guessed_place(id, 0) != 0)
			continue;
		frames_open(pos, 0);
		count++;
	}
	frames_records(pos, 24 * 500000);
	for (unsigned i = 0; i < 500000; i++)
		frames_event(id, frames_now);
	frames_seal(GT__FRAME_RECORDS, 0);
}

/* Threat D10: who writes the file knows all that is in it. */
static void a_file_cannot_choose_ids_that_collide(void **unused)
{
	uint64_t honest_ns;

	(void)unused;
	make_lookups(false);
	honest_ns = cpu_fastest_ns(replay_it, NULL);
	make_lookups(true);
	assert_true(cpu_within(replay_it, NULL, 3 * honest_ns));
}

/* An exit of each vCPU, far ahead: it waits for all that is merged below. */
static void add_exits(uint32_t vcpus)
{
	gt__frame_begin(&frames_buffer);
	for (unsigned i = 0; i < 3; i++) /* a reading of the clocks */
		gt__frame_put64(&frames_buffer, i < 2 ? frames_now : 0);
	for (uint32_t i = 0; i < vcpus; i++) {
		gt__frame_put64(&frames_buffer, UINT64_C(1) << 40);
		gt__frame_put64(&frames_buffer, (UINT64_C(1) << 40) + 1);
		gt__frame_put64(&frames_buffer, (uint64_t)i << 48);
		gt__frame_put64(&frames_buffer, 0);
		gt__frame_put64(&frames_buffer, 0);
	}
	frames_seal(GT__FRAME_EXITS, 0);
}

/* Nothing but announcements without rings, or looks at which nothing came. */
static void make_empty_frames(uint32_t vcpus, bool waiting, bool merges)
{
	frames_setup(NULL);
	frames_start(GT_ABI_VERSION, vcpus);
	frames_seal(GT__FRAME_START, 0);
	frames_guest(vcpus, 1024);
	frames_sites();
	if (waiting)
		add_exits(vcpus);
	for (unsigned i = 0; i < 30000; i++) {
		if (merges)
			frames_merge();
		else
			frames_guest(0, 0);
	}
	frames_end();
}

/* Threat F9. */
static void claimed_vcpus_cost_nothing_where_no_frame_names_them(void **unused)
{
	uint64_t few_ns;

	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		make_empty_frames(1, i / 2, i % 2);
		few_ns = cpu_fastest_ns(replay_it, NULL);
		make_empty_frames(GT_VCPUS_MAX, i / 2, i % 2);
		assert_true(cpu_within(replay_it, NULL, 3 * few_ns));
	}
}

/* Work of the VMM, all of it at once, that began at 1000 + i * `step`. */
static void make_work(uint32_t count, int64_t step)
{
	frames_setup(NULL);
	frames_beginning();
	for (uint32_t i = 0; i < count; i++) {
		gt__frame_begin(&frames_buffer);
		gt__frame_put64(&frames_buffer, i + 1);
		gt__frame_put64(&frames_buffer, 0);
		gt__frame_put64(&frames_buffer,
		                (uint64_t)(1000000 + (int64_t)i * step));
		gt__frame_put64(&frames_buffer, 2000000);
		gt__frame_put_text(&frames_buffer, "work", 4);
		frames_seal(GT__FRAME_WORK, 0);
	}
	frames_end();
}

/* Threat F9. */
static void work_in_falling_order_costs_what_it_costs_rising(void **unused)
{
	const uint32_t count = 60000;
	uint64_t rising_ns;

	(void)unused;
	make_work(count, 1);
	rising_ns = cpu_fastest_ns(replay_it, NULL);
	make_work(count, -1);
	assert_true(cpu_within(replay_it, NULL, 3 * rising_ns));
}

struct works {
	struct gt_sink sink;
	uint64_t last_ns, last_id, count;
};

static int on_work(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_host_span_view *span)
{
	struct works *works = (struct works *)sink;

	(void)trace;
	assert_true(span->start_ns >= works->last_ns);
	/* Of those that began at once the one told first. */
	if (span->start_ns == works->last_ns)
		assert_true(span->id > works->last_id);
	works->last_ns = span->start_ns;
	works->last_id = span->id;
	works->count++;
	return 0;
}

static void work_is_shown_in_the_order_in_which_it_began(void **unused)
{
	struct works works = {.sink = {.host_span = on_work}};
	struct gt_sink *const sinks[] = {&works.sink};

	(void)unused;
	options.sinks = sinks;
	options.sink_count = 1;
	for (unsigned seed = 0; seed < 20; seed++) {
		uint64_t state = seed;

		frames_setup(NULL);
		frames_beginning();
		for (unsigned i = 0; i < 300; i++) {
			state = state * UINT64_C(6364136223846793005) + 1;
			gt__frame_begin(&frames_buffer);
			gt__frame_put64(&frames_buffer, i + 1);
			gt__frame_put64(&frames_buffer, 0);
			gt__frame_put64(&frames_buffer,
			                1000 + (state >> 56) % 50);
			gt__frame_put64(&frames_buffer, 2000);
			gt__frame_put_text(&frames_buffer, "work", 4);
			frames_seal(GT__FRAME_WORK, 0);
		}
		frames_end();
		works.last_ns = works.last_id = works.count = 0;
		assert_int_equal(gt_replay(&options), 0);
		assert_int_equal(works.count, 300);
	}
	options.sink_count = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, frames_teardown)
		T(a_claimed_length_costs_no_memory),
		T(what_was_shown_costs_no_memory),
		T(site_tables_cost_no_more_memory_than_is_theirs),
		T(a_file_of_false_frames_takes_linear_time),
		T(a_file_cannot_choose_ids_that_collide),
		T(claimed_vcpus_cost_nothing_where_no_frame_names_them),
		T(work_in_falling_order_costs_what_it_costs_rising),
		T(work_is_shown_in_the_order_in_which_it_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
