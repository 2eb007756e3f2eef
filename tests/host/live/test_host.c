/* SPDX-License-Identifier: MIT */
/*
 * A hostile guest at the doorbell (threats A, B, H): whatever it says is
 * refused with a code, counted once, and the next honest batch is decoded.
 */
#include "tests/support/allocated.h"
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"
#include "tests/support/random64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t expected_bad;

static void start(const struct gt_limits *limits)
{
	struct gt_host_options options = inproc_options();

	options.limits = *limits;
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	expected_bad = 0;
	inproc_clear();
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
}

static int knock(const struct gt_exit *exit)
{
	int r = gt_host_exit(inproc_host, 0, exit);

	assert_true((r >= 0 && r <= 2) || r == -ENOMEM ||
	            (r <= -GT_ERROR_NOT_CANONICAL && r >= -GT_ERROR_BAD_VCPU));
	expected_bad += r < 0;
	return r;
}

static int ask(uint64_t operation, uint64_t control_gva)
{
	struct gt_exit exit = bare_exit(operation, control_gva);

	return knock(&exit);
}

static int flush(void)
{
	return ask(GT_DOORBELL_FLUSH, GVA(control));
}

static void init_guest(void)
{
	bare_init();
	assert_int_equal(ask(GT_DOORBELL_ANNOUNCE, GVA(control)), 1);
}

/* The oracle: an honest record arrives. */
static void the_next_batch_is_decoded(void)
{
	inproc_clear();
	bare_record(&ram->vcpu);
	assert_int_equal(flush(), 1);
	assert_string_equal(inproc_text(), "event honest <0\n");
}

static int setup(void **unused)
{
	(void)unused;
	bare_new();
	start(&(struct gt_limits){.announcements = 64});
	init_guest();
	return 0;
}

static int teardown(void **unused)
{
	bare_free();
	return inproc_teardown(unused);
}

static void restart(const struct gt_limits *limits)
{
	gt_host_free(inproc_host);
	start(limits);
}

static void finish(void)
{
	assert_int_equal(gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	assert_int_equal(inproc_summary.losses.bad_requests, expected_bad);
}

/* ---- A1: what is a doorbell ---------------------------------------------- */

/* Threat A1. */
static void only_the_exact_exit_is_a_doorbell(void **unused)
{
	struct gt_exit good = bare_exit(GT_DOORBELL_FLUSH, GVA(control)), exit;

	(void)unused;
	for (uint32_t port = 0; port < 65536; port++) {
		exit = good;
		exit.port = (uint16_t)port;
		assert_int_equal(knock(&exit), port == GT_PORT_TRACE);
	}
	for (unsigned width = 0; width < 256; width++) {
		exit = good;
		exit.width_bytes = (uint8_t)width;
		assert_int_equal(knock(&exit), width == 1);
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		exit = good;
		exit.count = 1u << bit;
		assert_int_equal(knock(&exit), bit == 0);
		exit.count = 0u - (1u << bit);
		assert_int_equal(knock(&exit), 0);
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		exit = good;
		exit.r8 ^= UINT64_C(1) << bit;
		assert_int_equal(knock(&exit), 0);
	}
	for (unsigned reason = 0; reason < 40; reason++) {
		exit = good;
		exit.reason = (enum gt_exit_reason)reason;
		assert_int_equal(knock(&exit), reason == GT_EXIT_IO);
	}
	exit = good;
	exit.out = false;
	assert_int_equal(knock(&exit), 0);
	exit = good;
	exit.size = offsetof(struct gt_exit, r8); /* an older caller */
	assert_int_equal(knock(&exit), 0);
	the_next_batch_is_decoded();
	finish();
}

static void unknown_operations_are_refused(void **unused)
{
	(void)unused;
	for (uint64_t operation = 0; operation < 1000; operation++)
		if (operation != GT_DOORBELL_ANNOUNCE &&
		    operation != GT_DOORBELL_FLUSH &&
		    operation != GT_DOORBELL_WAKE)
			assert_int_equal(ask(operation, GVA(control)),
			                 -GT_ERROR_BAD_REQUEST);
	for (unsigned bit = 0; bit < 64; bit++) {
		assert_int_equal(ask(GT_DOORBELL_FLUSH, UINT64_C(1) << bit),
		                 -GT_ERROR_BAD_CONTROL);
		assert_int_equal(ask(GT_DOORBELL_WAKE, UINT64_C(1) << bit),
		                 -GT_ERROR_BAD_CONTROL);
	}
	the_next_batch_is_decoded();
	finish();
}

static void nothing_is_taken_before_the_announcement(void **unused)
{
	(void)unused;
	restart(&(struct gt_limits){0});
	assert_int_equal(flush(), -GT_ERROR_NOT_ANNOUNCED);
	assert_int_equal(gt_host_drain(inproc_host), 0);
	assert_int_equal(gt_host_set_filter(inproc_host, "info"), 0);
	init_guest();
	the_next_batch_is_decoded();
	assert_int_equal(gt_host_exit(inproc_host, 1, &(struct gt_exit){0}),
	                 -GT_ERROR_BAD_VCPU);
	assert_int_equal(gt_host_enter(inproc_host, 1, 0), -GT_ERROR_BAD_VCPU);
	finish();
}

/* Small as often as large. */
static uint64_t random_register(void)
{
	uint64_t number = random64();

	return number >> (random64_state & 63);
}

/* Threat A6. */
static void random_registers_are_harmless(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 100000; i++) {
		struct gt_exit exit =
			bare_exit(1 + random_register() % 2, GVA(control));
		uint64_t *const registers[] = {&exit.r9,  &exit.r10,
		                               &exit.cr0, &exit.cr3,
		                               &exit.cr4, &exit.efer};

		for (unsigned j = 0; j < 6; j++)
			if (random_register() % 3 == 0)
				*registers[j] = random_register();
		exit.tsc_offset = (int64_t)random_register();
		knock(&exit);
	}
	restart(&(struct gt_limits){0});
	init_guest();
	the_next_batch_is_decoded();
	finish();
}

