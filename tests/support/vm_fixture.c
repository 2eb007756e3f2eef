/* SPDX-License-Identifier: MIT */
/* What the tests of the runner have in common. */
#include "vm_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#define SMALL_BYTES (UINT64_C(8) << 20)
#define LONG_NS     UINT64_C(60000000000)
#define TESTS_MAX   64u

const char *fixture_guest;
static enum vm_backend backends[] = {VM_BACKEND_KVM, VM_BACKEND_EMULATED};
static const char *const names[] = {"kvm", "emulated"};

uint64_t fixture_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t fixture_slack_ns(void)
{
	const char *ms = getenv("VM_TEST_SLACK_MS");

	return (ms ? strtoull(ms, NULL, 10) : 100) * 1000000u;
}

static void on_enter(void *ctx, unsigned vcpu)
{
	struct seen *seen = ctx;

	seen->unpaired |= seen->inside || vcpu != 0;
	seen->inside = true;
	seen->enters++;
	seen->tsc_in = __rdtsc();
}

static void on_exit_(void *ctx, unsigned vcpu, const struct vm_exit *exit)
{
	struct seen *seen = ctx;

	seen->unpaired |= !seen->inside || vcpu != 0;
	seen->inside = false;
	if (seen->exits < SEEN_EXITS) {
		seen->tsc_out[seen->exits] = __rdtsc();
		seen->tsc_entered[seen->exits] = seen->tsc_in;
		seen->exit[seen->exits] = *exit;
	}
	seen->last = *exit;
	seen->exits++;
	if (seen->kick_at_first)
		vm_kick(seen->vm);
}

static void on_print(void *ctx, const char *bytes, size_t n)
{
	struct seen *seen = ctx;
	size_t room = sizeof seen->text - 1 - seen->text_n;

	n = n < room ? n : room;
	memcpy(seen->text + seen->text_n, bytes, n);
	seen->text_n += n;
	seen->prints++;
}

struct vm *fixture_vm(const struct plan *plan, struct seen *seen)
{
	struct vm_options options = {
		.size = sizeof options,
		.backend = plan->backend,
		.memory_bytes =
			plan->memory_bytes ? plan->memory_bytes : SMALL_BYTES,
		.timeout_ns = plan->timeout_ns ? plan->timeout_ns : LONG_NS,
		.callbacks = {on_enter, on_exit_, on_print},
		.ctx = seen,
	};
	const char *argv[] = {"guest", plan->behaviour, plan->number};
	struct vm_boot boot = {.size = sizeof boot,
	                       .argc = plan->number ? 3 : 2,
	                       .argv = argv};
	char error[VM_ERROR_BYTES];
	struct vm *vm;

	if (vm_new(&vm, &options, error) < 0)
		fail_msg("%s", error);
	if (vm_load(vm, fixture_guest) < 0 || vm_boot(vm, &boot) < 0)
		fail_msg("%s", vm_error(vm));
	seen->vm = vm;
	return vm;
}

uint64_t fixture_run(const struct plan *plan, struct seen *seen,
                     struct vm_outcome *ret_outcome)
{
	bool kick = seen->kick_at_first;
	struct vm *vm;
	uint64_t start_ns;

	memset(seen, 0, sizeof *seen);
	seen->kick_at_first = kick;
	vm = fixture_vm(plan, seen);
	if (plan->before_run)
		plan->before_run(vm, plan->ctx);
	start_ns = fixture_now_ns();
	assert_int_equal(vm_run(vm, ret_outcome), 0);
	start_ns = fixture_now_ns() - start_ns;
	vm_free(vm);
	assert_false(seen->unpaired);
	assert_false(seen->inside);
	assert_true(seen->enters == seen->exits);
	assert_true(seen->exits == ret_outcome->exits);
	return start_ns;
}

static void the_backend_is_there(void **state)
{
	enum vm_backend backend = *(enum vm_backend *)*state;
	const char *required = getenv("VM_TEST_REQUIRE");

	if (vm_backend_usable(backend, NULL))
		return;
	if (required && strstr(required, names[backend - 1]))
		fail();
	skip();
}

int fixture_main(const struct CMUnitTest *tests, size_t n)
{
	struct CMUnitTest copies[TESTS_MAX];
	const char *only = getenv("VM_TEST_ONLY");
	char why[VM_ERROR_BYTES];
	int failures = 0;
	unsigned found = 0;

	for (unsigned i = 0; i < 2; i++) {
		bool usable = vm_backend_usable(backends[i], why);

		if (only && strcmp(only, names[i]) != 0)
			continue;
		copies[0] = (struct CMUnitTest)cmocka_unit_test(
			the_backend_is_there);
		if (!usable)
			copies[0].name = why; /* what the skip is called */
		for (size_t t = 0; t < n && t + 1 < TESTS_MAX; t++)
			copies[t + 1] = tests[t];
		for (size_t t = 0; t <= n; t++)
			copies[t].initial_state = &backends[i];
		failures += _cmocka_run_group_tests(
			names[i], copies, usable ? n + 1 : 1, NULL, NULL);
		found += usable;
	}
	if (failures)
		return 1;
	return found ? 0 : 77;
}
