/* SPDX-License-Identifier: MIT */
/* OTLP: a guest's field tells a span's kind, in both encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "export/otlp/otlp_encoder.h"
#include "export/out/out.h"
#include "tests/support/synthetic.h"

static int take(void *context, const void *bytes, size_t count, uint64_t spans)
{
	(void)spans;
	gt__put_bytes(context, bytes, count);
	return 0;
}

static bool holds(const struct gt__out *all, const char *what)
{
	return memmem(all->bytes, all->used, what, strlen(what)) != NULL;
}

/* A span whose field otel.kind is this word, and one more field. */
static void put_span(struct syn *s, const char *word)
{
	static const struct gt_site_view site = {.name = {"a", 1}};
	const struct gt_field fields[] = {
		{.key = {"otel.kind", 9},
	         .type = GT_TYPE_STRING,
	         .value.text = syn_text(word)},
		{.key = {"other.key", 9}, .type = GT_TYPE_U64}};

	syn_begin(s, 0, "guest");
	syn_close(s, syn_open_with(s, &site, NULL, 0, 1, true, fields, 2), 0,
	          2);
	assert_int_equal(syn_finish(s), 0);
}

/* By hand, from trace.proto: SPAN_KIND_SERVER is 2; behind it is the start. */
static void a_field_tells_the_kind(void **state)
{
	static const char *const kinds[2][2] = {
		{"\"kind\":1,", "\x30\x01\x39"},
		{"\"kind\":2,", "\x30\x02\x39"}};
	unsigned protobuf, known;

	(void)state;
	for (protobuf = 0; protobuf < 2; protobuf++)
		for (known = 0; known < 2; known++) {
			struct syn s = {.sink_count = 1};
			struct gt__out all;
			const struct gt__otlp_encoder_options options = {
				.request = take, .context = &all};

			gt__out_init(&all, &(struct gt_output){0});
			assert_int_equal(
				(protobuf ? gt__otlp_protobuf_requests_new
			                  : gt__otlp_json_requests_new)(
					&options, &s.sinks[0]),
				0);
			put_span(&s, known ? "SERVER" : "SERVE");
			assert_true(holds(&all, kinds[known][protobuf]));
			assert_false(holds(&all, kinds[!known][protobuf]));
			assert_int_equal(holds(&all, "otel.kind"), !known);
			assert_true(holds(&all, "other.key"));
			syn_end(&s, 3);
			syn_free(&s);
			gt__out_fini(&all);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_tells_the_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
