/* SPDX-License-Identifier: MIT */
/*
 * How a guest with several vCPUs finds the rings of the one it is on. Included
 * before everything else (-include) in all files of the guest and of the
 * recorder, so that they agree on GT_THIS_VCPU().
 */
#ifndef GUESTS_VCPUS_H
#define GUESTS_VCPUS_H
#ifndef __ASSEMBLER__

struct gt_vcpu;

/* What the vCPU gave to runtime_set_local(), at RUNTIME_LOCAL_GS. */
static inline struct gt_vcpu *vcpus_this(void)
{
	struct gt_vcpu *vcpu;

	__asm__("movq %%gs:8, %0" : "=r"(vcpu));
	return vcpu;
}

#define GT_THIS_VCPU() vcpus_this()

#endif
#endif
