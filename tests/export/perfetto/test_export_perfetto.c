/* SPDX-License-Identifier: MIT */
/*
 * The Perfetto exporter, read back by a small reader of its own: the bytes are
 * protobuf, and what a viewer makes of them is what was fed in. (The same is
 * done with Perfetto's trace processor, tests/end-to-end/readers/slices.mjs.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/synthetic.h"

struct bytes {
	unsigned char *at;
	size_t count;
};

static int append(void *context, const void *bytes, size_t count)
{
	struct bytes *b = context;

	b->at = realloc(b->at, b->count + count);
	assert_non_null(b->at);
	memcpy(b->at + b->count, bytes, count);
	b->count += count;
	return 0;
}

/* One field of a message: a number, or the bytes of a length-delimited one. */
struct field {
	unsigned number;
	unsigned wire_type;
	uint64_t value;
	struct bytes bytes;
};

static uint64_t read_varint(struct bytes *b)
{
	uint64_t value = 0;
	unsigned shift = 0;

	for (;; shift += 7) {
		assert_true(b->count > 0 && shift < 64);
		value |= (uint64_t)(*b->at & 0x7f) << shift;
		b->count--;
		if (!(*b->at++ & 0x80))
			return value;
	}
}

static bool read_field(struct bytes *b, struct field *f)
{
	uint64_t tag;
	size_t count = 0;

	if (!b->count)
		return false;
	tag = read_varint(b);
	memset(f, 0, sizeof *f);
	f->number = (unsigned)(tag >> 3);
	f->wire_type = (unsigned)(tag & 7);
	if (f->wire_type == 0) {
		f->value = read_varint(b);
		return true;
	}
	assert_true(f->wire_type == 1 || f->wire_type == 2);
	count = f->wire_type == 1 ? 8 : (size_t)read_varint(b);
	assert_true(count <= b->count);
	f->bytes = (struct bytes){b->at, count};
	b->at += count;
	b->count -= count;
	return true;
}

/* The first field of that number; its value and bytes are 0 if there is none.
 */
static struct field find(struct bytes b, unsigned number)
{
	struct field f;

	while (read_field(&b, &f))
		if (f.number == number)
			return f;
	return (struct field){0};
}

struct slice_event {
	uint64_t time_ns;
	size_t order;
	uint64_t track;
	uint64_t type;       /* 1 begin, 2 end, 3 instant, 4 counter */
	uint64_t id;         /* of a begin */
	uint64_t earlier_ns; /* of an end that had to be moved: its true time */
};

static struct slice_event events[65536];
static size_t event_count;

/* Names of annotations by their interned number. */
static struct bytes keys[1024];

static void read_interned(struct bytes data)
{
	struct field f;
	uint64_t number;

	while (read_field(&data, &f)) {
		if (f.number != 3)
			continue;
		number = find(f.bytes, 1).value;
		assert_true(number > 0 && number < 1024);
		keys[number] = find(f.bytes, 2).bytes;
	}
}

/* The debug annotation of that name; empty if there is none. */
static struct bytes annotation(struct bytes event, const char *key)
{
	struct bytes name;
	struct field f;

	while (read_field(&event, &f)) {
		if (f.number != 4)
			continue;
		name = keys[find(f.bytes, 1).value];
		if (name.count == strlen(key) &&
		    !memcmp(name.at, key, name.count))
			return f.bytes;
	}
	return (struct bytes){0};
}

static uint64_t span_id_of(struct bytes event)
{
	struct field text = find(annotation(event, "guesttrace.span_id"), 6);
	char digits[17] = "";

	if (!text.bytes.count)
		return 0;
	assert_int_equal(text.bytes.count, 16);
	memcpy(digits, text.bytes.at, 16);
	return strtoull(digits, NULL, 16);
}

static void read_trace(struct bytes b)
{
	struct field packet, event;
	bool first = true;
	uint64_t machine = find(find(b, 1).bytes, 98).value;
	uint64_t sequence = find(find(b, 1).bytes, 10).value;

	assert_true(machine > 0 && sequence > 0);
	event_count = 0;
	while (read_field(&b, &packet)) {
		assert_int_equal(packet.number, 1);
		assert_int_equal(find(packet.bytes, 98).value, machine);
		assert_int_equal(find(packet.bytes, 10).value, sequence);
		assert_int_equal(find(packet.bytes, 13).value, first ? 3 : 2);
		first = false;
		read_interned(find(packet.bytes, 12).bytes);
		event = find(packet.bytes, 11);
		if (!event.bytes.count)
			continue;
		assert_true(event_count < 65536);
		events[event_count] = (struct slice_event){
			.time_ns = find(packet.bytes, 8).value,
			.order = event_count,
			.track = find(event.bytes, 11).value,
			.type = find(event.bytes, 9).value,
			.id = span_id_of(event.bytes),
			.earlier_ns =
				find(annotation(event.bytes, "guesttrace.ended_"
		                                             "earlier_ns"),
		                     3)
					.value,
		};
		event_count++;
	}
}

