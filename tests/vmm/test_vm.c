/* SPDX-License-Identifier: MIT */
/*
 * What a guest does and what the host makes of it, the same on every backend.
 * Arguments: the ELF of tests/guests/behave.c.
 */
#include "tests/support/vm_fixture.h"

#include <guesttrace/abi.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define MS UINT64_C(1000000)

static struct seen seen;
static struct vm_outcome outcome;

static struct plan plan_for(void **state, const char *behaviour,
                            const char *number)
{
	return (struct plan){.backend = *(enum vm_backend *)*state,
	                     .behaviour = behaviour,
	                     .number = number};
}

static void run(void **state, const char *behaviour, const char *number)
{
	struct plan plan = plan_for(state, behaviour, number);

	fixture_run(&plan, &seen, &outcome);
}

static void arguments_arrive_in_order(void **state)
{
	run(state, "echo", "x y\xff");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 3);
	assert_string_equal(seen.text, "guest|echo|x y\xff\n");
	assert_int_equal(seen.prints, 1);
}

static void an_exit_status_keeps_its_32_bits(void **state)
{
	run(state, "exit", "4000000000");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_true(outcome.status == 4000000000u);
	run(state, "exit", "120");
	assert_int_equal(outcome.status, 120);
}

static void a_plain_hlt_is_status_0(void **state)
{
	run(state, "plain_hlt", NULL);
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 0);
	assert_int_equal(seen.last.reason, VM_EXIT_HLT);
	assert_true(outcome.rip_valid);
}

static void floating_point_works(void **state)
{
	run(state, "floats", NULL);
	assert_int_equal(outcome.status, 15);
}

static void an_interrupt_returns_to_where_it_came_from(void **state)
{
	run(state, "interrupt", NULL);
	assert_int_equal(outcome.status, 3);
}

static void exceptions_reach_the_guests_own_handlers(void **state)
{
	static const struct {
		const char *behaviour, *starts, *ends;
		int vector;
	} cases[] = {
		{"null_write", "page fault at rip 0x4", " address 0x0", 14},
		{"null_read", "page fault at rip 0x4", " address 0x10", 14},
		{"across_pages", "page fault at rip 0x4",
	         " address 0x7d0000030000", 14},
		{"write_constant", "page fault at rip 0x4", "", 14},
		{"write_code", "page fault at rip 0x4", "", 14},
		{"run_data", "page fault at rip 0x4", "", 14},
		{"run_null", "page fault at rip 0x0 address 0x0", "", 14},
		{"overflow", "page fault at rip 0x4", "", 14},
		{"non_canonical", "general protection fault at rip 0x4", "",
	         13},
		{"missing_gate", "general protection fault at rip 0x4", "", 13},
		{"undefined", "invalid opcode at rip 0x4", "", 6},
		{"system_call", "invalid opcode at rip 0x4", "", 6},
		{"breakpoint", "breakpoint at rip 0x4", "", 3},
		{"divide", "divide error at rip 0x4", "", 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = strlen(cases[i].ends);

		run(state, cases[i].behaviour, "1");
		assert_int_equal(outcome.end, VM_ABORTED);
		assert_int_equal(outcome.vector, cases[i].vector);
		assert_int_equal(outcome.abort_code, 1);
		assert_memory_equal(outcome.message, cases[i].starts,
		                    strlen(cases[i].starts));
		assert_true(outcome.length > n);
		assert_string_equal(outcome.message + outcome.length - n,
		                    cases[i].ends);
		assert_string_equal(seen.text, "last words\n");
	}
}

/* Of all that is both measurable and the same by the CPU's manual. */
static void both_backends_tell_the_same_story(void **state)
{
	static const char *const cases[] = {
		"null_write", "across_pages", "write_constant", "run_data",
		"run_null",   "overflow",     "non_canonical",  "undefined",
		"divide",     "breakpoint",   "system_call",    "die_twice",
		"panic",      "raw_abort",    "exit",
	};
	enum vm_backend other = *(enum vm_backend *)*state == VM_BACKEND_KVM
	                                ? VM_BACKEND_EMULATED
	                                : VM_BACKEND_KVM;
	void *other_state = &other;

	if (!vm_backend_usable(other, NULL))
		skip();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct vm_outcome first;
		uint64_t exits;

		run(state, cases[i], "7");
		first = outcome;
		exits = seen.exits;
		run(&other_state, cases[i], "7");
		assert_int_equal(first.end, outcome.end);
		assert_int_equal(first.status, outcome.status);
		assert_int_equal(first.vector, outcome.vector);
		assert_int_equal(first.abort_code, outcome.abort_code);
		assert_string_equal(first.message, outcome.message);
		assert_true(exits == seen.exits);
	}
}

