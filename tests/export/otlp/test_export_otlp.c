/* SPDX-License-Identifier: MIT */
/* OTLP: what a request holds, in both encodings. Contents:
 * tests/end-to-end/readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "export/otlp/otlp_encoder.h"
#include "export/out/out.h"
#include "tests/support/allocated.h"
#include "tests/support/synthetic.h"

static int (*const encodings[])(const struct gt__otlp_encoder_options *,
                                struct gt_sink **) = {
	gt__otlp_json_requests_new, gt__otlp_protobuf_requests_new};
#define ENCODINGS 2

struct requests {
	struct gt__out all;
	size_t largest;
	uint64_t largest_spans;
	uint64_t most_spans;
	uint64_t spans;
	unsigned count;
	int error;
};

static int take(void *context, const void *bytes, size_t count, uint64_t spans)
{
	struct requests *r = context;

	r->count++;
	if (r->error)
		return r->error;
	gt__put_bytes(&r->all, bytes, count);
	if (count > r->largest) {
		r->largest = count;
		r->largest_spans = spans;
	}
	if (spans > r->most_spans)
		r->most_spans = spans;
	r->spans += spans;
	return 0;
}

static void begin(struct syn *s, size_t encoding,
                  struct gt__otlp_encoder_options options, struct requests *r)
{
	memset(r, 0, sizeof *r);
	gt__out_init(&r->all, &(struct gt_output){0});
	options.request = take;
	options.context = r;
	s->sink_count = 1;
	assert_int_equal(encodings[encoding](&options, &s->sinks[0]), 0);
}

static void end(struct syn *s, struct requests *r)
{
	syn_free(s);
	gt__out_fini(&r->all);
}

static bool holds(const struct requests *r, const char *what)
{
	return memmem(r->all.bytes, r->all.used, what, strlen(what));
}

/* ---- Bounds -------------------------------------------------------------- */

static void a_request_keeps_its_bounds(void **state)
{
	static const uint32_t bounds[] = {1, 900, 5000, 65536};
	size_t e, b;

	(void)state;
	for (e = 0; e < ENCODINGS; e++) {
		for (b = 0; b < 4; b++) {
			struct gt__otlp_encoder_options options = {
				.bytes_max = bounds[b], .spans_max = 40};
			struct requests r;
			struct syn s = {0};
			uint64_t spans;

			begin(&s, e, options, &r);
			syn_random(&s, 0, 5, 3000);
			spans = s.summary.spans + 1; /* and the run */
			assert_int_equal(syn_finish(&s), 0);
			assert_true(r.spans >= spans);
			assert_true(r.most_spans <= 40);
			assert_true(r.largest <= bounds[b] ||
			            r.largest_spans == 1);
			if (bounds[b] == 65536)
				assert_int_equal(r.most_spans, 40);
			if (bounds[b] == 1)
				assert_int_equal(r.count, r.spans);
			end(&s, &r);
		}
	}
}

static void finish_hands_over_what_is_there_each_time(void **state)
{
	static const struct gt_site_view site = {.name = {"a", 1}};
	size_t e;

	(void)state;
	for (e = 0; e < ENCODINGS; e++) {
		struct requests r;
		struct syn s = {0};

		begin(&s, e, (struct gt__otlp_encoder_options){0}, &r);
		syn_begin(&s, 0, "guest");
		assert_int_equal(syn_finish(&s), 0);
		assert_int_equal(r.count, 0);
		syn_close(&s, syn_open(&s, &site, NULL, 0, 1, true), 0, 2);
		assert_int_equal(syn_finish(&s), 0);
		assert_int_equal(syn_finish(&s), 0);
		assert_int_equal(r.count, 1);
		syn_close(&s, syn_open(&s, &site, NULL, 0, 3, true), 0, 4);
		syn_end(&s, 5);
		assert_int_equal(syn_finish(&s), 0);
		assert_int_equal(r.count, 2);
		assert_int_equal(r.spans, 3);
		end(&s, &r);
	}
}

static void an_error_of_a_request_ends_the_sink(void **state)
{
	size_t e;

	(void)state;
	for (e = 0; e < ENCODINGS; e++) {
		struct requests r;
		struct syn s = {0};

		begin(&s, e, (struct gt__otlp_encoder_options){.spans_max = 1},
		      &r);
		r.error = -ECANCELED;
		syn_everything(&s, 0);
		assert_int_equal(syn_finish(&s), -ECANCELED);
		assert_int_equal(r.count, 1);
		end(&s, &r);
	}
}

