/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend: one vCPU, no interrupt controller (with one, HLT would not
 * leave the guest), registers by KVM_CAP_SYNC_REGS where there is that. Each
 * KVM_EXIT_* and each error of KVM_RUN ends up as one vm__exit(),
 * vm__interrupted() or vm__failed().
 *
 * The watchdog stops the vCPU with `immediate_exit` and VM__SIGNAL, which is
 * blocked except inside KVM_RUN: no handler, and no gap to fall into.
 */
#include "vm_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define CPUID_ENTRIES      256u
#define CPUID_FEATURES     1u
#define CPUID_X2APIC       (UINT32_C(1) << 21)
#define CPUID_TSC_DEADLINE (UINT32_C(1) << 24)
#define CPUID_HYPERVISOR   UINT32_C(0x40000000)
#define CPUID_KVM_FEATURES UINT32_C(0x40000001)
#define CPUID_RATES        UINT32_C(0x40000010) /* eax = TSC rate, kHz */
#define MSR_TSC            0x10u
#define CR0_PG             (UINT64_C(1) << 31)
#define TSS_GPA            UINT64_C(0xfffbd000) /* old Intel CPUs need it */
#define TSS_MEMORY_MAX     UINT64_C(0xfff00000) /* RAM must not reach it */

struct machine {
	int kvm_fd, vm_fd, vcpu_fd;
	struct kvm_run *run;
	size_t run_bytes;
	bool sync_regs;
	uint64_t khz;
};

static int kvm_open(char error[VM_ERROR_BYTES])
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int version;

	if (fd < 0)
		return vm__fail(error, -errno, "/dev/kvm: %s%s",
		                strerror(errno),
		                errno == EACCES ? " (group kvm?)" : "");
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_API_VERSION &&
	    ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) > 0 &&
	    ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT) > 0)
		return fd;
	close(fd);
	return vm__fail(error, -ENODEV, "/dev/kvm: API version %d is too old",
	                version);
}

static int kvm_usable(char error[VM_ERROR_BYTES])
{
	int fd = kvm_open(error);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int failed(struct vm *vm, const char *what)
{
	return vm__fail(vm->error, -errno, "KVM: %s: %s", what,
	                strerror(errno));
}

/* ---- Making a machine ---------------------------------------------------- */

static int map_memory(struct vm *vm)
{
	struct machine *machine = vm->state;
	struct kvm_userspace_memory_region region = {
		.memory_size = vm->space.ram_bytes,
		.userspace_addr = (uintptr_t)vm->space.ram,
	};

	if (vm->space.ram_bytes <= TSS_MEMORY_MAX &&
	    ioctl(machine->vm_fd, KVM_SET_TSS_ADDR, TSS_GPA) < 0)
		return failed(vm, "task state");
	if (ioctl(machine->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return failed(vm, "memory");
	return 0;
}

/* No local APIC and nothing paravirtual; the TSC rate where guests look. */
static void edit_cpuid(struct kvm_cpuid2 *cpuid, uint64_t khz)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == CPUID_FEATURES)
			entry->ecx &= ~(CPUID_X2APIC | CPUID_TSC_DEADLINE);
		else if (entry->function == CPUID_HYPERVISOR)
			entry->eax = CPUID_RATES;
		else if (entry->function == CPUID_KVM_FEATURES)
			entry->eax = 0;
	}
	if (cpuid->nent < CPUID_ENTRIES)
		cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
			.function = CPUID_RATES,
			.eax = (uint32_t)khz,
		};
}

static int set_cpuid(struct vm *vm)
{
	struct machine *machine = vm->state;
	struct kvm_cpuid2 *cpuid = calloc(
		1, sizeof *cpuid + CPUID_ENTRIES * sizeof cpuid->entries[0]);
	int result = 0;

	if (!cpuid)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	cpuid->nent = CPUID_ENTRIES;
	if (ioctl(machine->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0) {
		result = failed(vm, "supported CPUID");
	} else {
		edit_cpuid(cpuid, machine->khz);
		if (ioctl(machine->vcpu_fd, KVM_SET_CPUID2, cpuid) < 0)
			result = failed(vm, "CPUID");
	}
	free(cpuid);
	return result;
}

/* Guest TSC = host TSC, where KVM lets us say so. vm_tsc() reads it back. */
static void align_tsc(struct machine *machine)
{
	uint64_t offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};
	int khz = ioctl(machine->vcpu_fd, KVM_GET_TSC_KHZ, 0);

	machine->khz = khz > 0 ? (uint64_t)khz : 0;
	ioctl(machine->vcpu_fd, KVM_SET_DEVICE_ATTR, &attr);
}

