/* SPDX-License-Identifier: MIT */
/* OpenTelemetry's environment variables, as the command understands them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cli/command.h"
#include "cli/otlp_settings.h"
#include <stdio.h>

static unsigned complaints;

void complain(const char *format, ...)
{
	(void)format;
	complaints++;
}

const char *code_text(int code)
{
	(void)code;
	return "";
}

static struct otlp_settings settings;

/* Reads with the variables NAME, VALUE, ..., NULL set and no others. */
static void read_with(const char *url, ...)
{
	va_list pairs;
	const char *name;

	otlp_settings_free(&settings);
	clearenv();
	complaints = 0;
	va_start(pairs, url);
	while ((name = va_arg(pairs, const char *)))
		setenv(name, va_arg(pairs, const char *), 1);
	va_end(pairs);
	assert_int_equal(otlp_settings_read(&settings, GT_OTLP_TRACES, url), 0);
}

/* The same of another signal, with these two variables. */
static void read_signal(enum gt_otlp_signal signal, const char *name,
                        const char *value, const char *other,
                        const char *other_value)
{
	otlp_settings_free(&settings);
	clearenv();
	complaints = 0;
	setenv(name, value, 1);
	setenv(other, other_value, 1);
	assert_int_equal(otlp_settings_read(&settings, signal, NULL), 0);
}

#define BASE            "OTEL_EXPORTER_OTLP_ENDPOINT"
#define OWN             "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
#define READ_(url, ...) read_with(url, __VA_ARGS__, (char *)NULL)

static void the_defaults_are_those_of_the_specification(void **state)
{
	(void)state;
	read_with(NULL, (char *)NULL);
	assert_string_equal(settings.url, "http://localhost:4318/v1/traces");
	assert_int_equal(settings.options.protocol, GT_OTLP_HTTP_PROTOBUF);
	assert_true(settings.options.gzip);
	assert_false(settings.disabled);
	assert_null(settings.options.spool_directory);
	assert_int_equal(settings.options.attribute_count, 0);
	assert_int_equal(complaints, 0);
}