/* ---- The control block --------------------------------------------------- */

static const uint64_t boundaries[] = {0,
                                      1,
                                      2,
                                      7,
                                      8,
                                      4095,
                                      4096,
                                      8191,
                                      UINT64_C(0x7fffffff),
                                      UINT64_C(0x80000000),
                                      UINT64_C(0xfffffff8),
                                      UINT64_C(0xffffffff),
                                      UINT64_C(0x100000000),
                                      UINT64_C(0x7ffffffff000),
                                      UINT64_C(0x7fffffffffff),
                                      UINT64_C(0x800000000000),
                                      UINT64_C(0xffff800000000000),
                                      UINT64_C(0x0040000000000000),
                                      INT64_MAX,
                                      UINT64_C(0x8000000000000000),
                                      UINT64_MAX - 4095,
                                      UINT64_MAX - 7,
                                      UINT64_MAX};
#define BOUNDARIES (sizeof(boundaries) / sizeof(*boundaries))

/* Another guest in the same memory. */
static void make_fake(void)
{
	ram->fake = ram->control;
	ram->fake_vcpu = ram->vcpu;
	ram->fake.vcpus_gva = GVA(fake_vcpu);
}

/* Announces the fake, lets it be taken twice, and then an honest one. */
static int try_fake(void)
{
	int r = ask(GT_DOORBELL_ANNOUNCE, GVA(fake));

	if (r == 1) {
		ask(GT_DOORBELL_FLUSH, GVA(fake));
		ram->fake_vcpu.ring[0].pos += 64;
		ask(GT_DOORBELL_FLUSH, GVA(fake));
	}
	init_guest();
	the_next_batch_is_decoded();
	finish();
	return r;
}

static void any_word_of_the_control_block_may_be_anything(void **unused)
{
	unsigned refused = 0;

	(void)unused;
	for (size_t at = 0; at < sizeof(ram->fake); at += 4)
		for (size_t i = 0; i < BOUNDARIES; i++) {
			size_t width = at % 8 ? 4 : 4 + 4 * (i % 2);

			restart(&(struct gt_limits){0});
			init_guest();
			make_fake();
			memcpy((uint8_t *)&ram->fake + at, &boundaries[i],
			       width);
			refused += try_fake() < 0;
		}
	assert_true(refused > 150);
}

