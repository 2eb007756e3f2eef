/* SPDX-License-Identifier: MIT */
/*
 * Random programs of spans and events, recorded by the guest library and read
 * by the host library, against a model of what they mean.
 */
#define GT_TARGET "property"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include <guesttrace/guest.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SLOTS     24
#define DEPTH_MAX 40
#define STACK_MAX 200u

static uint64_t ring[64 << 10 >> 3];

/* ---- The model ----------------------------------------------------------- */

struct model_span {
	uint64_t id;
	const char *name;
	unsigned events;
	char fields[4096];
};

static struct model_span open_spans[SLOTS + DEPTH_MAX];
static uint64_t stack[STACK_MAX + DEPTH_MAX];
static unsigned stack_count;
static char *expected;
static size_t expected_count, expected_room;

__attribute__((format(printf, 1, 2))) static void expect(const char *format,
                                                         ...)
{
	va_list arguments;

	if (expected_room - expected_count < 8192) {
		expected_room = 2 * expected_room + 65536;
		expected = realloc(expected, expected_room);
	}
	va_start(arguments, format);
	expected_count += (size_t)vsnprintf(expected + expected_count,
	                                    expected_room - expected_count,
	                                    format, arguments);
	va_end(arguments);
}

static uint64_t top(void)
{
	return stack_count ? stack[stack_count - 1] : 0;
}

static void push(uint64_t id)
{
	stack[stack_count++] = id;
}

/* The latest entry; false: there is none. */
static bool remove_from_stack(uint64_t id)
{
	for (unsigned i = stack_count; i-- > 0;)
		if (stack[i] == id) {
			memmove(stack + i, stack + i + 1,
			        (stack_count - i - 1) * sizeof(*stack));
			stack_count--;
			return true;
		}
	return false;
}

static struct model_span *find(uint64_t id)
{
	for (unsigned i = 0; i < SLOTS + DEPTH_MAX; i++)
		if (open_spans[i].id == id)
			return &open_spans[i];
	return NULL;
}

static void model_open(uint64_t id, uint64_t parent, const char *name,
                       const char *fields)
{
	struct model_span *span = find(0);

	assert_non_null(span);
	*span = (struct model_span){.id = id, .name = name};
	snprintf(span->fields, sizeof(span->fields), "%s", fields);
	expect("open %s %" PRIu64 "<%" PRIu64 "%s\n", name, id, parent, fields);
}

static void model_close(uint64_t id)
{
	struct model_span *span = find(id);

	while (remove_from_stack(id))
		;
	expect("close %s %" PRIu64, span->name, id);
	if (span->events)
		expect(" events=%u", span->events);
	expect("%s\n", span->fields);
	span->id = 0;
}

static void model_event(const char *name, uint64_t parent, const char *fields)
{
	if (parent && find(parent))
		find(parent)->events++;
	expect("event %s <%" PRIu64 "%s\n", name, parent, fields);
}

static void model_fields(uint64_t id, const char *fields)
{
	struct model_span *span = find(id);
	size_t used = strlen(span->fields);

	snprintf(span->fields + used, sizeof(span->fields) - used, "%s",
	         fields);
}

/* ---- The program --------------------------------------------------------- */

static uint64_t seed;
static struct gt_span slots[SLOTS];