static void the_endpoint_is_a_base_unless_it_is_the_traces_own(void **state)
{
	static const struct {
		const char *base, *own, *url;
	} cases[] = {
		{"http://a:1", "", "http://a:1/v1/traces"},
		{"http://a:1/", "", "http://a:1/v1/traces"},
		{"https://a/b/c/", "", "https://a/b/c/v1/traces"},
		{"http://a:1", "http://b", "http://b"},
		{"http://a:1", "http://b/", "http://b/"},
		{"", "http://b/in?x=1", "http://b/in?x=1"},
		{"http://a/b/?x=1/2", "", "http://a/b/v1/traces?x=1/2"},
		{"HTTP://a#x", "", "HTTP://a/v1/traces#x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		READ_(NULL, BASE, cases[i].base, OWN, cases[i].own);
		assert_string_equal(settings.url, cases[i].url);
	}
}

static void what_is_no_url_is_not_taken_for_one(void **state)
{
	(void)state;
	READ_(NULL, BASE, "127.0.0.1:5001");
	assert_string_equal(settings.url, "http://localhost:4318/v1/traces");
	assert_int_equal(complaints, 1);
	READ_(NULL, BASE, "http://a", OWN, "grpc://b");
	assert_string_equal(settings.url, "http://a/v1/traces");
	assert_int_equal(complaints, 1);
}

/* OTLP exporter configuration: of gRPC the endpoint has no path. */
static void grpc_has_a_path_of_its_own(void **state)
{
	static const char path[] =
		"/opentelemetry.proto.collector.trace.v1.TraceService/Export";
	static const char *const cases[][3] = {
		{"grpc://c:1", NULL, "http://c:1"},
		{"grpcs://c", NULL, "https://c"},
		{NULL, NULL, "http://localhost:4317"},
		{NULL, "http://a:1", "http://a:1"},
		{NULL, "https://a:1/v1/traces", "https://a:1"},
		{"http://b:1/", "https://a:1/", "http://b:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[128];

		READ_(cases[i][0], "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc",
		      "OTEL_EXPORTER_OTLP_ENDPOINT",
		      cases[i][1] ? cases[i][1] : "");
		snprintf(want, sizeof(want), "%s%s", cases[i][2], path);
		assert_string_equal(settings.url, want);
		assert_int_equal(settings.options.protocol, GT_OTLP_GRPC);
	}
}

static void an_endpoint_without_a_scheme_is_refused(void **state)
{
	static const char *const urls[] = {"collector:4318", "localhost",
	                                   "ftp://c", "/v1/traces", "http:/c"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		otlp_settings_free(&settings);
		complaints = 0;
		assert_int_equal(
			otlp_settings_read(&settings, GT_OTLP_TRACES, urls[i]),
			-EINVAL);
		assert_int_equal(complaints, 1);
	}
}

static void the_command_line_wins(void **state)
{
	static const char *const cases[][2] = {
		{"http://c", "http://c/v1/traces"},
		{"http://c:1/", "http://c:1/v1/traces"},
		{"http://c/v1/traces", "http://c/v1/traces"},
		{"http://c/x", "http://c/x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		READ_(cases[i][0], BASE, "http://a", OWN, "http://b");
		assert_string_equal(settings.url, cases[i][1]);
	}
}

static void the_form_for_traces_wins_and_empty_is_unset(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_EXPORTER_OTLP_TIMEOUT", "100",
	      "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "200",
	      "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json",
	      "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "",
	      "OTEL_EXPORTER_OTLP_COMPRESSION", "none",
	      "OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca",
	      "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/key",
	      "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert",
	      "GUESTTRACE_SPOOL", "");
	assert_int_equal(settings.options.timeout_ms, 200);
	assert_int_equal(settings.options.protocol, GT_OTLP_HTTP_JSON);
	assert_false(settings.options.gzip);
	assert_string_equal(settings.options.ca_file, "/ca");
	assert_string_equal(settings.options.key_file, "/key");
	assert_string_equal(settings.options.certificate_file, "/cert");
	assert_null(settings.options.spool_directory);
	assert_int_equal(complaints, 0);
}

static void a_bad_value_is_complained_about_and_ignored(void **state)
{
	static const char *const cases[][2] = {
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "-1"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "0"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "99999999999999999999"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc/json"},
		{"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=%zz"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=b%0d%0aHost: c"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a b=c"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "=c"},
		{"OTEL_RESOURCE_ATTRIBUTES", "b"},
		{"OTEL_RESOURCE_ATTRIBUTES", "a=%"},
		{"OTEL_RESOURCE_ATTRIBUTES", "a=%00"},
		{"OTEL_BSP_SCHEDULE_DELAY", "x"},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "5 5"},
		{"OTEL_SDK_DISABLED", "1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		READ_(NULL, cases[i][0], cases[i][1]);
		assert_int_equal(complaints, 1);
		assert_int_equal(settings.options.timeout_ms, 0);
		assert_int_equal(settings.options.delay_ms, 0);
		assert_int_equal(settings.options.queue_spans, 0);
		assert_int_equal(settings.options.header_count, 0);
		assert_int_equal(settings.options.attribute_count, 0);
		assert_true(settings.options.gzip);
	}
}

/* SDK environment variables: "Enum values SHOULD be interpreted in a
 * case-insensitive manner". */
static void letters_and_blanks_do_not_matter(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_EXPORTER_OTLP_PROTOCOL", " HTTP/Json\t",
	      "OTEL_EXPORTER_OTLP_COMPRESSION", "NONE ",
	      "OTEL_EXPORTER_OTLP_TIMEOUT", " 100 ", "OTEL_SDK_DISABLED",
	      " False", BASE, " HTTP://a:1/ ");
	assert_int_equal(settings.options.protocol, GT_OTLP_HTTP_JSON);
	assert_false(settings.options.gzip);
	assert_int_equal(settings.options.timeout_ms, 100);
	assert_string_equal(settings.url, "HTTP://a:1/v1/traces");
	assert_int_equal(complaints, 0);
}

/* Nor does it hide the good ones beside it. */
static void a_bad_pair_costs_itself(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_EXPORTER_OTLP_HEADERS", "a=1,x=100%,b,c=3",
	      "OTEL_RESOURCE_ATTRIBUTES", "a=1,b,c=%,d=4");
	assert_int_equal(complaints, 4);
	assert_int_equal(settings.options.header_count, 2);
	assert_string_equal(settings.headers[1], "c: 3");
	assert_int_equal(settings.options.attribute_count, 2);
	assert_string_equal(settings.attributes[1].key, "d");
}

