/* SPDX-License-Identifier: MIT */
/*
 * Two guests of one process, each with a host of its own (threat D11): what one
 * of them does, the other one's trace has no trace of.
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

#define TURNS 2000u

struct guest {
	struct ram *ram;
	struct gt_host *host;
};

static struct guest loud, quiet;

static struct guest new_guest(const struct gt_limits *limits, bool is_shown)
{
	struct gt_host_options options = inproc_options();
	struct guest guest;

	bare_new();
	bare_init();
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.limits = *limits;
	options.sink_count = is_shown;
	assert_int_equal(gt_host_new(&options, &guest.host), 0);
	guest.ram = ram;
	return guest;
}

static int ring(const struct guest *guest, uint64_t operation)
{
	struct gt_exit exit = bare_exit(operation, GVA(control));

	return gt_host_exit(guest->host, 0, &exit);
}

static void end(struct guest *guest)
{
	gt_host_finish(guest->host, GT_ENDING_HALTED, 0, NULL);
	gt_host_free(guest->host);
	ram = guest->ram;
	bare_free();
}

static int teardown(void **unused)
{
	return inproc_teardown(unused);
}

/* As many records as fit, then nonsense at the door and in its own memory. */
static void make_noise(void)
{
	struct gt_exit exit;

	ram = loud.ram;
	gt_host_enter(loud.host, 0, 0);
	for (unsigned i = 0; i < 256; i++)
		bare_record(&ram->vcpu);
	ring(&loud, GT_DOORBELL_FLUSH);
	exit = bare_exit(random64() % 8, random64());
	gt_host_exit(loud.host, 0, &exit);
	ram->vcpu.ring[0].pos += random64() % 64 * 4;
	ring(&loud, GT_DOORBELL_FLUSH);
	gt_host_drain(loud.host);
	if (random64() % 4 == 0) {
		bare_init();
		ring(&loud, GT_DOORBELL_ANNOUNCE);
	}
}

/* What is shown of the quiet one. */
static char *run(bool is_loud, const struct gt_limits *limits)
{
	char *text;

	inproc_clear();
	if (is_loud) {
		loud = new_guest(limits, false);
		ring(&loud, GT_DOORBELL_ANNOUNCE);
	}
	quiet = new_guest(&(struct gt_limits){0}, true);
	assert_int_equal(ring(&quiet, GT_DOORBELL_ANNOUNCE), 1);
	for (unsigned i = 0; i < TURNS; i++) {
		if (is_loud)
			make_noise();
		ram = quiet.ram;
		gt_host_enter(quiet.host, 0, 0);
		for (unsigned j = 0; j <= i % 100; j++)
			bare_record(&ram->vcpu);
		assert_int_equal(ring(&quiet, GT_DOORBELL_FLUSH), 1);
	}
	if (is_loud)
		end(&loud);
	text = strdup(inproc_text());
	end(&quiet);
	return text;
}

static void compare(const struct gt_limits *limits)
{
	const struct gt_losses none = {0};
	char *alone = run(false, limits), *beside = run(true, limits);
	bool is_same = strcmp(alone, beside) == 0 && *alone;

	free(alone);
	free(beside);
	assert_true(is_same);
	assert_int_equal(inproc_summary.events, TURNS / 100 * (100 * 101 / 2));
	assert_memory_equal(&inproc_summary.losses, &none, sizeof(none));
}

static void a_flood_of_one_costs_the_other_no_record(void **unused)
{
	(void)unused;
	compare(&(struct gt_limits){0});
}

static void nor_do_the_quotas_of_one_bind_the_other(void **unused)
{
	(void)unused;
	compare(&(struct gt_limits){
		.record_bytes_per_s = 1, .exits_per_s = 1, .announcements = 1});
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_flood_of_one_costs_the_other_no_record, teardown),
		cmocka_unit_test_teardown(
			nor_do_the_quotas_of_one_bind_the_other, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
