/* SPDX-License-Identifier: MIT */
/*
 * Makes a machine of KVM's: memory, vCPUs, their clocks, and the state in which
 * they start.
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

#define MSR_TSC            0x10u
#define TSS_GPA            UINT64_C(0xfffbd000) /* old Intel CPUs need it */
#define TSS_MEMORY_MAX     UINT64_C(0xfff00000) /* RAM must not reach it */

int vm__kvm_open(char error[VM_ERROR_BYTES])
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

static int set_offset(const struct vm__vcpu *vcpu, int64_t offset)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	return ioctl(vm__kvm_cpu(vcpu)->fd, KVM_SET_DEVICE_ATTR, &attr);
}

static int make_vcpu(struct vm__vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct vm__machine *machine = vm->state;
	struct vm__kvm_cpu *cpu = vm__kvm_cpu(vcpu);
	void *run;
	int khz;

	cpu->fd = ioctl(machine->vm_fd, KVM_CREATE_VCPU,
	                (unsigned long)vcpu->index);
	if (cpu->fd < 0)
		return vm__kvm_failed(vm, "vCPU");
	run = mmap(NULL, machine->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
	           cpu->fd, 0);
	if (run == MAP_FAILED)
		return vm__kvm_failed(vm, "run page");
	cpu->run = run;
	khz = ioctl(cpu->fd, KVM_GET_TSC_KHZ, 0);
	machine->khz = khz > 0 ? (uint64_t)khz : 0;
	/* Guest TSC = host TSC, where KVM lets us; vm_tsc() reads it back. */
	set_offset(vcpu, 0);
	return 0;
}

static int make_vcpus(struct vm *vm)
{
	struct vm__machine *machine = vm->state;
	int wanted = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	int bytes = ioctl(machine->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	int result = 0;

	if (bytes < (int)sizeof(struct kvm_run))
		return vm__fail(vm->error, -EIO, "KVM: run page too small");
	machine->run_bytes = (size_t)bytes;
	machine->sync_regs = (ioctl(machine->kvm_fd, KVM_CHECK_EXTENSION,
	                            KVM_CAP_SYNC_REGS) &
	                      wanted) == wanted;
	for (unsigned i = 0; i < vm->options.vcpus && result == 0; i++)
		result = make_vcpu(&vm->vcpus[i]);
	return result;
}

int vm__kvm_create(struct vm *vm)
{
	struct vm__machine *machine = calloc(1, sizeof *machine);
	int result;

	if (!machine)
		return vm__fail(vm->error, -ENOMEM, "out of memory");
	machine->vm_fd = -1;
	for (unsigned i = 0; i < VM_VCPUS_MAX; i++)
		machine->cpu[i].fd = -1;
	vm->state = machine;
	machine->kvm_fd = vm__kvm_open(vm->error);
	if (machine->kvm_fd < 0)
		return machine->kvm_fd;
	do {
		machine->vm_fd = ioctl(machine->kvm_fd, KVM_CREATE_VM, 0);
	} while (machine->vm_fd < 0 && errno == EINTR);
	if (machine->vm_fd < 0)
		return vm__kvm_failed(vm, "new VM");
	result = map_memory(vm);
	return result < 0 ? result : make_vcpus(vm);
}

void vm__kvm_destroy(struct vm *vm)
{
	struct vm__machine *machine = vm->state;

	if (!machine)
		return;
	for (unsigned i = 0; i < VM_VCPUS_MAX; i++) {
		if (machine->cpu[i].run)
			munmap(machine->cpu[i].run, machine->run_bytes);
		if (machine->cpu[i].fd >= 0)
			close(machine->cpu[i].fd);
	}
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

int vm__kvm_prepare(struct vm__vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	int fd = vm__kvm_cpu(vcpu)->fd;
	struct kvm_regs regs = {
		.rip = vcpu->entry.rip,
		.rsp = vcpu->entry.rsp,
		.rdi = vcpu->entry.rdi,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(fd, KVM_GET_SREGS, &sregs) < 0)
		return vm__kvm_failed(vm, "system registers");
	set_segments(&sregs);
	sregs.cr0 = vcpu->entry.cr0;
	sregs.cr3 = vcpu->entry.cr3;
	sregs.cr4 = vcpu->entry.cr4;
	sregs.efer = vcpu->entry.efer;
	if (ioctl(fd, KVM_SET_SREGS, &sregs) < 0)
		return vm__kvm_failed(vm, "system registers");
	if (ioctl(fd, KVM_SET_REGS, &regs) < 0)
		return vm__kvm_failed(vm, "registers");
	return 0;
}

/* What KVM applies to the host's TSC, from before it told (Linux 5.16). */
static int measure_offset(struct vm__vcpu *vcpu, int64_t *ret_offset)
{
	struct kvm_msr_entry entry = {.index = MSR_TSC};
	union {
		struct kvm_msrs msrs;
		unsigned char room[sizeof(struct kvm_msrs) + sizeof entry];
	} msrs = {.msrs.nmsrs = 1};
	uint64_t before, after;

	memcpy(msrs.room + sizeof msrs.msrs, &entry, sizeof entry);
	before = __rdtsc();
	if (ioctl(vm__kvm_cpu(vcpu)->fd, KVM_GET_MSRS, &msrs) != 1)
		return vm__kvm_failed(vcpu->vm, "TSC");
	after = __rdtsc();
	memcpy(&entry, msrs.room + sizeof msrs.msrs, sizeof entry);
	*ret_offset = (int64_t)(entry.data - (before + (after - before) / 2));
	return 0;
}

int vm__kvm_tsc(struct vm__vcpu *vcpu, int64_t *ret_offset, uint64_t *ret_khz)
{
	const struct vm__machine *machine = vcpu->vm->state;
	int64_t offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (ioctl(vm__kvm_cpu(vcpu)->fd, KVM_GET_DEVICE_ATTR, &attr) < 0) {
		int result = measure_offset(vcpu, &offset);

		if (result < 0)
			return result;
	}
	*ret_offset = offset;
	*ret_khz = machine->khz;
	return 0;
}

int vm__kvm_set_tsc(struct vm__vcpu *vcpu, int64_t offset)
{
	return set_offset(vcpu, offset) < 0
	               ? vm__kvm_failed(vcpu->vm, "TSC offset")
	               : 0;
}

int vm__kvm_doorbell(struct vm *vm, int eventfd, uint8_t value)
{
	const struct vm__machine *machine = vm->state;
	struct kvm_ioeventfd doorbell = {
		.datamatch = value,
		.addr = GT_PORT_TRACE,
		.len = 1,
		.fd = eventfd,
		.flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH,
	};

	return ioctl(machine->vm_fd, KVM_IOEVENTFD, &doorbell) < 0
	               ? vm__kvm_failed(vm, "doorbell")
	               : 0;
}
