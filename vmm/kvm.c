/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend: no interrupt controller (with one, HLT would not leave the
 * guest, and vCPUs above 0 would wait for it), registers by KVM_CAP_SYNC_REGS
 * where there is that. Each KVM_EXIT_* and each error of KVM_RUN ends up as one
 * vm__exit(), vm__interrupted() or vm__failed().
 *
 * The watchdog stops the vCPU with `immediate_exit` and VM__SIGNAL, which is
 * blocked except inside KVM_RUN: no handler, and no gap to fall into.
 */
#include "kvm_machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#define CR0_PG (UINT64_C(1) << 31)

/* The registers at this exit, read once. */
static struct vm_exit exit_now(struct vm__vcpu *vcpu)
{
	const struct vm__machine *machine = vcpu->vm->state;
	const struct vm__kvm_cpu *cpu = vm__kvm_cpu(vcpu);
	struct vm_exit exit = {0};
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (machine->sync_regs) {
		regs = cpu->run->s.regs.regs;
		sregs = cpu->run->s.regs.sregs;
	} else if (ioctl(cpu->fd, KVM_GET_REGS, &regs) < 0 ||
	           ioctl(cpu->fd, KVM_GET_SREGS, &sregs) < 0) {
		return exit;
	}
	exit.registers_valid = exit.rip_valid = true;
	exit.r8 = regs.r8;
	exit.r9 = regs.r9;
	exit.r10 = regs.r10;
	exit.rip = regs.rip;
	exit.cr0 = sregs.cr0;
	exit.cr3 = sregs.cr3;
	exit.cr4 = sregs.cr4;
	exit.efer = sregs.efer;
	return exit;
}

static void take_port(struct vm__vcpu *vcpu, struct vm_exit *exit)
{
	const struct vm__machine *machine = vcpu->vm->state;
	struct kvm_run *run = vm__kvm_cpu(vcpu)->run;
	uint64_t offset = run->io.data_offset;
	uint64_t bytes = (uint64_t)run->io.size * run->io.count;
	unsigned char *data;

	if (bytes == 0 || run->io.size > 4 || offset > machine->run_bytes ||
	    bytes > machine->run_bytes - offset) {
		vm__failed(vcpu, exit, -EIO, "KVM: port data out of range");
		return;
	}
	data = (unsigned char *)run + offset;
	exit->reason = VM_EXIT_IO;
	exit->port = run->io.port;
	exit->width = run->io.size;
	exit->count = run->io.count;
	exit->write = run->io.direction == KVM_EXIT_IO_OUT;
	if (!exit->write)
		memset(data, 0xff, bytes);
	vm__exit(vcpu, exit, exit->write ? data : NULL);
}

static void take_mmio(struct vm__vcpu *vcpu, struct vm_exit *exit)
{
	struct kvm_run *run = vm__kvm_cpu(vcpu)->run;

	if (run->mmio.len == 0 || run->mmio.len > sizeof run->mmio.data) {
		vm__failed(vcpu, exit, -EIO, "KVM: MMIO data out of range");
		return;
	}
	exit->reason = VM_EXIT_MMIO;
	exit->address = run->mmio.phys_addr;
	exit->width = (uint8_t)run->mmio.len;
	exit->write = run->mmio.is_write;
	exit->count = 1;
	if (exit->write)
		memcpy(&exit->value, run->mmio.data, run->mmio.len);
	else
		memset(run->mmio.data, 0xff, sizeof run->mmio.data);
	vm__exit(vcpu, exit, NULL);
}

/* AMD resets the vCPU at a triple fault: then nothing in it is the guest's. */
static void take_shutdown(struct vm__vcpu *vcpu, struct vm_exit *exit)
{
	exit->reason = VM_EXIT_SHUTDOWN;
	if (!(exit->cr0 & CR0_PG))
		*exit = (struct vm_exit){.reason = VM_EXIT_SHUTDOWN};
	vm__exit(vcpu, exit, NULL);
}

static void take_exit(struct vm__vcpu *vcpu)
{
	struct kvm_run *run = vm__kvm_cpu(vcpu)->run;
	struct vm_exit exit = exit_now(vcpu);

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		take_port(vcpu, &exit);
		break;
	case KVM_EXIT_MMIO:
		take_mmio(vcpu, &exit);
		break;
	case KVM_EXIT_HLT:
		exit.reason = VM_EXIT_HLT;
		vcpu->timer.open = run->if_flag;
		vm__exit(vcpu, &exit, NULL);
		break;
	case KVM_EXIT_SHUTDOWN:
		take_shutdown(vcpu, &exit);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		vm__interrupted(vcpu, &exit);
		break;
	case KVM_EXIT_EXCEPTION:
		exit.reason = VM_EXIT_EXCEPTION;
		vm__failed(vcpu, &exit, -EIO,
		           "KVM: exception %u, error code %#x",
		           run->ex.exception, run->ex.error_code);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		vm__failed(vcpu, &exit, -EIO,
		           "KVM: the CPU refused the guest's state (%#llx)",
		           run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		vm__failed(vcpu, &exit, -EIO, "KVM: internal error %u%s",
		           run->internal.suberror,
		           run->internal.suberror ==
		                           KVM_INTERNAL_ERROR_EMULATION
		                   ? " (an instruction it cannot emulate)"
		                   : "");
		break;
	default:
		vm__failed(vcpu, &exit, -EIO, "KVM: unexpected exit reason %u",
		           run->exit_reason);
	}
}

