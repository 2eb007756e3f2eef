/* SPDX-License-Identifier: MIT */
/* A run whose capture goes into one file after the other. */
#define GT_TARGET "rotate"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"
#include "tests/support/memfile.h"

#include <guesttrace/guest.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FILES  8u
#define EVENTS 1000u /* in each */

static uint64_t ring[GT_RING_BYTES_MIN / 8];
static struct memfile files[FILES];
static unsigned seen[FILES * EVENTS];
static unsigned spans, runs;
static uint64_t last_ns;
static uint8_t trace_id[16];

static struct gt_output output_of(struct memfile *file)
{
	return (struct gt_output){memfile_write, file};
}

static int on_begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	(void)sink;
	if (runs++ == 0)
		memcpy(trace_id, trace->trace_id, sizeof(trace_id));
	assert_memory_equal(trace->trace_id, trace_id, sizeof(trace_id));
	return 0;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	(void)trace;
	assert_true(event->time_ns >= last_ns);
	last_ns = event->time_ns;
	seen[event->fields[0].value.u64]++;
	return 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	(void)span;
	spans++;
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	bool last = runs == FILES;

	(void)sink;
	(void)trace;
	assert_int_equal(summary->ending,
	                 last ? GT_ENDING_HALTED : GT_ENDING_SNAPSHOT);
	assert_int_equal(summary->losses.records, 0);
	assert_int_equal(summary->losses.bad_records, 0);
	assert_int_equal(summary->losses.overwritten_bytes, 0);
	return 0;
}

static void start(void)
{
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {.size = sizeof(guest),
	                           .ring = ring,
	                           .ring_bytes = sizeof(ring)};

	memset(seen, 0, sizeof(seen));
	spans = runs = 0;
	last_ns = 0;
	inproc_clear();
	host.capture = output_of(&files[0]);
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
}

static void replay(struct memfile *file)
{
	struct gt_sink sink = {.begin = on_begin,
	                       .event = on_event,
	                       .close = on_close,
	                       .end = on_end};
	struct gt_sink *sinks[] = {&sink};
	struct gt_replay_options options = {.size = sizeof(options),
	                                    .read = memfile_read,
	                                    .context = file,
	                                    .sinks = sinks,
	                                    .sink_count = 1};

	assert_int_equal(gt_replay(&options), 0);
	free(file->bytes);
	*file = (struct memfile){0};
}

static void each_record_is_in_one_of_the_files(void **unused)
{
	(void)unused;
	start();
	for (unsigned i = 0; i < FILES * EVENTS; i++) {
		GT_SPAN(s, GT_INFO, "s");
		if (i > 0 && i % EVENTS == 0) {
			struct gt_output next = output_of(&files[i / EVENTS]);

			assert_int_equal(gt_host_rotate(inproc_host, &next), 0);
		}
		GT_EVENT(GT_INFO, "e", gt_u64("i", i));
	}
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	for (unsigned i = 0; i < FILES; i++)
		replay(&files[i]);
	for (unsigned i = 0; i < FILES * EVENTS; i++)
		assert_int_equal(seen[i], 1);
	/* Of those that were open when a file ended each has but an end. */
	assert_in_range(spans, FILES * (EVENTS - 1), FILES * (EVENTS + 1));
	/* Sinks have seen one run. */
	assert_int_equal(inproc_summary.events, FILES * EVENTS);
}

static void without_a_next_one_no_capture_goes_on(void **unused)
{
	size_t bytes;

	(void)unused;
	start();
	for (unsigned i = 0; i < EVENTS; i++)
		GT_EVENT(GT_INFO, "e", gt_u64("i", i));
	assert_int_equal(gt_host_rotate(inproc_host, NULL), 0);
	bytes = files[0].count;
	for (unsigned i = 0; i < EVENTS; i++)
		GT_EVENT(GT_INFO, "e", gt_u64("i", EVENTS + i));
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	assert_int_equal(files[0].count, bytes);
	assert_int_equal(inproc_summary.events, 2 * EVENTS);
	assert_int_equal(gt_host_rotate(inproc_host, NULL), -EINVAL);
	replay(&files[0]);
	assert_int_equal(seen[2 * EVENTS - 1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, inproc_teardown)
		T(each_record_is_in_one_of_the_files),
		T(without_a_next_one_no_capture_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
