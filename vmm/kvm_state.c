/* SPDX-License-Identifier: MIT */
/*
 * The state of a vCPU of KVM's, out and in. The time stamp counter is not in
 * it: vm.h says what a restored guest finds there.
 */
#include "kvm_machine.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSR_TSC          0x10u
#define MSR_TSC_DEADLINE 0x6e0u
#define PENDING_MAX      4096u /* accesses that one instruction can leave */

static int msr_access(const struct vm__vcpu *vcpu, unsigned long request,
                      struct vm__kvm_msr *msr)
{
	struct kvm_msr_entry entry = {.index = msr->index, .data = msr->value};
	union {
		struct kvm_msrs msrs;
		unsigned char room[sizeof(struct kvm_msrs) + sizeof entry];
	} one = {.msrs.nmsrs = 1};

	memcpy(one.room + sizeof one.msrs, &entry, sizeof entry);
	if (ioctl(vm__kvm_cpu(vcpu)->fd, request, &one) != 1)
		return -1;
	memcpy(&entry, one.room + sizeof one.msrs, sizeof entry);
	msr->value = entry.data;
	return 0;
}

/* Those that the kernel lists but this CPU has not are left out. */
static int save_msrs(struct vm__vcpu *vcpu, struct vm__kvm_state *state)
{
	const struct vm__machine *machine = vcpu->vm->state;
	union {
		struct kvm_msr_list list;
		unsigned char room[sizeof(struct kvm_msr_list) +
		                   VM__KVM_MSRS_MAX * sizeof(uint32_t)];
	} all = {.list.nmsrs = VM__KVM_MSRS_MAX};

	if (ioctl(machine->kvm_fd, KVM_GET_MSR_INDEX_LIST, &all) < 0)
		return vm__kvm_failed(vcpu->vm, "list of MSRs");
	for (uint32_t i = 0; i < all.list.nmsrs; i++) {
		struct vm__kvm_msr *msr = &state->msrs[state->msr_count];

		*msr = (struct vm__kvm_msr){.index = all.list.indices[i]};
		if (msr->index != MSR_TSC && msr->index != MSR_TSC_DEADLINE &&
		    msr_access(vcpu, KVM_GET_MSRS, msr) == 0)
			state->msr_count++;
	}
	return 0;
}

int vm__kvm_save(struct vm__vcpu *vcpu, void *to)
{
	struct vm__kvm_state *state = to;
	int fd = vm__kvm_cpu(vcpu)->fd;

	memset(state, 0, sizeof *state);
	if (ioctl(fd, KVM_GET_REGS, &state->regs) < 0 ||
	    ioctl(fd, KVM_GET_SREGS, &state->sregs) < 0)
		return vm__kvm_failed(vcpu->vm, "registers");
	if (ioctl(fd, KVM_GET_XSAVE, &state->xsave) < 0)
		return vm__kvm_failed(vcpu->vm, "extended state");
	if (ioctl(fd, KVM_GET_XCRS, &state->xcrs) < 0)
		state->xcrs.nr_xcrs = 0;
	if (ioctl(fd, KVM_GET_DEBUGREGS, &state->debug) < 0)
		return vm__kvm_failed(vcpu->vm, "debug registers");
	if (ioctl(fd, KVM_GET_VCPU_EVENTS, &state->events) < 0)
		return vm__kvm_failed(vcpu->vm, "events");
	return save_msrs(vcpu, state);
}

/*
 * The last exit may have left an access half done, to be completed when KVM_RUN
 * is called again. That must not happen to the registers we are about to set.
 */
int vm__kvm_reset(struct vm *vm)
{
	for (unsigned i = 0; i < vm->options.vcpus; i++) {
		const struct vm__kvm_cpu *cpu = vm__kvm_cpu(&vm->vcpus[i]);
		unsigned left = PENDING_MAX;

		vm__kvm_immediate_exit(cpu, true);
		while (ioctl(cpu->fd, KVM_RUN, 0) == 0 && left > 0)
			left--;
		vm__kvm_immediate_exit(cpu, false);
		if (left == 0)
			return vm__fail(vm->error, -EIO,
			                "KVM: vCPU %u does not stop", i);
	}
	return 0;
}

/* What already has its value need not be writable. */
static int restore_msr(struct vm__vcpu *vcpu, const struct vm__kvm_msr *msr)
{
	struct vm__kvm_msr now = *msr, wanted = *msr;

	if (msr_access(vcpu, KVM_GET_MSRS, &now) == 0 &&
	    now.value == msr->value)
		return 0;
	if (msr_access(vcpu, KVM_SET_MSRS, &wanted) < 0)
		return vm__fail(vcpu->vm->error, -EINVAL,
		                "KVM: MSR %#x cannot be %#llx", msr->index,
		                (unsigned long long)msr->value);
	return 0;
}

int vm__kvm_restore(struct vm__vcpu *vcpu, const void *from)
{
	const struct vm__kvm_state *state = from;
	int fd = vm__kvm_cpu(vcpu)->fd, result = 0;

	if (state->msr_count > VM__KVM_MSRS_MAX ||
	    state->xcrs.nr_xcrs > KVM_MAX_XCRS)
		return vm__fail(vcpu->vm->error, -EBADMSG,
		                "malformed state of vCPU %u", vcpu->index);
	if (ioctl(fd, KVM_SET_SREGS, &state->sregs) < 0)
		return vm__kvm_failed(vcpu->vm, "system registers");
	if (ioctl(fd, KVM_SET_REGS, &state->regs) < 0)
		return vm__kvm_failed(vcpu->vm, "registers");
	if (state->xcrs.nr_xcrs > 0 &&
	    ioctl(fd, KVM_SET_XCRS, &state->xcrs) < 0)
		return vm__kvm_failed(vcpu->vm, "extended control registers");
	if (ioctl(fd, KVM_SET_XSAVE, &state->xsave) < 0)
		return vm__kvm_failed(vcpu->vm, "extended state");
	for (uint32_t i = 0; i < state->msr_count && result == 0; i++)
		if (state->msrs[i].index != MSR_TSC)
			result = restore_msr(vcpu, &state->msrs[i]);
	if (result < 0)
		return result;
	if (ioctl(fd, KVM_SET_DEBUGREGS, &state->debug) < 0)
		return vm__kvm_failed(vcpu->vm, "debug registers");
	if (ioctl(fd, KVM_SET_VCPU_EVENTS, &state->events) < 0)
		return vm__kvm_failed(vcpu->vm, "events");
	return 0;
}