static void a_second_fault_does_not_hide_the_first(void **state)
{
	run(state, "die_twice", NULL);
	assert_int_equal(outcome.end, VM_ABORTED);
	assert_int_equal(outcome.vector, 14);
	assert_string_equal(seen.text, "last words\n");
}

static void a_panic_carries_its_message(void **state)
{
	run(state, "panic", NULL);
	assert_int_equal(outcome.end, VM_ABORTED);
	assert_int_equal(outcome.vector, -1);
	assert_int_equal(outcome.abort_code, 2);
	assert_string_equal(outcome.message, "out of cheese");
	assert_false(outcome.cut);
}

static void an_abort_is_bounded(void **state)
{
	run(state, "raw_abort", "400");
	assert_int_equal(outcome.end, VM_ABORTED);
	assert_true(outcome.cut);
	assert_int_equal(outcome.length, 1023);
	assert_int_equal(strlen(outcome.message), 1023);
	run(state, "raw_abort", "0");
	assert_int_equal(outcome.end, VM_ABORTED);
	assert_int_equal(outcome.abort_code, 0);
	assert_int_equal(outcome.length, 0);
	run(state, "raw_abort", "1");
	assert_int_equal(outcome.abort_code, 'A');
	assert_string_equal(outcome.message, "AA");
}

static void a_triple_fault_is_a_shutdown(void **state)
{
	run(state, "triple", NULL);
	assert_int_equal(outcome.end, VM_SHUTDOWN);
	assert_int_equal(seen.last.reason, VM_EXIT_SHUTDOWN);
	assert_true(seen.last.cr0 >> 31 & 1);
	assert_true(seen.last.cr3 != 0);
	assert_true(seen.last.efer != 0);
}

/* Threat E1. */
static void unknown_ports_are_ignored_and_read_ones(void **state)
{
	const char *step = getenv("VM_TEST_SWEEP");

	if (!step)
		step = *(enum vm_backend *)*state == VM_BACKEND_KVM ? "97"
		                                                    : "1";
	run(state, "sweep", step);
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 0);
	assert_true(outcome.ignored > 2000);
	assert_true(outcome.ignored == outcome.exits - 1);
	run(state, "rep_in", "5000");
	assert_int_equal(outcome.status, 0);
}

