/* SPDX-License-Identifier: MIT */
/*
 * The CPU that a guest sees: what programs in 64-bit mode use, chosen by name,
 * and not what the host happens to have. A feature that wants a register which
 * the filter below keeps from the guest is not announced.
 *
 * Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
 */
#include "kvm_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define CPUID_ENTRIES      256u
#define CPUID_MAX          0u
#define CPUID_FEATURES     1u
#define CPUID_TOPOLOGY     0xbu
#define CPUID_XSAVE        0xdu
#define CPUID_HYPERVISOR   UINT32_C(0x40000000)
#define CPUID_RATES        UINT32_C(0x40000010) /* eax = TSC rate, kHz */
#define CPUID_AMD_MAX      UINT32_C(0x80000000)
#define CPUID_AMD_SIZES    UINT32_C(0x80000008)
#define CPUID_AMD_TOPOLOGY UINT32_C(0x8000001e)

#define HAS_HYPERVISOR     (UINT32_C(1) << 31)
#define XSAVE_FORMS        0x7u /* XSAVEOPT, XSAVEC, XGETBV of 1 */

#define ALL UINT32_MAX

/* Of each leaf that there is, the bits that a guest may see. */
static const struct leaf {
	uint32_t function, eax, ebx, ecx, edx;
} leaves[] = {
	{CPUID_MAX, ALL, ALL, ALL, ALL}, /* the vendor's name */
	/*
	 * ecx: SSE3, PCLMUL, SSSE3, FMA, CX16, SSE4.1 and 4.2, MOVBE, POPCNT,
	 * AES, XSAVE, OSXSAVE, AVX, F16C, RDRAND, hypervisor. edx: FPU, VME,
	 * DE, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, PAT, PSE36, CLFLUSH,
	 * MMX, FXSR, SSE, SSE2, HTT.
	 */
	{CPUID_FEATURES, ALL, ALL, 0xfed83203, 0x178ba97f},
	/*
	 * ebx: FSGSBASE, BMI1, AVX2, SMEP, BMI2, ERMS, AVX512F, DQ, RDSEED,
	 * ADX, SMAP, IFMA, CLFLUSHOPT, CLWB, CD, SHA, BW, VL. ecx: VBMI, UMIP,
	 * VBMI2, GFNI, VAES, VPCLMUL, VNNI, BITALG, VPOPCNT, RDPID. edx: FSRM,
	 * MD_CLEAR, SERIALIZE.
	 */
	{7, 0, 0xf1bf03a9, 0x00405f46, 0x00004410},
	{CPUID_TOPOLOGY, ALL, ALL, ALL, ALL},
	{CPUID_XSAVE, ALL, ALL, ALL, ALL}, /* where what is saved lies */
	{CPUID_HYPERVISOR, ALL, ALL, ALL, ALL},
	{CPUID_AMD_MAX, ALL, ALL, ALL, ALL},
	/*
	 * ecx: LAHF, CmpLegacy, CR8, LZCNT, SSE4A, misaligned SSE, PREFETCHW.
	 * edx: SYSCALL, NX, MMXEXT, FFXSR, 1 GiB pages, RDTSCP, long mode, and
	 * what AMD has of leaf 1 there.
	 */
	{0x80000001, ALL, 0, 0x000001f3, 0x2fd3a97f},
	{0x80000007, 0, 0, 0, 1u << 8}, /* the TSC does not change its rate */
	{CPUID_AMD_SIZES, ALL, 1, 0, 0}, /* of addresses; CLZERO */
	{CPUID_AMD_TOPOLOGY, ALL, ALL, ALL, ALL},
};

static const struct leaf *find(uint32_t function)
{
	for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++)
		if (leaves[i].function == function)
			return &leaves[i];
	return NULL;
}

/*
 * Which vCPU this is, where guests look: there is no local APIC, but its id is
 * what the others call a vCPU.
 */
