/* SPDX-License-Identifier: MIT */
/*
 * Several vCPUs on KVM: who runs where, whose end is the end, and what the host
 * sees of each. Arguments: the ELF of tests/guests/many.c.
 */
#include "tests/support/vm_fixture.h"

#include <guesttrace/abi.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <x86intrin.h>

#define MS     UINT64_C(1000000)
#define VCPUS  4u
#define CLOCKS 20u

/* What each vCPU's callbacks see; only its thread writes there. */
struct vcpu_seen {
	uint64_t enters, exits;
	bool inside, unpaired;
	uint64_t tsc_in, early, late; /* clock readings out of bounds */
	int64_t tsc_offset;
	struct vm_exit last;
	pthread_t thread;
	unsigned said; /* what it wrote to port 0x300 */
};

struct many {
	struct vm *vm;
	struct vcpu_seen vcpu[VM_VCPUS_MAX];
	atomic_uint entered; /* vCPUs */
	atomic_uint threads[2]; /* that have begun, by enum vm_thread */
	atomic_bool printing;
	bool torn; /* two prints at a time */
	char text[1 << 16];
	size_t text_n;
};

static const char *guest;
static struct many many;
static struct vm_outcome outcome;

static void on_enter(void *ctx, unsigned vcpu)
{
	struct many *all = ctx;
	struct vcpu_seen *seen = &all->vcpu[vcpu];

	seen->unpaired |= seen->inside;
	if (seen->enters++ == 0) {
		seen->thread = pthread_self();
		atomic_fetch_add(&all->entered, 1);
	}
	seen->unpaired |= !pthread_equal(seen->thread, pthread_self());
	seen->inside = true;
	seen->tsc_in = __rdtsc();
}

static void on_exit_(void *ctx, unsigned vcpu, const struct vm_exit *exit)
{
	struct many *all = ctx;
	struct vcpu_seen *seen = &all->vcpu[vcpu];
	uint64_t khz, tsc_out = __rdtsc();

	seen->unpaired |= !seen->inside;
	seen->inside = false;
	seen->exits++;
	seen->last = *exit;
	if (exit->reason != VM_EXIT_IO)
		return;
	if (exit->port == 0x300)
		seen->said = (unsigned)exit->value;
	if (exit->port != GT_PORT_TRACE)
		return;
	if (vm_tsc(all->vm, vcpu, &seen->tsc_offset, &khz) < 0)
		seen->unpaired = true;
	seen->early += exit->r8 - (uint64_t)seen->tsc_offset < seen->tsc_in;
	seen->late += exit->r8 - (uint64_t)seen->tsc_offset > tsc_out;
}

static void on_print(void *ctx, const char *bytes, size_t n)
{
	struct many *all = ctx;
	size_t room = sizeof all->text - 1 - all->text_n;

	all->torn |= atomic_exchange(&all->printing, true);
	n = n < room ? n : room;
	memcpy(all->text + all->text_n, bytes, n);
	all->text_n += n;
	atomic_store(&all->printing, false);
}

static void on_thread(void *ctx, enum vm_thread which)
{
	struct many *all = ctx;

	atomic_fetch_add(&all->threads[which], 1);
}

static struct vm *new_vm(unsigned vcpus, const char *behaviour,
                         uint64_t timeout_ns)
{
	struct vm_options options = {
		.size = sizeof options,
		.backend = VM_BACKEND_KVM,
		.vcpus = vcpus,
		.memory_bytes = 32 << 20,
		.timeout_ns = timeout_ns,
		.callbacks = {on_enter, on_exit_, on_print, on_thread},
		.ctx = &many,
	};
	const char *argv[] = {"many", behaviour};
	struct vm_boot boot = {.size = sizeof boot, .argc = 2, .argv = argv};
	char error[VM_ERROR_BYTES];

	memset(&many, 0, sizeof many);
	if (vm_new(&many.vm, &options, error) < 0)
		fail_msg("%s", error);
	if (vm_load(many.vm, guest) < 0 || vm_boot(many.vm, &boot) < 0)
		fail_msg("%s", vm_error(many.vm));
	return many.vm;
}