static int by_track_and_time(const void *left, const void *right)
{
	const struct slice_event *a = left, *b = right;

	if (a->track != b->track)
		return a->track < b->track ? -1 : 1;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Sum of a span's stretches, as a viewer that pops the top at an end sees it.
 */
static uint64_t shown_ns(uint64_t id)
{
	static struct slice_event stack[65536];
	size_t i, depth = 0;
	uint64_t sum = 0;

	for (i = 0; i < event_count; i++) {
		if (events[i].type == 1)
			stack[depth++] = events[i];
		if (events[i].type != 2)
			continue;
		assert_true(depth > 0);
		depth--;
		assert_true(stack[depth].track == events[i].track);
		if (stack[depth].id == id)
			sum += events[i].time_ns - events[i].earlier_ns -
			       stack[depth].time_ns;
	}
	assert_int_equal(depth, 0);
	return sum;
}

struct copy {
	uint64_t id;
	uint64_t duration_ns;
};

static struct copy spans[4096];
static size_t span_count;

static int keep(struct gt_sink *sink, const struct gt_trace *trace,
                const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	spans[span_count++] = (struct copy){
		.id = span->id,
		.duration_ns = span->end_ns - span->start_ns,
	};
	return 0;
}

static void slices_have_the_durations_of_the_spans(void **state)
{
	struct gt_sink keeper = {
		.close = keep,
		.finish = syn_finish_nothing,
		.free = syn_free_nothing,
	};
	unsigned seed;
	size_t i;

	(void)state;
	for (seed = 1; seed <= 5; seed++) {
		struct bytes b = {0};
		struct gt_output output = {append, &b};
		struct syn s = {.sink_count = 2};

		s.sinks[1] = &keeper;
		span_count = 0;
		assert_int_equal(gt_perfetto_new(&output, &s.sinks[0]), 0);
		syn_random(&s, 0, seed, 1500);
		assert_int_equal(syn_finish(&s), 0);
		read_trace(b);
		qsort(events, event_count, sizeof *events, by_track_and_time);
		assert_true(span_count > 100);
		for (i = 0; i < span_count; i++)
			assert_int_equal(shown_ns(spans[i].id),
			                 spans[i].duration_ns);
		syn_free(&s);
		free(b.at);
	}
}

static void a_run_of_everything_has_its_instants_and_counters(void **state)
{
	struct bytes b = {0};
	struct gt_output output = {append, &b};
	struct syn s = {.sink_count = 1};
	size_t i, instants = 0, counters = 0, begins = 0;

	(void)state;
	assert_int_equal(gt_perfetto_new(&output, &s.sinks[0]), 0);
	syn_everything(&s, 0);
	assert_int_equal(syn_finish(&s), 0);
	read_trace(b);
	for (i = 0; i < event_count; i++) {
		begins += events[i].type == 1;
		instants += events[i].type == 3;
		counters += events[i].type == 4;
	}
	/* Two are split; the host's; two losses. */
	assert_int_equal(begins, 12 + 2 + 12 + 2);
	assert_int_equal(instants, 4 + 1 + 1); /* one span ends elsewhere; the
	                                          run's end */
	assert_int_equal(counters, 3);         /* one of them has two values */
	syn_free(&s);
	free(b.at);
}

/* The unit of the first counter track; no bytes: it has none. */
static struct bytes unit_of_counter(struct bytes b)
{
	struct field packet, counter;

	while (read_field(&b, &packet)) {
		counter = find(find(packet.bytes, 60).bytes, 8);
		if (counter.wire_type == 2)
			return find(counter.bytes, 6).bytes;
	}
	fail();
	return (struct bytes){0};
}

static void a_counter_has_the_unit_that_its_key_says(void **state)
{
	static const struct {
		const char *key, *unit;
	} cases[] = {
		{"sent [By]", "By"},
		{"sent [+By]", "By"},
		{"[+-{page}]", "{page}"},
		{"load [1]", "1"},
		{"n [+]", ""},
		{"n[By]", ""},
		{"[]", ""},
		{"By]", ""},
		{"n", ""},
	};
	const struct gt_site_view site = {.name = {"net", 3}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bytes b = {0}, unit;
		struct gt_output output = {append, &b};
		struct syn s = {.sink_count = 1};
		struct gt_field f = {
			.key = {cases[i].key, strlen(cases[i].key)},
			.type = GT_TYPE_U64,
			.value.u64 = 1,
		};

		assert_int_equal(gt_perfetto_new(&output, &s.sinks[0]), 0);
		syn_begin(&s, 0, "guest");
		syn_counter(&s, &site, NULL, 0, 1000, &f, 1);
		syn_end(&s, 2000);
		assert_int_equal(syn_finish(&s), 0);
		unit = unit_of_counter(b);
		assert_int_equal(unit.count, strlen(cases[i].unit));
		if (unit.count)
			assert_memory_equal(unit.at, cases[i].unit, unit.count);
		syn_free(&s);
		free(b.at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_have_the_durations_of_the_spans),
		cmocka_unit_test(
			a_run_of_everything_has_its_instants_and_counters),
		cmocka_unit_test(a_counter_has_the_unit_that_its_key_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
