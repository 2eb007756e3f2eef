/* SPDX-License-Identifier: MIT */
/* Which spans are entered, and what another vCPU says too early. */
#include "spans_driver.h"
#include "tests/support/allocated.h"

static void enter(uint32_t vcpu, uint64_t id)
{
	send_record(vcpu, GT_RECORD_ENTER, NULL, id, NULL, 0);
}

static void leave(uint32_t vcpu, uint64_t id)
{
	send_record(vcpu, GT_RECORD_EXIT, NULL, id, NULL, 0);
}

static void an_event_on(uint32_t vcpu, uint64_t parent)
{
	event(vcpu);
	assert_int_equal(last_event_parent, parent);
}

static void as_often_as_it_is_entered_a_span_has_to_be_left(void **unused)
{
	(void)unused;
	open_with_parent(1, 0);
	open_with_parent(2, 0);
	for (unsigned i = 0; i < 3; i++) {
		enter(0, 1);
		enter(0, 2);
		enter(0, 2);
	}
	leave(0, 2);
	an_event_on(0, 2);
	leave(0, 2);
	an_event_on(0, 1);
	leave(0, 2);
	leave(0, 1);
	an_event_on(0, 2);
	leave(0, 2);
	an_event_on(0, 1);
	leave(0, 1);
	leave(0, 2);
	leave(0, 2);
	an_event_on(0, 1);
	leave(0, 1);
	leave(0, 1); /* once too often is harmless */
	an_event_on(0, 0);
	enter(0, 1);
	enter(0, 1);
	close_span(0, 1);
	an_event_on(0, 0);
}

static void a_span_entered_on_two_vcpus_counts_for_both(void **unused)
{
	(void)unused;
	open_with_parent(1, 0);
	enter(0, 1);
	enter(1, 1);
	an_event_on(0, 1);
	an_event_on(1, 1);
	leave(1, 1);
	an_event_on(0, 1);
	an_event_on(1, 0);
	leave(2, 1); /* where it is not entered: from wherever it is */
	an_event_on(0, 0);
}

/* What is kept of one span is bounded, and so is the work to find it. */
static void entering_without_end_costs_bounded_memory(void **unused)
{
	size_t before = allocated_bytes();

	(void)unused;
	open_with_parent(1, 0);
	open_with_parent(2, 0);
	for (unsigned i = 0; i < 1000000; i++)
		enter(i % 4, 1 + i / 4 % 2);
	for (unsigned i = 0; i < 1000000; i++)
		enter(0, 1);
	assert_true(allocated_bytes() - before < 64 * 1024);
	close_span(0, 1);
	close_span(0, 2);
	an_event_on(0, 0);
	an_event_on(3, 0);
}

/* ---- Another vCPU's clock ------------------------------------------------ */

#define ID(vcpu, pos) (GT_ID_BASE(vcpu, 0) + (pos))

static void send_native(uint32_t vcpu, enum gt_record_kind kind,
                        const struct gt__site *site, uint64_t pos, uint64_t id,
                        uint64_t ns)
{
	struct gt__when when = {
		.ns = ns, .id = ID(vcpu, pos), .vcpu = vcpu, .native = true};
	struct gt__record record = {.site = site, .kind = kind, .id = id};
	static const uint64_t word = 7;

	if (site && site->field_count) {
		record.body = (const uint8_t *)&word;
		record.body_bytes = 8;
	}
	gt__spans_record(&spans, &when, &record);
}

static void what_comes_before_its_opening_waits_for_it(void **unused)
{
	(void)unused;
	send_native(1, GT_RECORD_ENTER, NULL, 48, ID(0, 48), 10);
	send_native(1, GT_RECORD_FIELDS, &late_site, 72, ID(0, 48), 20);
	send_native(1, GT_RECORD_CLOSE, NULL, 104, ID(0, 48), 30);
	assert_int_equal(closed_count, 0);
	send_native(0, GT_RECORD_OPEN, &span_site, 48, 0, 40);
	assert_int_equal(closed_count, 1);
	assert_int_equal(closed[0].id, ID(0, 48));
	assert_int_equal(closed[0].start_ns, 40);
	assert_int_equal(closed[0].end_ns, 40);
	assert_int_equal(closed[0].close_vcpu, 1);
	assert_int_equal(closed[0].flags, GT_SPAN_ADJUSTED);
	assert_int_equal(closed[0].field_count, 1);
	assert_int_equal(summary.losses.adjusted_records, 3);
	assert_int_equal(summary.losses.unknown_spans, 0);
	/* It has been opened and has ended: nothing waits for it again. */
	send_native(1, GT_RECORD_CLOSE, NULL, 128, ID(0, 48), 50);
	assert_int_equal(summary.losses.unknown_spans, 1);
	an_event_on(1, 0);
}

static void what_never_opens_is_counted_at_the_end(void **unused)
{
	size_t before = allocated_bytes();

	(void)unused;
	for (uint64_t i = 0; i < 1000; i++)
		send_native(1, GT_RECORD_CLOSE, NULL, 8 * i,
		            ID(0, 1000000 + 8 * i), i);
	assert_true(allocated_bytes() - before < 64 * 1024);
	gt__spans_interrupt(&spans, 5000);
	assert_int_equal(summary.losses.unknown_spans, 1000);
	assert_int_equal(closed_count, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(as_often_as_it_is_entered_a_span_has_to_be_left),
		T(a_span_entered_on_two_vcpus_counts_for_both),
		T(entering_without_end_costs_bounded_memory),
		T(what_comes_before_its_opening_waits_for_it),
		T(what_never_opens_is_counted_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