static int append(void *context, const void *bytes, size_t count)
{
	gt__put_bytes(context, bytes, count);
	return 0;
}

static void requests_behind_each_other_are_the_file(void **state)
{
	static int (*const files[])(const struct gt_output *,
	                            struct gt_sink **) = {gt_otlp_json_new,
	                                                  gt_otlp_protobuf_new};
	size_t e;

	(void)state;
	for (e = 0; e < ENCODINGS; e++) {
		struct gt__out file;
		struct requests r;
		struct syn s = {0};

		begin(&s, e, (struct gt__otlp_encoder_options){0}, &r);
		gt__out_init(&file, &(struct gt_output){0});
		assert_int_equal(files[e](&(struct gt_output){append, &file},
		                          &s.sinks[s.sink_count++]),
		                 0);
		syn_everything(&s, 0);
		syn_random(&s, 1, 3, 5000);
		assert_int_equal(syn_finish(&s), 0);
		assert_true(r.count > 2);
		assert_int_equal(file.used, r.all.used);
		assert_memory_equal(file.bytes, r.all.bytes, file.used);
		gt__out_fini(&file);
		end(&s, &r);
	}
}

/* ---- Contents ------------------------------------------------------------ */

static void
what_is_given_names_the_resource_but_not_the_hosts_facts(void **state)
{
	static const struct gt_otlp_attribute given[] = {
		{"service.name", "mine"},
		{"host.name", "a\xff"},
		{"guesttrace.vm", "forged"},
		{"service.name", "second"},
	};
	size_t e;

	(void)state;
	for (e = 0; e < ENCODINGS; e++) {
		struct requests r;
		struct syn s = {0};

		begin(&s, e,
		      (struct gt__otlp_encoder_options){.attributes = given,
		                                        .attribute_count = 4},
		      &r);
		syn_everything(&s, 0);
		assert_int_equal(syn_finish(&s), 0);
		assert_true(holds(&r, "mine"));
		assert_false(holds(&r, "second"));
		assert_true(holds(&r, "a\xef\xbf\xbd"));
		assert_true(holds(&r, "vm-1"));
		assert_true(holds(&r, "demo-guest"));
		assert_true(holds(&r, "amd64"));
		end(&s, &r);
	}
}

/* Of Hyperlight's wires: no level, and of events no target. */
static void what_a_site_does_not_have_is_left_out(void **state)
{
	static const struct gt_site_view sites[] = {
		{.name = {"bare", 4}},
		{.name = {"full", 4}, .target = {"t", 1}, .level = GT_INFO},
	};
	size_t e, i;

	(void)state;
	for (e = 0; e < ENCODINGS; e++)
		for (i = 0; i < 2; i++) {
			struct requests r;
			struct syn s = {0};

			begin(&s, e, (struct gt__otlp_encoder_options){0}, &r);
			syn_begin(&s, 0, "guest");
			syn_close(&s,
			          syn_open_with(&s, &sites[i], NULL, 0, 1, true,
			                        NULL, 0),
			          0, 2);
			syn_end(&s, 3);
			assert_int_equal(syn_finish(&s), 0);
			assert_int_equal(holds(&r, "guesttrace.target"), i);
			assert_int_equal(holds(&r, "guesttrace.level"), i);
			end(&s, &r);
		}
}

static void c20_a_guest_cannot_speak_for_the_host(void **state)
{
	static const char *const keys[] = {
		"guesttrace.vcpu", "code.line.number", "service.name",
		"host.name",       "telemetry.sdk.x",  "process.pid",
		"otel.status",     "guest.x",
	};
	static const struct gt_site_view site = {.name = {"a", 1}};
	size_t e, i;

	(void)state;
	for (e = 0; e < ENCODINGS; e++) {
		struct gt_field fields[8];
		struct requests r;
		struct syn s = {0};

		begin(&s, e, (struct gt__otlp_encoder_options){0}, &r);
		syn_begin(&s, 0, "guest");
		for (i = 0; i < 8; i++)
			fields[i] = (struct gt_field){
				.key = syn_text(keys[i]),
				.type = GT_TYPE_STRING,
				.value.text = syn_text("forged")};
		syn_close(&s,
		          syn_open_with(&s, &site, NULL, 0, 1, true, fields, 8),
		          0, 2);
		syn_end(&s, 3);
		assert_int_equal(syn_finish(&s), 0);
		for (i = 0; i < 8; i++) {
			char shown[64] = "guest.";

			strcat(shown, keys[i]);
			assert_true(holds(&r, shown));
		}
		end(&s, &r);
	}
}

