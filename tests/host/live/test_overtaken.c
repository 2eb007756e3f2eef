/* SPDX-License-Identifier: MIT */
/*
 * A flight recorder that goes on while its ring is being copied: what it may have
 * overwritten meanwhile is not shown (threat H1).
 */
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define RECORD_BYTES 16u

/* By how much `pos` goes on when the ring is next read; 0: not at all. */
static uint64_t haste;
static bool hides_pos; /* from then on */

static int read_there(void *memory, uint64_t offset, void *to, size_t count)
{
	const uint64_t ring_at = offsetof(struct ram, ring);
	const uint64_t pos_at = offsetof(struct ram, vcpu.ring[0].pos);

	if (hides_pos && haste == 0 && offset == pos_at)
		return -1;
	memcpy(to, (const uint8_t *)memory + offset, count);
	if (haste && offset >= ring_at && offset < ring_at + 4096) {
		ram->vcpu.ring[0].pos += haste;
		haste = 0;
	}
	return 0;
}

static int write_there(void *memory, uint64_t offset, const void *from,
                       size_t count)
{
	memcpy((uint8_t *)memory + offset, from, count);
	return 0;
}

static int setup(void **unused)
{
	static const struct gt_memory_access access = {.read = read_there,
	                                               .write = write_there};
	struct gt_host_options options = inproc_options();
	struct gt_exit exit;

	(void)unused;
	haste = 0;
	hides_pos = false;
	bare_new();
	bare_init();
	ram->vcpu.ring[0].mode = GT_RING_OVERWRITE;
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.memory[0].access = &access;
	inproc_clear();
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 1);
	return 0;
}

static int teardown(void **unused)
{
	gt_host_free(inproc_host);
	inproc_host = NULL;
	bare_free();
	return inproc_teardown(unused);
}

/* Events shown of so many bytes that were recorded. */
static size_t shown(uint64_t bytes, uint64_t then)
{
	struct gt_exit exit = bare_exit(GT_DOORBELL_FLUSH, GVA(control));

	for (uint64_t at = 0; at < bytes; at += RECORD_BYTES)
		bare_record(&ram->vcpu);
	haste = then;
	gt_host_exit(inproc_host, 0, &exit);
	assert_int_equal(haste, 0);
	return strlen(inproc_text()) / strlen("event honest <0\n");
}

static void a_guest_that_stays_within_the_ring_costs_nothing(void **unused)
{
	(void)unused;
	/* The block from 3,072 on is begun: that from 0 on is whole. */
	assert_int_equal(shown(1024, 2048), 1024 / RECORD_BYTES);
}

static void the_block_that_it_begins_to_overwrite_is_cut_off(void **unused)
{
	(void)unused;
	/* The block from 4,096 on is begun, where that from 0 on was. */
	assert_int_equal(shown(2048, 2048), 1024 / RECORD_BYTES);
}

static void all_that_it_may_have_overwritten_is_cut_off(void **unused)
{
	(void)unused;
	assert_int_equal(shown(1024, 3072), 0);
}

static void far_ahead_is_no_more_than_all(void **unused)
{
	(void)unused;
	assert_int_equal(shown(1024, 1 << 20), 0);
}

/* Where it is now cannot be read: it is taken for where it was. */
static void a_position_that_is_gone_cuts_nothing(void **unused)
{
	(void)unused;
	hides_pos = true;
	assert_int_equal(shown(1024, 8), 1024 / RECORD_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_guest_that_stays_within_the_ring_costs_nothing),
		T(the_block_that_it_begins_to_overwrite_is_cut_off),
		T(all_that_it_may_have_overwritten_is_cut_off),
		T(far_ahead_is_no_more_than_all),
		T(a_position_that_is_gone_cuts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