static void edit_identity(struct kvm_cpuid_entry2 *entry,
                          const struct vm__vcpu *vcpu)
{
	switch (entry->function) {
	case CPUID_FEATURES: /* initial APIC id, logical processors */
		entry->ebx = (entry->ebx & 0xffff) |
		             vcpu->vm->options.vcpus << 16 | vcpu->index << 24;
		entry->ecx |= HAS_HYPERVISOR; /* which KVM leaves to us */
		break;
	case CPUID_TOPOLOGY:
		entry->edx = vcpu->index;
		break;
	case CPUID_AMD_TOPOLOGY:
		entry->eax = vcpu->index;
		break;
	}
}

/* No leaf behind the last that is kept, and nothing that has an MSR. */
static void edit_range(struct kvm_cpuid_entry2 *entry)
{
	if (entry->function == CPUID_MAX && entry->eax > CPUID_XSAVE)
		entry->eax = CPUID_XSAVE;
	else if (entry->function == CPUID_HYPERVISOR)
		entry->eax = CPUID_RATES;
	else if (entry->function == CPUID_XSAVE && entry->index == 1)
		entry->eax &= XSAVE_FORMS;
	else if (entry->function == CPUID_AMD_MAX &&
	         entry->eax > CPUID_AMD_TOPOLOGY)
		entry->eax = CPUID_AMD_TOPOLOGY;
}

static void choose(struct kvm_cpuid2 *cpuid, const struct vm__vcpu *vcpu,
                   uint64_t khz)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 entry = cpuid->entries[i];
		const struct leaf *leaf = find(entry.function);

		if (!leaf || (entry.function == 7 && entry.index > 0))
			continue;
		entry.eax &= leaf->eax;
		entry.ebx &= leaf->ebx;
		entry.ecx &= leaf->ecx;
		entry.edx &= leaf->edx;
		edit_identity(&entry, vcpu);
		edit_range(&entry);
		cpuid->entries[kept++] = entry;
	}
	cpuid->nent = kept;
	if (kept < CPUID_ENTRIES)
		cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
			.function = CPUID_RATES,
			.eax = (uint32_t)khz,
		};
}

int vm__kvm_set_cpuid(struct vm__vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
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
		choose(cpuid, vcpu, machine->khz);
		if (ioctl(vm__kvm_cpu(vcpu)->fd, KVM_SET_CPUID2, cpuid) < 0)
			result = vm__kvm_failed(vm, "CPUID");
	}
	free(cpuid);
	return result;
}

/* ---- Registers that RDMSR and WRMSR reach -------------------------------- */

#define READ  KVM_MSR_FILTER_READ
#define WRITE KVM_MSR_FILTER_WRITE

/* Up to 8 from `base` on, a bit each. */
static const struct msr_range {
	uint32_t base, flags;
	uint64_t which;
} allowed[] = {
	{0x10, READ, 0x01},         /* TSC */
	{0x174, READ | WRITE, 0x07}, /* SYSENTER */
	{0x277, READ | WRITE, 0x01}, /* PAT */
	{0xc0000080, READ | WRITE, 0x1f}, /* EFER, STAR, LSTAR, CSTAR, SFMASK */
	{0xc0000100, READ | WRITE, 0x0f}, /* FS, GS, kernel GS, TSC_AUX */
};
_Static_assert(sizeof allowed / sizeof allowed[0] <= KVM_MSR_FILTER_MAX_RANGES,
               "as many as KVM takes");

/*
 * The others are a general protection fault. Linux before 5.10 has no filter:
 * what KVM makes of them is then as it was.
 */
int vm__kvm_filter_msrs(struct vm *vm)
{
	const struct vm__machine *machine = vm->state;
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_DENY};
	uint64_t which[KVM_MSR_FILTER_MAX_RANGES]; /* KVM reads whole words */

	if (ioctl(machine->kvm_fd, KVM_CHECK_EXTENSION,
	          KVM_CAP_X86_MSR_FILTER) <= 0)
		return 0;
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
		which[i] = allowed[i].which;
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = allowed[i].flags,
			.base = allowed[i].base,
			.nmsrs = 8,
			.bitmap = (uint8_t *)&which[i],
		};
	}
	return ioctl(machine->vm_fd, KVM_X86_SET_MSR_FILTER, &filter) < 0
	               ? vm__kvm_failed(vm, "filter of MSRs")
	               : 0;
}
