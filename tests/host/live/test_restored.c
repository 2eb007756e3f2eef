/* SPDX-License-Identifier: MIT */
/*
 * A guest on the native wire that is restored: its RAM lies elsewhere each
 * time, and every page is read-only until the guest itself writes to it.
 */
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"
#include "tests/support/random64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct ram *saved;

static int flush(void)
{
	struct gt_exit exit = bare_exit(GT_DOORBELL_FLUSH, GVA(control));

	return gt_host_exit(inproc_host, 0, &exit);
}

/* An exit that asks for nothing. */
static void look(void)
{
	struct gt_exit exit = bare_exit(0, 0);

	exit.r8 = 0;
	assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 0);
}

static int setup(void **unused)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit;

	(void)unused;
	bare_new();
	bare_init();
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	inproc_clear();
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 1);
	bare_record(&ram->vcpu);
	assert_int_equal(flush(), 1);
	assert_string_equal(inproc_text(), "event honest <0\n");
	inproc_clear();
	saved = aligned_alloc(4096, sizeof(*saved));
	memcpy(saved, ram, sizeof(*saved));
	return 0;
}

static int teardown(void **unused)
{
	free(saved);
	bare_free();
	return inproc_teardown(unused);
}

/* The guest wrote to the page, and has its own from now on. */
static void touch(size_t offset)
{
	ram->tables[4][offset / 4096] |= 2;
}

/* The old RAM is gone before the new one is there. */
static void restore(void)
{
	struct gt_memory_slot slot;
	struct gt_exit state = bare_exit(0, 0);

	assert_true(gt_host_drain(inproc_host) >= 0);
	assert_int_equal(gt_host_set_memory(inproc_host, NULL, 0), 0);
	bare_free();
	assert_int_equal(gt_host_drain(inproc_host), 0);
	assert_int_equal(gt_host_sample(inproc_host), 0);
	assert_int_equal(gt_host_want_wake(inproc_host, false), 0);
	bare_new();
	memcpy(ram, saved, sizeof(*ram));
	bare_map(1);
	slot = bare_slot();
	assert_int_equal(gt_host_set_memory(inproc_host, &slot, 1), 0);
	/* Another thread may look: what is there is of no life yet. */
	assert_int_equal(gt_host_drain(inproc_host), 0);
	assert_int_equal(gt_host_resumed(inproc_host, 0, &state, 0), 0);
	assert_memory_equal(&ram->control, &saved->control,
	                    sizeof(ram->control));
	assert_memory_equal(&ram->vcpu, &saved->vcpu, sizeof(ram->vcpu));
	assert_memory_equal(&ram->site, &saved->site, sizeof(ram->site));
}

static void finish(void)
{
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	assert_int_equal(inproc_summary.losses.bad_requests, 0);
	assert_int_equal(inproc_summary.losses.bad_records, 0);
}

static void what_comes_before_the_first_exit_is_not_lost(void **unused)
{
	(void)unused;
	restore();
	for (unsigned i = 0; i < 3; i++)
		bare_record(&ram->vcpu);
	touch(offsetof(struct ram, vcpu));
	touch(offsetof(struct ram, ring));
	assert_int_equal(flush(), 1);
	assert_string_equal(inproc_text(), "event honest <0\nevent honest <0\n"
	                                   "event honest <0\n");
	assert_int_equal(ram->vcpu.ring[0].tail, ram->vcpu.ring[0].pos);
	finish();
}

static void a_page_is_written_once_the_guest_has_it(void **unused)
{
	(void)unused;
	restore();
	look();
	assert_int_equal(ram->control.generation, 0);
	touch(offsetof(struct ram, control));
	look();
	assert_int_equal(ram->control.generation, 1);
	finish();
}

static void a_filter_reaches_sites_when_they_can_be_written(void **unused)
{
	(void)unused;
	restore();
	assert_int_equal(ram->site.state, GT_SITE_NATIVE);
	assert_int_equal(gt_host_set_filter(inproc_host, "off"), 0);
	look();
	assert_int_equal(ram->site.state, GT_SITE_NATIVE);
	touch(offsetof(struct ram, site));
	look();
	assert_int_equal(ram->site.state, GT_SITE_OFF);
	finish();
}

/* A page that nobody writes to costs no walk of all at each exit for ever. */
static void tries_become_rare(void **unused)
{
	(void)unused;
	restore();
	for (unsigned i = 0; i < 1000; i++)
		look();
	touch(offsetof(struct ram, control));
	for (unsigned i = 0; i < 64; i++)
		look();
	assert_int_equal(ram->control.generation, 1);
	finish();
}