static void run_for(unsigned vcpus, const char *behaviour, uint64_t timeout_ns)
{
	struct vm *vm = new_vm(vcpus, behaviour, timeout_ns);
	uint64_t exits = 0;

	assert_int_equal(vm_run(vm, &outcome), 0);
	vm_free(vm);
	for (unsigned i = 0; i < vcpus; i++) {
		struct vcpu_seen *seen = &many.vcpu[i];

		assert_false(seen->unpaired);
		assert_false(seen->inside);
		assert_true(seen->enters == seen->exits);
		assert_true(seen->exits > 0);
		exits += seen->exits;
		for (unsigned j = 0; j < i; j++)
			assert_false(pthread_equal(seen->thread,
			                           many.vcpu[j].thread));
	}
	for (unsigned i = 0; i < vcpus; i++)
		assert_false(
			pthread_equal(many.vcpu[i].thread, pthread_self()));
	assert_int_equal(many.threads[VM_THREAD_VCPU], vcpus);
	assert_int_equal(many.threads[VM_THREAD_WATCHDOG], 1);
	assert_true(exits == outcome.exits);
	assert_true(outcome.vcpu < vcpus);
}

static void run(unsigned vcpus, const char *behaviour)
{
	run_for(vcpus, behaviour, 60000 * MS);
}

static void each_vcpu_knows_its_number(void **state)
{
	(void)state;
	for (unsigned vcpus = 1; vcpus <= 8; vcpus *= 2) {
		run(vcpus, "who");
		assert_int_equal(outcome.end, VM_HALTED);
		assert_int_equal(outcome.vcpu, 0);
		for (unsigned i = 0; i < vcpus; i++)
			assert_int_equal(many.vcpu[i].said, i);
	}
}

static void they_run_at_the_same_time_in_one_memory(void **state)
{
	(void)state;
	run(2, "count");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 0);
}

static void console_lines_stay_whole(void **state)
{
	unsigned lines[VCPUS] = {0};

	(void)state;
	run(VCPUS, "print");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_false(many.torn);
	for (char *at = many.text; *at; at += strcspn(at, "\n") + 1) {
		unsigned vcpu = (unsigned)(at[5] - '0');

		assert_true(vcpu < VCPUS);
		lines[vcpu]++;
		at[5] = '?';
		assert_memory_equal(at, "vcpu ?: the quick brown fox\n", 28);
	}
	for (unsigned i = 0; i < VCPUS; i++)
		assert_int_equal(lines[i], 50);
}

static void aborts_of_two_vcpus_do_not_mix(void **state)
{
	(void)state;
	run(2, "abort");
	assert_int_equal(outcome.end, VM_ABORTED);
	assert_int_equal(outcome.vcpu, 1);
	assert_int_equal(outcome.abort_code, 'b');
	assert_int_equal(outcome.length, 99);
	assert_int_equal(strspn(outcome.message, "b"), 99);
}

static void any_vcpu_can_end_the_run(void **state)
{
	(void)state;
	run(VCPUS, "exit");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 7);
	assert_int_equal(outcome.vcpu, 1);
	assert_int_equal(many.vcpu[1].last.port, GT_PORT_HALT);
	assert_int_equal(many.vcpu[2].last.reason, VM_EXIT_INTERRUPTED);
	run(VCPUS, "triple");
	assert_int_equal(outcome.end, VM_SHUTDOWN);
	assert_int_equal(outcome.vcpu, 1);
}

static void an_exception_of_one_vcpu_is_its_own(void **state)
{
	(void)state;
	run(VCPUS, "fault");
	assert_int_equal(outcome.end, VM_ABORTED);
	assert_int_equal(outcome.vcpu, 1);
	assert_int_equal(outcome.vector, 14);
	assert_non_null(strstr(outcome.message, " address 0x8"));
}

static void the_stacks_lie_apart(void **state)
{
	unsigned long long address;

	(void)state;
	run(VCPUS, "overflow");
	assert_int_equal(outcome.end, VM_ABORTED);
	assert_int_equal(outcome.vcpu, 1);
	assert_int_equal(outcome.vector, 14);
	address = strtoull(strstr(outcome.message, "address ") + 8, NULL, 16);
	/* Just below the stack of vCPU 1, far above that of vCPU 0. */
	assert_true(address < 0x7d0000050000);
	assert_true(address >= 0x7d0000050000 - 4096);
}

static void a_hlt_of_all_is_the_end_and_of_one_is_not(void **state)
{
	(void)state;
	run(VCPUS, "hlt");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 0);
	for (unsigned i = 0; i < VCPUS; i++)
		assert_int_equal(many.vcpu[i].last.reason, VM_EXIT_HLT);
	run_for(VCPUS, "sleep", 1000 * MS);
	assert_int_equal(outcome.end, VM_TIMEOUT);
	assert_int_equal(many.vcpu[0].last.reason, VM_EXIT_HLT);
	assert_int_equal(many.vcpu[0].exits, 1);
	assert_int_equal(many.vcpu[1].last.reason, VM_EXIT_TIMEOUT);
}

