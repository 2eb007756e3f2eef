/* SPDX-License-Identifier: MIT */
/*
 * The guest's first instructions, and the 32 doors through which exceptions
 * come in. Each door leaves the same on the stack: rbp, vector, error code (0 where
 * the CPU has none), rip, cs, rflags, rsp, ss; then runtime_exception() is
 * called with the stack's address and never returns.
 */
	.section .text.runtime_entry, "ax", @progbits
	.globl runtime_entry
	.type runtime_entry, @function
runtime_entry: /* rdi = struct gt_boot, rsp = 16n + 8 */
	cld
	xorl %ebp, %ebp
	jmp runtime_start
	.size runtime_entry, . - runtime_entry

/*
 * void runtime_load_tables(const void *gdt, const void *idt): the operands of
 * LGDT and LIDT. Code is selector 8, data 16, the task state 24.
 */
	.text
	.globl runtime_load_tables
	.type runtime_load_tables, @function
runtime_load_tables:
	lgdt (%rdi)
	lidt (%rsi)
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $24, %eax
	ltr %ax
	popq %rax
	pushq $8
	pushq %rax
	lretq
	.size runtime_load_tables, . - runtime_load_tables

/* 8, 10 to 14, 17, 21, 29, 30 bring an error code of their own. */
	.set with_code, 0x60227d00
	.set vector, 0
	.balign 16
	.globl runtime_doors
	.type runtime_doors, @function
runtime_doors: /* 16 bytes each */
	.rept 32
	.balign 16
	.if ((with_code >> vector) & 1) == 0
	pushq $0
	.endif
	pushq $vector
	jmp exception
	.set vector, vector + 1
	.endr
	.balign 16
	.size runtime_doors, . - runtime_doors

	.type exception, @function
exception:
	cld
	pushq %rbp
	movq %rsp, %rdi
	andq $-16, %rsp
	call runtime_exception
1:	hlt
	jmp 1b
	.size exception, . - exception

	.section .note.GNU-stack, "", @progbits
