/* SPDX-License-Identifier: MIT */
/* Metrics: what a key says, which series there are, when they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "export/metrics/metrics_inside.h"
#include "export/out/out.h"
#include "tests/support/synthetic.h"

static void a_key_says_kind_and_unit(void **state)
{
	static const struct {
		const char *text, *key, *unit;
		enum gt__metric_kind kind;
	} cases[] = {
		{"used", "used", "", GT__GAUGE},
		{"used [By]", "used", "By", GT__GAUGE},
		{"sent [+By]", "sent", "By", GT__TOTAL},
		{"sent [+]", "sent", "", GT__TOTAL},
		{"free [+-{page}]", "free", "{page}", GT__SUM},
		{"[+By]", "", "By", GT__TOTAL},
		{"used[By]", "used[By]", "", GT__GAUGE},
		{"used [By", "used [By", "", GT__GAUGE},
		{"a [b] [ms]", "a [b]", "ms", GT__GAUGE},
		{"]", "]", "", GT__GAUGE},
		{"", "", "", GT__GAUGE},
		{"[]", "", "", GT__GAUGE},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gt_text key = syn_text(cases[i].text), unit;
		enum gt__metric_kind kind;

		gt__split_unit(&key, &unit, &kind);
		assert_true(gt__same_text(key, syn_text(cases[i].key)));
		assert_true(gt__same_text(unit, syn_text(cases[i].unit)));
		assert_int_equal(kind, cases[i].kind);
	}
}

/* ---- The sink ------------------------------------------------------------ */

static struct syn syn;
static struct gt__out all;
static uint64_t points;

static int take(void *context, const void *bytes, size_t count, uint64_t items)
{
	(void)context;
	points += items;
	gt__put_bytes(&all, bytes, count);
	return 0;
}

static void begin_sampled(uint64_t interval_ns,
                          const struct gt_sampler *sampler)
{
	const struct gt__otlp_encoder_options options = {.request = take,
	                                                 .interval_ns =
	                                                         interval_ns,
	                                                 .sampler = sampler};

	memset(&syn, 0, sizeof syn);
	syn.sink_count = 1;
	points = 0;
	gt__out_init(&all, &(struct gt_output){0});
	assert_int_equal(
		gt__otlp_metrics_requests_new(true, &options, &syn.sinks[0]),
		0);
	syn_begin(&syn, 0, "guest");
}

static void begin(uint64_t interval_ns)
{
	begin_sampled(interval_ns, NULL);
}

static void end(uint64_t at_ns)
{
	syn_end(&syn, at_ns);
	assert_int_equal(syn_finish(&syn), 0);
	gt__put_char(&all, '\0');
}

static void tear_down(void)
{
	syn_free(&syn);
	gt__out_fini(&all);
}

static unsigned count_of(const char *what)
{
	const char *at = all.bytes;
	unsigned count = 0;

	while ((at = strstr(at, what))) {
		at += strlen(what);
		count++;
	}
	return count;
}

static struct gt_field number(const char *key, uint64_t value)
{
	return (struct gt_field){
		.key = syn_text(key), .type = GT_TYPE_U64, .value.u64 = value};
}

static struct gt_field word(const char *key, const char *value)
{
	return (struct gt_field){.key = syn_text(key),
	                         .type = GT_TYPE_STRING,
	                         .value.text = syn_text(value)};
}

static const struct gt_site_view net = {.name = {"net", 3}};

static void a_set_of_attributes_is_one_series(void **state)
{
	const struct gt_field one[] = {word("a", "1"), number("n [+By]", 5),
	                               word("b", "2")};
	const struct gt_field other[] = {word("b", "2"), word("a", "1"),
	                                 number("n [+By]", 7)};

	(void)state;
	begin(GT__INTERVAL_NS);
	syn_counter(&syn, &net, NULL, 0, 1, one, 3);
	syn_counter(&syn, &net, NULL, 0, 2, other, 3);
	end(3);
	assert_int_equal(count_of("\"name\":\"net.n\""), 1);
	assert_int_equal(count_of("\"unit\":\"By\",\"sum\":{\"aggregation"
	                          "Temporality\":2,\"isMonotonic\":true,"
	                          "\"dataPoints\":[{\"attributes\":[{\"key\":"
	                          "\"a\",\"value\":{\"stringValue\":\"1\"}},"
	                          "{\"key\":\"b\""),
	                 1);
	assert_int_equal(count_of("\"asInt\":\"7\""), 1);
	assert_int_equal(count_of("\"asInt\":\"5\""), 0);
	tear_down();
}

