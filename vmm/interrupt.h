/* SPDX-License-Identifier: MIT */
/*
 * What an x86-64 CPU does with an exception, for an engine that only reports
 * one: reads the gate and the stack from the guest's tables, pushes the frame,
 * and says where to go on. Knows no emulator, so it is tested without one.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "paging.h"

enum vm__vector {
	VM__DIVIDE_ERROR = 0,
	VM__BREAKPOINT = 3,
	VM__INVALID_OPCODE = 6,
	VM__DOUBLE_FAULT = 8,
	VM__INVALID_TSS = 10,
	VM__NOT_PRESENT = 11,
	VM__STACK_FAULT = 12,
	VM__PROTECTION = 13,
	VM__PAGE_FAULT = 14,
	VM__ALIGNMENT = 17,
};

struct vm__event {
	unsigned vector; /* 0 to 255 */
	bool software;   /* INT n: no error code, the gate's DPL counts */
	unsigned length; /* of INT n, which rip is behind; else 0 */
	uint32_t code;   /* error code, where this vector has one */
	uint64_t cr2;    /* of a page fault */
};

/* In: the interrupted code. Out: the first instruction of the handler. */
struct vm__cpu {
	uint64_t rip, rsp, rflags, cr2;
	uint16_t cs, ss;
	uint64_t idt_gva, tss_gva;
	uint32_t idt_limit, tss_limit;
};

/*
 * Delivers `event`, or the faults that delivering it runs into. False if that
 * ends in a triple fault; `cpu` is then as before, apart from cr2.
 */
bool vm__deliver(const struct vm__space *space, struct vm__cpu *cpu,
                 struct vm__event event);

#endif
