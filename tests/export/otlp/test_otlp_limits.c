/* SPDX-License-Identifier: MIT */
/*
 * OTLP: what OpenTelemetry's limits leave, and what is said of the rest, in
 * both encodings. The bytes of protobuf are by hand, from trace.proto and
 * logs.proto.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "export/logs/otlp_logs.h"
#include "export/otlp/otlp_encoder.h"
#include "export/out/out.h"
#include "tests/support/synthetic.h"

enum made {
	SPANS_JSON,
	SPANS_PROTOBUF,
	LOGS_JSON,
	LOGS_PROTOBUF
};

static int take(void *context, const void *bytes, size_t count, uint64_t spans)
{
	(void)spans;
	gt__put_bytes(context, bytes, count);
	return 0;
}

static struct gt_sink *new_sink(enum made made,
                                const struct gt__otlp_encoder_options *options)
{
	struct gt_sink *sink = NULL;
	int rc = 0;

	switch (made) {
	case SPANS_JSON:
		rc = gt__otlp_json_requests_new(options, &sink);
		break;
	case SPANS_PROTOBUF:
		rc = gt__otlp_protobuf_requests_new(options, &sink);
		break;
	case LOGS_JSON:
	case LOGS_PROTOBUF:
		rc = gt__otlp_logs_requests_new(made == LOGS_JSON, options,
		                                &sink);
		break;
	}
	assert_int_equal(rc, 0);
	return sink;
}

/*
 * A span with three fields and three links, and an event with three fields and
 * a message, which of a log record is the body. The span has its first key
 * twice.
 */
static void record(struct syn *s)
{
	static const struct gt_site_view site = {.name = {"a", 1},
	                                         .level = GT_INFO};
	static const struct gt_link links[3] = {
		{.span_id = 0x1111111111111111},
		{.span_id = 0x2222222222222222},
		{.span_id = 0x3333333333333333}};
	const struct gt_field fields[] = {
		{.key = {"key1", 4}, .type = GT_TYPE_BOOL},
		{.key = {"key1", 4},
	         .type = GT_TYPE_STRING,
	         .value.text = syn_text("\xc3\xa4"
	                                "bc\xff"
	                                "def")},
		{.key = {"key2", 4},
	         .type = GT_TYPE_BYTES,
	         .value.text = syn_text("ghijkl")},
		{.key = {"key3", 4}, .type = GT_TYPE_U64, .value.u64 = 7},
		{.key = {"message", 7},
	         .type = GT_TYPE_STRING,
	         .value.text = syn_text("long words")}};
	struct syn_span *span;

	syn_begin(s, 0, "guest");
	span = syn_open_with(s, &site, NULL, 0, 1, true, fields, 4);
	span->view.links = links;
	span->view.link_count = 3;
	syn_event(s, &site, span, 0, 1, fields + 1, 4);
	syn_close(s, span, 0, 2);
	assert_int_equal(syn_finish(s), 0);
	syn_end(s, 3);
}

static void make(enum made made, const struct gt_otlp_limits *limits,
                 struct gt__out *all)
{
	const struct gt__otlp_encoder_options options = {
		.request = take,
		.context = all,
		.limits = *limits,
		.events = made < LOGS_JSON ? GT_OTLP_EVENTS_SPANS
	                                   : GT_OTLP_EVENTS_LOGS,
	};
	struct syn s = {.sink_count = 1};

	gt__out_init(all, &(struct gt_output){0});
	s.sinks[0] = new_sink(made, &options);
	record(&s);
	syn_free(&s);
	assert_int_equal(all->error, 0);
}

static unsigned times(const struct gt__out *all, const char *what)
{
	const char *at = all->bytes, *end = at + all->used;
	unsigned count = 0;

	while ((at = memmem(at, (size_t)(end - at), what, strlen(what)))) {
		at++;
		count++;
	}
	return count;
}

static void is_said(enum made made, const struct gt_otlp_limits *limits,
                    const char *what, unsigned count)
{
	struct gt__out all;

	make(made, limits, &all);
	assert_int_equal(times(&all, what), count);
	gt__out_fini(&all);
}

