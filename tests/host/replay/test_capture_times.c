/* SPDX-License-Identifier: MIT */
/* The times that a hostile capture may tell, and losses (threat D5). */
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

struct times {
	struct gt_sink sink;
	uint64_t last_ns, flagged, shown;
	struct gt_losses losses;
	uint64_t lost_records[2]; /* of the first vCPUs */
};

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	struct times *times = (struct times *)sink;

	(void)trace;
	assert_true(event->time_ns >= times->last_ns);
	times->last_ns = event->time_ns;
	times->flagged += (event->flags & GT_SPAN_ADJUSTED) != 0;
	times->shown++;
	return 0;
}

static int on_span(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_span_view *span)
{
	(void)sink;
	assert_true(span->start_ns >= trace->start_ns);
	assert_true(span->end_ns >= span->start_ns);
	assert_true(span->end_ns <= frames_now);
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	struct times *times = (struct times *)sink;

	assert_int_equal(summary->end_ns, frames_now);
	times->losses = summary->losses;
	for (uint32_t i = 0; i < trace->vcpus && i < 2; i++)
		times->lost_records[i] = summary->lost_records[i];
	return 0;
}

static struct times replay_times(void)
{
	struct times times = {.sink = {.open = NULL,
	                               .close = on_span,
	                               .event = on_event,
	                               .end = on_end}};
	struct gt_sink *const sinks[] = {&times.sink};

	options.sinks = sinks;
	options.sink_count = 1;
	assert_int_equal(gt_replay(&options), 0);
	options.sink_count = 0;
	return times;
}

static void a_time_before_the_last_one_is_moved(void **unused)
{
	static const uint64_t tscs[] = {104, 102, 103, 104, 105};
	struct times times;

	(void)unused;
	frames_beginning();
	frames_records(0, 24 * 5);
	for (unsigned i = 0; i < 5; i++)
		frames_event(0, tscs[i]);
	frames_seal(GT__FRAME_RECORDS, 0);
	times = replay_times();
	assert_int_equal(times.last_ns, 105);
	assert_int_equal(times.flagged, 2);
	assert_int_equal(times.losses.late_records, 2);
	assert_int_equal(times.losses.adjusted_records, 0);
}

static void a_time_outside_its_run_is_moved_into_it(void **unused)
{
	static const uint64_t tscs[] = {0,   99,        100,       110,
	                                111, INT64_MAX, UINT64_MAX};
	struct times times;

	(void)unused;
	frames_beginning();
	frames_records(0, 24 * 7);
	for (unsigned i = 0; i < 7; i++)
		frames_event(0, tscs[i]);
	frames_seal(GT__FRAME_RECORDS, 0); /* between 100 and 110 */
	times = replay_times();
	assert_int_equal(times.last_ns, 110);
	assert_int_equal(times.flagged, 5);
	assert_int_equal(times.losses.adjusted_records, 5);
}

/* What was recorded after a drain is not older than it. */
static void a_time_before_the_last_drain_is_moved_behind_it(void **unused)
{
	struct times times;

	(void)unused;
	frames_beginning();
	for (unsigned i = 0; i < 2; i++) { /* at 110 and 120 */
		frames_records(24 * i, 24);
		frames_event(0, i ? 105 : 101);
		frames_seal(GT__FRAME_RECORDS, 0);
		frames_merge();
	}
	times = replay_times();
	assert_int_equal(times.last_ns, 110);
	assert_int_equal(times.flagged, 1);
	assert_int_equal(times.losses.adjusted_records, 1);
}

static void lose(uint32_t vcpu, uint64_t records)
{
	frames_lost = records;
	frames_records(0, 0);
	frames_seal(GT__FRAME_RECORDS, vcpu);
	frames_lost = 0;
}

/* A guest counts anew when it announces itself again. */
static void lost_records_are_told_by_vcpu(void **unused)
{
	struct times times;

	(void)unused;
	frames_beginning();
	lose(0, 1);
	lose(0, 2);
	lose(1, 3);
	frames_guest(2, 0);
	lose(1, 4);
	times = replay_times();
	assert_int_equal(times.losses.records, 9);
	assert_int_equal(times.lost_records[0], 2);
	assert_int_equal(times.lost_records[1], 7);
}

static void random_times_stay_in_order_and_in_the_run(void **unused)
{
	uint64_t state = 1, pos = 0;
	struct times times;

	(void)unused;
	frames_start(GT_ABI_VERSION, 1);
	frames_seal(GT__FRAME_START, 0);
	frames_guest(1, 1024);
	frames_sites();
	for (unsigned i = 0; i < 2000; i++) {
		frames_records(pos, 24 * 2 + 16);
		for (unsigned j = 0; j < 3; j++) {
			uint64_t tsc;

			state = state * UINT64_C(6364136223846793005) + 1;
			tsc = state >> 60 ? frames_now - (state >> 58) % 20
			                  : state << 4;
			if (j == 1)
				frames_open_record(tsc);
			else
				frames_event(0, tsc);
		}
		pos += 24 * 2 + 16;
		frames_seal(GT__FRAME_RECORDS, 0);
		frames_merge();
	}
	times = replay_times();
	assert_int_equal(times.shown, 4000);
	assert_true(times.flagged > 500 && times.flagged < 3900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, frames_teardown)
		T(a_time_before_the_last_one_is_moved),
		T(a_time_outside_its_run_is_moved_into_it),
		T(a_time_before_the_last_drain_is_moved_behind_it),
		T(lost_records_are_told_by_vcpu),
		T(random_times_stay_in_order_and_in_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
