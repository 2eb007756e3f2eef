/* SPDX-License-Identifier: MIT */
/*
 * A wall clock that is set while guests run, and years far away (threat F12):
 * UTC is that of the start and what the monotonic clock adds to it.
 */
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define DAY_NS  UINT64_C(86400000000000)
#define EVENTS  100u
#define TICK_NS 1000u

static uint64_t now_ns, readings, utc_ns, step_ns; /* UTC where now_ns is 0 */
static uint64_t made_ns[EVENTS], shown_ns[EVENTS];
static unsigned made, shown, adjusted;

/* From the second reading on each other one is a step before the one before. */
static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	(void)context;
	now_ns += 10;
	*ret_reading = (struct gt_clock_reading){
		.tsc = now_ns,
		.monotonic_ns = now_ns,
		.realtime_ns = utc_ns + now_ns,
		.boottime_ns = now_ns,
		.gap_ns = 1,
	};
	if (readings++ % 2)
		ret_reading->realtime_ns += step_ns;
	else if (readings > 1)
		ret_reading->realtime_ns -= step_ns;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	(void)trace;
	assert_true(shown < EVENTS);
	shown_ns[shown++] = event->time_ns;
	adjusted += (event->flags & GT_SPAN_ADJUSTED) != 0;
	return 0;
}

static void run(uint64_t first_utc_ns, uint64_t step)
{
	static struct gt_sink sink = {.event = on_event};
	static struct gt_sink *sinks[] = {&sink};
	struct gt_host_options options = inproc_options();
	struct gt_exit exit;

	utc_ns = first_utc_ns;
	step_ns = step;
	now_ns = readings = made = shown = adjusted = 0;
	bare_new();
	bare_init();
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.sinks = sinks;
	options.read_clock = read_clock;
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 1);
	exit = bare_exit(GT_DOORBELL_FLUSH, GVA(control));
	while (made < EVENTS) {
		gt_host_enter(inproc_host, 0, 0);
		for (unsigned i = 0; i < 5; i++) {
			now_ns += TICK_NS;
			inproc_now = now_ns - 1; /* bare_record() adds one */
			bare_record(&ram->vcpu);
			made_ns[made++] = utc_ns + now_ns;
		}
		now_ns += TICK_NS;
		assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 1);
	}
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	gt_host_free(inproc_host);
	inproc_host = NULL;
	bare_free();
}

static void expect_times(void)
{
	assert_int_equal(shown, EVENTS);
	assert_int_equal(adjusted, 0);
	assert_true(readings > 10);
	for (unsigned i = 0; i < EVENTS; i++)
		assert_in_range(shown_ns[i], made_ns[i] - 2, made_ns[i] + 2);
}

static void a_step_of_the_wall_clock_moves_no_time(void **unused)
{
	(void)unused;
	run(20000 * DAY_NS, 0);
	expect_times();
	run(20000 * DAY_NS, 2 * DAY_NS);
	expect_times();
	run(20000 * DAY_NS, 0 - 2 * DAY_NS);
	expect_times();
	run(20000 * DAY_NS, UINT64_C(1) << 63);
	expect_times();
}

/* 2^31 s: January 2038. 2^63 ns: April 2262. */
static void far_years_are_years(void **unused)
{
	(void)unused;
	run((UINT64_C(1) << 31) * 1000000000 - EVENTS / 2 * TICK_NS, 0);
	expect_times();
	run((UINT64_C(1) << 63) - EVENTS / 2 * TICK_NS, 0);
	expect_times();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_step_of_the_wall_clock_moves_no_time,
			inproc_teardown),
		cmocka_unit_test_teardown(far_years_are_years, inproc_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
