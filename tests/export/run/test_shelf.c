/* SPDX-License-Identifier: MIT */
/*
 * The slowest spans out of records that were packed: the same text and the same
 * JSON as by a collector that keeps all of it, which it does where spans are
 * told apart by a field. Of what comes in any order, with any parents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <guesttrace/analysis.h>
#include "export/run/packed.h"
#include "tests/support/random64.h"
#include "tests/support/report_run.h"

#define SITES 5u

typedef void shown(struct gt_sink *sink, const struct gt_trace *trace);

static struct gt_site_view sites[SITES];
static const struct gt_span_trace traces[2] = {
	{.trace_id = {1, 2, 3}, .flags = 1, .trace_state = {"a=b", 3}},
	{.trace_id = {9}, .trace_state = {"", 0}},
};

static int make_sites(void **state)
{
	static const char *const names[SITES] = {"a", "b", "a", "c", "b"};

	(void)state;
	for (size_t i = 0; i < SITES; i++)
		sites[i] = (struct gt_site_view){
			.name = {names[i], 1},
			.target = {i < 3 ? "t" : "u", 1},
			.level = GT_INFO,
		};
	return 0;
}

static uint64_t below(uint64_t most)
{
	return random64() % most;
}

/* ---- What is shown ------------------------------------------------------- */

static size_t make_fields(struct gt_field *fields)
{
	static const char *const keys[] = {"op", "key", "a rather long key"};
	size_t count = below(4);

	for (size_t i = 0; i < count; i++) {
		struct gt_field *f = &fields[i];

		*f = (struct gt_field){.key = syn_text(keys[below(3)])};
		switch (below(5)) {
		case 0:
			f->type = GT_TYPE_STRING;
			f->value.text = syn_text(below(2) ? "x" : "");
			f->full_bytes = (uint32_t)below(300);
			break;
		case 1:
			f->type = GT_TYPE_BOOL;
			f->value.boolean = below(2);
			break;
		case 2:
			f->type = GT_TYPE_F64;
			f->value.f64 = (double)below(9) / 4 - 1;
			break;
		case 3:
			f->type = GT_TYPE_I64;
			f->value.i64 = (int64_t)below(9) - 4;
			break;
		default:
			f->type = GT_TYPE_U64;
			f->value.u64 = random64() >> below(64);
			break;
		}
	}
	return count;
}

static void show_event(struct gt_sink *sink, const struct gt_trace *trace,
                       uint64_t sequence, uint64_t ids)
{
	struct gt_field fields[4];
	struct gt_event_view e = {
		.time_ns = trace->start_ns + below(1000),
		.span_id = below(ids),
		.sequence = sequence,
		.site = &sites[below(SITES)],
		.fields = fields,
		.field_count = make_fields(fields),
		.vcpu = (uint32_t)below(2),
		.trace = below(4) ? NULL : &traces[below(2)],
	};

	assert_int_equal(
		(below(2) ? sink->event : sink->counter)(sink, trace, &e), 0);
}

static struct gt_span_view make_span(const struct gt_trace *trace, uint64_t id,
                                     uint64_t parent_id, uint64_t sequence)
{
	static const unsigned flags[] = {0,
	                                 0,
	                                 0,
	                                 GT_SPAN_INTERRUPTED,
	                                 GT_SPAN_CUT,
	                                 GT_SPAN_CLOSE_LOST,
	                                 GT_SPAN_PARENT_GUESSED};
	uint64_t at = trace->start_ns + below(1000);

	return (struct gt_span_view){
		.id = id,
		.parent_id = parent_id,
		.guest_id = below(99),
		.start_ns = at,
		.end_ns = at + below(40),
		.sequence = sequence,
		.site = &sites[below(SITES)],
		.dropped_fields = below(9) ? 0 : 7,
		.status = (enum gt_status)below(3),
		.status_text = syn_text(below(3) ? "" : "no"),
		.vcpu = (uint32_t)below(2),
		.flags = flags[below(sizeof flags / sizeof flags[0])],
		.parent_remote = !below(8),
		.trace = below(4) ? NULL : &traces[below(2)],
	};
}

/* Parents are any, the span itself, cycles, and ids that are there twice. */
static void any_tree(struct gt_sink *sink, const struct gt_trace *trace)
{
	uint64_t i, count = 1 + below(60), ids = 2 + below(count);

	for (i = 0; i < count; i++) {
		struct gt_field fields[4];
		struct gt_span_view s = make_span(trace, 1 + below(ids),
		                                  below(ids + 2), below(200));

		s.fields = fields;
		s.field_count = make_fields(fields);
		assert_int_equal(sink->close(sink, trace, &s), 0);
		while (below(2))
			show_event(sink, trace, below(200), ids);
	}
}

/* A chain whose spans end in an order in which a look finds one of them. */
static void hostile_chain(struct gt_sink *sink, const struct gt_trace *trace)
{
	uint64_t i, count = 400;

	for (i = 0; i < count; i++) {
		/* 1, 400, 2, 399, ... each the parent of the next but one */
		uint64_t at = i % 2 ? count - i / 2 : i / 2 + 1;
		uint64_t depth = (at * 197) % 401;
		struct gt_span_view s =
			make_span(trace, depth, depth - 1, depth);

		s.flags = 0;
		s.parent_remote = false;
		assert_int_equal(sink->close(sink, trace, &s), 0);
	}
}

