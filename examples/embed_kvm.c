/* SPDX-License-Identifier: MIT */
/*
 * A whole VMM in one file that traces its guest: KVM, one vCPU, a flat 64-bit
 * guest. What guesttrace needs of it stands between the two lines of dashes,
 * about 50 lines; the rest is any VMM. Usage: embed_kvm GUEST.bin OUT.json
 *
 * The guest is loaded at GVA 0x200000, entered at its first byte, and ends with
 * `hlt`. GVA and GPA differ by 2 MiB, to show that nothing here cares.
 */
#include <guesttrace/host.h>

#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM_BYTES (UINT64_C(8) << 20)
#define GUEST_GPA (UINT64_C(4) << 20)
#define GUEST_GVA (UINT64_C(2) << 20)
#define STACK_GVA (GUEST_GVA + (UINT64_C(2) << 20) - 8)

#define CPUID_ENTRIES 256u

struct vmm {
	int kvm, vm, vcpu;
	unsigned char *ram;
	struct kvm_run *run;
	struct gt_host *trace;
	struct gt_sink *sink;
};

/* ---- What guesttrace needs ---------------------------------------------- */

static int write_file(void *context, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, context) == count ? 0 : -1;
}

static void trace_start(struct vmm *vmm, FILE *to)
{
	struct gt_output output = {write_file, to};
	struct gt_host_options options = {
		.size = sizeof(options),
		.memory = {{.bytes = RAM_BYTES, .host = vmm->ram}},
		.memory_slots = 1,
		.sinks = &vmm->sink,
		.sink_count = 1,
		.guest_name = "embedded",
		.backend = "kvm",
	};

	if (gt_otlp_json_new(&output, &vmm->sink) < 0 ||
	    gt_host_new(&options, &vmm->trace) < 0)
		errx(1, "cannot trace");
}

/* On every exit. A bad trace is counted and never stops the guest. */
static void trace_exit(struct vmm *vmm, enum gt_exit_reason reason)
{
	const struct kvm_run *run = vmm->run;
	const struct kvm_regs *regs = &run->s.regs.regs;
	const struct kvm_sregs *sregs = &run->s.regs.sregs;
	struct gt_exit exit = {
		.size = sizeof(exit),
		.reason = reason,
		.port = run->io.port,
		.width_bytes = run->io.size,
		.out = run->io.direction == KVM_EXIT_IO_OUT,
		.count = run->io.count,
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.cr0 = sregs->cr0,
		.cr3 = sregs->cr3,
		.cr4 = sregs->cr4,
		.efer = sregs->efer,
	};
	struct kvm_device_attr offset = {.group = KVM_VCPU_TSC_CTRL,
	                                 .attr = KVM_VCPU_TSC_OFFSET,
	                                 .addr = (uintptr_t)&exit.tsc_offset};

	ioctl(vmm->vcpu, KVM_GET_DEVICE_ATTR, &offset);
	gt_host_exit(vmm->trace, 0, &exit);
}

static int trace_end(struct vmm *vmm, enum gt_ending ending)
{
	int r = gt_host_finish(vmm->trace, ending, 0, NULL);

	if (vmm->sink->finish(vmm->sink) < 0)
		r = -1;
	vmm->sink->free(vmm->sink);
	gt_host_free(vmm->trace);
	return r;
}

/* ---- The VMM ------------------------------------------------------------- */

static int check(int r, const char *what)
{
	if (r < 0)
		err(1, "%s", what);
	return r;
}

