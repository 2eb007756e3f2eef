/* SPDX-License-Identifier: MIT */
/*
 * Stores the state in which it was entered, struct entry_state, and halts: no
 * runtime comes before it, and nothing is changed before it is stored.
 */
#define MAGIC      0x3165746174737467
#define PORT_HALT  108

#define EFER           0xc0000080
#define STAR           0xc0000081
#define LSTAR          0xc0000082
#define SFMASK         0xc0000084
#define FS_BASE        0xc0000100
#define GS_BASE        0xc0000101
#define KERNEL_GS_BASE 0xc0000102
#define PAT            0x277

	.set	next, 8
	.macro	keep reg
	movq	\reg, state + next(%rip)
	.set	next, next + 8
	.endm

	.macro	keep_of what
	movq	\what, %rax
	keep	%rax
	.endm

	.macro	keep_selector what
	xorl	%eax, %eax
	\what	%ax
	keep	%rax
	.endm

	.macro	keep_segment reg
	xorl	%eax, %eax
	movw	\reg, %ax
	keep	%rax
	.endm

	.macro	keep_msr number
	movl	$\number, %ecx
	rdmsr
	shlq	$32, %rdx
	movl	%eax, %eax
	orq	%rdx, %rax
	keep	%rax
	.endm

	.macro	keep_rights reg
	movw	\reg, %cx
	movq	$-1, %rax
	larl	%ecx, %edx
	jnz	1f
	movl	%edx, %eax
1:	keep	%rax
	.endm

	.section .text.runtime_entry, "ax", @progbits
	.globl	runtime_entry
	.type	runtime_entry, @function
runtime_entry:
	.irp	reg, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi
	keep	%\reg
	.endr
	.irp	reg, r8, r9, r10, r11, r12, r13, r14, r15
	keep	%\reg
	.endr
	fxsave64 fpu(%rip)
	pushfq
	popq	%rax
	keep	%rax
	.irp	reg, cs, ds, es, fs, gs, ss
	keep_segment %\reg
	.endr
	keep_selector sldt
	keep_selector str
	.irp	msr, FS_BASE, GS_BASE, KERNEL_GS_BASE
	keep_msr \msr
	.endr
	.irp	reg, cr0, cr2, cr3, cr4
	keep_of	%\reg
	.endr
	keep_msr EFER
	.irp	reg, dr0, dr1, dr2, dr3, dr6, dr7
	keep_of	%\reg
	.endr
	keep_rights %cs
	keep_rights %ss
	.irp	msr, PAT, STAR, LSTAR, SFMASK
	keep_msr \msr
	.endr
	sgdt	state + next(%rip)
	sidt	state + next + 16(%rip)
	movabsq	$MAGIC, %rax
	movq	%rax, state(%rip)
	movq	%rax, done(%rip)
	xorl	%eax, %eax
	outl	%eax, $PORT_HALT
1:	hlt
	jmp	1b
	.size	runtime_entry, . - runtime_entry

	.bss
	.balign	16
state:
	.skip	next + 32
	.balign	16
fpu:	.skip	512
done:	.skip	8

	.section .note.GNU-stack, "", @progbits