static void without_a_limit_nothing_is_dropped(void **state)
{
	static const struct gt_otlp_limits none;

	(void)state;
	is_said(SPANS_JSON, &none, "dropped", 0);
	is_said(LOGS_JSON, &none, "dropped", 0);
	is_said(SPANS_JSON, &none, "\"key3\"", 2);
	is_said(SPANS_JSON, &none, "\"spanId\":\"333333333333", 1);
}

static void attributes_over_the_limit_are_counted(void **state)
{
	static const struct gt_otlp_limits of_span = {
		.span_attributes = {true, 1}};
	static const struct gt_otlp_limits of_event = {
		.event_attributes = {true, 0}};

	(void)state;
	is_said(SPANS_JSON, &of_span, "\"droppedAttributesCount\":2", 1);
	is_said(SPANS_JSON, &of_span, "\"key1\"", 2);
	is_said(SPANS_JSON, &of_span, "\"key2\"", 1);
	is_said(SPANS_JSON, &of_span, "\"key1\",\"value\":{\"boolValue\"", 0);
	is_said(SPANS_JSON, &of_event, "\"droppedAttributesCount\":4", 1);
	is_said(SPANS_JSON, &of_event, "\"key1\"", 1);
	is_said(SPANS_PROTOBUF, &of_span, "\x50\x02", 1);
	is_said(SPANS_PROTOBUF, &of_event, "\x20\x04", 1);
	is_said(LOGS_JSON, &of_event, "\"droppedAttributesCount\":3", 1);
	is_said(LOGS_JSON, &of_event, "\"key1\"", 0);
	is_said(LOGS_PROTOBUF, &of_event, "\x38\x03\x45", 1);
	is_said(LOGS_JSON, &of_event,
	        "\"body\":{\"stringValue\":\"long words\"}", 1);
	is_said(LOGS_JSON, &of_span, "dropped", 0);
}

static void links_over_the_limit_are_counted(void **state)
{
	static const struct gt_otlp_limits limits = {.links = {true, 2}};

	(void)state;
	is_said(SPANS_JSON, &limits, "\"droppedLinksCount\":1", 1);
	is_said(SPANS_JSON, &limits, "\"spanId\":\"2222222222222222", 1);
	is_said(SPANS_JSON, &limits, "\"spanId\":\"3333333333333333", 0);
	is_said(SPANS_PROTOBUF, &limits, "\x70\x01", 1);
}

/* Code points, one for a byte that is none: a-umlaut, b, c, U+FFFD. */
static void values_are_cut_where_a_character_ends(void **state)
{
	static const struct gt_otlp_limits limits = {.value_length = {true, 4}};
	static const struct gt_otlp_limits nothing = {
		.value_length = {true, 0}};

	(void)state;
	is_said(SPANS_JSON, &limits,
	        "{\"stringValue\":\"\xc3\xa4"
	        "bc\xef\xbf\xbd\"}",
	        2);
	is_said(SPANS_JSON, &limits, "{\"bytesValue\":\"Z2hpag==\"}", 2);
	is_said(SPANS_JSON, &limits, "dropped", 0);
	is_said(SPANS_PROTOBUF, &limits, "ghij", 2);
	is_said(SPANS_PROTOBUF, &limits, "ghijk", 0);
	is_said(LOGS_JSON, &limits, "{\"bytesValue\":\"Z2hpag==\"}", 1);
	is_said(LOGS_JSON, &limits, "{\"stringValue\":\"long words\"}", 1);
	is_said(SPANS_JSON, &nothing,
	        "{\"key\":\"key1\",\"value\":{\"stringValue\":"
	        "\"\"}}",
	        2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_nothing_is_dropped),
		cmocka_unit_test(attributes_over_the_limit_are_counted),
		cmocka_unit_test(links_over_the_limit_are_counted),
		cmocka_unit_test(values_are_cut_where_a_character_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
