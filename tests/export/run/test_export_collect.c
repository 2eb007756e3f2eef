/* SPDX-License-Identifier: MIT */
/* The collector below tree, report and folded: its tree and its times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "export/run/collect.h"

static const struct gt_site_view step_site = {
	.name = {"step", 4},
	.target = {"t", 1},
	.level = GT_INFO,
};

static struct gt__collect *collect(const uint64_t *parents, size_t count)
{
	struct gt__collect *c = calloc(1, sizeof *c);
	size_t i;

	assert_non_null(c);
	for (i = 0; i < count; i++) {
		struct gt_span_view v = {
			.id = i + 1,
			.parent_id = parents[i],
			.start_ns = i,
			.end_ns = i + 10,
			.sequence = i + 1,
			.site = &step_site,
		};

		assert_int_equal(gt__collect_span(c, &v), 0);
	}
	assert_int_equal(gt__collect_build(c), 0);
	return c;
}

static size_t walked(struct gt__collect *c, uint32_t *ret_depth)
{
	struct gt__walk walk = {0};
	size_t n = 0;

	*ret_depth = 0;
	for (; gt__collect_next(c, &walk); n++)
		if (walk.depth > *ret_depth)
			*ret_depth = walk.depth;
	return n;
}

static void d4_cycles_and_missing_parents_become_roots(void **state)
{
	/* 1 its own parent; 2 -> 3 -> 4 -> 2; 5 -> nobody; 6 -> 4 */
	static const uint64_t parents[] = {1, 3, 4, 2, 99, 4};
	struct gt__collect *c = collect(parents, 6);
	uint32_t depth, roots = 0, i;

	(void)state;
	assert_int_equal(walked(c, &depth), 6);
	for (i = 0; i < 6; i++)
		roots += c->spans[i].parent == GT__ROOT;
	assert_int_equal(roots, 3);
	gt__collect_free(c);
}

static void d4_a_chain_of_a_million_is_walked(void **state)
{
	const size_t count = 1000000;
	uint64_t *parents = malloc(count * sizeof *parents);
	struct gt__collect *c;
	uint32_t depth;
	size_t i;

	(void)state;
	assert_non_null(parents);
	for (i = 0; i < count; i++)
		parents[i] = i;
	c = collect(parents, count);
	assert_int_equal(walked(c, &depth), count);
	assert_int_equal(depth, count - 1);
	gt__collect_free(c);
	free(parents);
}

static int by_value(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* The smallest sample that at least `percent` % of all do not exceed. */
static uint64_t naive_percentile(const uint64_t *sorted, size_t count,
                                 unsigned percent)
{
	size_t i;

	for (i = 0; (i + 1) * 100 < count * percent; i++)
		;
	return sorted[i];
}

static void percentiles_are_exact(void **state)
{
	uint64_t samples[300];
	size_t count, i;

	(void)state;
	srand(3);
	for (count = 1; count <= 300; count++) {
		struct gt__collect *c = calloc(1, sizeof *c);

		assert_non_null(c);
		for (i = 0; i < count; i++) {
			struct gt_span_view v = {
				.id = i + 1,
				.sequence = i + 1,
				.site = &step_site,
				.end_ns = samples[i] =
					(uint64_t)(rand() % 1000),
			};

			assert_int_equal(gt__collect_span(c, &v), 0);
		}
		assert_int_equal(gt__collect_build(c), 0);
		qsort(samples, count, sizeof *samples, by_value);
		assert_int_equal(c->name_count, 1);
		assert_int_equal(c->names[0].p50_ns,
		                 naive_percentile(samples, count, 50));
		assert_int_equal(c->names[0].p99_ns,
		                 naive_percentile(samples, count, 99));
		assert_int_equal(c->names[0].max_ns, samples[count - 1]);
		gt__collect_free(c);
	}
	assert_int_equal(gt__nearest_rank(UINT64_MAX, 50), UINT64_MAX / 2 + 1);
}

/* One with a text of its own, a key that others have, too, and an event. */
static void add_numbered(struct gt__collect *c, uint64_t i)
{
	char key[] = "key", text[200];
	const struct gt_field field = {
		.key = {key, 3},
		.type = GT_TYPE_STRING,
		.value.text = {text, sizeof text},
		.full_bytes = sizeof text,
	};
	const struct gt_span_trace trace = {.flags = (uint32_t)(i / 1000)};
	const struct gt_span_view span = {
		.id = i + 1,
		.sequence = 2 * i + 1,
		.site = &step_site,
		.fields = &field,
		.field_count = 1,
		.trace = &trace,
	};
	const struct gt_event_view event = {
		.span_id = i + 1,
		.sequence = 2 * i + 2,
		.site = &step_site,
		.fields = &field,
		.field_count = 1,
	};

	memset(text, (int)('a' + i % 26), sizeof text);
	assert_int_equal(gt__collect_event(c, &event, i % 2), 0);
	assert_int_equal(gt__collect_bound(c), 0);
	assert_int_equal(gt__collect_span(c, &span), 0);
	assert_int_equal(gt__collect_bound(c), 0);
}

static bool is_numbered(const struct gt_field *field, uint64_t i)
{
	const struct gt_text text = field->value.text;

	for (size_t at = 0; at < text.count; at++)
		if (text.bytes[at] != (char)('a' + i % 26))
			return false;
	return text.count == 200 && field->key.count == 3 &&
	       memcmp(field->key.bytes, "key", 3) == 0;
}

/* Of a run that goes on for long the latest is kept, all of it as it was. */
static void over_its_bound_the_oldest_goes(void **state)
{
	enum { COUNT = 100000, BOUND = 4 << 20, EACH = 2 * 200 };
	struct gt__collect *c = calloc(1, sizeof *c);
	uint64_t first;

	(void)state;
	assert_non_null(c);
	c->max_bytes = BOUND;
	for (uint64_t i = 0; i < COUNT; i++)
		add_numbered(c, i);
	assert_int_equal(c->span_count + c->left_out_spans, COUNT);
	assert_int_equal(c->event_count + c->left_out_events, COUNT);
	/* No more than that, and not much less than half. */
	assert_in_range(c->span_count, BOUND / 4 / (EACH + 1000), BOUND / EACH);
	first = c->left_out_spans;
	for (uint32_t i = 0; i < c->span_count; i++) {
		const struct gt_span_view *span = &c->spans[i].view;

		assert_int_equal(span->id, first + i + 1);
		assert_true(is_numbered(span->fields, first + i));
		assert_int_equal(span->trace->flags, (first + i) / 1000);
	}
	first = c->left_out_events;
	for (uint32_t i = 0; i < c->event_count; i++) {
		const struct gt_event_view *event = &c->events[i].view;

		assert_int_equal(event->span_id, first + i + 1);
		assert_true(is_numbered(event->fields, first + i));
	}
	assert_int_equal(gt__collect_build(c), 0);
	gt__collect_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(d4_cycles_and_missing_parents_become_roots),
		cmocka_unit_test(over_its_bound_the_oldest_goes),
		cmocka_unit_test(d4_a_chain_of_a_million_is_walked),
		cmocka_unit_test(percentiles_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
