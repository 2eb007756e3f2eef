/* SPDX-License-Identifier: MIT */
/*
 * The name of the function around a site, by an address that the guest gives:
 * as C's __func__ has it, or none at all.
 */
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAGE    4096u
#define LONGEST GT_SITE_FUNCTION_BYTES_MAX

static char shown[LONGEST + 1];
static unsigned records;
static uint8_t capture[1 << 16];
static size_t capture_bytes;

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	(void)trace;
	records++;
	assert_in_range(event->site->function.count, 0, LONGEST);
	memcpy(shown,
	       event->site->function.bytes ? event->site->function.bytes : "",
	       event->site->function.count);
	shown[event->site->function.count] = '\0';
	return 0;
}

static struct gt_sink sink = {.event = on_event};
static struct gt_sink *const sinks[] = {&sink};

static int store(void *context, const void *bytes, size_t count)
{
	(void)context;
	assert_in_range(count, 0, sizeof(capture) - capture_bytes);
	memcpy(capture + capture_bytes, bytes, count);
	capture_bytes += count;
	return 0;
}

static long load(void *at, void *bytes, size_t count)
{
	size_t *from = at;

	if (count > capture_bytes - *from)
		count = capture_bytes - *from;
	memcpy(bytes, capture + *from, count);
	*from += count;
	return (long)count;
}

static int setup(void **unused)
{
	(void)unused;
	bare_new();
	bare_init();
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	inproc_clear();
	bare_free();
	return 0;
}

/* As GT_SITE_() of guest.h makes them: the address is the site's last word. */
static void give_address(uint64_t gva)
{
	ram->site.flags = GT_SITE_FUNCTION;
	ram->site.size = sizeof(ram->site) + 32;
	memcpy(ram->site_text + 24, &gva, sizeof(gva));
}

/* In the second half of the ring, which nobody reads. */
static void give_name(size_t at, const char *name, size_t count)
{
	memcpy(ram->ring + at, name, count);
	give_address(GVA(ring) + at);
}

/* What a record of the site says, live and from the capture. */
static const char *show(size_t sites_bytes_max)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	struct gt_output output = {.write = store};
	char live[LONGEST + 1];
	struct gt_host *host;
	size_t from = 0;

	memset(shown, 'x', sizeof(shown));
	capture_bytes = records = 0;
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.limits.sites_bytes = sites_bytes_max;
	options.sinks = sinks;
	options.sink_count = 1;
	options.capture = output;
	assert_int_equal(gt_host_new(&options, &host), 0);
	assert_int_equal(gt_host_exit(host, 0, &exit), 1);
	bare_record(&ram->vcpu);
	assert_int_equal(gt_host_finish(host, GT_ENDING_HALTED, 0, NULL), 0);
	gt_host_free(host);
	assert_int_equal(records, 1);
	memcpy(live, shown, sizeof(live));
	assert_int_equal(gt_replay(&(struct gt_replay_options){
				 .size = sizeof(struct gt_replay_options),
				 .read = load,
				 .context = &from,
				 .sinks = sinks,
				 .sink_count = 1}),
	                 0);
	assert_int_equal(records, 2);
	assert_string_equal(live, shown);
	return shown;
}

static void a_site_without_an_address_lies_nowhere(void **unused)
{
	(void)unused;
	assert_string_equal(show(0), "");
	give_address(0);
	ram->vcpu.ring[0].pos = 0;
	assert_string_equal(show(0), "");
}

static void the_name_at_the_address_is_the_functions(void **unused)
{
	(void)unused;
	give_name(5000, __func__, sizeof(__func__));
	assert_string_equal(show(0), __func__);
}

static void a_name_may_lie_around_the_end_of_a_page(void **unused)
{
	(void)unused;
	for (unsigned before = 0; before < 7; before++) {
		ram->vcpu.ring[0].pos = 0;
		give_name(PAGE - before, "around", 7);
		assert_string_equal(show(0), "around");
	}
}

static void a_name_may_end_where_memory_does(void **unused)
{
	(void)unused;
	give_name(2 * PAGE - 5, "last", 5);
	assert_string_equal(show(0), "last");
}

static void expect_none(void)
{
	ram->vcpu.ring[0].pos = 0;
	assert_string_equal(show(0), "");
}

static void what_is_no_name_is_none(void **unused)
{
	char longest[LONGEST + 2];

	(void)unused;
	memset(longest, 'n', sizeof(longest));
	give_name(5000, longest, sizeof(longest));
	expect_none();
	ram->ring[5000 + LONGEST] = 0;
	ram->vcpu.ring[0].pos = 0;
	assert_int_equal(strlen(show(0)), LONGEST);
	give_name(5000, "", 1);
	expect_none();
	give_name(5000, "a\nb", 4);
	expect_none();
	give_name(5000, "a b", 4);
	expect_none();
	give_name(5000, "\xc3\xa9", 3);
	expect_none();
	give_name(2 * PAGE - 4, "ends", 4); /* without its NUL */
	expect_none();
	give_address(NOWHERE);
	expect_none();
	give_address(UINT64_MAX);
	expect_none();
}

/* Neither are the last bytes of text, which are then no field's. */
static void a_site_without_room_for_the_word_is_none(void **unused)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	struct gt_host *host;

	(void)unused;
	ram->site.flags = GT_SITE_FUNCTION;
	ram->site.size = sizeof(ram->site) + 7;
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.sinks = sinks;
	options.sink_count = 1;
	records = 0;
	assert_int_equal(gt_host_new(&options, &host), 0);
	assert_int_equal(gt_host_exit(host, 0, &exit), 1);
	bare_record(&ram->vcpu);
	gt_host_finish(host, GT_ENDING_HALTED, 0, NULL);
	gt_host_free(host);
	assert_int_equal(records, 0);
}

/* What the table and its names take is what the limit says. */
static void names_beyond_the_limit_are_left_out(void **unused)
{
	size_t table = sizeof(ram->site) + sizeof(ram->site_text);

	(void)unused;
	give_name(5000, "function", 9);
	assert_string_equal(show(table + 9), "function");
	ram->vcpu.ring[0].pos = 0;
	assert_string_equal(show(table + 8), "");
}

/* A flag of the host's own, set by a guest, names a place in the payload. */
static void a_guest_may_point_into_its_own_table(void **unused)
{
	(void)unused;
	for (unsigned at = 0; at < 300; at++) {
		give_address(at);
		ram->site.flags = GT_SITE_NAMED;
		ram->vcpu.ring[0].pos = 0;
		assert_in_range(strlen(show(0)), 0, LONGEST);
	}
	give_address(sizeof(ram->site));
	ram->site.flags = GT_SITE_NAMED;
	ram->vcpu.ring[0].pos = 0;
	assert_string_equal(show(0), "honest"); /* its name, then */
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_site_without_an_address_lies_nowhere),
		T(the_name_at_the_address_is_the_functions),
		T(a_name_may_lie_around_the_end_of_a_page),
		T(a_name_may_end_where_memory_does),
		T(what_is_no_name_is_none),
		T(a_site_without_room_for_the_word_is_none),
		T(names_beyond_the_limit_are_left_out),
		T(a_guest_may_point_into_its_own_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
