/* SPDX-License-Identifier: MIT */
/* Records -> spans: the quotas, and what hostile records cost (threats D). */
#include "spans_driver.h"
#include "tests/support/allocated.h"
#include "tests/support/cpu_time.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void over_the_limit_the_oldest_is_ended(void **unused)
{
	(void)unused;
	teardown(NULL);
	start_spans(4, 4096, 16);
	for (uint64_t id = 1; id <= 100; id++)
		open_with_parent(id, 0);
	assert_int_equal(summary.losses.evicted_spans, 96);
	assert_int_equal(closed_count, 96);
	for (unsigned i = 96 - 64; i < 96; i++) {
		assert_int_equal(closed[i % 64].id, i + 1);
		assert_int_equal(closed[i % 64].flags, GT_SPAN_EVICTED);
	}
	close_span(0, 1);
	assert_int_equal(summary.losses.unknown_spans, 1);
	close_span(0, 97);
	assert_int_equal(closed_count, 97);
	open_with_parent(200, 0); /* there is room again */
	assert_int_equal(summary.losses.evicted_spans, 96);
}

/* Threat D3. */
static void spans_never_closed_cost_bounded_memory(void **unused)
{
	size_t before = allocated_bytes(), most = 0;
	/* Spans and chunks come in blocks of four, each with a link. */
	size_t blocks = 2 * 65536 / 4 * (sizeof(void *) + ALLOCATION_BYTES);
	size_t bound = 65536 * sizeof(struct gt__open_span) +
	               131072 * sizeof(void *) + blocks;

	(void)unused;
	for (uint64_t id = 1; id <= 1000000; id++) {
		open_with_parent(id * 8 + 4, 0);
		if (id % 1024 == 0 && allocated_bytes() - before > most)
			most = allocated_bytes() - before;
	}
	/* Each said its parent: a chunk per span, within span_bytes. */
	assert_true(most > 65536 * sizeof(struct gt__open_span));
	assert_true(most <= bound + 65536 * 256 + 2 * ALLOCATION_BYTES);
	assert_int_equal(summary.losses.evicted_spans, 1000000 - 65536);
	assert_int_equal(summary.spans, 1000000 - 65536);
	gt__spans_interrupt(&spans, now_ns);
	assert_int_equal(summary.spans, 1000000);
	assert_int_equal(closed[(closed_count - 1) % 64].flags,
	                 GT_SPAN_INTERRUPTED);
}

static void events_over_the_quota_are_counted_one_by_one(void **unused)
{
	static uint8_t text[8 + 2000];
	uint64_t head = 2000 | UINT64_C(2000) << 32;
	uint64_t sent = 0, late = 0;

	(void)unused;
	memcpy(text, &head, 8);
	teardown(NULL);
	start_spans(64, 20000, 16);
	for (uint64_t id = 1; id <= 3; id++) {
		scope(id);
		for (unsigned i = 0; i < 100; i++, sent += 2) {
			event(0);
			send_record(0, GT_RECORD_EVENT, &text_site, 0, text,
			            sizeof(text));
			send_record(0, GT_RECORD_FIELDS, &late_site, id, &head,
			            8);
			late++;
			assert_true(spans.open.bytes <= 20000);
		}
	}
	assert_true(summary.losses.dropped_events > 300);
	for (uint64_t id = 3; id >= 1; id--)
		close_span(0, id);
	assert_int_equal(dropped_events, summary.losses.dropped_events);
	assert_int_equal(dropped_fields, summary.losses.dropped_fields);
	assert_int_equal(kept_events + dropped_events, sent);
	assert_int_equal(shown_fields + dropped_fields, late);
	assert_true(kept_events > 5 && shown_fields > 5);
	assert_int_equal(spans.open.bytes, 0);
	assert_int_equal(summary.events, sent); /* each was shown at once */
}

/* Threat D1. */
static void an_id_opened_again_replaces_the_old_span(void **unused)
{
	(void)unused;
	scope(52);
	scope(52);
	assert_int_equal(summary.losses.replaced_spans, 1);
	assert_int_equal(closed_count, 1);
	assert_int_equal(closed[0].flags, GT_SPAN_REPLACED);
	close_span(0, 52);
	close_span(0, 52);
	assert_int_equal(closed_count, 2);
	assert_int_equal(closed[1].flags, 0);
	assert_int_equal(summary.losses.unknown_spans, 1);
	scope(UINT64_MAX);
	close_span(0, UINT64_MAX);
	assert_int_equal(closed_count, 3);
}