static int make_vcpu(struct vm *vm)
{
	struct machine *machine = vm->state;
	int wanted = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	int bytes = ioctl(machine->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (bytes < (int)sizeof *machine->run)
		return vm__fail(vm->error, -EIO, "KVM: run page too small");
	machine->vcpu_fd = ioctl(machine->vm_fd, KVM_CREATE_VCPU, 0);
	if (machine->vcpu_fd < 0)
		return failed(vm, "vCPU");
	run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
	           machine->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return failed(vm, "run page");
	machine->run = run;
	machine->run_bytes = (size_t)bytes;
	machine->sync_regs = (ioctl(machine->kvm_fd, KVM_CHECK_EXTENSION,
	                            KVM_CAP_SYNC_REGS) &
	                      wanted) == wanted;
	align_tsc(machine);
	return set_cpuid(vm);
}

static int kvm_create(struct vm *vm)
{
	struct machine *machine = calloc(1, sizeof *machine);
	int result;

	if (!machine)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	machine->vm_fd = machine->vcpu_fd = -1;
	vm->state = machine;
	machine->kvm_fd = kvm_open(vm->error);
	if (machine->kvm_fd < 0)
		return machine->kvm_fd;
	do {
		machine->vm_fd = ioctl(machine->kvm_fd, KVM_CREATE_VM, 0);
	} while (machine->vm_fd < 0 && errno == EINTR);
	if (machine->vm_fd < 0)
		return failed(vm, "new VM");
	result = map_memory(vm);
	return result < 0 ? result : make_vcpu(vm);
}

static void kvm_destroy(struct vm *vm)
{
	struct machine *machine = vm->state;

	if (!machine)
		return;
	if (machine->run)
		munmap(machine->run, machine->run_bytes);
	if (machine->vcpu_fd >= 0)
		close(machine->vcpu_fd);
	if (machine->vm_fd >= 0)
		close(machine->vm_fd);
	if (machine->kvm_fd >= 0)
		close(machine->kvm_fd);
	free(machine);
	vm->state = NULL;
}

static void set_segments(struct kvm_sregs *sregs)
{
	struct kvm_segment code = {
		.limit = UINT32_MAX,
		.selector = 8,
		.type = 11, /* execute, read, accessed */
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1,
	};
	struct kvm_segment data = code;

	data.selector = 16;
	data.type = 3; /* read, write, accessed */
	data.l = 0;
	data.db = 1;
	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->gdt.limit = sregs->idt.limit = 0;
}

static int kvm_prepare(struct vm *vm)
{
	struct machine *machine = vm->state;
	struct kvm_regs regs = {
		.rip = vm->entry.rip,
		.rsp = vm->entry.rsp,
		.rdi = vm->entry.rdi,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(machine->vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return failed(vm, "system registers");
	set_segments(&sregs);
	sregs.cr0 = vm->entry.cr0;
	sregs.cr3 = vm->entry.cr3;
	sregs.cr4 = vm->entry.cr4;
	sregs.efer = vm->entry.efer;
	if (ioctl(machine->vcpu_fd, KVM_SET_SREGS, &sregs) < 0)
		return failed(vm, "system registers");
	if (ioctl(machine->vcpu_fd, KVM_SET_REGS, &regs) < 0)
		return failed(vm, "registers");
	return 0;
}

/* ---- Running it ---------------------------------------------------------- */

/* The registers at this exit, read once. */
static struct vm_exit exit_now(struct machine *machine)
{
	struct vm_exit exit = {0};
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (machine->sync_regs) {
		regs = machine->run->s.regs.regs;
		sregs = machine->run->s.regs.sregs;
	} else if (ioctl(machine->vcpu_fd, KVM_GET_REGS, &regs) < 0 ||
	           ioctl(machine->vcpu_fd, KVM_GET_SREGS, &sregs) < 0) {
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

static void take_port(struct vm *vm, struct vm_exit *exit)
{
	struct machine *machine = vm->state;
	struct kvm_run *run = machine->run;
	uint64_t offset = run->io.data_offset;
	uint64_t bytes = (uint64_t)run->io.size * run->io.count;
	unsigned char *data;

	if (bytes == 0 || run->io.size > 4 || offset > machine->run_bytes ||
	    bytes > machine->run_bytes - offset) {
		vm__failed(vm, exit, -EIO, "KVM: port data out of range");
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
	vm__exit(vm, exit, exit->write ? data : NULL);
}

static void take_mmio(struct vm *vm, struct vm_exit *exit)
{
	struct machine *machine = vm->state;
	struct kvm_run *run = machine->run;

	if (run->mmio.len == 0 || run->mmio.len > sizeof run->mmio.data) {
		vm__failed(vm, exit, -EIO, "KVM: MMIO data out of range");
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
	vm__exit(vm, exit, NULL);
}

/* AMD resets the vCPU at a triple fault: then nothing in it is the guest's. */
static void take_shutdown(struct vm *vm, struct vm_exit *exit)
{
	exit->reason = VM_EXIT_SHUTDOWN;
	if (!(exit->cr0 & CR0_PG))
		*exit = (struct vm_exit){.reason = VM_EXIT_SHUTDOWN};
	vm__exit(vm, exit, NULL);
}

static void take_exit(struct vm *vm)
{
	struct machine *machine = vm->state;
	struct kvm_run *run = machine->run;
	struct vm_exit exit = exit_now(machine);

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		take_port(vm, &exit);
		break;
	case KVM_EXIT_MMIO:
		take_mmio(vm, &exit);
		break;
	case KVM_EXIT_HLT:
		exit.reason = VM_EXIT_HLT;
		vm__exit(vm, &exit, NULL);
		break;
	case KVM_EXIT_SHUTDOWN:
		take_shutdown(vm, &exit);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		vm__interrupted(vm, &exit);
		break;
	case KVM_EXIT_EXCEPTION:
		exit.reason = VM_EXIT_EXCEPTION;
		vm__failed(vm, &exit, -EIO, "KVM: exception %u, error code %#x",
		           run->ex.exception, run->ex.error_code);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		vm__failed(vm, &exit, -EIO,
		           "KVM: the CPU refused the guest's state (%#llx)",
		           run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		vm__failed(vm, &exit, -EIO, "KVM: internal error %u%s",
		           run->internal.suberror,
		           run->internal.suberror ==
		                           KVM_INTERNAL_ERROR_EMULATION
		                   ? " (an instruction it cannot emulate)"
		                   : "");
		break;
	default:
		vm__failed(vm, &exit, -EIO, "KVM: unexpected exit reason %u",
		           run->exit_reason);
	}
}

/* Inside KVM_RUN alone VM__SIGNAL gets through. */
static int set_signal_mask(struct vm *vm)
{
	struct machine *machine = vm->state;
	union {
		struct kvm_signal_mask mask;
		unsigned char room[sizeof(struct kvm_signal_mask) + 8];
	} mask = {.mask.len = 8}; /* bytes that the kernel calls a sigset */
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	sigdelset(&set, VM__SIGNAL);
	memcpy(mask.room + sizeof mask.mask, &set, 8);
	return ioctl(machine->vcpu_fd, KVM_SET_SIGNAL_MASK, &mask);
}

static void kvm_run(struct vm *vm)
{
	struct machine *machine = vm->state;
	struct vm_exit none = {0};

	if (set_signal_mask(vm) < 0) {
		vm__failed(vm, &none, -errno, "KVM: signal mask: %s",
		           strerror(errno));
		return;
	}
	if (machine->sync_regs)
		machine->run->kvm_valid_regs =
			KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	while (!vm->ended) {
		vm__enter(vm);
		if (ioctl(machine->vcpu_fd, KVM_RUN, 0) == 0) {
			take_exit(vm);
		} else if (errno == EINTR || errno == EAGAIN) {
			struct vm_exit exit = exit_now(machine);

			vm__interrupted(vm, &exit);
		} else {
			vm__failed(vm, &none, -errno, "KVM: run: %s",
			           strerror(errno));
		}
	}
}

static void kvm_interrupt(struct vm *vm)
{
	struct machine *machine = vm->state;

	__atomic_store_n(&machine->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(vm->watchdog.guest_thread, VM__SIGNAL);
}

/* What KVM applies to the host's TSC, from before it told (Linux 5.16). */
static int measure_offset(struct vm *vm, int64_t *ret_offset)
{
	struct machine *machine = vm->state;
	struct kvm_msr_entry entry = {.index = MSR_TSC};
	union {
		struct kvm_msrs msrs;
		unsigned char room[sizeof(struct kvm_msrs) + sizeof entry];
	} msrs = {.msrs.nmsrs = 1};
	uint64_t before, after;

	memcpy(msrs.room + sizeof msrs.msrs, &entry, sizeof entry);
	before = __rdtsc();
	if (ioctl(machine->vcpu_fd, KVM_GET_MSRS, &msrs) != 1)
		return failed(vm, "TSC");
	after = __rdtsc();
	memcpy(&entry, msrs.room + sizeof msrs.msrs, sizeof entry);
	*ret_offset = (int64_t)(entry.data - (before + (after - before) / 2));
	return 0;
}

static int kvm_tsc(struct vm *vm, int64_t *ret_offset, uint64_t *ret_khz)
{
	struct machine *machine = vm->state;
	int64_t offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (ioctl(machine->vcpu_fd, KVM_GET_DEVICE_ATTR, &attr) < 0) {
		int result = measure_offset(vm, &offset);

		if (result < 0)
			return result;
	}
	*ret_offset = offset;
	*ret_khz = machine->khz;
	return 0;
}

const struct vm__backend vm__kvm = {
	.name = "kvm",
	.capabilities = VM_HAS_TSC_RATE | VM_HAS_RIP_AT_IO | VM_HAS_PAGING,
	.usable = kvm_usable,
	.create = kvm_create,
	.prepare = kvm_prepare,
	.run = kvm_run,
	.interrupt = kvm_interrupt,
	.tsc = kvm_tsc,
	.destroy = kvm_destroy,
};
