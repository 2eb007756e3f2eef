/* SPDX-License-Identifier: MIT */
/*
 * Spans of other traces than the run's: what an opening says of its trace, who
 * inherits it, and what a text that is none does. The texts are those of W3C
 * Trace Context's own examples (3.2.2.5, 3.3.1.6).
 */
#include "spans_driver.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT UINT64_C(0x00f067aa0ba902b7)
#define TEXT   "00-" TRACE "-00f067aa0ba902b7-01"

static const uint8_t trace_id[16] = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3,
                                     0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d,
                                     0x0e, 0x0e, 0x47, 0x36};

/* A span `id` of two texts. */
static void say(uint64_t id, const char *keys[2], const char *texts[2],
                bool is_cut)
{
	static struct gt__site_field fields[2];
	static struct gt__site site;
	uint8_t body[1400] = {0};
	size_t bytes = 0;

	site = (struct gt__site){.view = {.name = {"request", 7}},
	                         .kind = GT_SITE_SPAN,
	                         .fields = fields,
	                         .field_count = 2,
	                         .says_trace = true};
	for (unsigned i = 0; i < 2; i++) {
		uint64_t count = strlen(texts[i]);
		uint64_t head = count | (count + is_cut) << 32;

		fields[i] = (struct gt__site_field){GT_TYPE_STRING,
		                                    {keys[i], strlen(keys[i])}};
		memcpy(body + bytes, &head, 8);
		memcpy(body + bytes + 8, texts[i], count);
		bytes += 8 + (count + 7) / 8 * 8;
	}
	send_record(0, GT_RECORD_SPAN, &site, id, body, bytes);
}

static void request(uint64_t id, const char *traceparent,
                    const char *tracestate)
{
	say(id, (const char *[]){"traceparent", "tracestate"},
	    (const char *[]){traceparent, tracestate}, false);
}

static const struct shown_trace *shown(unsigned back)
{
	return &closed_traces[(closed_count - 1 - back) % 64];
}

static const struct gt_span_view *last(unsigned back)
{
	return &closed[(closed_count - 1 - back) % 64];
}