static void a_repeated_out_prints_each_byte(void **state)
{
	run(state, "rep_out", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(seen.text, "one\ntwo\n");
	assert_int_equal(seen.prints, 2);
}

static void a_doorbell_shows_its_registers(void **state)
{
	const struct vm_exit *exit = &seen.exit[0];

	run(state, "doorbell", NULL);
	assert_int_equal(exit->reason, VM_EXIT_IO);
	assert_int_equal(exit->port, GT_PORT_TRACE);
	assert_int_equal(exit->width, 1);
	assert_int_equal(exit->count, 1);
	assert_true(exit->write);
	assert_true(exit->registers_valid);
	assert_true(exit->r8 == GT_DOORBELL_MAGIC);
	assert_true(exit->r9 == 0x1111222233334444);
	assert_true(exit->r10 == 0x5555666677778888);
	assert_true(exit->cr0 >> 31 & 1);
	assert_true(exit->cr4 >> 5 & 1);
	assert_true(exit->efer >> 10 & 1);
	assert_int_equal(outcome.ignored, 0);
}

static void remember_tsc(struct vm *vm, void *ctx)
{
	uint64_t khz;

	assert_int_equal(vm_tsc(vm, 0, ctx, &khz), 0);
	assert_int_equal(vm_tsc(vm, 1, ctx, &khz), -22);
	if (vm_capabilities(vm) & VM_HAS_TSC_RATE)
		assert_true(khz > 100000);
	else
		assert_true(khz == 0);
}

/* Where the host's own TSC is reliable, as nested-kvm makes it. */
static void the_guests_clock_is_the_hosts_plus_the_offset(void **state)
{
	struct plan plan = plan_for(state, "clock", NULL);
	int64_t offset = 1;

	plan.before_run = remember_tsc;
	plan.ctx = &offset;
	fixture_run(&plan, &seen, &outcome);
	assert_int_equal(outcome.end, VM_HALTED);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t at = seen.exit[i].r8 - (uint64_t)offset;

		assert_true(at >= seen.tsc_entered[i]);
		assert_true(at <= seen.tsc_out[i]);
	}
}

/* The best of ten: a busy machine shall not fail a right watchdog. */
static void ends_in_time(void **state, const char *behaviour,
                         const char *number)
{
	struct plan plan = plan_for(state, behaviour, number);
	uint64_t late = UINT64_MAX;

	plan.timeout_ns = 150 * MS;
	for (int i = 0; i < 10 && late > fixture_slack_ns(); i++) {
		uint64_t took = fixture_run(&plan, &seen, &outcome);

		assert_int_equal(outcome.end, VM_TIMEOUT);
		assert_int_equal(seen.last.reason, VM_EXIT_TIMEOUT);
		assert_true(took >= plan.timeout_ns);
		late = took - plan.timeout_ns;
	}
	assert_true(late <= fixture_slack_ns());
	assert_true(outcome.rip_valid);
}

/* Threat E2. */
static void the_watchdog_ends_any_guest(void **state)
{
	ends_in_time(state, "spin", NULL);
	ends_in_time(state, "spin_pause", NULL);
	ends_in_time(state, "storm", "4096");
	ends_in_time(state, "storm", "103");
	ends_in_time(state, "storm", "104");
	ends_in_time(state, "fault_storm", NULL);
	ends_in_time(state, "fault_forever", NULL);
}

/* Some time after the guest was entered: a kick before is another test's. */
static void *kick_soon(void *arg)
{
	const struct timespec soon = {.tv_nsec = 20 * 1000 * 1000};
	const struct seen *mine = arg;

	do
		nanosleep(&soon, NULL);
	while (mine->enters == 0);
	vm_kick(mine->vm);
	return NULL;
}

static void another_thread_can_end_the_run(void **state)
{
	struct plan plan = plan_for(state, "spin", NULL);
	struct seen mine = {0};
	pthread_t kicker;
	struct vm *vm = fixture_vm(&plan, &mine);

	assert_int_equal(pthread_create(&kicker, NULL, kick_soon, &mine), 0);
	assert_int_equal(vm_run(vm, &outcome), 0);
	pthread_join(kicker, NULL);
	assert_int_equal(outcome.end, VM_INTERRUPTED);
	assert_int_equal(mine.last.reason, VM_EXIT_INTERRUPTED);
	vm_free(vm);
}

static void kick_now(struct vm *vm, void *ctx)
{
	(void)ctx;
	vm_kick(vm);
	vm_kick(vm);
}

static void a_kick_before_the_run_is_kept(void **state)
{
	struct plan plan = plan_for(state, "spin", NULL);

	plan.before_run = kick_now;
	fixture_run(&plan, &seen, &outcome);
	assert_int_equal(outcome.end, VM_INTERRUPTED);
	assert_int_equal(seen.exits, 0);
}

