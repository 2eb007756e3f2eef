/* SPDX-License-Identifier: MIT */
/*
 * The tracestate above a run, on its way into the guest: format.md, "Control
 * block".
 */
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define STATE  "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
#define ROOM   ((char *)ram->ring + 1001) /* of the tests: any bytes there */

static int setup(void **unused)
{
	(void)unused;
	bare_new();
	bare_init();
	memset(ram->ring, 0x55, sizeof(ram->ring));
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	inproc_clear();
	bare_free();
	return 0;
}

/* What the announcement gives, of a host with that context above it. */
static int announce(const char *traceparent, const char *tracestate)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	struct gt_host *host;
	int r;

	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.traceparent = traceparent;
	options.tracestate = tracestate;
	assert_int_equal(gt_host_new(&options, &host), 0);
	r = gt_host_exit(host, 0, &exit);
	gt_host_free(host);
	return r;
}

static void give_room(uint32_t bytes)
{
	ram->control.tracestate_gva = BASE + (uint64_t)(ROOM - (char *)ram);
	ram->control.tracestate_bytes = bytes;
}

static bool untouched(const char *from, const char *to)
{
	while (from < to && *from == 0x55)
		from++;
	return from == to;
}

static void it_is_stored_with_its_end_and_nothing_more(void **unused)
{
	(void)unused;
	give_room(GT_TRACESTATE_BYTES);
	assert_int_equal(announce(PARENT, STATE), 1);
	assert_string_equal(ROOM, STATE);
	assert_true(untouched((char *)ram->ring, ROOM));
	assert_true(untouched(ROOM + sizeof(STATE), (char *)(ram + 1)));
}

static void what_does_not_fit_loses_members(void **unused)
{
	(void)unused;
	give_room(sizeof(STATE) - 1);
	assert_int_equal(announce(PARENT, STATE), 1);
	assert_string_equal(ROOM, "rojo=00f067aa0ba902b7");
	memset(ram->ring, 0x55, sizeof(ram->ring));
	give_room(1);
	assert_int_equal(announce(PARENT, STATE), 1);
	assert_string_equal(ROOM, "");
	assert_true(untouched(ROOM + 1, (char *)(ram + 1)));
}

static void no_more_is_stored_than_a_host_may(void **unused)
{
	char state[8 * 100 + 1] = "";

	(void)unused;
	for (int i = 0; i < 8; i++) {
		char *member = state + strlen(state);

		memset(member, 'a' + i, 97);
		strcpy(member + 97, "=1,");
	}
	give_room(UINT32_MAX);
	assert_int_equal(announce(PARENT, state), 1);
	assert_int_equal(strlen(ROOM), 5 * 99 + 4);
	assert_true(untouched(ROOM + GT_TRACESTATE_BYTES, (char *)(ram + 1)));
}

static void without_one_nothing_is_stored(void **unused)
{
	(void)unused;
	give_room(GT_TRACESTATE_BYTES);
	assert_int_equal(announce(PARENT, NULL), 1);
	assert_int_equal(announce(NULL, STATE), 1); /* of no trace */
	assert_true(untouched((char *)ram->ring, (char *)(ram + 1)));
}

/* A control block of before there was one, or without room. */
static void a_guest_that_does_not_ask_gets_none(void **unused)
{
	(void)unused;
	give_room(0);
	assert_int_equal(announce(PARENT, STATE), 1);
	give_room(GT_TRACESTATE_BYTES);
	ram->control.size = 96;
	assert_int_equal(announce(PARENT, STATE), 1);
	assert_int_equal(ram->control.context.trace_id[0], 0x4b);
	ram->control.size = sizeof(ram->control);
	ram->control.tracestate_gva = 0;
	assert_int_equal(announce(PARENT, STATE), 1);
	assert_true(untouched((char *)ram->ring, (char *)(ram + 1)));
}

static void room_that_is_none_is_refused(void **unused)
{
	static const struct {
		uint64_t gva;
		int code;
	} bad[] = {
		{NOWHERE, GT_ERROR_UNMAPPED},
		{UINT64_C(1) << 63, GT_ERROR_NOT_CANONICAL},
		{UINT64_MAX - 7, GT_ERROR_WRAPS},
		{BASE + sizeof(struct ram) - 4, GT_ERROR_OUTSIDE_RAM},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int r;

		give_room(GT_TRACESTATE_BYTES);
		ram->control.tracestate_gva = bad[i].gva;
		r = announce(PARENT, STATE);
		assert_true(r == -bad[i].code || r == -GT_ERROR_UNMAPPED);
	}
}

static void a_bad_one_makes_no_host(void **unused)
{
	struct gt_host_options options = inproc_options();
	struct gt_host *host = NULL;

	(void)unused;
	options.traceparent = PARENT;
	options.tracestate = "Rojo=1";
	assert_int_equal(gt_host_new(&options, &host),
	                 -GT_ERROR_BAD_TRACESTATE);
	assert_null(host);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_is_stored_with_its_end_and_nothing_more),
		TEST(what_does_not_fit_loses_members),
		TEST(no_more_is_stored_than_a_host_may),
		TEST(without_one_nothing_is_stored),
		TEST(a_guest_that_does_not_ask_gets_none),
		TEST(room_that_is_none_is_refused),
		TEST(a_bad_one_makes_no_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
