/* SPDX-License-Identifier: MIT */
/* Sinks and captures that fail: the rest goes on, the first error is told. */
#define GT_TARGET "failures"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include <guesttrace/guest.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t ring[4096 / 8];

/* ---- A sink that fails at one call --------------------------------------- */

struct failing {
	struct gt_sink sink;
	unsigned calls, fail_at;
	int error;
	unsigned calls_after; /* must stay 0 */
	bool failed;
};

static int count_call(struct gt_sink *sink)
{
	struct failing *failing = (struct failing *)sink;

	failing->calls_after += failing->failed;
	if (failing->calls++ != failing->fail_at)
		return 0;
	failing->failed = true;
	return failing->error;
}

static int on_trace(struct gt_sink *sink, const struct gt_trace *trace)
{
	(void)trace;
	return count_call(sink);
}

static int on_span(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_span_view *span)
{
	(void)trace;
	(void)span;
	return count_call(sink);
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)trace;
	(void)event;
	return count_call(sink);
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)trace;
	(void)summary;
	return count_call(sink);
}

static struct failing failing_sink(unsigned fail_at, int error)
{
	return (struct failing){
		.sink = {.begin = on_trace,
	                 .open = on_span,
	                 .close = on_span,
	                 .event = on_event,
	                 .counter = on_event,
	                 .end = on_end},
		.fail_at = fail_at,
		.error = error,
	};
}

/* ---- A capture that fails at one call ------------------------------------ */

struct file {
	uint8_t bytes[1 << 16];
	size_t count;
	unsigned calls, fail_at;
};

static int write_file(void *context, const void *bytes, size_t count)
{
	struct file *file = context;

	assert_true(file->calls <= file->fail_at); /* not after it failed */
	if (file->calls++ == file->fail_at)
		return -ENOSPC;
	assert_true(sizeof(file->bytes) - file->count >= count);
	memcpy(file->bytes + file->count, bytes, count);
	file->count += count;
	return 0;
}

/* ---- A run --------------------------------------------------------------- */

static void work(unsigned number)
{
	GT_SPAN(outer, GT_INFO, "outer", gt_u64("n", number));
	{
		GT_SPAN(inner, GT_DEBUG, "inner");
		GT_EVENT(GT_WARN, "event", gt_str("s", "text"));
		GT_COUNTER(GT_INFO, "counter", gt_u64("n", number));
	}
	GT_RECORD(outer, gt_ok());
}

static void init_guest(void)
{
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring)};

	gt_init(&guest);
}

/* 20 rounds, a flush after each, a new announcement in the middle. */
static int run(struct failing *failing, struct file *file)
{
	struct gt_host_options options = inproc_options();
	struct gt_sink *sinks[2] = {&failing->sink, options.sinks[0]};
	int r;

	inproc_clear();
	inproc_now = 1000;
	options.sinks = sinks;
	options.sink_count = 2;
	options.capture = (struct gt_output){write_file, file};
	r = gt_host_new(&options, &inproc_host);
	if (r < 0)
		return r;
	init_guest();
	for (unsigned i = 0; i < 20; i++) {
		work(i);
		gt_flush();
		if (i == 10)
			init_guest();
	}
	r = gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	gt_host_free(inproc_host);
	inproc_host = NULL;
	return r;
}

static char *good_text;
static struct file good_file;
static unsigned good_calls;

static int setup(void **unused)
{
	struct failing none = failing_sink(UINT32_MAX, 0);

	(void)unused;
	good_file.fail_at = UINT32_MAX;
	if (run(&none, &good_file) != 0)
		return -1;
	good_text = strdup(inproc_text());
	good_calls = none.calls;
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	inproc_clear();
	free(good_text);
	return 0;
}

static void expect_good(const struct file *file)
{
	assert_string_equal(inproc_text(), good_text);
	if (!file)
		return;
	assert_int_equal(file->count, good_file.count);
	assert_memory_equal(file->bytes, good_file.bytes, file->count);
}

/* An error of any kind: -ENOMEM is a sink's own too, and repeats nothing. */
static void a_sink_that_fails_stops_nobody_else(void **unused)
{
	static const int errors[] = {-EIO, -ENOMEM, -ENOSPC};

	(void)unused;
	assert_true(good_calls > 120);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned at = 1; at < good_calls; at++) {
			struct failing failing = failing_sink(at, errors[i]);
			static struct file file;

			file = (struct file){.fail_at = UINT32_MAX};
			assert_int_equal(run(&failing, &file), errors[i]);
			assert_int_equal(failing.calls, at + 1);
			assert_int_equal(failing.calls_after, 0);
			expect_good(&file);
		}
}

static void a_sink_that_cannot_begin_makes_no_host(void **unused)
{
	struct failing failing = failing_sink(0, -EIO);
	static struct file file = {.fail_at = UINT32_MAX};

	(void)unused;
	inproc_host = NULL;
	assert_int_equal(run(&failing, &file), -EIO);
	assert_null(inproc_host);
}