static void a_callback_can_end_the_run(void **state)
{
	seen.kick_at_first = true;
	run(state, "storm", "4096");
	assert_int_equal(outcome.end, VM_INTERRUPTED);
	seen.kick_at_first = false;
}

static struct vm *alarmed;
static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
	(void)signal;
	if (++alarms == 3)
		vm_kick(alarmed);
}

/* Threat G5. The first two only disturb; the third one kicks. */
static void a_signal_handler_can_end_the_run(void **state)
{
	struct itimerval each = {{0, 20000}, {0, 20000}}, none = {{0}, {0}};
	struct sigaction action = {.sa_handler = on_alarm}, before;
	struct plan plan = plan_for(state, "spin", NULL);
	struct seen mine = {0};
	struct vm *vm;

#ifdef __SANITIZE_THREAD__
	skip(); /* it keeps a signal back until the next call of libc */
#endif
	vm = fixture_vm(&plan, &mine);
	alarmed = vm;
	alarms = 0;
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &each, NULL);
	assert_int_equal(vm_run(vm, &outcome), 0);
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &before, NULL);
	assert_int_equal(outcome.end, VM_INTERRUPTED);
	assert_true(alarms >= 3);
	assert_false(mine.unpaired);
	vm_free(vm);
}

static void the_callers_signal_mask_survives(void **state)
{
	sigset_t before, after;

	pthread_sigmask(SIG_BLOCK, NULL, &before);
	run(state, "echo", NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (int i = 1; i <= SIGRTMAX; i++)
		assert_int_equal(sigismember(&before, i),
		                 sigismember(&after, i));
}

static void *run_heap(void *arg)
{
	struct plan plan = plan_for(arg, "exit", "5");
	struct seen mine = {0};
	struct vm_outcome end = {0};

	for (int i = 0; i < 5; i++) {
		struct vm *vm = fixture_vm(&plan, &mine);

		if (vm_run(vm, &end) < 0 || end.status != 5)
			arg = NULL;
		vm_free(vm);
	}
	return arg;
}

static void vms_in_two_threads_do_not_meet(void **state)
{
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, run_heap, state), 0);
	assert_ptr_equal(run_heap(state), state);
	pthread_join(thread, &result);
	assert_ptr_equal(result, state);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_arrive_in_order),
		cmocka_unit_test(an_exit_status_keeps_its_32_bits),
		cmocka_unit_test(a_plain_hlt_is_status_0),
		cmocka_unit_test(floating_point_works),
		cmocka_unit_test(an_interrupt_returns_to_where_it_came_from),
		cmocka_unit_test(exceptions_reach_the_guests_own_handlers),
		cmocka_unit_test(both_backends_tell_the_same_story),
		cmocka_unit_test(a_second_fault_does_not_hide_the_first),
		cmocka_unit_test(a_panic_carries_its_message),
		cmocka_unit_test(an_abort_is_bounded),
		cmocka_unit_test(a_triple_fault_is_a_shutdown),
		cmocka_unit_test(unknown_ports_are_ignored_and_read_ones),
		cmocka_unit_test(a_repeated_out_prints_each_byte),
		cmocka_unit_test(a_doorbell_shows_its_registers),
		cmocka_unit_test(the_guests_clock_is_the_hosts_plus_the_offset),
		cmocka_unit_test(the_watchdog_ends_any_guest),
		cmocka_unit_test(another_thread_can_end_the_run),
		cmocka_unit_test(a_kick_before_the_run_is_kept),
		cmocka_unit_test(a_callback_can_end_the_run),
		cmocka_unit_test(a_signal_handler_can_end_the_run),
		cmocka_unit_test(the_callers_signal_mask_survives),
		cmocka_unit_test(vms_in_two_threads_do_not_meet),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_vm BEHAVE_ELF\n");
		return 2;
	}
	fixture_guest = argv[1];
	return fixture_main(tests, sizeof tests / sizeof tests[0]);
}
