/* SPDX-License-Identifier: MIT */
/*
 * A run: one thread per vCPU, and the watchdog, while the caller waits, whose
 * thread is the only one that handlers of signals run on. The watchdog stops
 * once all vCPUs have left their guest; their threads are joined after it, so
 * that those it interrupts are still there.
 */
#include "vm_internal.h"

#include <errno.h>
#include <string.h>

static void run_vcpu(struct vm__vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (!vm__over(vcpu)) /* it may have halted before a pause */
		vm->backend->run(vcpu);
	if (!vcpu->paused)
		vm__flush_line(vcpu);
	vm__watchdog_left(&vm->watchdog);
}

/* Nothing runs before all threads are there. */
static void *start(void *arg)
{
	struct vm__vcpu *vcpu = arg;
	bool called_off;

	vm__thread_begins(vcpu->vm, VM_THREAD_VCPU);

	pthread_mutex_lock(&vcpu->vm->gate);
	called_off = vcpu->vm->called_off;
	pthread_mutex_unlock(&vcpu->vm->gate);
	if (!called_off)
		run_vcpu(vcpu);
	return NULL;
}

static void join(struct vm *vm, unsigned threads)
{
	for (unsigned i = 0; i < threads; i++)
		pthread_join(vm->vcpus[i].thread, NULL);
}

/* All or, on failure (-errno), none. */
static int start_threads(struct vm *vm)
{
	unsigned made = 0;
	int result = 0;

	pthread_mutex_lock(&vm->gate);
	while (made < vm->options.vcpus && result == 0) {
		struct vm__vcpu *vcpu = &vm->vcpus[made];

		result = -pthread_create(&vcpu->thread, NULL, start, vcpu);
		made += result == 0;
	}
	if (result == 0)
		result = vm__watchdog_start(vm);
	vm->called_off = result < 0;
	pthread_mutex_unlock(&vm->gate);
	if (result < 0)
		join(vm, made);
	return result;
}

/* Handlers of the program run on the caller's thread and on no other. */
static int run(struct vm *vm)
{
	sigset_t before, set;
	int result;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	result = start_threads(vm);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result == 0) {
		vm__watchdog_join(&vm->watchdog);
		join(vm, vm->options.vcpus);
	}
	return result;
}

static void count(struct vm *vm)
{
	vm->outcome.exits = vm->outcome.ignored = 0;
	for (unsigned i = 0; i < vm->options.vcpus; i++) {
		vm->outcome.exits += vm->vcpus[i].exits;
		vm->outcome.ignored += vm->vcpus[i].ignored;
	}
}

/* All vCPUs have left, and none of them has ended the run. */
static void paused(struct vm *vm)
{
	const struct vm_exit *last = &vm->vcpus[0].last;
	int pause = VM__STOP_PAUSE;

	atomic_compare_exchange_strong(&vm->watchdog.stop, &pause,
	                               VM__STOP_NONE);
	vm->outcome.end = VM_PAUSED;
	vm->outcome.rip_valid = last->rip_valid;
	vm->outcome.rip = last->rip;
}

int vm_run(struct vm *vm, struct vm_outcome *ret_outcome)
{
	int result;

	if (!vm->booted)
		return vm__fail(vm->error, -EINVAL, "not booted");
	if (vm->over)
		return vm__fail(vm->error, -EBUSY, "has run already");
	vm->outcome = (struct vm_outcome){.vector = -1};
	for (unsigned i = 0; i < vm->options.vcpus; i++)
		vm->vcpus[i].paused = false;
	if (atomic_load(&vm->watchdog.stop) == VM__STOP_KICK) {
		vm->outcome.end = VM_INTERRUPTED;
		vm->over = true;
	} else {
		result = run(vm);
		if (result < 0)
			return vm__fail(vm->error, result, "no thread: %s",
			                strerror(-result));
		vm->over = atomic_load(&vm->ended);
		if (!vm->over)
			paused(vm);
	}
	count(vm);
	if (vm->outcome.end == VM_FAILED)
		vm__fail(vm->error, 0, "%.200s", vm->outcome.message);
	*ret_outcome = vm->outcome;
	return 0;
}

void vm_kick(struct vm *vm)
{
	vm__watchdog_bark(&vm->watchdog, VM__STOP_KICK);
}

void vm_pause(struct vm *vm)
{
	vm__watchdog_bark(&vm->watchdog, VM__STOP_PAUSE);
}