static uint64_t random_to(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static const char *random_text(void)
{
	static char text[300];
	size_t length = random_to(sizeof(text));

	for (size_t i = 0; i < length; i++)
		text[i] = (char)('a' + random_to(26));
	text[length] = '\0';
	return text;
}

static void some_event(void)
{
	char fields[512];
	uint64_t n = random_to(UINT64_MAX);
	const char *text;

	switch (random_to(3)) {
	case 0:
		GT_EVENT(GT_INFO, "plain");
		model_event("plain", top(), "");
		break;
	case 1:
		GT_EVENT(GT_WARN, "number", gt_u64("n", n),
		         gt_bool("b", n & 1));
		snprintf(fields, sizeof(fields), " n=%" PRIu64 " b=%s", n,
		         n & 1 ? "true" : "false");
		model_event("number", top(), fields);
		break;
	default:
		text = random_text();
		GT_EVENT(GT_DEBUG, "text", gt_i64("i", -(int64_t)(n >> 1)),
		         gt_str("s", text));
		snprintf(fields, sizeof(fields), " i=%" PRId64 " s=%s",
		         -(int64_t)(n >> 1), text);
		model_event("text", top(), fields);
	}
}

static void open_slot(struct gt_span *slot)
{
	const struct gt_span *far = &slots[random_to(SLOTS)];
	char fields[64];
	uint64_t n = random_to(1000);

	switch (random_to(3)) {
	case 0:
		GT_OPEN(*slot, GT_INFO, "apart", gt_u64("n", n));
		snprintf(fields, sizeof(fields), " n=%" PRIu64, n);
		model_open(slot->id, top(), "apart", fields);
		break;
	case 1:
		GT_OPEN(*slot, GT_INFO, "root", gt_root());
		model_open(slot->id, 0, "root", "");
		break;
	default:
		n = far->id;
		GT_OPEN(*slot, GT_INFO, "child", gt_parent_id(n));
		model_open(slot->id, n, "child", "");
	}
}

static bool is_entered(uint64_t id)
{
	for (unsigned i = 0; i < stack_count; i++)
		if (stack[i] == id)
			return true;
	return false;
}

static void use_slot(struct gt_span *slot)
{
	char fields[64];
	uint64_t id = slot->id, n = random_to(1000);

	switch (random_to(4)) {
	case 0:
		/* Now and then once more. */
		if (is_entered(id) &&
		    (stack_count == STACK_MAX || random_to(3) > 0)) {
			gt_exit(slot);
			remove_from_stack(id);
		} else if (stack_count < STACK_MAX) {
			gt_enter(slot);
			push(id);
		}
		break;
	case 1:
		GT_RECORD(*slot, gt_u64("late", n), gt_i64("neg", -5));
		snprintf(fields, sizeof(fields), " late=%" PRIu64 " neg=-5", n);
		model_fields(id, fields);
		break;
	case 2:
		some_event();
		break;
	default:
		gt_close(slot);
		model_close(id);
	}
}

static void steps(unsigned depth, unsigned count);

static void scope(unsigned depth, unsigned count)
{
	char fields[32];
	uint64_t id;

	GT_SPAN(inner, GT_INFO, "scope", gt_u64("depth", depth));
	id = inner.id;
	snprintf(fields, sizeof(fields), " depth=%u", depth);
	model_open(id, top(), "scope", fields);
	push(id);
	steps(depth + 1, count);
	model_close(id);
}

static void steps(unsigned depth, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct gt_span *slot = &slots[random_to(SLOTS)];

		if (random_to(8) == 0 && depth < DEPTH_MAX - 1)
			scope(depth, (unsigned)random_to(12));
		else if (!slot->id)
			open_slot(slot);
		else
			use_slot(slot);
	}
}

static void run(uint64_t number, size_t ring_bytes)
{
	struct gt_host_options host = inproc_options();
	struct gt_options guest = {
		.size = sizeof(guest), .ring = ring, .ring_bytes = ring_bytes};

	seed = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
	memset(open_spans, 0, sizeof(open_spans));
	memset(slots, 0, sizeof(slots));
	stack_count = 0;
	expected_count = 0;
	inproc_clear();
	assert_int_equal(gt_host_new(&host, &inproc_host), 0);
	gt_init(&guest);
	steps(0, 400);
	for (unsigned i = 0; i < SLOTS; i++)
		if (slots[i].id) {
			uint64_t id = slots[i].id;

			gt_close(&slots[i]);
			model_close(id);
		}
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	gt_host_free(inproc_host);
	inproc_host = NULL;
}

static void random_programs_mean_what_the_model_says(void **state)
{
	(void)state;
	for (uint64_t number = 1; number <= 300; number++) {
		run(number, (size_t)GT_RING_BYTES_MIN << number % 5);
		assert_int_equal(inproc_summary.losses.records, 0);
		assert_int_equal(inproc_summary.losses.unknown_spans, 0);
		assert_int_equal(inproc_summary.losses.adjusted_records, 0);
		assert_int_equal(strlen(inproc_text()), expected_count);
		assert_memory_equal(inproc_text(), expected, expected_count);
	}
	free(expected);
	inproc_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_programs_mean_what_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