/* By hand, from trace.proto, common.proto and resource.proto. */
static void a_protobuf_request_is_these_bytes(void **state)
{
	static const struct gt_site_view site = {
		.name = {"op", 2}, .target = {"t", 1}, .level = GT_INFO};
	static const unsigned char span[] =
		"\x12\xdc\x01"
		"\x0a\x10"
		"AHOV]dkry\x80\x87\x8e\x95\x9c\xa3\xaa"
		"\x12\x08\x00\x00\x00\x00\x00\x00\x01\x02"
		"\x1a\x23rojo=00f067aa0ba902b7,congo=t61rcWk"
		"\x22\x08\x00\x00\x00\x00\x00\x00\x00\x07"
		"\x30\x01"
		"\x39\x08\x07\x06\x05\x04\x03\x02\x01"
		"\x41\x09\x07\x06\x05\x04\x03\x02\x01"
		"\x85\x01\x01\x01\x00\x00"
		"\x2a\x02op"
		"\x4a\x18\x0a\x11guesttrace.target\x12\x03\x0a\x01t"
		"\x4a\x1a\x0a\x10guesttrace.level\x12\x06\x0a\x04info"
		"\x4a\x08\x0a\x01k\x12\x03\x18\xac\x02"
		"\x4a\x15\x0a\x0fguesttrace.vcpu\x12\x02\x18\x00"
		"\x4a\x1a\x0a\x13guesttrace.guest_id\x12\x03\x18\x80\x08";
	struct gt_field field = {
		.key = {"k", 1}, .type = GT_TYPE_U64, .value.u64 = 300};
	struct gt_span_view view = {
		.id = 0x102,
		.parent_id = 7,
		.guest_id = 1024,
		.start_ns = 0x0102030405060708,
		.end_ns = 0x0102030405060709,
		.site = &site,
		.fields = &field,
		.field_count = 1,
	};
	struct requests r;
	struct syn s = {0};
	size_t got;

	(void)state;
	begin(&s, 1, (struct gt__otlp_encoder_options){0}, &r);
	syn_begin(&s, 0, "guest");
	assert_int_equal(s.sinks[0]->close(s.sinks[0], &s.trace, &view), 0);
	assert_int_equal(syn_finish(&s), 0);
	assert_int_equal(r.spans, 1);
	got = r.all.used - (sizeof span - 1);
	assert_memory_equal(r.all.bytes + got, span, sizeof span - 1);
	/* Both padded lengths reach to the end. */
	assert_memory_equal(r.all.bytes, "\x0a", 1);
	assert_int_equal((r.all.bytes[1] & 0x7f) | (r.all.bytes[2] & 0x7f) << 7,
	                 r.all.used - 5);
	end(&s, &r);
}

static unsigned times(const struct requests *r, const char *what)
{
	const char *at = r->all.bytes, *end = at + r->all.used;
	unsigned n = 0;

	while ((at = memmem(at, (size_t)(end - at), what, strlen(what)))) {
		at += strlen(what);
		n++;
	}
	return n;
}