static void a_total_that_falls_begins_anew(void **state)
{
	struct gt_field n = number("n [+]", 9);
	char start[64];

	(void)state;
	begin(GT__INTERVAL_NS);
	syn_counter(&syn, &net, NULL, 0, 10, &n, 1);
	n.value.u64 = 2;
	syn_counter(&syn, &net, NULL, 0, 20, &n, 1);
	snprintf(start, sizeof start,
	         "\"startTimeUnixNano\":\"%llu\",\"timeUnixNano\"",
	         (unsigned long long)syn.trace.start_ns + 10);
	end(30);
	assert_int_equal(count_of(start), 1);
	tear_down();
}

static void what_is_no_number_is_counted(void **state)
{
	char name[300];
	struct gt_field fields[] = {
		{.key = {"f", 1}, .type = GT_TYPE_F64, .value.f64 = 0.0 / 0.0},
		{.key = {"p", 1}, .type = GT_TYPE_POINTER, .value.u64 = 3},
		{.key = {name, sizeof name}, .type = GT_TYPE_U64},
	};

	(void)state;
	memset(name, 'x', sizeof name);
	begin(GT__INTERVAL_NS);
	syn_counter(&syn, &net, NULL, 0, 1, fields, 3);
	end(2);
	assert_int_equal(count_of("\"name\":\"net."), 0);
	assert_int_equal(count_of("NaN"), 0);
	assert_int_equal(count_of("guesttrace.metric.unusable"), 1);
	assert_int_equal(count_of("\"asInt\":\"2\""), 1);
	tear_down();
}

/* Threat C20. */
static void the_hosts_names_are_the_hosts(void **state)
{
	static const struct gt_site_view site = {
		.name = {"guesttrace.lost", 15}};
	struct gt_field n = number("records", 77);

	(void)state;
	begin(GT__INTERVAL_NS);
	syn_counter(&syn, &site, NULL, 0, 1, &n, 1);
	end(2);
	assert_int_equal(count_of("\"guest.guesttrace.lost.records\""), 1);
	tear_down();
}

/* Threat D9. */
static void series_are_bounded(void **state)
{
	unsigned i;

	(void)state;
	begin(GT__INTERVAL_NS);
	for (i = 0; i < GT__SERIES_MAX + 500; i++) {
		char text[16];
		struct gt_field fields[] = {word("k", ""), number("n", i)};

		snprintf(text, sizeof text, "%u", i);
		fields[0].value.text = syn_text(text);
		syn_counter(&syn, &net, NULL, 0, i, fields, 2);
	}
	end(9999);
	assert_int_equal(count_of("{\"key\":\"k\""), GT__SERIES_MAX);
	assert_int_equal(count_of("otel.metric.overflow"), 1);
	assert_int_equal(count_of("\"asInt\":\"500\""), 2); /* and k = 500 */
	tear_down();
}

/* Six bytes of JSON each: they take no place from others, nor from the host. */
static void texts_that_json_escapes_are_as_long(void **state)
{
	enum {
		LONG = 2000,
		EACH = 600
	};
	static char text[LONG];
	size_t length;
	unsigned i;

	(void)state;
	memset(text, 1, sizeof text);
	begin(GT__INTERVAL_NS);
	for (length = LONG; length > 4; length /= 2)
		for (i = 0; i < EACH; i++) {
			struct gt_field fields[] = {word("k", ""),
			                            number("n", i)};

			snprintf(text, 5, "%04u", i);
			fields[0].value.text = (struct gt_text){text, length};
			syn_counter(&syn, &net, NULL, 0, 1, fields, 2);
		}
	end(2);
	assert_true(count_of("{\"key\":\"k\"") > 500);
	assert_int_equal(count_of("guesttrace.metric.overflow"), 1);
	tear_down();
}

/* Each of these records is a collection's time behind the one before. */
static void times_are_no_lever(void **state)
{
	enum {
		SERIES = 1000,
		RECORDS = 5000
	};
	struct gt_field fields[] = {word("k", ""), number("n", 1)};
	uint64_t at_ns = 1;
	char text[8];
	unsigned i;

	(void)state;
	begin(GT__INTERVAL_NS);
	for (i = 0; i < SERIES; i++) {
		snprintf(text, sizeof text, "%u", i);
		fields[0].value.text = syn_text(text);
		syn_counter(&syn, &net, NULL, 0, at_ns, fields, 2);
	}
	for (i = 0; i < RECORDS; i++) {
		at_ns += GT__INTERVAL_NS;
		syn_counter(&syn, &net, NULL, 0, at_ns, &fields[1], 1);
	}
	end(at_ns + 1);
	/* An hour's, one for as many records as there are series, the end's. */
	assert_in_range(points, 60 * SERIES,
	                (60 + RECORDS / SERIES + 2) * (SERIES + 100));
	tear_down();
}