static void a_traceparent_is_the_parent(void **unused)
{
	(void)unused;
	scope(52);
	request(116, TEXT, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
	scope(180);
	event(0);
	assert_true(last_event_has_trace);
	close_span(0, 180);
	assert_false(last(0)->parent_remote);
	assert_int_equal(last(0)->parent_id, 116);
	assert_memory_equal(shown(0)->trace_id, trace_id, 16);
	assert_string_equal(shown(0)->state,
	                    "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
	assert_int_equal(shown(0)->link_count, 0);
	close_span(0, 116);
	assert_true(last(0)->parent_remote);
	assert_int_equal(last(0)->parent_id, PARENT);
	assert_int_equal(last(0)->guest_parent_id, 0);
	assert_memory_equal(shown(0)->trace_id, trace_id, 16);
	assert_int_equal(shown(0)->flags, GT_TRACE_SAMPLED);
	assert_int_equal(last(0)->field_count, 0); /* it has told all */
	assert_int_equal(shown(0)->link_count, 1);
	assert_int_equal(shown(0)->links[0].span_id, RUN_ID);
	assert_false(shown(0)->links[0].remote);
	event(0);
	assert_false(last_event_has_trace);
	close_span(0, 52);
	assert_false(shown(0)->is_own);
	assert_int_equal(summary.losses.bad_contexts, 0);
}

/* An explicit parent, also one that has ended, has its trace; so do links. */
static void its_trace_outlives_a_span(void **unused)
{
	uint64_t parent = 116;

	(void)unused;
	request(116, TEXT, "");
	close_span(0, 116);
	open_with_parent(180, parent);
	close_span(0, 180);
	assert_memory_equal(shown(0)->trace_id, trace_id, 16);
	send_record(0, GT_RECORD_OPEN, &link_site, 244, &parent, 8);
	close_span(0, 244);
	assert_false(shown(0)->is_own);
	assert_memory_equal(shown(0)->links[0].trace_id, trace_id, 16);
	assert_int_equal(shown(0)->links[0].span_id, 116);
	open_with_parent(308, 0); /* a root is the run's */
	close_span(0, 308);
	assert_false(shown(0)->is_own);
	gt__spans_restart(&spans, 1000, now_ns, &(uint32_t){0}, 1);
	open_with_parent(180, parent); /* another span, of another life */
	close_span(0, 180);
	assert_false(shown(0)->is_own);
	assert_int_equal(spans.traces.count, 0);
}

static void what_is_no_context_stays_a_field(void **unused)
{
	static const char *const texts[][2] = {
		{"garbage", ""},
		{"00-" TRACE "-00f067aa0ba902b7", ""},
		{"ff-" TRACE "-00f067aa0ba902b7-01", ""},
		{"00-00000000000000000000000000000000-00f067aa0ba902b7-01", ""},
		{"00-" TRACE "-0000000000000000-01", ""},
		{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", ""},
		{TEXT "-more", ""},
	};
	const size_t count = sizeof(texts) / sizeof(*texts);

	(void)unused;
	scope(52);
	for (size_t i = 0; i < count; i++) {
		request(116 + 64 * i, texts[i][0], texts[i][1]);
		close_span(0, 116 + 64 * i);
		assert_false(shown(0)->is_own);
		assert_int_equal(last(0)->parent_id, 52);
		assert_int_equal(last(0)->field_count, 1);
		assert_int_equal(summary.losses.bad_contexts, i + 1);
	}
	say(4404, (const char *[]){"traceparent", "tracestate"},
	    (const char *[]){TEXT, ""}, true); /* half a text is none */
	close_span(0, 4404);
	assert_false(shown(0)->is_own);
	assert_int_equal(summary.losses.bad_contexts, count + 2);
	request(4468, "", ""); /* nobody says who called: no mistake */
	close_span(0, 4468);
	assert_false(shown(0)->is_own);
	assert_int_equal(last(0)->field_count, 0);
	request(4532, "", "congo=1"); /* alone it is but a field */
	close_span(0, 4532);
	assert_int_equal(last(0)->field_count, 1);
	assert_int_equal(summary.losses.bad_contexts, count + 2);
}

/* W3C Trace Context 3.3.1: who cannot read the state goes on without it. */
static void a_bad_state_costs_itself(void **unused)
{
	(void)unused;
	request(116, TEXT, "Rojo=1");
	close_span(0, 116);
	assert_memory_equal(shown(0)->trace_id, trace_id, 16);
	assert_string_equal(shown(0)->state, "");
	assert_int_equal(last(0)->field_count, 1);
	assert_int_equal(summary.losses.bad_contexts, 1);
}

static void a_new_trace_begins_in_the_guest(void **unused)
{
	struct shown_trace first;

	(void)unused;
	scope(52);
	say(116, (const char *[]){"otel.new_root", "path"},
	    (const char *[]){"true", "/"}, false);
	close_span(0, 116);
	first = *shown(0);
	assert_true(first.is_own);
	assert_int_equal(first.flags, GT_TRACE_SAMPLED | GT_TRACE_RANDOM);
	assert_int_equal(last(0)->parent_id, 0);
	assert_false(last(0)->parent_remote);
	assert_int_equal(last(0)->field_count, 1);
	assert_int_equal(first.link_count, 1);
	assert_int_equal(first.links[0].span_id, RUN_ID);
	say(180, (const char *[]){"otel.new_root", "traceparent"},
	    (const char *[]){"true", TEXT}, false);
	close_span(0, 180);
	assert_memory_not_equal(shown(0)->trace_id, first.trace_id, 16);
	assert_memory_not_equal(shown(0)->trace_id, trace_id, 16);
	assert_int_equal(last(0)->parent_id, 0);
	assert_int_equal(shown(0)->link_count, 2); /* and who had it begin */
	assert_memory_equal(shown(0)->links[1].trace_id, trace_id, 16);
	assert_int_equal(shown(0)->links[1].span_id, PARENT);
	assert_true(shown(0)->links[1].remote);
	say(244, (const char *[]){"otel.new_root", "path"},
	    (const char *[]){"false", "/"}, false);
	close_span(0, 244);
	assert_false(shown(0)->is_own);
	assert_int_equal(last(0)->parent_id, 52);
	assert_int_equal(summary.losses.bad_contexts, 0);
	say(308, (const char *[]){"otel.new_root", "path"},
	    (const char *[]){"maybe", "/"}, false);
	close_span(0, 308);
	assert_int_equal(summary.losses.bad_contexts, 1);
}

/* A request that the guest makes of itself: the parent is a span of the run. */
static void a_context_of_our_own_is_no_remote_one(void **unused)
{
	static const char own[] = "00-00000000000000000000000000000007-"
				  "0000000000000034-01";
	static const char other[] = "00-" TRACE "-0000000000000034-01";

	(void)unused;
	scope(52);
	open_with_parent(116, 0);
	request(180, own, "");
	close_span(0, 180);
	assert_int_equal(last(0)->parent_id, 52);
	assert_false(last(0)->parent_remote);
	assert_false(shown(0)->is_own);
	assert_int_equal(shown(0)->link_count, 0);
	request(244, other, ""); /* the same id, in another trace */
	close_span(0, 244);
	assert_true(last(0)->parent_remote);
	assert_memory_equal(shown(0)->trace_id, trace_id, 16);
}

/* However many requests there are, what is kept of them is bounded. */
static void a_million_requests_are_forgotten(void **unused)
{
	(void)unused;
	for (uint64_t i = 1; i <= 1000000; i++) {
		request(i * 64 + 52, TEXT, "congo=t61rcWkgMzE");
		close_span(0, i * 64 + 52);
		assert_true(spans.traces.count <= GT__PAST_SPANS);
	}
	assert_int_equal(summary.losses.evicted_spans, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_traceparent_is_the_parent,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(its_trace_outlives_a_span,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_no_context_stays_a_field, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_state_costs_itself, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(a_new_trace_begins_in_the_guest,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_context_of_our_own_is_no_remote_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_million_requests_are_forgotten, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