/* Threat D2. */
static void unknown_ids_are_counted_and_change_nothing(void **unused)
{
	uint64_t word = 1;

	(void)unused;
	scope(52);
	for (unsigned i = 0; i < 1000; i++) {
		send_record(0, GT_RECORD_ENTER, NULL, 1000 + i, NULL, 0);
		send_record(0, GT_RECORD_EXIT, NULL, 1000 + i, NULL, 0);
		send_record(0, GT_RECORD_FIELDS, &late_site, 1000 + i, &word,
		            8);
		close_span(0, 1000 + i);
	}
	assert_int_equal(summary.losses.unknown_spans, 4000);
	event(0);
	assert_int_equal(last_event_parent, 52);
	close_span(0, 52);
	assert_int_equal(closed_count, 1);
	assert_int_equal(closed[0].field_count, 0);
	assert_int_equal(closed[0].event_count, 1);
}

/* Threat D4: parents are data. */
static void parents_in_a_circle_are_shown_as_they_are(void **unused)
{
	(void)unused;
	open_with_parent(1, 1);
	open_with_parent(2, 3);
	open_with_parent(3, 2);
	open_with_parent(4, 999);
	for (uint64_t id = 1; id <= 4; id++)
		close_span(0, id);
	assert_int_equal(closed[0].parent_id, 1);
	assert_int_equal(closed[1].parent_id, 3);
	assert_int_equal(closed[2].parent_id, 2);
	assert_int_equal(closed[3].parent_id, 999);
}

static void a_span_may_close_on_another_vcpu(void **unused)
{
	(void)unused;
	scope(52);
	send_record(3, GT_RECORD_ENTER, NULL, 52, NULL, 0);
	event(0);
	assert_int_equal(last_event_parent, 52); /* it is entered on both */
	event(3);
	assert_int_equal(last_event_parent, 52);
	close_span(2, 52);
	assert_int_equal(closed[0].vcpu, 0);
	assert_int_equal(closed[0].close_vcpu, 2);
	event(3);
	assert_int_equal(last_event_parent, 0);
}

static void a_sync_after_losses_ends_lost_scopes(void **unused)
{
	uint64_t left_ns;

	(void)unused;
	scope(52);
	scope(68);
	send_sync(52, 0); /* nothing was lost: the order of records holds */
	event(0);
	assert_int_equal(last_event_parent, 68);
	send_sync(52, 1);
	assert_int_equal(closed_count, 1);
	assert_int_equal(closed[0].flags, GT_SPAN_CLOSE_LOST);
	event(0);
	assert_int_equal(last_event_parent, 52);
	gt__spans_gap(&spans, 0, 0, 0, 0);
	send_sync(4000, 1); /* a span whose opening never arrived */
	left_ns = now_ns;
	event(0);
	assert_int_equal(last_event_parent, 4000);
	assert_int_equal(closed_count, 1); /* 52 may be around it */
	send_sync(0, 1);
	assert_int_equal(closed_count, 2);
	assert_int_equal(closed[1].id, 52);
	assert_int_equal(closed[1].flags, GT_SPAN_CLOSE_LOST);
	assert_int_equal(closed[1].end_ns, left_ns);
}

static void contexts_over_the_limit_share_one(void **unused)
{
	(void)unused;
	teardown(NULL);
	/* Three for the other vCPUs, five more, and the shared one. */
	start_spans(65536, (size_t)1 << 20, 8);
	for (uint64_t i = 1; i <= 1000; i++) {
		switch_to(0, i, 0);
		scope(1000 + i);
	}
	assert_true(spans.contexts.count <= 8);
	for (uint64_t i = 1; i <= 5; i++) { /* the first ones are intact */
		switch_to(0, i, 1000 + i);
		event(0);
		assert_int_equal(last_event_parent, 1000 + i);
	}
	assert_int_equal(closed_count, 1000 - 6);
	gt__spans_interrupt(&spans, now_ns);
	assert_int_equal(closed_count, 1000);
}