/* More fields than are compared with each other; half of them is one key. */
static void a_field_that_is_set_a_thousand_times_is_there_once(void **state)
{
	enum {
		FIELDS = 2000
	};
	static struct gt_field fields[FIELDS];
	static char keys[FIELDS][8];
	static const struct gt_site_view site = {.name = {"a", 1}};
	size_t e;

	(void)state;
	for (int i = 0; i < FIELDS; i++) {
		snprintf(keys[i], sizeof keys[i], i % 2 ? "again" : "k%d;", i);
		fields[i] = (struct gt_field){.key = syn_text(keys[i]),
		                              .type = GT_TYPE_STRING,
		                              .value.text = syn_text("v")};
	}
	fields[FIELDS - 3].value.text = syn_text("before the last");
	fields[FIELDS - 1].value.text = syn_text("the last");
	for (e = 0; e < ENCODINGS; e++) {
		struct gt_event_view event = {
			.site = &site, .fields = fields, .field_count = FIELDS};
		struct gt_span_view view = {.id = 1,
		                            .site = &site,
		                            .fields = fields,
		                            .field_count = FIELDS,
		                            .events = &event,
		                            .event_count = 1};
		struct requests r;
		struct syn s = {0};

		begin(&s, e, (struct gt__otlp_encoder_options){0}, &r);
		syn_begin(&s, 0, "guest");
		assert_int_equal(s.sinks[0]->close(s.sinks[0], &s.trace, &view),
		                 0);
		syn_end(&s, 3);
		assert_int_equal(syn_finish(&s), 0);
		assert_int_equal(times(&r, "again"), 2);
		assert_int_equal(times(&r, "the last"), 2);
		assert_int_equal(times(&r, "k0;"), 2);
		assert_int_equal(times(&r, "k1998;"), 2);
		end(&s, &r);
	}
}

static void what_the_host_did_can_be_left_out(void **state)
{
	size_t e;

	(void)state;
	for (e = 0; e < ENCODINGS; e++) {
		struct requests with, without;
		struct syn s = {0};
		uint64_t host_spans;

		begin(&s, e, (struct gt__otlp_encoder_options){0}, &with);
		syn_everything(&s, 0);
		host_spans = s.host_ids;
		assert_int_equal(syn_finish(&s), 0);
		assert_true(host_spans > 0);
		assert_true(holds(&with, "guesttrace.host_span"));
		end(&s, &with);
		begin(&s, e,
		      (struct gt__otlp_encoder_options){.no_host_spans = true},
		      &without);
		syn_everything(&s, 0);
		assert_int_equal(syn_finish(&s), 0);
		assert_false(holds(&without, "guesttrace.host_span"));
		assert_int_equal(with.spans, without.spans + host_spans);
		end(&s, &without);
	}
}

/* ---- Memory -------------------------------------------------------------- */

static void put_spans(struct syn *s, const struct gt_span_view *view, int n)
{
	while (n--)
		assert_int_equal(
			s->sinks[0]->close(s->sinks[0], &s->trace, view), 0);
}

static int count_only(void *context, const void *bytes, size_t count,
                      uint64_t spans)
{
	(void)bytes;
	(void)count;
	*(uint64_t *)context += spans;
	return 0;
}

static void spans_need_no_more_memory_than_the_first_requests(void **state)
{
	static const struct gt_site_view site = {
		.name = {"op", 2}, .target = {"t", 1}, .level = GT_INFO};
	struct gt_event_view event = {.site = &site};
	struct gt_span_view view = {
		.id = 1, .site = &site, .events = &event, .event_count = 1};
	size_t e, before;

	(void)state;
	for (e = 0; e < ENCODINGS; e++) {
		struct syn s = {.sink_count = 1};
		uint64_t spans = 0;

		assert_int_equal(encodings[e](
					 &(struct gt__otlp_encoder_options){
						 .request = count_only,
						 .context = &spans},
					 &s.sinks[0]),
		                 0);
		syn_begin(&s, 0, "guest");
		put_spans(&s, &view, 2000);
		before = allocated_bytes();
		put_spans(&s, &view, 100000);
		assert_int_equal(allocated_bytes(), before);
		syn_end(&s, 1);
		assert_int_equal(syn_finish(&s), 0);
		assert_int_equal(spans, 102001);
		syn_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_keeps_its_bounds),
		cmocka_unit_test(finish_hands_over_what_is_there_each_time),
		cmocka_unit_test(an_error_of_a_request_ends_the_sink),
		cmocka_unit_test(requests_behind_each_other_are_the_file),
		cmocka_unit_test(
			what_is_given_names_the_resource_but_not_the_hosts_facts),
		cmocka_unit_test(what_a_site_does_not_have_is_left_out),
		cmocka_unit_test(c20_a_guest_cannot_speak_for_the_host),
		cmocka_unit_test(a_protobuf_request_is_these_bytes),
		cmocka_unit_test(what_the_host_did_can_be_left_out),
		cmocka_unit_test(
			a_field_that_is_set_a_thousand_times_is_there_once),
		cmocka_unit_test(
			spans_need_no_more_memory_than_the_first_requests),
	};

	return cmocka_run_group_tests_name("export_otlp", tests, NULL, NULL);
}
