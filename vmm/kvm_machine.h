/* SPDX-License-Identifier: MIT */
/*
 * What the files of the KVM backend share: its descriptors and the run page.
 */
#ifndef KVM_MACHINE_H
#define KVM_MACHINE_H

#include "vm_internal.h"

#include <linux/kvm.h>

#define VM__KVM_MSRS_MAX 512u

struct vm__kvm_cpu {
	int fd;
	struct kvm_run *run;
};

struct vm__machine {
	int kvm_fd, vm_fd;
	size_t run_bytes; /* of each run page */
	bool sync_regs;
	uint64_t khz;
	struct vm__kvm_cpu cpu[VM_VCPUS_MAX];
};

static inline struct vm__kvm_cpu *vm__kvm_cpu(const struct vm__vcpu *vcpu)
{
	struct vm__machine *machine = vcpu->vm->state;

	return &machine->cpu[vcpu->index];
}

/* Has KVM_RUN return at once, once it is `yes`; any thread. */
static inline void vm__kvm_immediate_exit(const struct vm__kvm_cpu *cpu,
                                          bool yes)
{
	__atomic_store_n(&cpu->run->immediate_exit, yes, __ATOMIC_SEQ_CST);
}

/* /dev/kvm, of a version that will do; or negative, and why in `error`. */
int vm__kvm_open(char error[VM_ERROR_BYTES]);

/* Writes what failed and why into vm->error; returns -errno. */
int vm__kvm_failed(struct vm *vm, const char *what);

/*
 * kvm_probe.c: runs a small guest that does what guests do. 0, or negative with
 * what failed in `error`.
 */
int vm__kvm_probe(char error[VM_ERROR_BYTES]);

/* struct vm__backend says what these do. */
int vm__kvm_create(struct vm *vm);
int vm__kvm_prepare(struct vm__vcpu *vcpu);

/* kvm_cpu.c: what a guest finds of the CPU. 0, or -errno with vm->error. */
int vm__kvm_set_cpuid(struct vm__vcpu *vcpu);
int vm__kvm_filter_msrs(struct vm *vm);

int vm__kvm_tsc(struct vm__vcpu *vcpu, int64_t *ret_offset, uint64_t *ret_khz);
int vm__kvm_set_tsc(struct vm__vcpu *vcpu, int64_t offset);
int vm__kvm_doorbell(struct vm *vm, int eventfd, uint8_t value);
void vm__kvm_destroy(struct vm *vm);

struct vm__kvm_msr {
	uint32_t index, reserved;
	uint64_t value;
};

/* In a snapshot, too; all of it is the kernel's ABI. */
struct vm__kvm_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_debugregs debug;
	struct kvm_vcpu_events events;
	struct kvm_xcrs xcrs; /* nr_xcrs 0: the CPU has no XSAVE */
	uint32_t xsave[1024]; /* kvm_xsave, without its open end */
	uint32_t msr_count, reserved;
	struct vm__kvm_msr msrs[VM__KVM_MSRS_MAX];
};
_Static_assert(sizeof(((struct vm__kvm_state *)0)->xsave) ==
                       sizeof(struct kvm_xsave),
               "all of an area");

/* kvm_state.c; `state` is a struct vm__kvm_state, aligned or not. */
int vm__kvm_save(struct vm__vcpu *vcpu, void *state);
int vm__kvm_reset(struct vm *vm);
int vm__kvm_restore(struct vm__vcpu *vcpu, const void *state);

#endif