static char *printed_of(new_fn *new_sink, const struct gt_analysis *analysis,
                        const char *name, shown *show, uint64_t seed)
{
	static const enum gt_ending endings[] = {
		GT_ENDING_HALTED, GT_ENDING_ABORTED, GT_ENDING_UNKNOWN};
	struct gt_report_options options = {
		.size = sizeof options, .name = name, .analysis = analysis};
	struct gt__out bytes;
	const struct gt_output output = {write_all, &bytes};
	const struct gt_output nothing = {0};
	struct gt_trace trace = {.start_ns = 1000000, .vcpus = 2};
	struct gt_summary summary = {.end_ns = 1002000};
	struct gt_sink *sink;
	char *text;

	gt__out_init(&bytes, &nothing);
	random64_state = seed;
	summary.ending = endings[below(3)];
	assert_int_equal(new_sink(&output, &options, &sink), 0);
	assert_int_equal(sink->begin(sink, &trace), 0);
	show(sink, &trace);
	assert_int_equal(sink->end(sink, &trace, &summary), 0);
	assert_int_equal(sink->finish(sink), 0);
	sink->free(sink);
	gt__put_char(&bytes, '\0');
	text = strdup(bytes.bytes);
	assert_non_null(text);
	gt__out_fini(&bytes);
	return text;
}

static void compare(uint64_t seed, const struct gt_analysis *asked, bool json,
                    const char *name, shown *show)
{
	new_fn *make = json ? gt_report_json_with : gt_report_with;
	struct gt_analysis apart = *asked;
	char *packed, *kept;

	apart.by = "no span has it";
	packed = printed_of(make, asked, name, show, seed);
	kept = printed_of(make, &apart, name, show, seed);
	if (strcmp(packed, kept) != 0)
		fail_msg("seed %llu: %s\nis not %s", (unsigned long long)seed,
		         packed, kept);
	free(packed);
	free(kept);
}

static void the_same_is_shown_as_of_all(void **state)
{
	static const char *const names[] = {NULL, "a", "[bc]", "none"};

	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct gt_analysis asked = {
			.size = sizeof asked,
			.slowest = (uint32_t)(seed % 7 + 1),
			.errors = seed % 5 == 0,
			.where = seed % 11 == 0 ? "op" : NULL,
			.from_ns = seed % 13 == 0 ? 200 : 0,
		};

		compare(seed, &asked, seed % 2, names[seed % 4], any_tree);
	}
}

static void a_hostile_order_shows_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct gt_analysis asked = {.size = sizeof asked, .slowest = 2};

		compare(seed, &asked, seed % 2, NULL, hostile_chain);
	}
}

/* ---- Packed -------------------------------------------------------------- */

#define SAME(member) assert_true(t.member == s.member)

/* Larger than a pack, and every number at its largest. */
static void packing_changes_nothing(void **state)
{
	const size_t count = 3u << 20;
	char *large = calloc(1, count);
	struct gt_link link = {.trace_id = {7}, .span_id = 5, .remote = true};
	struct gt_field fields[2] = {
		{.key = syn_text("k"),
	         .type = GT_TYPE_BYTES,
	         .value.text = {large, count},
	         .full_bytes = UINT32_MAX},
		{.key = syn_text(""),
	         .type = GT_TYPE_I64,
	         .value.i64 = INT64_MIN},
	};
	struct gt_span_view s = {
		.id = UINT64_MAX,
		.parent_id = UINT64_MAX - 1,
		.guest_id = UINT64_MAX - 2,
		.guest_parent_id = UINT64_MAX - 3,
		.start_ns = 1,
		.end_ns = UINT64_MAX,
		.sequence = UINT64_MAX - 4,
		.site = &sites[1],
		.fields = fields,
		.field_count = 2,
		.dropped_events = UINT64_MAX,
		.dropped_fields = UINT64_MAX - 5,
		.links = &link,
		.link_count = 1,
		.status = GT_STATUS_ERROR,
		.status_text = {"why", 3},
		.vcpu = UINT32_MAX,
		.close_vcpu = UINT32_MAX - 1,
		.level = UINT32_MAX - 2,
		.flags = UINT32_MAX,
		.entered = true,
		.parent_remote = true,
		.trace = &traces[0],
	};
	struct gt__packs packs = {0};
	struct gt__packed at = {0};
	struct gt_span_view t;

	(void)state;
	assert_non_null(large);
	assert_true(gt__pack_span(&packs, &s));
	assert_true(gt__packed_next(&packs, &at));
	assert_int_equal(at.kind, GT__PACKED_SPAN);
	assert_int_equal(at.id, s.id);
	assert_true(gt__packed_span(&at, &t));
	assert_int_equal(t.fields[0].value.text.count, count);
	assert_memory_equal(t.fields[0].value.text.bytes, large, count);
	assert_int_equal(t.fields[0].full_bytes, UINT32_MAX);
	assert_int_equal(t.fields[1].value.i64, INT64_MIN);
	assert_memory_equal(t.links, &link, sizeof link);
	assert_memory_equal(t.status_text.bytes, "why", 3);
	SAME(parent_id);
	SAME(guest_id);
	SAME(guest_parent_id);
	SAME(start_ns);
	SAME(end_ns);
	SAME(sequence);
	SAME(site);
	SAME(field_count);
	SAME(dropped_events);
	SAME(dropped_fields);
	SAME(link_count);
	SAME(status);
	SAME(status_text.count);
	SAME(vcpu);
	SAME(close_vcpu);
	SAME(level);
	SAME(flags);
	SAME(entered);
	SAME(parent_remote);
	SAME(trace);
	assert_false(gt__packed_next(&packs, &at));
	gt__packed_fini(&at);
	gt__packs_fini(&packs);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_shown_as_of_all),
		cmocka_unit_test(a_hostile_order_shows_the_same),
		cmocka_unit_test(packing_changes_nothing),
	};

	return cmocka_run_group_tests(tests, make_sites, NULL);
}