/* Baggage, by whose grammar they are: the key is a token of HTTP's. */
static void keys_of_headers_are_taken_as_they_are(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_EXPORTER_OTLP_HEADERS", "k%41=v");
	assert_int_equal(complaints, 0);
	assert_string_equal(settings.headers[0], "k%41: v");
}

/* A form for traces that is bad leaves the general one. */
static void a_bad_value_does_not_hide_a_good_one(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_EXPORTER_OTLP_TIMEOUT", "100",
	      "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon");
	assert_int_equal(settings.options.timeout_ms, 100);
	assert_int_equal(complaints, 1);
}

static void headers_are_decoded_and_trimmed(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_EXPORTER_OTLP_HEADERS",
	      " api-key = a%20b%2Cc , x=1=2,empty=");
	assert_int_equal(settings.options.header_count, 3);
	assert_string_equal(settings.headers[0], "api-key: a b,c");
	assert_string_equal(settings.headers[1], "x: 1=2");
	assert_string_equal(settings.headers[2], "empty: ");
	assert_int_equal(complaints, 0);
}

static void what_is_no_header_is_left_out(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_EXPORTER_OTLP_HEADERS",
	      "a=%01b,a(b=c,\xc3\xa9=1,x y=1,content-type=text/plain,"
	      "CONTENT-LENGTH=1,b=%7f,c=1%09%c3%a9,d=%0d%0ae");
	assert_int_equal(settings.options.header_count, 1);
	assert_string_equal(settings.headers[0], "c: 1\t\xc3\xa9");
	assert_int_equal(complaints, 8);
}

static void the_service_name_beats_the_attribute(void **state)
{
	const struct gt_otlp_attribute *a = settings.attributes;

	(void)state;
	READ_(NULL, "OTEL_RESOURCE_ATTRIBUTES", "service.name=x,team=caf%C3%A9",
	      "OTEL_SERVICE_NAME", "shop");
	assert_string_equal(a[0].key, "service.name");
	assert_string_equal(a[0].value, "shop");
	assert_string_equal(a[2].key, "team");
	assert_string_equal(a[2].value, "caf\xc3\xa9");
}

static void what_is_preferred_beats_all_that_was_read(void **state)
{
	static const struct gt_otlp_attribute given = {"service.version", "2"};
	const struct gt_otlp_attribute *a = settings.attributes;

	(void)state;
	READ_(NULL, "OTEL_RESOURCE_ATTRIBUTES", "service.version=1",
	      "OTEL_SERVICE_NAME", "shop");
	otlp_settings_prefer(&settings, &given);
	assert_int_equal(settings.options.attribute_count, 3);
	assert_ptr_equal(settings.options.attributes, a);
	assert_string_equal(a[0].key, "service.version");
	assert_string_equal(a[0].value, "2");
	assert_string_equal(a[1].value, "shop");
	assert_string_equal(a[2].value, "1");
	read_with(NULL, (char *)NULL);
	otlp_settings_prefer(&settings, &given);
	assert_int_equal(settings.options.attribute_count, 1);
	assert_string_equal(settings.options.attributes[0].value, "2");
}