static void the_watchdog_stops_all(void **state)
{
	(void)state;
	run_for(VCPUS, "spin", 1000 * MS);
	assert_int_equal(outcome.end, VM_TIMEOUT);
	for (unsigned i = 0; i < VCPUS; i++)
		assert_int_equal(many.vcpu[i].last.reason, VM_EXIT_TIMEOUT);
}

static void *kick_later(void *arg)
{
	while (atomic_load(&many.entered) < VCPUS)
		usleep(1000);
	vm_kick(arg);
	return NULL;
}

static void a_kick_stops_all(void **state)
{
	struct vm *vm = new_vm(VCPUS, "spin", 0);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, kick_later, vm), 0);
	assert_int_equal(vm_run(vm, &outcome), 0);
	pthread_join(thread, NULL);
	vm_free(vm);
	assert_int_equal(outcome.end, VM_INTERRUPTED);
	for (unsigned i = 0; i < VCPUS; i++)
		assert_int_equal(many.vcpu[i].last.reason, VM_EXIT_INTERRUPTED);
}

static void all_clocks_are_the_hosts(void **state)
{
	(void)state;
	run(2, "clock");
	assert_int_equal(outcome.end, VM_HALTED);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(many.vcpu[i].tsc_offset == 0);
		assert_true(many.vcpu[i].exits >= CLOCKS);
		assert_true(many.vcpu[i].early == 0);
		assert_true(many.vcpu[i].late == 0);
	}
}

static void a_doorbell_may_ring_inside_the_kernel(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct vm *vm = new_vm(2, "bells", 60000 * MS);
	eventfd_t rung = 0;

	(void)state;
	assert_true(vm_capabilities(vm) & VM_HAS_DOORBELL_FD);
	assert_int_equal(vm_doorbell(vm, -1, 1), -EBADF);
	assert_int_equal(vm_doorbell(vm, fd, 1), 0);
	assert_int_equal(vm_doorbell(vm, fd, 1), -EEXIST);
	assert_int_equal(vm_run(vm, &outcome), 0);
	vm_free(vm);
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(eventfd_read(fd, &rung), 0);
	assert_true(rung == 2 * 200);
	/* Those of value 0 are exits as ever: 20 each, and the end. */
	assert_int_equal(many.vcpu[1].exits, 20 + 1);
	assert_int_equal(many.vcpu[0].exits, 20 + 1);
	close(fd);
}

static void as_many_as_the_header_says(void **state)
{
	struct vm_options options = {.size = sizeof options,
	                             .backend = VM_BACKEND_KVM,
	                             .vcpus = VM_VCPUS_MAX + 1};
	struct vm *vm = NULL;

	(void)state;
	assert_int_equal(vm_new(&vm, &options, NULL), -EINVAL);
	options.vcpus = VM_VCPUS_MAX;
	assert_int_equal(vm_new(&vm, &options, NULL), 0);
	assert_true(vm_capabilities(vm) & VM_HAS_VCPUS);
	vm_free(vm);
	run(16, "who");
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(many.vcpu[15].said, 15);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_vcpu_knows_its_number),
		cmocka_unit_test(they_run_at_the_same_time_in_one_memory),
		cmocka_unit_test(console_lines_stay_whole),
		cmocka_unit_test(aborts_of_two_vcpus_do_not_mix),
		cmocka_unit_test(any_vcpu_can_end_the_run),
		cmocka_unit_test(an_exception_of_one_vcpu_is_its_own),
		cmocka_unit_test(the_stacks_lie_apart),
		cmocka_unit_test(a_hlt_of_all_is_the_end_and_of_one_is_not),
		cmocka_unit_test(the_watchdog_stops_all),
		cmocka_unit_test(a_kick_stops_all),
		cmocka_unit_test(all_clocks_are_the_hosts),
		cmocka_unit_test(a_doorbell_may_ring_inside_the_kernel),
		cmocka_unit_test(as_many_as_the_header_says),
	};

	char why[VM_ERROR_BYTES];

	if (argc != 2) {
		fprintf(stderr, "usage: test_vcpus MANY_ELF\n");
		return 2;
	}
	guest = argv[1];
	if (!vm_backend_usable(VM_BACKEND_KVM, why)) {
		printf("ok 1 - several vCPUs # SKIP %s\n1..1\n", why);
		return 0;
	}
	return cmocka_run_group_tests_name("vcpus", tests, NULL, NULL);
}
