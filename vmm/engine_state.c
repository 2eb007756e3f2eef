/* SPDX-License-Identifier: MIT */
/*
 * The state of the emulated vCPU, out and in, register by register: what the
 * library calls a context is a copy of its own memory, pointers included, and
 * belongs in no file.
 */
#include "engine.h"

#include <errno.h>
#include <string.h>

#define REGISTER_BYTES VM__ENGINE_REGISTER_BYTES

/* In the order in which they are set: tables before selectors before bases; but
 * the x87 tags are set last. */
static const int registers[] = {
	UC_X86_REG_CR0,     UC_X86_REG_CR2,   UC_X86_REG_CR3,
	UC_X86_REG_CR4,     UC_X86_REG_GDTR,  UC_X86_REG_IDTR,
	UC_X86_REG_LDTR,    UC_X86_REG_TR,    UC_X86_REG_CS,
	UC_X86_REG_DS,      UC_X86_REG_ES,    UC_X86_REG_SS,
	UC_X86_REG_FS,      UC_X86_REG_GS,    UC_X86_REG_FS_BASE,
	UC_X86_REG_GS_BASE, UC_X86_REG_DR0,   UC_X86_REG_DR1,
	UC_X86_REG_DR2,     UC_X86_REG_DR3,   UC_X86_REG_DR6,
	UC_X86_REG_DR7,     UC_X86_REG_FPCW,  UC_X86_REG_FPSW,
	UC_X86_REG_FPTAG,   UC_X86_REG_FP0,   UC_X86_REG_FP1,
	UC_X86_REG_FP2,     UC_X86_REG_FP3,   UC_X86_REG_FP4,
	UC_X86_REG_FP5,     UC_X86_REG_FP6,   UC_X86_REG_FP7,
	UC_X86_REG_MXCSR,   UC_X86_REG_XMM0,  UC_X86_REG_XMM1,
	UC_X86_REG_XMM2,    UC_X86_REG_XMM3,  UC_X86_REG_XMM4,
	UC_X86_REG_XMM5,    UC_X86_REG_XMM6,  UC_X86_REG_XMM7,
	UC_X86_REG_XMM8,    UC_X86_REG_XMM9,  UC_X86_REG_XMM10,
	UC_X86_REG_XMM11,   UC_X86_REG_XMM12, UC_X86_REG_XMM13,
	UC_X86_REG_XMM14,   UC_X86_REG_XMM15, UC_X86_REG_RAX,
	UC_X86_REG_RBX,     UC_X86_REG_RCX,   UC_X86_REG_RDX,
	UC_X86_REG_RSI,     UC_X86_REG_RDI,   UC_X86_REG_RBP,
	UC_X86_REG_RSP,     UC_X86_REG_R8,    UC_X86_REG_R9,
	UC_X86_REG_R10,     UC_X86_REG_R11,   UC_X86_REG_R12,
	UC_X86_REG_R13,     UC_X86_REG_R14,   UC_X86_REG_R15,
	UC_X86_REG_RFLAGS,  UC_X86_REG_RIP,
};

/* What a guest may have set and an emulator keeps. */
static const uint32_t msrs[] = {
	0x174,      0x175,      0x176,                  /* SYSENTER */
	0x277,                                          /* PAT */
	0xc0000080,                                     /* EFER */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* SYSCALL */
	0xc0000102,                                     /* KERNEL_GS_BASE */
	0xc0000103,                                     /* TSC_AUX */
};

#define REGISTERS VM__ENGINE_REGISTERS
#define MSRS      VM__ENGINE_MSRS

_Static_assert(sizeof registers / sizeof registers[0] == REGISTERS, "count");
_Static_assert(sizeof msrs / sizeof msrs[0] == MSRS, "count");

static void get(uc_engine *uc, size_t i, unsigned char to[REGISTER_BYTES])
{
	memset(to, 0, REGISTER_BYTES);
	uc_reg_read(uc, registers[i], to);
}

