/* SPDX-License-Identifier: MIT */
/*
 * Which traces are sampled, on its way into the guest: format.md, "Control
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

#define SAMPLED   "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define UNSAMPLED "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"

static int setup(void **unused)
{
	(void)unused;
	bare_new();
	bare_init();
	memset(&ram->control.sampler, 0x55, sizeof(ram->control.sampler));
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	inproc_clear();
	bare_free();
	return 0;
}

static int announce_at(uint64_t gva, const char *traceparent,
                       struct gt_sampler sampler)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = bare_exit(GT_DOORBELL_ANNOUNCE, gva);
	struct gt_host *host;
	int r;

	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.traceparent = traceparent;
	options.sampler = sampler;
	assert_int_equal(gt_host_new(&options, &host), 0);
	r = gt_host_exit(host, 0, &exit);
	gt_host_free(host);
	return r;
}

static uint32_t flags_with(const char *traceparent, struct gt_sampler sampler)
{
	assert_int_equal(announce_at(GVA(control), traceparent, sampler), 1);
	return ram->control.context.flags;
}

static bool untouched(void)
{
	const uint8_t *bytes = (const uint8_t *)&ram->control.sampler;

	for (size_t i = 0; i < sizeof(ram->control.sampler); i++)
		if (bytes[i] != 0x55)
			return false;
	return true;
}

static const struct gt_sampler none = {GT_SAMPLER_ALL, 1, 0},
			       no_root = {GT_SAMPLER_ALL, 0, 0},
			       all = {0, 1, 0}, usual = {0, 0, 0};

static void the_run_is_sampled_as_it_says(void **unused)
{
	(void)unused;
	assert_int_equal(flags_with(NULL, usual), 3);
	assert_int_equal(flags_with(NULL, all), 3);
	assert_int_equal(flags_with(NULL, none), 2);
	assert_int_equal(flags_with(NULL, no_root), 2);
	assert_int_equal(flags_with(SAMPLED, usual), 1);
	assert_int_equal(flags_with(SAMPLED, no_root), 1);
	assert_int_equal(flags_with(SAMPLED, none), 0);
	assert_int_equal(flags_with(UNSAMPLED, usual), 0);
	assert_int_equal(flags_with(UNSAMPLED, no_root), 0);
	assert_int_equal(flags_with(UNSAMPLED, all), 1);
}

/* The trace's last eight bytes are 0xa3ce929d0e0e4736. */
static void the_bound_is_to_the_bit(void **unused)
{
	struct gt_sampler sampler = {.ignores_parent = 1};
	const uint64_t half = UINT64_C(0xa3ce929d0e0e4736) >> 1;

	(void)unused;
	sampler.dropped = GT_SAMPLER_ALL - half;
	assert_int_equal(flags_with(UNSAMPLED, sampler), 0);
	sampler.dropped--;
	assert_int_equal(flags_with(UNSAMPLED, sampler), 1);
}

static void the_guest_is_told_what_is_not_usual(void **unused)
{
	(void)unused;
	assert_int_equal(announce_at(GVA(control), NULL, usual), 1);
	assert_true(untouched());
	assert_int_equal(announce_at(GVA(control), NULL, none), 1);
	assert_memory_equal(&ram->control.sampler, &none, sizeof(none));
}

/* Control blocks of before there was one; none is read behind its end. */
static void a_guest_without_room_is_told_nothing(void **unused)
{
	static const uint32_t sizes[] = {96, 112, 127};

	(void)unused;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *at = (char *)(ram + 1) - sizes[i];

		ram->control.size = sizes[i];
		assert_int_equal(announce_at(GVA(control), NULL, none), 1);
		assert_true(untouched());
		memcpy(at, &ram->control, sizes[i]);
		assert_int_equal(
			announce_at(BASE + (uint64_t)(at - (char *)ram), NULL,
		                    none),
			1);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_run_is_sampled_as_it_says),
		TEST(the_bound_is_to_the_bit),
		TEST(the_guest_is_told_what_is_not_usual),
		TEST(a_guest_without_room_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
