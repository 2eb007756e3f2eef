/* SPDX-License-Identifier: MIT */
/* Which spans of a trace a page of the html format shows. */
#include "export/html/html.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct gt_site_view site = {
	{"s", 1}, {"t", 1}, {"f", 1}, 1, GT_INFO, {NULL, 0}};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static struct gt__collect *collect(uint32_t count, uint32_t seed, bool chain)
{
	static const struct gt_trace trace = {.vcpus = 2};
	struct gt__collect *c = calloc(1, sizeof *c);
	uint32_t i, state = seed;

	assert_non_null(c);
	c->head.trace = &trace;
	for (i = 0; i < count; i++) {
		uint64_t start_ns = next_random(&state) % 100000;
		struct gt_span_view v = {
			.id = i + 1,
			.parent_id = chain ? i : next_random(&state) % (i + 1),
			.start_ns = start_ns,
			.end_ns = start_ns + next_random(&state) % 1000,
			.sequence = i + 1,
			.site = &site,
			.vcpu = next_random(&state) % 3,
			.flags = next_random(&state) % 97 == 0
		                         ? GT_SPAN_INTERRUPTED
		                         : 0,
		};

		assert_int_equal(gt__collect_span(c, &v), 0);
	}
	assert_int_equal(gt__collect_build(c), 0);
	return c;
}

/* Each span is shown or in a block, and what is shown is not the shorter one.
 */
static void check(uint32_t count, uint32_t seed, bool chain, uint32_t limit)
{
	struct gt__collect *c = collect(count, seed, chain);
	struct gt__excerpt e;
	uint64_t least_shown = UINT64_MAX, most_hidden = 0, hidden = 0;
	uint32_t i;

	assert_int_equal(gt__excerpt_make(&e, c, limit), 0);
	assert_int_equal(e.shown_count, count < limit ? count : limit);
	assert_true(e.block_count <= 3 * limit + GT_VCPUS_MAX);
	for (i = 0; i < e.block_count; i++) {
		assert_true(e.blocks[i].start_ns <= e.blocks[i].end_ns);
		assert_true(e.blocks[i].parent == GT__ROOT ||
		            e.blocks[i].parent < e.shown_count);
		hidden += e.blocks[i].count;
	}
	assert_int_equal(hidden, e.hidden_count);
	assert_int_equal(hidden + e.shown_count, count);
	for (i = 0; i < count; i++) {
		const struct gt_span_view *v = &c->spans[i].view;
		uint64_t ns = v->end_ns - v->start_ns;

		assert_true(e.place[i] == GT__ROOT ||
		            e.place[i] < e.shown_count);
		if (v->flags)
			assert_true(e.shown[i] || limit < count / 50);
		else if (e.shown[i])
			least_shown = ns < least_shown ? ns : least_shown;
		else
			most_hidden = ns > most_hidden ? ns : most_hidden;
	}
	assert_true(most_hidden <= least_shown);
	gt__excerpt_fini(&e);
	gt__collect_free(c);
}

static void an_excerpt_loses_no_span(void **state)
{
	uint32_t seed;

	(void)state;
	for (seed = 1; seed < 40; seed++) {
		check(2000, seed, false, 100);
		check(2000, seed, true, 100);
		check(2000, seed, false, 2);
		check(50, seed, false, 50);
	}
	check(0, 1, false, 10);
}

static void a_chain_of_a_hundred_thousand_is_as_good_as_any(void **state)
{
	(void)state;
	check(100000, 7, true, 3000);
}

/* Of 10,000 of which every 97th is a warning: at most as many as asked for, of
 * every tenth part of the run as many as of any other, and all the warnings that
 * half of the room has place for. */
static void what_is_left_out_of_events_is_spread(void **state)
{
	static const struct gt_site_view warning = {
		{"w", 1}, {"t", 1}, {"f", 1}, 1, GT_WARN, {NULL, 0}};
	struct gt__collect *c = collect(1, 1, false);
	struct gt__html_run run = {.c = c};
	uint32_t parts[10] = {0}, warnings = 0, shown = 0, i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		struct gt_event_view v = {
			.time_ns = i,
			.sequence = 2 + i,
			.site = i % 97 ? &site : &warning,
		};

		assert_int_equal(gt__collect_event(c, &v, i % 2), 0);
	}
	assert_int_equal(gt__html_choose_events(&run, 1000), 0);
	for (i = 0; i < 10000; i++) {
		shown += run.event_shown[i];
		parts[i / 1000] += run.event_shown[i];
		warnings += run.event_shown[i] && i % 97 == 0 && i % 2 == 0;
	}
	assert_int_equal(shown, 1000);
	assert_int_equal(run.hidden_events, 9000);
	assert_int_equal(warnings, 52); /* of 104 the counters are none */
	for (i = 0; i < 10; i++)
		assert_in_range(parts[i], 97, 103);
	free(run.event_shown);
	run.event_shown = NULL;
	assert_int_equal(gt__html_choose_events(&run, 10000), 0);
	assert_null(run.event_shown);
	gt__collect_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_excerpt_loses_no_span),
		cmocka_unit_test(
			a_chain_of_a_hundred_thousand_is_as_good_as_any),
		cmocka_unit_test(what_is_left_out_of_events_is_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
