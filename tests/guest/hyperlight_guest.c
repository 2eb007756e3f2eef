/* SPDX-License-Identifier: MIT */
#include "hyperlight_guest.h"

#include <guesttrace/host.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void (*hyperlight_interrupt)(void);
char hyperlight_text[1 << 20];
unsigned hyperlight_batches, hyperlight_events;
size_t hyperlight_longest;

static uint64_t now;
static enum gt_wire wire;
static size_t text_count;

uint64_t test_tsc(void)
{
	void (*interrupt)(void) = hyperlight_interrupt;

	hyperlight_interrupt = NULL;
	if (interrupt)
		interrupt();
	return ++now;
}

/* ---- Batches as text: a line per event, "--" ends a batch ---------------- */

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_count += (size_t)vsnprintf(hyperlight_text + text_count,
	                                sizeof(hyperlight_text) - text_count,
	                                format, arguments);
	va_end(arguments);
	assert_true(text_count < sizeof(hyperlight_text));
}

static void say_event(const struct gt_hyperlight_event *event)
{
	switch (event->kind) {
	case GT_HYPERLIGHT_OPEN:
		say("open %" PRIu64, event->id);
		if (event->has_parent)
			say("<%" PRIu64, event->parent);
		say(" %.*s@%.*s", (int)event->name.count, event->name.bytes,
		    (int)event->target.count, event->target.bytes);
		break;
	case GT_HYPERLIGHT_CLOSE:
		say("close %" PRIu64, event->id);
		break;
	case GT_HYPERLIGHT_LOG:
		say("log <%" PRIu64 " %.*s", event->parent,
		    (int)event->name.count, event->name.bytes);
		break;
	case GT_HYPERLIGHT_EDIT:
		say("edit %" PRIu64, event->id);
		break;
	case GT_HYPERLIGHT_START:
		say("start");
		break;
	}
	if (event->kind != GT_HYPERLIGHT_EDIT)
		say(" t%" PRIu64, event->tsc);
}

static int show(void *context, const struct gt_hyperlight_event *event)
{
	(void)context;
	hyperlight_events++;
	say_event(event);
	for (uint32_t i = 0; i < event->field_count; i++) {
		struct gt_hyperlight_field field =
			gt_hyperlight_field(event, i);

		say(" %.*s=%.*s", (int)field.key.count, field.key.bytes,
		    (int)field.value.count, field.value.bytes);
	}
	say("\n");
	return 0;
}

void test_batch(const void *batch, size_t bytes)
{
	assert_int_equal((uintptr_t)batch % 8, 0);
	assert_int_not_equal(bytes, 0);
	assert_int_equal(gt_hyperlight_decode(wire, batch, bytes, NULL, show,
	                                      NULL, NULL),
	                 0);
	say("--\n");
	hyperlight_batches++;
	if (bytes > hyperlight_longest)
		hyperlight_longest = bytes;
}

void expect(const char *expected)
{
	assert_string_equal(hyperlight_text, expected);
}

void forget(void)
{
	memset(hyperlight_text, 0, text_count);
	text_count = hyperlight_longest = 0;
	hyperlight_batches = hyperlight_events = 0;
}

/* ---- A guest ------------------------------------------------------------- */

struct gt_options strict(void)
{
	return (struct gt_options){.size = sizeof(struct gt_options),
	                           .compat_strict = true};
}

struct gt_options fixed(void)
{
	return (struct gt_options){.size = sizeof(struct gt_options)};
}

gt_encoder_fn *restart(enum gt_wire on)
{
	now = 0;
	hyperlight_interrupt = NULL;
	forget();
	wire = on;
	return on == V11 ? gt_hyperlight_0_11 : gt_hyperlight_0_12;
}
