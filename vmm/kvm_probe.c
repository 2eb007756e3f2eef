/* SPDX-License-Identifier: MIT */
/*
 * Whether KVM runs guests. That /dev/kvm opens says nothing: there are kernels
 * without hardware virtualisation whose KVM makes VMs and vCPUs, interprets a
 * few instructions, and gives up at the first one that it does not know. So a
 * guest that does what guests do is run, the way any other is.
 */
#include "kvm_machine.h"
#include "probe_guest.h"

#include <errno.h>
#include <unistd.h>

_Static_assert(VM__PROBE_PORT_PRINT == GT_PORT_PRINT &&
                       VM__PROBE_PORT_HALT == GT_PORT_HALT,
               "the ports of abi.h");

/* Far from what any machine takes; a VM that never leaves shall not hang us. */
#define LIMIT_NS UINT64_C(5000000000)

/* What the guest does next when it has printed that many characters. */
static const char *const stages[] = {
	"its first instructions", "paging",         "SSE",          "fxsave",
	"reading the TSC",        "writing an MSR", "an exception", "halting",
};

#define STAGES (sizeof stages / sizeof stages[0])

static void count_stages(void *ctx, const char *bytes, size_t n)
{
	size_t *passed = ctx;

	(void)bytes;
	*passed += n;
}

static int run_guest(struct vm *vm, struct vm_outcome *ret_outcome)
{
	static const char *const argv[] = {"probe"};
	struct vm_boot boot = {.size = sizeof boot, .argc = 1, .argv = argv};
	int result =
		vm_load_bytes(vm, vm__probe_guest,
	                      (size_t)(vm__probe_guest_end - vm__probe_guest));

	if (result == 0)
		result = vm_boot(vm, &boot);
	return result < 0 ? result : vm_run(vm, ret_outcome);
}

static int judge(const struct vm_outcome *outcome, size_t passed,
                 char error[VM_ERROR_BYTES])
{
	const char *what = "the wrong result";

	if (outcome->end == VM_HALTED && outcome->status == VM__PROBE_STATUS)
		return 0;
	if (outcome->end == VM_FAILED)
		what = outcome->message;
	else if (outcome->end == VM_SHUTDOWN)
		what = "a triple fault";
	else if (outcome->end == VM_TIMEOUT)
		what = "no end";
	return vm__fail(error, -ENODEV,
	                "/dev/kvm opens but cannot run a guest: %.120s at %s",
	                what, stages[passed < STAGES ? passed : STAGES - 1]);
}

int vm__kvm_probe(char error[VM_ERROR_BYTES])
{
	size_t passed = 0;
	struct vm_options options = {
		.size = sizeof options,
		.memory_bytes = VM_MEMORY_BYTES_MIN,
		.timeout_ns = LIMIT_NS,
		.callbacks = {.print = count_stages},
		.ctx = &passed,
	};
	struct vm_outcome outcome;
	struct vm *vm;
	int result = vm__new_on(&vm, &vm__kvm, &options, error);

	if (result < 0)
		return result;
	result = run_guest(vm, &outcome);
	if (result < 0)
		vm__fail(error, result, "%.200s", vm->error);
	else
		result = judge(&outcome, passed, error);
	vm_free(vm);
	return result;
}

/* What the probe found; it runs once in a process. */
static struct {
	pthread_once_t once;
	int result;
	char error[VM_ERROR_BYTES];
} proof = {.once = PTHREAD_ONCE_INIT};

static void prove(void)
{
	proof.result = vm__kvm_probe(proof.error);
}

int vm__kvm_usable(char error[VM_ERROR_BYTES])
{
	int fd = vm__kvm_open(error);

	if (fd < 0)
		return fd;
	close(fd);
	pthread_once(&proof.once, prove);
	if (proof.result < 0)
		vm__fail(error, proof.result, "%s", proof.error);
	return proof.result;
}