static uint64_t get_msr(uc_engine *uc, size_t i)
{
	uc_x86_msr msr = {.rid = msrs[i]};

	uc_reg_read(uc, UC_X86_REG_MSR, &msr);
	return msr.value;
}

int vm__engine_save(struct vm__vcpu *vcpu, void *to)
{
	const struct vm__engine *engine = vcpu->vm->state;
	struct vm__engine_state *state = to;

	memset(state, 0, sizeof *state);
	for (size_t i = 0; i < REGISTERS; i++)
		get(engine->uc, i, state->reg[i]);
	for (size_t i = 0; i < MSRS; i++)
		state->msr[i] = get_msr(engine->uc, i);
	return 0;
}

static bool is_selector(int reg)
{
	return reg == UC_X86_REG_CS || reg == UC_X86_REG_DS ||
	       reg == UC_X86_REG_ES || reg == UC_X86_REG_SS ||
	       reg == UC_X86_REG_FS || reg == UC_X86_REG_GS;
}

/*
 * The emulator loads a selector as the CPU does, and a fault would have nowhere
 * to go: only what a guest of ours can have loaded passes, a flat segment of
 * ring 0 from a table that is there.
 */
static bool loads(uc_engine *uc, int reg, uint64_t selector)
{
	uc_x86_mmr gdt = {0};
	uint64_t entry, want = UINT64_C(0x93), kind;

	if (uc_reg_read(uc, UC_X86_REG_GDTR, &gdt) || selector & 7 ||
	    selector > UINT16_MAX)
		return false;
	if (selector == 0)
		return reg != UC_X86_REG_CS && reg != UC_X86_REG_SS;
	if (gdt.limit < 7 || selector > gdt.limit - 7 ||
	    uc_mem_read(uc, gdt.base + selector, &entry, sizeof entry))
		return false;
	if (reg == UC_X86_REG_CS)
		want = UINT64_C(0x9b);
	kind = entry >> 40 & 0xff;
	return kind == want && (reg != UC_X86_REG_CS || entry >> 53 & 1);
}

/* What a fresh engine has already is not touched. */
static int set(struct vm__vcpu *vcpu, size_t i, const unsigned char *wanted)
{
	const struct vm__engine *engine = vcpu->vm->state;
	unsigned char now[REGISTER_BYTES];
	uint64_t selector;

	get(engine->uc, i, now);
	if (memcmp(now, wanted, sizeof now) == 0)
		return 0;
	memcpy(&selector, wanted, sizeof selector);
	if (!is_selector(registers[i]) ||
	    loads(engine->uc, registers[i], selector)) {
		uc_reg_write(engine->uc, registers[i], wanted);
		get(engine->uc, i, now);
	}
	if (memcmp(now, wanted, sizeof now) == 0)
		return 0;
	return vm__fail(vcpu->vm->error, -EINVAL,
	                "emulator: register %d cannot be restored",
	                registers[i]);
}

int vm__engine_restore(struct vm__vcpu *vcpu, const void *from)
{
	const struct vm__engine *engine = vcpu->vm->state;
	const struct vm__engine_state *state = from;
	int result = 0;

	for (size_t i = 0; i < MSRS; i++) {
		uc_x86_msr msr = {.rid = msrs[i], .value = state->msr[i]};

		if (get_msr(engine->uc, i) == msr.value)
			continue;
		uc_reg_write(engine->uc, UC_X86_REG_MSR, &msr);
		if (get_msr(engine->uc, i) != msr.value)
			return vm__fail(vcpu->vm->error, -EINVAL,
			                "emulator: MSR %#x cannot be restored",
			                msrs[i]);
	}
	for (size_t i = 0; i < REGISTERS && result == 0; i++)
		if (registers[i] != UC_X86_REG_FPTAG)
			result = set(vcpu, i, state->reg[i]);
	/* It reads as the values are that it is the tag of. */
	for (size_t i = 0; i < REGISTERS && result == 0; i++)
		if (registers[i] == UC_X86_REG_FPTAG)
			result = set(vcpu, i, state->reg[i]);
	return result;
}