static void a_capture_that_fails_stops_no_sink(void **unused)
{
	unsigned writes = good_file.calls;

	(void)unused;
	assert_true(writes > 20);
	for (unsigned at = 1; at < writes; at++) {
		struct failing none = failing_sink(UINT32_MAX, 0);
		static struct file file;

		file = (struct file){.fail_at = at};
		assert_int_equal(run(&none, &file), -ENOSPC);
		assert_int_equal(file.calls, at + 1);
		assert_int_equal(none.calls, good_calls);
		expect_good(NULL);
	}
}

static void a_capture_that_cannot_begin_makes_no_host(void **unused)
{
	struct failing none = failing_sink(UINT32_MAX, 0);
	static struct file file = {.fail_at = 0};

	(void)unused;
	assert_int_equal(run(&none, &file), -ENOSPC);
	assert_null(inproc_host);
}

static void the_first_error_of_all_is_told(void **unused)
{
	struct failing failing = failing_sink(good_calls - 1, -EIO);
	static struct file file = {.fail_at = 3};

	(void)unused;
	assert_int_equal(run(&failing, &file), -ENOSPC);
	failing = failing_sink(2, -EIO);
	file = (struct file){.fail_at = good_file.calls - 1};
	assert_int_equal(run(&failing, &file), -EIO);
}

static void the_first_error_of_two_sinks_is_told(void **unused)
{
	struct failing first = failing_sink(9, -EIO);
	struct failing second = failing_sink(5, -ENOSPC);
	struct gt_sink *sinks[] = {&first.sink, NULL, &second.sink};
	struct gt_host_options options = inproc_options();

	(void)unused;
	options.sinks = sinks;
	options.sink_count = 3;
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	init_guest();
	for (unsigned i = 0; i < 5; i++)
		work(i);
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 -ENOSPC);
	assert_true(first.failed && second.failed);
	gt_host_free(inproc_host);
	inproc_host = NULL;
}

/* ---- Around a run -------------------------------------------------------- */

static void what_comes_after_the_end_is_refused(void **unused)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = process_memory_exit();
	struct gt_host *host;

	(void)unused;
	assert_int_equal(gt_host_new(&options, &host), 0);
	assert_int_equal(gt_host_enter(host, 0, 0), 0);
	assert_int_equal(gt_host_finish(host, GT_ENDING_HALTED, 3, "bye"), 0);
	assert_int_equal(gt_host_finish(host, GT_ENDING_HALTED, 3, "bye"),
	                 -EINVAL);
	assert_int_equal(gt_host_exit(host, 0, &exit), -EINVAL);
	assert_int_equal(gt_host_enter(host, 0, 0), -EINVAL);
	assert_int_equal(gt_host_drain(host), -EINVAL);
	assert_int_equal(gt_host_set_filter(host, "info"), -EINVAL);
	assert_int_equal(inproc_summary.status, 3);
	gt_host_free(host);
	gt_host_free(NULL);
}

static void unusable_options_make_no_host(void **unused)
{
	struct gt_host *host = (struct gt_host *)&ring;
	struct gt_host_options good = inproc_options(), bad;
	struct gt_sink *many[40] = {NULL};

	(void)unused;
#define REFUSED(change, code)                                \
	bad = good;                                          \
	change;                                              \
	assert_int_equal(gt_host_new(&bad, &host), -(code)); \
	assert_ptr_equal(host, &ring)
	REFUSED(bad.size = 0, EINVAL);
	REFUSED(bad.vcpus = GT_VCPUS_MAX + 1, EINVAL);
	REFUSED(bad.memory_slots = GT_MEMORY_SLOTS_MAX + 1, EINVAL);
	REFUSED(bad.memory[1].host = NULL, EINVAL);
	REFUSED(bad.memory[1].gpa |= 4, EINVAL);
	REFUSED(bad.memory[1].bytes = 0, EINVAL);
	REFUSED(bad.memory[1].bytes = UINT64_MAX, EINVAL);
	REFUSED((bad.sinks = many, bad.sink_count = 40), EINVAL);
	REFUSED(bad.filter = "a=b", GT_ERROR_BAD_FILTER);
	REFUSED(bad.traceparent = "00-0", GT_ERROR_BAD_TRACEPARENT);
}

static void every_code_has_a_text(void **unused)
{
	(void)unused;
	assert_string_equal(gt_error_text(0), "success");
	for (int code = -5000; code <= 1; code++)
		assert_true(strlen(gt_error_text(code)) > 3);
	assert_string_equal(gt_error_text(-GT_ERROR_BAD_VCPU), "no such vCPU");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sink_that_fails_stops_nobody_else),
		cmocka_unit_test(a_sink_that_cannot_begin_makes_no_host),
		cmocka_unit_test(a_capture_that_fails_stops_no_sink),
		cmocka_unit_test(a_capture_that_cannot_begin_makes_no_host),
		cmocka_unit_test(the_first_error_of_all_is_told),
		cmocka_unit_test(the_first_error_of_two_sinks_is_told),
		cmocka_unit_test(what_comes_after_the_end_is_refused),
		cmocka_unit_test(unusable_options_make_no_host),
		cmocka_unit_test(every_code_has_a_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