static void nothing_between_commas_is_nothing(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_RESOURCE_ATTRIBUTES", ",a=1,, b=2 , ,",
	      "OTEL_EXPORTER_OTLP_HEADERS", "x=1,");
	assert_int_equal(complaints, 0);
	assert_int_equal(settings.options.attribute_count, 2);
	assert_string_equal(settings.attributes[1].value, "2");
	assert_int_equal(settings.options.header_count, 1);
	READ_(NULL, "OTEL_RESOURCE_ATTRIBUTES", " , ");
	assert_int_equal(complaints + settings.options.attribute_count, 0);
}

static void what_guesttrace_says_itself_is_not_given(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_RESOURCE_ATTRIBUTES",
	      "guesttrace.vm=forged,team=a,guesttrace.x=1");
	assert_int_equal(complaints, 2);
	assert_int_equal(settings.options.attribute_count, 1);
	assert_string_equal(settings.attributes[0].key, "team");
}

static void of_too_many_pairs_the_first_are_taken(void **state)
{
	char text[4 * (OTLP_PAIRS_MAX + 1) + 1] = "";

	(void)state;
	for (size_t i = 0; i < OTLP_PAIRS_MAX; i++)
		strcat(text, "a=1,");
	READ_(NULL, "OTEL_RESOURCE_ATTRIBUTES", text,
	      "OTEL_EXPORTER_OTLP_HEADERS", text, "OTEL_SERVICE_NAME", "shop");
	assert_int_equal(complaints, 0);
	assert_int_equal(settings.options.attribute_count, OTLP_PAIRS_MAX + 1);
	assert_int_equal(settings.options.header_count, OTLP_PAIRS_MAX);
	strcat(text, "b=1");
	READ_(NULL, "OTEL_RESOURCE_ATTRIBUTES", text,
	      "OTEL_EXPORTER_OTLP_HEADERS", text);
	assert_int_equal(complaints, 2);
	assert_int_equal(settings.options.attribute_count, OTLP_PAIRS_MAX);
	assert_int_equal(settings.options.header_count, OTLP_PAIRS_MAX);
}

static void only_the_word_true_disables(void **state)
{
	static const char *const no[] = {"", "false", "1", "yes", "truely"};

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		READ_(NULL, "OTEL_SDK_DISABLED", no[i]);
		assert_false(settings.disabled);
	}
	READ_(NULL, "OTEL_SDK_DISABLED", "true");
	assert_true(settings.disabled);
	READ_(NULL, "OTEL_SDK_DISABLED", "TRUE");
	assert_true(settings.disabled);
}

static void batching_and_spool_are_read(void **state)
{
	(void)state;
	READ_(NULL, "OTEL_BSP_SCHEDULE_DELAY", "10", "OTEL_BSP_EXPORT_TIMEOUT",
	      "20", "OTEL_BSP_MAX_QUEUE_SIZE", "30",
	      "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "40", "GUESTTRACE_SPOOL", "/s",
	      "GUESTTRACE_SPOOL_MIB", "3", "GUESTTRACE_SPOOL_RUN_MIB", "2");
	assert_int_equal(settings.options.delay_ms, 10);
	assert_int_equal(settings.options.finish_ms, 20);
	assert_int_equal(settings.options.queue_spans, 30);
	assert_int_equal(settings.options.batch_spans, 40);
	assert_string_equal(settings.options.spool_directory, "/s");
	assert_int_equal(settings.options.spool_bytes, 3 << 20);
	assert_int_equal(settings.options.spool_own_bytes, 2 << 20);
}

