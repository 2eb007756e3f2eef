/* SPDX-License-Identifier: MIT */
/*
 * What a valve leaves out while nobody takes an output: against a model that is
 * told, at each step, whether there is room.
 */
#include "cli/valve.h"
#include "tests/support/random64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SPANS        20000u
#define VCPUS        3u
#define OPEN_AT_ONCE 50u

static bool is_full;

bool outlet_is_full(struct outlet *outlet)
{
	(void)outlet;
	return is_full;
}

/* ---- The sink behind it -------------------------------------------------- */

static struct {
	uint64_t opened, closed, events, host_spans;
	uint64_t lost[VCPUS], told; /* by loss(); in the summary */
	uint64_t told_of[VCPUS];
	bool has_open[2 * SPANS];
	bool is_odd; /* a span ended that had not begun */
	unsigned finished, freed;
} seen;

static int see_open(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	seen.opened++;
	seen.has_open[span->sequence] = true;
	return 0;
}

static int see_close(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	(void)trace;
	seen.closed++;
	seen.is_odd |= sink->open && !seen.has_open[span->sequence];
	return 0;
}

static int see_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	(void)sink;
	(void)trace;
	(void)event;
	seen.events++;
	return 0;
}

static int see_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                         const struct gt_host_span_view *span)
{
	(void)sink;
	(void)trace;
	(void)span;
	seen.host_spans++;
	return 0;
}

static int see_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	(void)sink;
	(void)trace;
	assert_true(loss->from_ns <= loss->to_ns && loss->vcpu < VCPUS);
	seen.lost[loss->vcpu] += loss->records;
	return 0;
}

static int see_end(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_summary *summary)
{
	(void)sink;
	(void)trace;
	seen.told = summary->losses.records;
	for (unsigned i = 0; i < VCPUS && summary->lost_records; i++)
		seen.told_of[i] = summary->lost_records[i];
	return 0;
}

static int see_finish(struct gt_sink *sink)
{
	(void)sink;
	seen.finished++;
	return 0;
}

static void see_free(struct gt_sink *sink)
{
	(void)sink;
	seen.freed++;
}

static struct gt_sink behind;
static struct gt_sink *valve;
static const struct gt_trace trace = {.vcpus = VCPUS};

static int setup(void **unused)
{
	(void)unused;
	memset(&seen, 0, sizeof(seen));
	is_full = false;
	behind = (struct gt_sink){
		.open = see_open,
		.close = see_close,
		.event = see_event,
		.counter = see_event,
		.host_span = see_host_span,
		.loss = see_loss,
		.end = see_end,
		.finish = see_finish,
		.free = see_free,
	};
	return valve_new(&behind, NULL, &valve);
}

static int teardown(void **unused)
{
	(void)unused;
	valve->free(valve);
	return seen.freed == 1 ? 0 : -1;
}

/* ---- What it is shown ---------------------------------------------------- */

static uint64_t sequence, clock_ns;

static struct gt_span_view span_of(uint64_t number, uint32_t vcpu)
{
	return (struct gt_span_view){.sequence = number,
	                             .vcpu = vcpu,
	                             .start_ns = number,
	                             .end_ns = ++clock_ns};
}

static void open_span(uint64_t number, uint32_t vcpu)
{
	struct gt_span_view span = span_of(number, vcpu);

	assert_int_equal(valve->open(valve, &trace, &span), 0);
}

static void close_span(uint64_t number, uint32_t vcpu)
{
	struct gt_span_view span = span_of(number, vcpu);

	assert_int_equal(valve->close(valve, &trace, &span), 0);
}

static void put_event(uint32_t vcpu)
{
	struct gt_event_view event = {
		.sequence = ++sequence, .time_ns = ++clock_ns, .vcpu = vcpu};

	assert_int_equal(valve->event(valve, &trace, &event), 0);
}

static void end_run(const uint64_t *lost)
{
	struct gt_summary summary = {.lost_records = lost};

	for (unsigned i = 0; lost && i < VCPUS; i++)
		summary.losses.records += lost[i];
	assert_int_equal(valve->end(valve, &trace, &summary), 0);
	assert_int_equal(valve->finish(valve), 0);
	assert_int_equal(seen.finished, 1);
}

