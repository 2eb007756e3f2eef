/* SPDX-License-Identifier: MIT */
/* Requests of each signal in halves, down to one item each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "export/logs/otlp_logs.h"
#include "export/metrics/otlp_metrics.h"
#include "export/out/out.h"
#include "export/send/otlp_halve.h"
#include "tests/support/synthetic.h"

#define ITEMS 37u /* that are marked, among others */

struct shape {
	enum gt_otlp_signal signal;
	bool json;
	struct gt__otlp_request *request;
};

static int take(void *context, const void *bytes, size_t count, uint64_t items)
{
	struct shape *shape = context;
	struct gt__otlp_request *r = malloc(sizeof *r + count);

	assert_non_null(r);
	assert_null(shape->request); /* all of it is one request */
	*r = (struct gt__otlp_request){.spans = items,
	                               .signal = shape->signal,
	                               .json = shape->json,
	                               .count = count};
	memcpy(r->bytes, bytes, count);
	shape->request = r;
	return 0;
}

static void make_sink(struct shape *shape, struct gt_sink **ret_sink)
{
	const struct gt__otlp_encoder_options options = {
		.request = take,
		.context = shape,
		.spans_max = 10000,
		.bytes_max = 1 << 20,
		.events = GT_OTLP_EVENTS_BOTH,
		.interval_ns = GT__INTERVAL_NS,
	};
	int rc = -1;

	switch (shape->signal) {
	case GT_OTLP_TRACES:
		rc = (shape->json ? gt__otlp_json_requests_new
		                  : gt__otlp_protobuf_requests_new)(&options,
		                                                    ret_sink);
		break;
	case GT_OTLP_METRICS:
		rc = gt__otlp_metrics_requests_new(shape->json, &options,
		                                   ret_sink);
		break;
	case GT_OTLP_LOGS:
		rc = gt__otlp_logs_requests_new(shape->json, &options,
		                                ret_sink);
		break;
	}
	assert_int_equal(rc, 0);
}

/* Each item has a text of its own: `mark.N.` with a brace in it. */
static void record(struct syn *s)
{
	static const struct gt_site_view site = {.name = {"it", 2}};
	unsigned i;

	syn_begin(s, 0, "guest");
	for (i = 0; i < ITEMS; i++) {
		char text[24];
		struct gt_field fields[] = {
			{.key = {"mark", 4}, .type = GT_TYPE_STRING},
			{.key = {"n", 1}, .type = GT_TYPE_U64, .value.u64 = i}};

		snprintf(text, sizeof text, "mark.%u.\"}]", i);
		fields[0].value.text = syn_text(text);
		syn_counter(s, &site, NULL, 0, i, fields, 2);
		syn_event(s, &site, NULL, 0, i, fields, 2);
		syn_close(s,
		          syn_open_with(s, &site, NULL, 0, i, true, fields, 2),
		          0, i + 1);
	}
	syn_end(s, 1000);
	assert_int_equal(syn_finish(s), 0);
}

static unsigned count_in(const struct gt__otlp_request *request,
                         const char *text)
{
	const unsigned char *at = request->bytes, *end = at + request->count;
	unsigned count = 0;

	while ((at = memmem(at, (size_t)(end - at), text, strlen(text)))) {
		at += strlen(text);
		count++;
	}
	return count;
}

/* Frees the request; counts how often each mark is in a request of one item. */
static uint64_t halve(struct gt__otlp_request *request, unsigned *seen)
{
	struct gt__otlp_request *halves[2];
	uint64_t items = 1;
	unsigned i;

	if (request->spans == 1) {
		assert_int_equal(gt__otlp_halve(request, halves), -ERANGE);
		for (i = 0; i < ITEMS; i++) {
			char text[24];

			snprintf(text, sizeof text, "mark.%u.", i);
			seen[i] += count_in(request, text);
		}
	} else {
		assert_int_equal(gt__otlp_halve(request, halves), 0);
		assert_int_equal(halves[0]->signal, request->signal);
		assert_int_equal(halves[0]->spans + halves[1]->spans,
		                 request->spans);
		items = halve(halves[0], seen);
		items += halve(halves[1], seen);
	}
	assert_true(count_in(request, "guesttrace.vm") > 0);
	free(request);
	return items;
}

/* In traces an event and the counter are of the run's span. */
static void try_shape(enum gt_otlp_signal signal, bool json)
{
	struct shape shape = {signal, json, NULL};
	struct syn s = {.sink_count = 1};
	unsigned seen[ITEMS] = {0}, i;
	uint64_t items;

	make_sink(&shape, &s.sinks[0]);
	record(&s);
	assert_non_null(shape.request);
	items = shape.request->spans;
	assert_true(items >= ITEMS);
	assert_int_equal(halve(shape.request, seen), items);
	for (i = 0; i < ITEMS; i++)
		assert_int_equal(seen[i], signal == GT_OTLP_TRACES ? 2 : 1);
	syn_free(&s);
}

static void every_item_is_in_one_part(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 6; i++)
		try_shape((enum gt_otlp_signal)(i / 2), i % 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_item_is_in_one_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