static void any_word_of_a_vcpu_may_be_anything(void **unused)
{
	unsigned refused = 0, bytes = offsetof(struct gt_vcpu, ring[2]);

	(void)unused;
	for (size_t at = 0; at < bytes; at += 4)
		for (size_t i = 0; i < BOUNDARIES; i++) {
			size_t width = at % 8 ? 4 : 4 + 4 * (i % 2);

			restart(&(struct gt_limits){0});
			init_guest();
			make_fake();
			memcpy((uint8_t *)&ram->fake_vcpu + at, &boundaries[i],
			       width);
			refused += try_fake() < 0;
		}
	assert_true(refused > 50);
}

static void bad_control_blocks_get_their_own_codes(void **unused)
{
	(void)unused;
#define REFUSED(change, code) \
	make_fake();          \
	change;               \
	assert_int_equal(ask(GT_DOORBELL_ANNOUNCE, GVA(fake)), -(code))
	REFUSED(ram->fake.magic++, GT_ERROR_BAD_CONTROL);
	REFUSED(ram->fake.version++, GT_ERROR_BAD_VERSION);
	REFUSED(ram->fake.size = 95, GT_ERROR_BAD_CONTROL);
	REFUSED(ram->fake.vcpus = 2, GT_ERROR_BAD_CONTROL);
	REFUSED(ram->fake.vcpus = 0, GT_ERROR_BAD_CONTROL);
	REFUSED(ram->fake.vcpu_bytes += 8, GT_ERROR_BAD_CONTROL);
	REFUSED(ram->fake.vcpus_gva = NOWHERE, GT_ERROR_UNMAPPED);
	REFUSED(ram->fake.vcpus_gva = UINT64_MAX - 63, GT_ERROR_WRAPS);
	REFUSED(ram->fake.sites_gva++, GT_ERROR_BAD_SITES);
	REFUSED(ram->fake.sites_bytes = (4u << 20) + 1, GT_ERROR_BAD_SITES);
	REFUSED(ram->fake_vcpu.ring[0].mask--, GT_ERROR_BAD_RING);
	REFUSED(ram->fake_vcpu.ring[1].mask = 2047, GT_ERROR_BAD_RING);
	REFUSED(ram->fake_vcpu.ring[0].mask = (128u << 20) - 1,
	        GT_ERROR_BAD_RING);
	REFUSED(ram->fake_vcpu.ring[0].mask = UINT64_MAX, GT_ERROR_BAD_RING);
	REFUSED(ram->fake_vcpu.ring[0].base_gva++, GT_ERROR_BAD_RING);
	REFUSED(ram->fake_vcpu.ring[0].block_bytes = 512, GT_ERROR_BAD_RING);
	REFUSED(ram->fake_vcpu.ring[0].block_bytes = 8192, GT_ERROR_BAD_RING);
	REFUSED(ram->fake_vcpu.ring[0].block_bytes = 3000, GT_ERROR_BAD_RING);
	assert_int_equal(ask(GT_DOORBELL_ANNOUNCE, UINT64_MAX),
	                 -GT_ERROR_WRAPS);
	assert_int_equal(ask(GT_DOORBELL_ANNOUNCE, UINT64_C(1) << 47),
	                 -GT_ERROR_NOT_CANONICAL);
	/* A refused announcement leaves the one before in force. */
	the_next_batch_is_decoded();
	make_fake();
	ram->fake.sites_gva = NOWHERE; /* found when the table is copied */
	assert_int_equal(ask(GT_DOORBELL_ANNOUNCE, GVA(fake)),
	                 -GT_ERROR_UNMAPPED);
	init_guest();
	the_next_batch_is_decoded();
	finish();
}

static void read_only_memory_is_not_written(void **unused)
{
	(void)unused;
	restart(&(struct gt_limits){0});
	bare_map(1);
	assert_int_equal(ask(GT_DOORBELL_ANNOUNCE, GVA(control)),
	                 -GT_ERROR_READ_ONLY);
	init_guest();
	the_next_batch_is_decoded();
	finish();
}

static void announcements_are_limited(void **unused)
{
	(void)unused;
	restart(&(struct gt_limits){.announcements = 3});
	for (unsigned i = 0; i < 3; i++) {
		init_guest();
		the_next_batch_is_decoded();
	}
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(ask(GT_DOORBELL_ANNOUNCE, GVA(control)),
		                 -GT_ERROR_BAD_REQUEST);
	the_next_batch_is_decoded();
	finish();
}

