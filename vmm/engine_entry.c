/* SPDX-License-Identifier: MIT */
/*
 * The state in which an emulated vCPU begins: what KVM gives a new one, but for
 * paging, which stays off in here. The emulator itself begins with segments
 * that are none and, other than a CPU, with an x87 and SSE that mask no
 * exception and compute with 24 bits.
 */
#include "engine.h"

#include <string.h>

#define TABLE_GVA  UINT64_C(0) /* never the guest's: see vm_boot() */
#define TABLE_PAGE 4096u
#define CODE       UINT64_C(0x00af9b000000ffff) /* flat, 64-bit, ring 0 */
#define DATA       UINT64_C(0x00cf93000000ffff)
#define CODE_AT    8u
#define DATA_AT    16u

static uc_err load(uc_engine *uc)
{
	static const int names[] = {UC_X86_REG_CS, UC_X86_REG_SS,
	                            UC_X86_REG_DS, UC_X86_REG_ES,
	                            UC_X86_REG_FS, UC_X86_REG_GS};
	const uint64_t table[] = {0, CODE, DATA};
	const uc_x86_mmr here = {.base = TABLE_GVA, .limit = sizeof table - 1};
	const uc_x86_mmr nowhere = {.base = 0};
	uc_err err = uc_mem_write(uc, TABLE_GVA, table, sizeof table);

	if (!err)
		err = uc_reg_write(uc, UC_X86_REG_GDTR, &here);
	for (size_t i = 0; i < sizeof names / sizeof names[0] && !err; i++) {
		uint64_t selector =
			names[i] == UC_X86_REG_CS ? CODE_AT : DATA_AT;

		err = uc_reg_write(uc, names[i], &selector);
	}
	return err ? err : uc_reg_write(uc, UC_X86_REG_GDTR, &nowhere);
}

/* It loads selectors as a CPU does: from a table, which is gone afterwards. */
uc_err vm__engine_segments(uc_engine *uc)
{
	uc_err err = uc_mem_map(uc, TABLE_GVA, TABLE_PAGE, UC_PROT_READ);

	if (err)
		return err;
	err = load(uc);
	return err ? err : uc_mem_unmap(uc, TABLE_GVA, TABLE_PAGE);
}

/*
 * x87 and SSE by the System V ABI for x86-64, 3.2.1. EFER stays without NXE,
 * which this CPU does not have: there is no paging that would look at it.
 */
uc_err vm__engine_enter(uc_engine *uc, const struct vm__entry *entry)
{
	struct vm__entry at = *entry;
	uint64_t rflags = 2, cr0 = entry->cr0 & ~VM__CR0_PG;
	uint64_t fpcw = 0x37f, fptag = 0xffff, mxcsr = 0x1f80;
	int names[] = {UC_X86_REG_RIP,    UC_X86_REG_RSP,  UC_X86_REG_RDI,
	               UC_X86_REG_RFLAGS, UC_X86_REG_CR0,  UC_X86_REG_CR3,
	               UC_X86_REG_CR4,    UC_X86_REG_FPCW, UC_X86_REG_FPTAG,
	               UC_X86_REG_MXCSR};
	void *values[] = {&at.rip, &at.rsp, &at.rdi, &rflags, &cr0,
	                  &at.cr3, &at.cr4, &fpcw,   &fptag,  &mxcsr};

	return uc_reg_write_batch(uc, names, values, 10);
}
