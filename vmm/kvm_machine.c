/* SPDX-License-Identifier: MIT */
/*
 * Makes a machine of KVM's: memory, a vCPU, its CPUID, its clock, and the state
 * in which it starts.
 */
#include "kvm_machine.h"

#include <errno.h>
#include <fcntl.h>
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
#define TSS_GPA            UINT64_C(0xfffbd000) /* old Intel CPUs need it */
#define TSS_MEMORY_MAX     UINT64_C(0xfff00000) /* RAM must not reach it */

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

int vm__kvm_usable(char error[VM_ERROR_BYTES])
{
	int fd = kvm_open(error);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int vm__kvm_failed(struct vm *vm, const char *what)
{
	return vm__fail(vm->error, -errno, "KVM: %s: %s", what,
	                strerror(errno));
}

static int map_memory(struct vm *vm)
{
	struct vm__machine *machine = vm->state;
	struct kvm_userspace_memory_region region = {
		.memory_size = vm->space.ram_bytes,
		.userspace_addr = (uintptr_t)vm->space.ram,
	};

	if (vm->space.ram_bytes <= TSS_MEMORY_MAX &&
	    ioctl(machine->vm_fd, KVM_SET_TSS_ADDR, TSS_GPA) < 0)
		return vm__kvm_failed(vm, "task state");
	if (ioctl(machine->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return vm__kvm_failed(vm, "memory");
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
	struct vm__machine *machine = vm->state;
	struct kvm_cpuid2 *cpuid = calloc(
		1, sizeof *cpuid + CPUID_ENTRIES * sizeof cpuid->entries[0]);
	int result = 0;

	if (!cpuid)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	cpuid->nent = CPUID_ENTRIES;
	if (ioctl(machine->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0) {
		result = vm__kvm_failed(vm, "supported CPUID");
	} else {
		edit_cpuid(cpuid, machine->khz);
		if (ioctl(machine->vcpu_fd, KVM_SET_CPUID2, cpuid) < 0)
			result = vm__kvm_failed(vm, "CPUID");
	}
	free(cpuid);
	return result;
}

/* Guest TSC = host TSC, where KVM lets us say so. vm_tsc() reads it back. */
static void align_tsc(struct vm__machine *machine)
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
	struct vm__machine *machine = vm->state;
	int wanted = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	int bytes = ioctl(machine->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (bytes < (int)sizeof *machine->run)
		return vm__fail(vm->error, -EIO, "KVM: run page too small");
	machine->vcpu_fd = ioctl(machine->vm_fd, KVM_CREATE_VCPU, 0);
	if (machine->vcpu_fd < 0)
		return vm__kvm_failed(vm, "vCPU");
	run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
	           machine->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return vm__kvm_failed(vm, "run page");
	machine->run = run;
	machine->run_bytes = (size_t)bytes;
	machine->sync_regs = (ioctl(machine->kvm_fd, KVM_CHECK_EXTENSION,
	                            KVM_CAP_SYNC_REGS) &
	                      wanted) == wanted;
	align_tsc(machine);
	return set_cpuid(vm);
}

int vm__kvm_create(struct vm *vm)
{
	struct vm__machine *machine = calloc(1, sizeof *machine);
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
		return vm__kvm_failed(vm, "new VM");
	result = map_memory(vm);
	return result < 0 ? result : make_vcpu(vm);
}

void vm__kvm_destroy(struct vm *vm)
{
	struct vm__machine *machine = vm->state;

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

int vm__kvm_prepare(struct vm *vm)
{
	struct vm__machine *machine = vm->state;
	struct kvm_regs regs = {
		.rip = vm->entry.rip,
		.rsp = vm->entry.rsp,
		.rdi = vm->entry.rdi,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(machine->vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return vm__kvm_failed(vm, "system registers");
	set_segments(&sregs);
	sregs.cr0 = vm->entry.cr0;
	sregs.cr3 = vm->entry.cr3;
	sregs.cr4 = vm->entry.cr4;
	sregs.efer = vm->entry.efer;
	if (ioctl(machine->vcpu_fd, KVM_SET_SREGS, &sregs) < 0)
		return vm__kvm_failed(vm, "system registers");
	if (ioctl(machine->vcpu_fd, KVM_SET_REGS, &regs) < 0)
		return vm__kvm_failed(vm, "registers");
	return 0;
}

/* What KVM applies to the host's TSC, from before it told (Linux 5.16). */
static int measure_offset(struct vm *vm, int64_t *ret_offset)
{
	struct vm__machine *machine = vm->state;
	struct kvm_msr_entry entry = {.index = MSR_TSC};
	union {
		struct kvm_msrs msrs;
		unsigned char room[sizeof(struct kvm_msrs) + sizeof entry];
	} msrs = {.msrs.nmsrs = 1};
	uint64_t before, after;

	memcpy(msrs.room + sizeof msrs.msrs, &entry, sizeof entry);
	before = __rdtsc();
	if (ioctl(machine->vcpu_fd, KVM_GET_MSRS, &msrs) != 1)
		return vm__kvm_failed(vm, "TSC");
	after = __rdtsc();
	memcpy(&entry, msrs.room + sizeof msrs.msrs, sizeof entry);
	*ret_offset = (int64_t)(entry.data - (before + (after - before) / 2));
	return 0;
}

int vm__kvm_tsc(struct vm *vm, int64_t *ret_offset, uint64_t *ret_khz)
{
	struct vm__machine *machine = vm->state;
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