static void the_last_time_there_is_is_one(void **state)
{
	const struct gt_field field = number("n", 1);

	(void)state;
	begin(GT__INTERVAL_NS);
	syn_counter(&syn, &net, NULL, 0, 1, &field, 1);
	syn_counter(&syn, &net, NULL, 0, UINT64_MAX - syn.trace.start_ns,
	            &field, 1);
	syn_counter(&syn, &net, NULL, 0, 2, &field, 1);
	end(3);
	assert_in_range(points, 2, 200);
	tear_down();
}

#define NAMES (GT__SERIES_MAX + 50)

static void durations_beyond_are_in_one(void **state)
{
	static struct gt_site_view sites[NAMES];
	static char names[NAMES][8];
	unsigned i;

	(void)state;
	begin(GT__INTERVAL_NS);
	for (i = 0; i < NAMES; i++) {
		snprintf(names[i], sizeof names[i], "s%u", i);
		sites[i].name = syn_text(names[i]);
		syn_close(&syn, syn_open(&syn, &sites[i], NULL, 0, i, true), 0,
		          i + 1);
	}
	end(99999);
	assert_int_equal(count_of("{\"key\":\"span.name\""), GT__SERIES_MAX);
	assert_int_equal(count_of("\"count\":\"50\""), 1);
	assert_int_equal(count_of("{\"key\":\"otel.metric.overflow\",\"value\":"
	                          "{\"boolValue\":true}}"),
	                 2);
	tear_down();
}

/* Of a capture: at whole intervals from the start on, before what is later. */
static void records_tell_when_it_is_time(void **state)
{
	static const uint64_t times[] = {500, 1200, 3700};
	static const unsigned told[] = {1000, 3000, 4000};
	struct gt_field n = number("n", 0);
	unsigned i;

	(void)state;
	begin(1000);
	for (i = 0; i < 3; i++) {
		n.value.u64 = 100 + i;
		syn_counter(&syn, &net, NULL, 0, times[i], &n, 1);
	}
	end(4000);
	for (i = 0; i < 3; i++) {
		char point[96];

		snprintf(point, sizeof point,
		         "\"timeUnixNano\":\"%llu\",\"asInt\":\"%u\"",
		         (unsigned long long)syn.trace.start_ns + told[i],
		         100 + i);
		assert_int_equal(count_of(point), 1);
	}
	assert_int_equal(count_of("\"name\":\"net.n\""), 3);
	tear_down();
}

static void an_exemplar_is_told_once(void **state)
{
	static const struct gt_site_view site = {.name = {"work", 4}};
	struct gt_field n = number("n", 1);
	struct syn_span *span;

	(void)state;
	begin(1000);
	span = syn_open(&syn, &site, NULL, 0, 1, true);
	syn_counter(&syn, &net, span, 0, 10, &n, 1);
	syn_close(&syn, span, 0, 20);
	syn_counter(&syn, &net, NULL, 0, 2500, &n, 1);
	end(5000);
	/* Of the counter and of the duration, at 2,000 alone. */
	assert_int_equal(count_of("\"exemplars\":["), 2);
	tear_down();
}

/* OTEL_TRACES_SAMPLER=always_off: no span of the run is sent. */
static void what_is_not_sampled_is_measured_without_an_exemplar(void **state)
{
	static const struct gt_sampler never = {.dropped = GT_SAMPLER_ALL,
	                                        .ignores_parent = 1};
	static const struct gt_site_view site = {.name = {"work", 4}};
	struct gt_field n = number("n", 1);
	struct syn_span *span;

	(void)state;
	begin_sampled(1000, &never);
	span = syn_open(&syn, &site, NULL, 0, 1, true);
	syn_counter(&syn, &net, span, 0, 10, &n, 1);
	syn_close(&syn, span, 0, 20);
	end(5000);
	assert_int_equal(count_of("\"exemplars\":["), 0);
	assert_true(count_of("\"name\":\"net.n\"") > 0);
	assert_true(count_of("guesttrace.span.duration") > 0);
	tear_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_says_kind_and_unit),
		cmocka_unit_test(a_set_of_attributes_is_one_series),
		cmocka_unit_test(a_total_that_falls_begins_anew),
		cmocka_unit_test(what_is_no_number_is_counted),
		cmocka_unit_test(the_hosts_names_are_the_hosts),
		cmocka_unit_test(series_are_bounded),
		cmocka_unit_test(texts_that_json_escapes_are_as_long),
		cmocka_unit_test(times_are_no_lever),
		cmocka_unit_test(the_last_time_there_is_is_one),
		cmocka_unit_test(durations_beyond_are_in_one),
		cmocka_unit_test(records_tell_when_it_is_time),
		cmocka_unit_test(an_exemplar_is_told_once),
		cmocka_unit_test(
			what_is_not_sampled_is_measured_without_an_exemplar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