/* ---- Tests --------------------------------------------------------------- */

static void with_room_all_is_shown(void **unused)
{
	(void)unused;
	open_span(1, 0);
	put_event(1);
	close_span(1, 0);
	end_run(NULL);
	assert_int_equal(seen.opened + seen.closed + seen.events, 3);
	assert_int_equal(seen.told, 0);
	assert_int_equal(valve_report(valve, "csv", "x"), 0);
}

static void without_it_ends_alone_are(void **unused)
{
	const struct gt_host_span_view host = {.vcpu = 0};

	(void)unused;
	open_span(1, 0);
	is_full = true;
	open_span(2, 1);
	put_event(1);
	valve->host_span(valve, &trace, &host);
	close_span(2, 1);
	close_span(1, 0);
	assert_int_equal(seen.opened, 1);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.events + seen.host_spans, 0);
	is_full = false;
	put_event(0);
	/* An opening and an event of vCPU 1, where it goes on. */
	assert_int_equal(seen.lost[0], 0);
	assert_int_equal(seen.lost[1], 2);
	end_run(NULL);
	assert_int_equal(seen.told, 2);
	assert_true(valve_report(valve, "csv", "x") < 0);
}

static void what_the_rings_lost_meanwhile_is_told_with_it(void **unused)
{
	const uint64_t lost[VCPUS] = {7, 0, 1};
	const struct gt_loss_view loss = {
		.records = 7, .vcpu = 0, .from_ns = 1, .to_ns = 2};

	(void)unused;
	is_full = true;
	put_event(0);
	assert_int_equal(valve->loss(valve, &trace, &loss), 0);
	assert_int_equal(seen.lost[0], 0);
	end_run(lost);
	assert_int_equal(seen.lost[0], 8);
	assert_int_equal(seen.told, 9);
	assert_int_equal(seen.told_of[0], 8);
	assert_int_equal(seen.told_of[2], 1);
}

/* Such as csv: it is shown a span by its end alone. */
static void of_a_sink_without_openings_whole_spans_are_left_out(void **unused)
{
	(void)unused;
	valve->free(valve);
	seen.freed = 0;
	behind.open = NULL;
	assert_int_equal(valve_new(&behind, NULL, &valve), 0);
	assert_null(valve->open);
	close_span(1, 0);
	is_full = true;
	close_span(2, 0);
	is_full = false;
	close_span(3, 0);
	end_run(NULL);
	assert_int_equal(seen.closed, 2);
	assert_int_equal(seen.told, 1);
}

/* Room comes and goes with each step, or seldom. */
static void random_runs_add_up(void **unused)
{
	uint64_t open[OPEN_AT_ONCE], made = 0;
	unsigned count = 0;

	(void)unused;
	sequence = 0;
	while (sequence < SPANS) {
		uint32_t vcpu = (uint32_t)(random64() % VCPUS);

		if (random64() % 200 == 0)
			is_full = !is_full;
		if (count < OPEN_AT_ONCE && random64() % 2) {
			open[count++] = ++sequence;
			open_span(sequence, vcpu);
			made++;
		} else if (count > 0 && random64() % 2) {
			unsigned which = (unsigned)(random64() % count);

			close_span(open[which], vcpu);
			open[which] = open[--count];
		} else {
			put_event(vcpu);
			made++;
		}
	}
	while (count > 0)
		close_span(open[--count], 0);
	end_run(NULL);
	assert_false(seen.is_odd);
	assert_true(seen.told > 0);
	assert_int_equal(seen.opened, seen.closed);
	assert_int_equal(seen.opened + seen.events + seen.told, made);
	assert_int_equal(seen.lost[0] + seen.lost[1] + seen.lost[2], seen.told);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(with_room_all_is_shown),
		T(without_it_ends_alone_are),
		T(what_the_rings_lost_meanwhile_is_told_with_it),
		T(of_a_sink_without_openings_whole_spans_are_left_out),
		T(random_runs_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
