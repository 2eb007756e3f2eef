/* SPDX-License-Identifier: MIT */
/*
 * A host without memory for what its rings hold: it says so, nothing counts as
 * taken, and the next look has it all. And a guest that takes away the page of
 * its descriptions between look and answer: of several errors the first is
 * told.
 */
#define GT_TARGET "memory"
#include "tests/support/guest_settings.h"
#include "tests/support/inproc.h"

#include "host/live/host_inside.h"

#include <guesttrace/guest.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static unsigned long reallocs, refused;

void *__real_realloc(void *old, size_t count);
void *__wrap_realloc(void *old, size_t count);

void *__wrap_realloc(void *old, size_t count)
{
	return ++reallocs == refused ? NULL : __real_realloc(old, count);
}

static uint64_t ring[(16u << 10) / 8];
static struct gt__frame_buffer buffer;

static int setup(void **unused)
{
	struct gt_host_options host = inproc_options();

	(void)unused;
	inproc_clear();
	if (gt_host_new(&host, &inproc_host) < 0)
		return -1;
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = sizeof(ring)});
	for (uint64_t i = 0; i < 100; i++)
		GT_EVENT(GT_INFO, "e", gt_u64("i", i));
	return 0;
}

static int teardown(void **unused)
{
	refused = 0;
	free(buffer.bytes);
	buffer = (struct gt__frame_buffer){NULL};
	return inproc_teardown(unused);
}

/* With the nth time that it grows refused; 0: none is. */
static int read_rings(unsigned long nth)
{
	int error = 0, r;

	free(buffer.bytes);
	buffer = (struct gt__frame_buffer){NULL};
	reallocs = 0;
	refused = nth;
	gt__frame_begin(&buffer); /* by malloc(): compilers know that it is */
	r = gt__guest_read(&inproc_host->guest, &inproc_host->vcpus[0].paging,
	                   0, &buffer, &error);
	refused = 0;
	return r < 0 ? r : error < 0 ? error : r;
}

static void a_lack_of_memory_is_told_and_costs_nothing(void **unused)
{
	unsigned long times;

	(void)unused;
	assert_int_equal(read_rings(0), 1);
	times = reallocs;
	assert_true(times >= 2);
	for (unsigned long nth = 1; nth <= times; nth++)
		assert_int_equal(read_rings(nth), -ENOMEM);
	assert_int_equal(inproc_host->guest.rings[0][0].tail, 0);
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	assert_int_equal(inproc_summary.events, 100);
}

static void of_two_errors_the_first_is_told(void **unused)
{
	struct gt__paging nowhere = inproc_host->vcpus[0].paging;
	uint8_t *ranges;

	(void)unused;
	assert_int_equal(read_rings(0), 1);
	/* As if each level that has a ring had had something. */
	ranges = buffer.bytes + GT__FRAME_HEAD + 56;
	for (unsigned i = 0; i < GT_LEVELS; i++, ranges += 16)
		gt__store64(ranges, gt__load64(ranges) + 8);
	nowhere.cr3 = UINT64_C(1) << 50;
	assert_true(gt__guest_taken(&inproc_host->guest, &nowhere, 0, &buffer) <
	            0);
	/* What could not be said to the guest is so all the same. */
	assert_true(inproc_host->guest.rings[0][0].tail > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_lack_of_memory_is_told_and_costs_nothing, setup,
			teardown),
		cmocka_unit_test_setup_teardown(of_two_errors_the_first_is_told,
	                                        setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