static void idle_contexts_make_room(void **unused)
{
	(void)unused;
	teardown(NULL);
	start_spans(65536, (size_t)1 << 20, 8);
	for (uint64_t i = 1; i <= 10000; i++) {
		switch_to(0, i, 0);
		scope(i);
		event(0);
		assert_int_equal(last_event_parent, i);
		assert_ptr_not_equal(spans.vcpus[0].context,
		                     &spans.contexts.overflow);
		close_span(0, i);
	}
	assert_int_equal(closed_count, 10000);
}

struct numbers {
	uint64_t next, step;
};

static void switch_often(void *context)
{
	struct numbers *numbers = context;

	for (unsigned i = 0; i < 100000; i++)
		switch_to(0, numbers->next += numbers->step, 0);
}

static void fill_contexts(struct numbers *numbers)
{
	teardown(NULL);
	setup(NULL);
	while (spans.contexts.count < spans.contexts.count_max) {
		switch_to(0, numbers->next += numbers->step, 0);
		scope(spans.sequence + 1);
	}
}

/* A guest chooses its numbers; a switch must not cost what all of them do. The
 * same number of switches while contexts are idle, hence few, costs as much. */
static void many_contexts_do_not_make_switches_slow(void **unused)
{
	struct numbers counted = {.step = 1};
	/* Of one bucket, if the hash were the product alone. */
	struct numbers chosen = {.step = UINT64_C(0xf1de83e19937733d) << 8};
	uint64_t idle_ns = cpu_fastest_ns(switch_often, &counted);

	(void)unused;
	fill_contexts(&chosen);
	assert_true(cpu_within(switch_often, &chosen, 6 * idle_ns));
}

/* Threat D1. */
/* Random records of everything: spans shown = spans opened, always. */
static void random_records_end_every_span_once(void **unused)
{
	uint64_t state = 1, opened = 0, body[4];

	(void)unused;
	teardown(NULL);
	start_spans(32, 16384, 8);
	for (unsigned i = 0; i < 300000; i++) {
		uint64_t id;
		uint32_t vcpu;
		unsigned kind;

		state = state * UINT64_C(6364136223846793005) +
		        1442695040888963407;
		id = 4 + 8 * (state >> 40 & 63);
		vcpu = state >> 50 & 3;
		kind = GT_RECORD_SYNC + (unsigned)((state >> 33) % 11);
		for (unsigned j = 0; j < 4; j++)
			body[j] = 4 + 8 * (state >> (10 * j) & 63);
		if (kind == GT_RECORD_OPEN || kind == GT_RECORD_SPAN) {
			send_record(vcpu, kind, &child_site, id, body, 8);
			opened++;
		} else if (kind == GT_RECORD_EVENT ||
		           kind == GT_RECORD_COUNTER) {
			send_record(vcpu, kind, &event_site, 0, body, 8);
		} else {
			send_record(vcpu, kind, &late_site, id, body,
			            kind == GT_RECORD_SYNC ? 32 : 16);
		}
		assert_int_equal(summary.spans + spans.open.count, opened);
		assert_int_equal(summary.spans, closed_count);
	}
	gt__spans_interrupt(&spans, now_ns);
	assert_int_equal(summary.spans, opened);
	assert_int_equal(spans.open.bytes, 0);
	assert_true(summary.losses.replaced_spans > 1000);
	assert_true(summary.losses.evicted_spans > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(over_the_limit_the_oldest_is_ended),
		T(spans_never_closed_cost_bounded_memory),
		T(events_over_the_quota_are_counted_one_by_one),
		T(an_id_opened_again_replaces_the_old_span),
		T(unknown_ids_are_counted_and_change_nothing),
		T(parents_in_a_circle_are_shown_as_they_are),
		T(a_span_may_close_on_another_vcpu),
		T(a_sync_after_losses_ends_lost_scopes),
		T(contexts_over_the_limit_share_one),
		T(idle_contexts_make_room),
		T(many_contexts_do_not_make_switches_slow),
		T(random_records_end_every_span_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