static void a_tail_in_a_page_of_its_own_waits_and_loses_nothing(void **unused)
{
	struct gt_vcpu *vcpu = &ram->vcpu;

	(void)unused;
	restore();
	vcpu = &ram->vcpu;
	for (unsigned i = 0; i < 40; i++) {
		bare_record(vcpu);
		assert_int_equal(flush(), 1);
	}
	touch(offsetof(struct ram, vcpu));
	look();
	assert_int_equal(vcpu->ring[0].tail, vcpu->ring[0].pos);
	finish();
	assert_int_equal(inproc_summary.events, 41);
}

static void it_may_be_restored_any_number_of_times(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 100; i++) {
		restore();
		bare_record(&ram->vcpu);
		touch(offsetof(struct ram, vcpu));
		assert_int_equal(flush(), 1);
	}
	finish();
	assert_int_equal(inproc_summary.events, 101);
}

/* Threat B9. */
/* Without a restore: the next exit brings page tables, and all goes on. */
static void memory_may_move_alone(void **unused)
{
	struct ram *moved = aligned_alloc(4096, sizeof(*moved));
	struct gt_memory_slot slot;

	(void)unused;
	bare_record(&ram->vcpu);
	memcpy(moved, ram, sizeof(*moved));
	assert_int_equal(gt_host_set_memory(inproc_host, NULL, 0), 0);
	bare_free();
	ram = moved;
	slot = bare_slot();
	assert_int_equal(gt_host_set_memory(inproc_host, &slot, 1), 0);
	assert_int_equal(gt_host_set_filter(inproc_host, "off"), 0);
	assert_int_equal(gt_host_drain(inproc_host), 0);
	assert_int_equal(flush(), 1);
	assert_string_equal(inproc_text(), "event honest <0\n");
	assert_int_equal(ram->site.state, GT_SITE_OFF);
	finish();
}

/* Whatever the snapshot holds: it is refused, or what it says is bounded. */
static void a_hostile_snapshot_is_harmless(void **unused)
{
	struct gt_exit state = bare_exit(0, 0);

	(void)unused;
	for (unsigned i = 0; i < 3000; i++) {
		memcpy(ram, saved, sizeof(*ram));
		bare_map(random64() & 3);
		for (unsigned j = random64() % 4 + 1; j > 0; j--) {
			uint64_t word = random64() >> random64() % 64;
			size_t at = random64() % sizeof(ram->control);

			if (random64() % 2)
				at = offsetof(struct ram, vcpu) +
				     random64() % sizeof(ram->vcpu);
			else if (random64() % 2)
				at += offsetof(struct ram, control);
			memcpy((uint8_t *)ram + at / 8 * 8, &word, 8);
		}
		gt_host_resumed(inproc_host, 0, &state, 0);
		gt_host_drain(inproc_host);
		look();
		flush();
	}
	memcpy(ram, saved, sizeof(*ram));
	gt_host_resumed(inproc_host, 0, &state, GVA(control));
	inproc_clear();
	bare_record(&ram->vcpu);
	assert_int_equal(flush(), 1);
	assert_string_equal(inproc_text(), "event honest <0\n");
}

/* A VMM's thread asks to be woken while there is no memory yet. */
static void a_wish_before_there_is_a_guest_waits_for_it(void **unused)
{
	struct gt_host_options options = inproc_options();
	struct gt_exit exit = bare_exit(GT_DOORBELL_ANNOUNCE, GVA(control));
	struct gt_memory_slot slot = bare_slot();

	(void)unused;
	gt_host_free(inproc_host);
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
	assert_int_equal(gt_host_set_memory(inproc_host, NULL, 0), 0);
	assert_int_equal(gt_host_want_wake(inproc_host, true), 0);
	assert_int_equal(gt_host_set_memory(inproc_host, &slot, 1), 0);
	look();
	bare_init();
	assert_int_equal(gt_host_exit(inproc_host, 0, &exit), 1);
	assert_int_equal(ram->vcpu.ring[0].want, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(what_comes_before_the_first_exit_is_not_lost),
		T(a_page_is_written_once_the_guest_has_it),
		T(a_filter_reaches_sites_when_they_can_be_written),
		T(tries_become_rare),
		T(a_tail_in_a_page_of_its_own_waits_and_loses_nothing),
		T(it_may_be_restored_any_number_of_times),
		T(memory_may_move_alone),
		T(a_hostile_snapshot_is_harmless),
		T(a_wish_before_there_is_a_guest_waits_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