/* However many are asked for, sites are those that were announced last. */
static void no_more_are_announced_than_tables_are_kept(void **unused)
{
	unsigned good = 0;

	(void)unused;
	restart(&(struct gt_limits){.announcements = 1000});
	init_guest();
	make_fake();
	for (unsigned i = 0; i < 100; i++)
		good += ask(GT_DOORBELL_ANNOUNCE, GVA(control)) == 1;
	assert_int_equal(good, 63);
	finish();
}

/* ---- Rings --------------------------------------------------------------- */

/* Threats A7, H1. */
static void positions_that_lie_are_refused(void **unused)
{
	static const uint64_t lies[] = {1,
	                                4,
	                                UINT64_C(1) << 54,
	                                UINT64_MAX,
	                                UINT64_MAX - 7,
	                                UINT64_C(1) << 63};

	(void)unused;
	the_next_batch_is_decoded();
	for (unsigned i = 0; i < 6; i++) {
		ram->vcpu.ring[0].pos += lies[i];
		assert_int_equal(flush(), -GT_ERROR_BAD_RING);
		ram->vcpu.ring[0].pos -= lies[i];
		the_next_batch_is_decoded();
		ram->vcpu.ring[0].pos -= 8; /* back */
		assert_int_equal(flush(), -GT_ERROR_BAD_RING);
		ram->vcpu.ring[0].pos += 8;
		the_next_batch_is_decoded();
	}
	finish();
}

/* Threat H1. */
static void a_position_that_runs_away_costs_one_ring(void **unused)
{
	(void)unused;
	for (uint64_t far = 16384; far < UINT64_C(1) << 53; far *= 8) {
		ram->vcpu.ring[0].pos += far;
		assert_int_equal(flush(), 1); /* stale or nonsense */
		the_next_batch_is_decoded();
	}
	finish();
	assert_true(inproc_summary.losses.overwritten_bytes > 16384);
	assert_true(inproc_summary.record_bytes < 20 * sizeof(ram->ring));
}

/* Threat H1. */
static void the_tail_is_not_the_guests_to_choose(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < BOUNDARIES; i++) {
		bare_record(&ram->vcpu);
		ram->vcpu.ring[0].tail = boundaries[i];
		inproc_clear();
		assert_int_equal(flush(), 1);
		assert_string_equal(inproc_text(), "event honest <0\n");
		assert_int_equal(ram->vcpu.ring[0].tail, ram->vcpu.ring[0].pos);
	}
	finish();
}

/* One level that cannot be read is an error, and the others are shown. */
static void a_level_that_is_not_mapped_keeps_no_other(void **unused)
{
	(void)unused;
	make_fake();
	ram->fake_vcpu.ring[1].base_gva = NOWHERE;
	assert_int_equal(ask(GT_DOORBELL_ANNOUNCE, GVA(fake)), 1);
	inproc_clear();
	bare_record(&ram->fake_vcpu);
	ram->fake_vcpu.ring[1].pos = 64;
	assert_int_equal(ask(GT_DOORBELL_FLUSH, GVA(fake)), -GT_ERROR_UNMAPPED);
	assert_string_equal(inproc_text(), "event honest <0\n");
	init_guest();
	the_next_batch_is_decoded();
	finish();
}

static void an_idle_guest_costs_little(void **unused)
{
	size_t before;

	(void)unused;
	gt_host_free(inproc_host);
	before = allocated_bytes();
	start(&(struct gt_limits){0});
	init_guest();
	the_next_batch_is_decoded();
	inproc_clear();
	print_message("# idle: %zu bytes\n", allocated_bytes() - before);
	assert_true(allocated_bytes() - before <= 16384);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(only_the_exact_exit_is_a_doorbell),
		T(unknown_operations_are_refused),
		T(nothing_is_taken_before_the_announcement),
		T(random_registers_are_harmless),
		T(any_word_of_the_control_block_may_be_anything),
		T(any_word_of_a_vcpu_may_be_anything),
		T(bad_control_blocks_get_their_own_codes),
		T(read_only_memory_is_not_written),
		T(announcements_are_limited),
		T(no_more_are_announced_than_tables_are_kept),
		T(positions_that_lie_are_refused),
		T(a_position_that_runs_away_costs_one_ring),
		T(the_tail_is_not_the_guests_to_choose),
		T(a_level_that_is_not_mapped_keeps_no_other),
		T(an_idle_guest_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
