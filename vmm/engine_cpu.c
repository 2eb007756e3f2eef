/* SPDX-License-Identifier: MIT */
/* What interrupt.c knows of a CPU, out of the emulator and into it. */
#include "engine.h"

#define HLT       0xf4u
#define RFLAGS_IF UINT64_C(0x200)

struct vm__cpu vm__engine_cpu(uc_engine *uc)
{
	struct vm__cpu cpu = {0};
	uc_x86_mmr idt = {0}, tss = {0};
	uint64_t cs = 0, ss = 0; /* wider than the library needs */
	int names[] = {UC_X86_REG_RIP,  UC_X86_REG_RSP, UC_X86_REG_RFLAGS,
	               UC_X86_REG_CR2,  UC_X86_REG_CS,  UC_X86_REG_SS,
	               UC_X86_REG_IDTR, UC_X86_REG_TR};
	void *values[] = {&cpu.rip, &cpu.rsp, &cpu.rflags, &cpu.cr2,
	                  &cs,      &ss,      &idt,        &tss};

	uc_reg_read_batch(uc, names, values, 8);
	cpu.cs = (uint16_t)cs;
	cpu.ss = (uint16_t)ss;
	cpu.idt_gva = idt.base;
	cpu.idt_limit = idt.limit;
	cpu.tss_gva = tss.base;
	cpu.tss_limit = tss.limit;
	return cpu;
}

uc_err vm__engine_set_cpu(uc_engine *uc, const struct vm__cpu *before,
                          struct vm__cpu *cpu)
{
	uint64_t cs = cpu->cs;
	int names[] = {UC_X86_REG_RSP, UC_X86_REG_RFLAGS, UC_X86_REG_CR2,
	               UC_X86_REG_RIP};
	void *values[] = {&cpu->rsp, &cpu->rflags, &cpu->cr2, &cpu->rip};
	uc_err err = UC_ERR_OK;

	if (cpu->cs != before->cs)
		err = uc_reg_write(uc, UC_X86_REG_CS, &cs);
	if (!err)
		err = uc_reg_write_batch(uc, names, values, 4);
	return err;
}

bool vm__engine_is_open(uc_engine *uc)
{
	uint64_t rflags = 0;

	uc_reg_read(uc, UC_X86_REG_RFLAGS, &rflags);
	return rflags & RFLAGS_IF;
}

/* Not before an `hlt`, which may be in the shadow of an STI. */
bool vm__engine_takes_tick(struct vm *vm, uint64_t rip)
{
	struct vm__engine *engine = vm->state;
	uint64_t n;
	const uint8_t *next =
		vm__at(&vm->space, rip, VM__EXECUTE | VM__READ, &n);

	return vm__engine_is_open(engine->uc) &&
	       (engine->woken || !next || *next != HLT);
}