/* Inside KVM_RUN alone VM__SIGNAL gets through. */
static int set_signal_mask(struct vm__vcpu *vcpu)
{
	union {
		struct kvm_signal_mask mask;
		unsigned char room[sizeof(struct kvm_signal_mask) + 8];
	} mask = {.mask.len = 8}; /* bytes that the kernel calls a sigset */
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	sigdelset(&set, VM__SIGNAL);
	memcpy(mask.room + sizeof mask.mask, &set, 8);
	return ioctl(vm__kvm_cpu(vcpu)->fd, KVM_SET_SIGNAL_MASK, &mask);
}

/*
 * What the watchdog sent, to have the vCPU look at its timer: else KVM_RUN
 * would return at once for ever. First the flag: what comes later stays.
 */
static void forget_signal(const struct vm__kvm_cpu *cpu)
{
	static const struct timespec now;
	sigset_t set;

	vm__kvm_immediate_exit(cpu, false);
	sigemptyset(&set);
	sigaddset(&set, VM__SIGNAL);
	sigtimedwait(&set, NULL, &now);
}

/* Hands a tick to KVM as soon as the guest takes it. */
static int offer_tick(struct vm__vcpu *vcpu)
{
	const struct vm__kvm_cpu *cpu = vm__kvm_cpu(vcpu);
	struct kvm_interrupt tick = {.irq = VM__TIMER_VECTOR};
	bool due = vm__timer_due(vcpu);

	if (due && cpu->run->ready_for_interrupt_injection) {
		if (ioctl(cpu->fd, KVM_INTERRUPT, &tick) < 0)
			return -errno;
		vm__timer_taken(vcpu);
		due = false;
	}
	cpu->run->request_interrupt_window = due;
	return 0;
}

/* KVM_RUN with what comes before. */
static int run_once(struct vm__vcpu *vcpu)
{
	const struct vm__kvm_cpu *cpu = vm__kvm_cpu(vcpu);
	int result;

	vm__timer_wait(vcpu);
	/* KVM completes the access of the last exit even then. */
	if (vm__stopping(vcpu->vm))
		vm__kvm_immediate_exit(cpu, true);
	vm__enter(vcpu);
	result = offer_tick(vcpu);
	if (result < 0)
		return result;
	return ioctl(cpu->fd, KVM_RUN, 0) == 0 ? 0 : -errno;
}

static void kvm_run(struct vm__vcpu *vcpu)
{
	const struct vm__machine *machine = vcpu->vm->state;
	const struct vm__kvm_cpu *cpu = vm__kvm_cpu(vcpu);
	struct vm_exit none = {0};

	if (set_signal_mask(vcpu) < 0) {
		vm__failed(vcpu, &none, -errno, "KVM: signal mask: %s",
		           strerror(errno));
		return;
	}
	if (machine->sync_regs)
		cpu->run->kvm_valid_regs =
			KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	vm__kvm_immediate_exit(cpu, false);
	while (!vm__over(vcpu)) {
		int result = run_once(vcpu);

		if (result == 0) {
			take_exit(vcpu);
		} else if (result == -EINTR || result == -EAGAIN) {
			struct vm_exit exit = exit_now(vcpu);

			vm__interrupted(vcpu, &exit);
			if (!vm__over(vcpu) && !vm__stopping(vcpu->vm))
				forget_signal(cpu);
		} else {
			vm__failed(vcpu, &none, result, "KVM: run: %s",
			           strerror(-result));
		}
	}
}

static int kvm_create(struct vm *vm)
{
	int result = vm__kvm_create(vm);

	if (result == 0)
		result = vm__kvm_filter_msrs(vm);
	for (unsigned i = 0; i < vm->options.vcpus && result == 0; i++)
		result = vm__kvm_set_cpuid(&vm->vcpus[i]);
	return result;
}

static void kvm_interrupt(struct vm__vcpu *vcpu)
{
	vm__kvm_immediate_exit(vm__kvm_cpu(vcpu), true);
	pthread_kill(vcpu->thread, VM__SIGNAL);
}

const struct vm__backend vm__kvm = {
	.name = "kvm",
	.capabilities = VM_HAS_TSC_RATE | VM_HAS_RIP_AT_IO | VM_HAS_PAGING |
                        VM_HAS_VCPUS | VM_HAS_TSC_OFFSET | VM_HAS_DOORBELL_FD,
	.vcpus_max = VM_VCPUS_MAX,
	.create = kvm_create,
	.prepare = vm__kvm_prepare,
	.run = kvm_run,
	.interrupt = kvm_interrupt,
	.tsc = vm__kvm_tsc,
	.set_tsc = vm__kvm_set_tsc,
	.doorbell = vm__kvm_doorbell,
	.state_bytes = sizeof(struct vm__kvm_state),
	.save = vm__kvm_save,
	.reset = vm__kvm_reset,
	.restore = vm__kvm_restore,
	.destroy = vm__kvm_destroy,
};
