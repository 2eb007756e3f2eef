/* SPDX-License-Identifier: MIT */
/* What tests/guests/entry_state.S finds at its entry, as it lies in its memory.
 */
#ifndef ENTRY_STATE_H
#define ENTRY_STATE_H

#include <stdint.h>

#define ENTRY_STATE_MAGIC UINT64_C(0x3165746174737467) /* "gtstate1" */

struct entry_state {
	uint64_t magic;
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags;
	uint64_t cs, ds, es, fs, gs, ss, ldt, tr; /* selectors */
	uint64_t fs_base, gs_base, kernel_gs_base;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t dr0, dr1, dr2, dr3, dr6, dr7;
	uint64_t lar_cs, lar_ss; /* access rights; UINT64_MAX: refused */
	uint64_t pat, star, lstar, sfmask;
	uint16_t gdt_limit, gdt_base[4], pad0[3];
	uint16_t idt_limit, idt_base[4], pad1[3];
	/* FXSAVE64: the ABI's whole floating-point state. */
	uint16_t fcw, fsw;
	uint8_t ftw, pad2;
	uint16_t fop;
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16], xmm[16][16];
	uint8_t rest[96];
	uint64_t done; /* ENTRY_STATE_MAGIC as well */
};

#endif