static void limits_of_a_kind_win_over_those_of_all(void **state)
{
	const struct gt_otlp_limits *limits = &settings.options.limits;

	(void)state;
	READ_(NULL, "OTEL_ATTRIBUTE_COUNT_LIMIT", "5",
	      "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0",
	      "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "6",
	      "OTEL_SPAN_LINK_COUNT_LIMIT", "many");
	assert_true(limits->span_attributes.is_set);
	assert_int_equal(limits->span_attributes.max, 0);
	assert_int_equal(limits->event_attributes.max, 5);
	assert_int_equal(limits->value_length.max, 6);
	assert_false(limits->links.is_set || limits->events.is_set);
	assert_int_equal(complaints, 1);
	read_signal(GT_OTLP_LOGS, "OTEL_ATTRIBUTE_COUNT_LIMIT", "5",
	            "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7");
	assert_int_equal(limits->event_attributes.max, 5);
	assert_int_equal(limits->value_length.max, 7);
	assert_false(limits->span_attributes.is_set);
}

static int release(void **state)
{
	(void)state;
	otlp_settings_free(&settings);
	return 0;
}

static void each_signal_has_variables_of_its_own(void **state)
{
	static const char *const paths[] = {"http://b:1/v1/traces",
	                                    "http://b:1/v1/metrics",
	                                    "http://b:1/v1/logs"};
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		enum gt_otlp_signal signal = (enum gt_otlp_signal)i;

		read_signal(signal, BASE, "http://b:1",
		            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "77");
		assert_string_equal(settings.url, paths[i]);
		assert_int_equal(settings.options.timeout_ms,
		                 signal == GT_OTLP_METRICS ? 77 : 0);
		assert_int_equal(settings.options.signal, signal);
	}
	read_signal(GT_OTLP_METRICS, "OTEL_METRIC_EXPORT_INTERVAL", "250",
	            "OTEL_BSP_SCHEDULE_DELAY", "7");
	assert_int_equal(settings.options.delay_ms, 250);
	read_signal(GT_OTLP_LOGS, "OTEL_BLRP_SCHEDULE_DELAY", "9",
	            "OTEL_BSP_SCHEDULE_DELAY", "7");
	assert_int_equal(settings.options.delay_ms, 9);
	read_signal(GT_OTLP_LOGS, "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc",
	            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://l:4317");
	assert_string_equal(settings.url,
	                    "http://l:4317/opentelemetry.proto.collector."
	                    "logs.v1.LogsService/Export");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_signal_has_variables_of_its_own),
		cmocka_unit_test(limits_of_a_kind_win_over_those_of_all),
		cmocka_unit_test(the_defaults_are_those_of_the_specification),
		cmocka_unit_test(
			the_endpoint_is_a_base_unless_it_is_the_traces_own),
		cmocka_unit_test(what_is_no_url_is_not_taken_for_one),
		cmocka_unit_test(an_endpoint_without_a_scheme_is_refused),
		cmocka_unit_test(the_command_line_wins),
		cmocka_unit_test(grpc_has_a_path_of_its_own),
		cmocka_unit_test(the_form_for_traces_wins_and_empty_is_unset),
		cmocka_unit_test(a_bad_value_is_complained_about_and_ignored),
		cmocka_unit_test(a_bad_value_does_not_hide_a_good_one),
		cmocka_unit_test(headers_are_decoded_and_trimmed),
		cmocka_unit_test(what_is_no_header_is_left_out),
		cmocka_unit_test(the_service_name_beats_the_attribute),
		cmocka_unit_test(what_is_preferred_beats_all_that_was_read),
		cmocka_unit_test(nothing_between_commas_is_nothing),
		cmocka_unit_test(what_guesttrace_says_itself_is_not_given),
		cmocka_unit_test(of_too_many_pairs_the_first_are_taken),
		cmocka_unit_test(letters_and_blanks_do_not_matter),
		cmocka_unit_test(a_bad_pair_costs_itself),
		cmocka_unit_test(keys_of_headers_are_taken_as_they_are),
		cmocka_unit_test(only_the_word_true_disables),
		cmocka_unit_test(batching_and_spool_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