static void make_vm(struct vmm *vmm)
{
	struct kvm_userspace_memory_region region = {.memory_size = RAM_BYTES};
	size_t run_bytes;

	vmm->kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	vmm->vm = check(ioctl(vmm->kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	vmm->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE,
	                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vmm->ram == MAP_FAILED)
		err(1, "mmap");
	region.userspace_addr = (uintptr_t)vmm->ram;
	check(ioctl(vmm->vm, KVM_SET_USER_MEMORY_REGION, &region), "memory");
	vmm->vcpu = check(ioctl(vmm->vm, KVM_CREATE_VCPU, 0), "vCPU");
	run_bytes = (size_t)check(ioctl(vmm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
	                          "mmap size");
	vmm->run = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
	                vmm->vcpu, 0);
	if (vmm->run == MAP_FAILED)
		err(1, "mmap");
	vmm->run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
}

static void load(struct vmm *vmm, const char *path)
{
	FILE *from = fopen(path, "rb");

	if (!from || fread(vmm->ram + GUEST_GPA, 1, 1 << 20, from) == 0)
		err(1, "%s", path);
	fclose(from);
}

/* One 2 MiB page: code, data and stack. */
static void map(struct vmm *vmm)
{
	uint64_t *tables = (uint64_t *)(void *)vmm->ram;

	tables[0] = 0x1000 | 3;
	tables[512] = 0x2000 | 3;
	tables[1024 + (GUEST_GVA >> 21)] = GUEST_GPA | 0x83;
}

/* The vCPU is what this machine can do. Linux from 6.12 on refuses long mode to
 * one that was not told so. */
static void set_cpuid(struct vmm *vmm)
{
	struct kvm_cpuid2 *cpuid = calloc(
		1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(*cpuid->entries));

	if (!cpuid)
		err(1, "CPUID");
	cpuid->nent = CPUID_ENTRIES;
	check(ioctl(vmm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "CPUID");
	check(ioctl(vmm->vcpu, KVM_SET_CPUID2, cpuid), "CPUID");
	free(cpuid);
}

static void enter_long_mode(struct vmm *vmm)
{
	struct kvm_regs regs = {
		.rip = GUEST_GVA, .rsp = STACK_GVA, .rflags = 2};
	struct kvm_segment code = {.selector = 8,
	                           .limit = ~0u,
	                           .type = 11,
	                           .present = 1,
	                           .s = 1,
	                           .l = 1,
	                           .g = 1};
	struct kvm_sregs sregs;

	check(ioctl(vmm->vcpu, KVM_GET_SREGS, &sregs), "registers");
	sregs.cs = code;
	code.type = 3;
	code.l = 0;
	code.db = 1;
	code.selector = 16;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = code;
	sregs.cr0 = 0x80000011;
	sregs.cr3 = 0;
	sregs.cr4 = 1 << 5 | 1 << 9;
	sregs.efer = 1 << 8 | 1 << 10;
	check(ioctl(vmm->vcpu, KVM_SET_SREGS, &sregs), "registers");
	check(ioctl(vmm->vcpu, KVM_SET_REGS, &regs), "registers");
}

static enum gt_ending run(struct vmm *vmm)
{
	for (;;) {
		gt_host_enter(vmm->trace, 0, 0);
		check(ioctl(vmm->vcpu, KVM_RUN, 0), "KVM_RUN");
		switch (vmm->run->exit_reason) {
		case KVM_EXIT_IO:
			trace_exit(vmm, GT_EXIT_IO);
			break;
		case KVM_EXIT_HLT:
			trace_exit(vmm, GT_EXIT_HALT);
			return GT_ENDING_HALTED;
		default:
			trace_exit(vmm, GT_EXIT_SHUTDOWN);
			return GT_ENDING_SHUTDOWN;
		}
	}
}

int main(int argc, char **argv)
{
	struct vmm vmm = {0};
	enum gt_ending ending;
	FILE *to;

	if (argc != 3)
		errx(2, "usage: embed_kvm GUEST.bin OUT.json");
	make_vm(&vmm);
	load(&vmm, argv[1]);
	map(&vmm);
	set_cpuid(&vmm);
	enter_long_mode(&vmm);
	to = fopen(argv[2], "w");
	if (!to)
		err(1, "%s", argv[2]);
	trace_start(&vmm, to);
	ending = run(&vmm);
	if (trace_end(&vmm, ending) < 0 || fclose(to) != 0)
		errx(1, "%s is not whole", argv[2]);
	return ending == GT_ENDING_HALTED ? 0 : 1;
}
