/* SPDX-License-Identifier: MIT */
/*
 * The timer that a guest arms. Threat E9. Arguments: the ELF of tests/guests/ticking.c.
 * How long a run of N ticks takes is known: N periods at least.
 */
#include "tests/support/vm_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define US     UINT64_C(1000)
#define MS     UINT64_C(1000000)
#define ENOUGH 20u /* as the guest has it */

static struct vm_outcome outcome;
static struct seen seen;

static uint64_t run(void **state, const char *behaviour, const char *us)
{
	struct plan plan = {.backend = *(enum vm_backend *)*state,
	                    .behaviour = behaviour,
	                    .number = us};

	return fixture_run(&plan, &seen, &outcome);
}

/* More, where a late vCPU had two before it looked. */
static void enough_ticks(void)
{
	assert_in_range(outcome.status, ENOUGH, ENOUGH + 5);
}

static void an_hlt_waits_for_the_timer(void **state)
{
	uint64_t took_ns = run(state, "sleeping", "2000");

	assert_int_equal(outcome.end, VM_HALTED);
	enough_ticks();
	assert_in_range(took_ns, 19 * 2 * MS,
	                40 * MS + ENOUGH * fixture_slack_ns());
}

static void code_that_runs_is_interrupted(void **state)
{
	uint64_t took_ns = run(state, "busy", "2000");

	assert_int_equal(outcome.end, VM_HALTED);
	enough_ticks();
	assert_in_range(took_ns, 19 * 2 * MS,
	                40 * MS + ENOUGH * fixture_slack_ns());
	/* Each of them, the arming and the end are exits. */
	assert_true(outcome.exits >= ENOUGH + 2);
	assert_int_equal(outcome.ignored, 0);
	assert_false(seen.unpaired);
}

static void each_instruction_is_executed_once(void **state)
{
	run(state, "exact", "200");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_true(outcome.status >= 500);
}

/* A guest that wants one each microsecond has no more than the host allows. */
static void a_storm_is_bounded(void **state)
{
	uint64_t took_ns = run(state, "busy", "1");

	assert_int_equal(outcome.end, VM_HALTED);
	assert_in_range(took_ns, 19 * VM_TIMER_US_MIN * US, UINT64_MAX);
	assert_true(outcome.exits <= took_ns / (VM_TIMER_US_MIN * US) * 3 + 50);
}

/* At least 100 ms on any clock of 3 GHz: a hundred periods, but one tick. */
static void what_is_due_while_interrupts_are_off_is_one_tick(void **state)
{
	run(state, "held", "1000");
	assert_int_equal(outcome.end, VM_HALTED);
	/* Two, if the vCPU did not get on for a period after the first. */
	assert_in_range(outcome.status, 1, 5);
}

static void an_hlt_with_interrupts_off_ends_the_guest(void **state)
{
	run(state, "halted_off", "1000");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 0);
	assert_int_equal(seen.last.reason, VM_EXIT_HLT);
}

static void so_does_one_without_a_timer(void **state)
{
	run(state, "disarmed", "1000");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 0);
	assert_int_equal(seen.last.reason, VM_EXIT_HLT);
	run(state, "narrow", "1000");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(seen.last.reason, VM_EXIT_HLT);
	assert_int_equal(outcome.ignored, 1);
}

static void a_tick_without_a_gate_is_a_fault(void **state)
{
	run(state, "no_gate", "1000");
	assert_int_equal(outcome.end, VM_ABORTED);
	assert_in_range(outcome.vector, 11, 13);
}

static void a_sleeping_guest_can_be_ended(void **state)
{
	struct plan plan = {.backend = *(enum vm_backend *)*state,
	                    .behaviour = "sleeping",
	                    .number = "4000000000",
	                    .timeout_ns = 50 * MS};
	uint64_t took_ns = fixture_run(&plan, &seen, &outcome);

	assert_int_equal(outcome.end, VM_TIMEOUT);
	assert_true(took_ns <= 50 * MS + fixture_slack_ns());
}

/* ---- Snapshots ----------------------------------------------------------- */

struct scene {
	struct vm *vm;
	unsigned exits, pause_at;
};

static void on_exit_(void *ctx, unsigned vcpu, const struct vm_exit *exit)
{
	struct scene *scene = ctx;

	(void)vcpu, (void)exit;
	if (++scene->exits == scene->pause_at)
		vm_pause(scene->vm);
}

static void make(struct scene *scene, void **state)
{
	struct vm_options options = {
		.size = sizeof options,
		.backend = *(enum vm_backend *)*state,
		.memory_bytes = 4 << 20,
		.timeout_ns = 60000 * MS,
		.callbacks = {.exit = on_exit_},
		.ctx = scene,
	};

	scene->exits = 0;
	assert_int_equal(vm_new(&scene->vm, &options, NULL), 0);
}

/* Paused at this exit, saved, and gone on with in another VM. */
static void saved_at(void **state, const char *behaviour, unsigned exit)
{
	const char *argv[] = {"guest", behaviour, "2000"};
	struct vm_boot boot = {.size = sizeof boot, .argc = 3, .argv = argv};
	struct scene first = {.pause_at = exit}, second = {0};
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	make(&first, state);
	assert_int_equal(vm_load(first.vm, fixture_guest), 0);
	assert_int_equal(vm_boot(first.vm, &boot), 0);
	assert_int_equal(vm_run(first.vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_PAUSED);
	assert_int_equal(vm_save(first.vm, fd), 0);
	make(&second, state);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(vm_restore(second.vm, fd, VM_TSC_STAYS), 0);
	close(fd);
	assert_int_equal(vm_run(second.vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_HALTED);
	enough_ticks();
	vm_free(second.vm);
	assert_int_equal(vm_run(first.vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_HALTED);
	enough_ticks();
	vm_free(first.vm);
}

static void a_snapshot_has_the_timer(void **state)
{
	for (unsigned exit = 1; exit <= 6; exit++) {
		saved_at(state, "sleeping", exit);
		saved_at(state, "busy", exit);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hlt_waits_for_the_timer),
		cmocka_unit_test(code_that_runs_is_interrupted),
		cmocka_unit_test(each_instruction_is_executed_once),
		cmocka_unit_test(a_storm_is_bounded),
		cmocka_unit_test(
			what_is_due_while_interrupts_are_off_is_one_tick),
		cmocka_unit_test(an_hlt_with_interrupts_off_ends_the_guest),
		cmocka_unit_test(so_does_one_without_a_timer),
		cmocka_unit_test(a_tick_without_a_gate_is_a_fault),
		cmocka_unit_test(a_sleeping_guest_can_be_ended),
		cmocka_unit_test(a_snapshot_has_the_timer),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_timer TICKING_ELF\n");
		return 2;
	}
	fixture_guest = argv[1];
	return fixture_main(tests, sizeof tests / sizeof tests[0]);
}
