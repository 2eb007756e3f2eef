/* SPDX-License-Identifier: MIT */
/*
 * A guest that does what guests do, as bytes for vm_load_bytes(): an ELF file
 * of one segment, which runs at BASE and keeps what it writes on its stack.
 * After each stage it prints a character; kvm_probe.c names the stages.
 *
 * The bytes are data of the host: every address in them is a distance from
 * their start, so that the library needs no relocation for them.
 */
#include "probe_guest.h"

#define BASE          0x400000
#define CODE_SELECTOR 8
#define DATA_SELECTOR 16
#define PAGE_FAULT    14
#define MSR_GS_BASE   0xc0000101

/* Within 4 KiB of stack: */
#define GDT       0    /* 3 entries of 8 bytes */
#define POINTER   32   /* for lgdt and lidt: 10 bytes */
#define IDT       64   /* PAGE_FAULT + 1 entries of 16 bytes */
#define FPU_STATE 1024 /* 512 bytes, aligned to 16 */
#define VECTOR    2048

#define GUEST(label) (BASE + label - vm__probe_guest)

	.macro stage
	movb	$'.', %al
	outb	%al, $VM__PROBE_PORT_PRINT
	.endm

	.section .rodata
	.balign 16
	.globl	vm__probe_guest, vm__probe_guest_end
	.hidden	vm__probe_guest, vm__probe_guest_end
vm__probe_guest: /* Elf64_Ehdr */
	.byte	0x7f, 'E', 'L', 'F', 2, 1, 1, 0
	.quad	0
	.short	2, 62 /* ET_EXEC, EM_X86_64 */
	.long	1
	.quad	GUEST(entry), headers - vm__probe_guest, 0
	.long	0
	.short	64, 56, 1, 0, 0, 0
headers: /* Elf64_Phdr */
	.long	1, 5 /* PT_LOAD, PF_R | PF_X */
	.quad	0, BASE, BASE
	.quad	vm__probe_guest_end - vm__probe_guest
	.quad	vm__probe_guest_end - vm__probe_guest
	.quad	4096

entry:
	subq	$4096, %rsp
	andq	$-64, %rsp
	stage

	/* Its own page tables, once more. */
	movq	%cr3, %rax
	movq	%rax, %cr3
	movl	$VECTOR, VECTOR(%rsp)
	cmpl	$VECTOR, VECTOR(%rsp)
	jne	wrong
	stage

	movd	VECTOR(%rsp), %xmm0
	pshufd	$0, %xmm0, %xmm1
	paddd	%xmm0, %xmm1
	movups	%xmm1, VECTOR(%rsp)
	cmpl	$(2 * VECTOR), VECTOR(%rsp)
	jne	wrong
	stage

	fxsave64 FPU_STATE(%rsp)
	pxor	%xmm1, %xmm1
	fxrstor64 FPU_STATE(%rsp)
	movd	%xmm1, %eax
	cmpl	$(2 * VECTOR), %eax
	jne	wrong
	stage

	rdtsc
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	1f
	movl	$0x80000001, %eax
	cpuid
	btl	$27, %edx
	jnc	1f
	rdtscp
1:	stage

	movl	%esp, %eax
	movq	%rsp, %rdx
	shrq	$32, %rdx
	movl	$MSR_GS_BASE, %ecx
	wrmsr
	cmpl	$VECTOR, %gs:VECTOR
	je	wrong /* it was doubled */
	stage

	/* A read of page 0, which nobody maps, through an IDT of its own. */
	movq	$0, GDT(%rsp)
	movabsq	$0x00af9b000000ffff, %rax
	movq	%rax, GDT + 8(%rsp)
	movabsq	$0x00cf93000000ffff, %rax
	movq	%rax, GDT + 16(%rsp)
	leaq	GDT(%rsp), %rax
	movw	$23, POINTER(%rsp)
	movq	%rax, POINTER + 2(%rsp)
	lgdt	POINTER(%rsp)
	movl	$DATA_SELECTOR, %eax
	movl	%eax, %ss
	leaq	1f(%rip), %rax
	pushq	$CODE_SELECTOR
	pushq	%rax
	lretq
1:
	leaq	IDT(%rsp), %rdi
	movw	$(16 * (PAGE_FAULT + 1) - 1), POINTER(%rsp)
	movq	%rdi, POINTER + 2(%rsp)
	lidt	POINTER(%rsp)
	movl	$(16 * (PAGE_FAULT + 1) / 8), %ecx
	xorl	%eax, %eax
	rep stosq
	leaq	on_page_fault(%rip), %rax
	leaq	IDT + 16 * PAGE_FAULT(%rsp), %rdi
	movw	%ax, (%rdi)
	movl	$(0x8e000000 | CODE_SELECTOR), 2(%rdi)
	shrq	$16, %rax
	movw	%ax, 6(%rdi)
	shrq	$16, %rax
	movl	%eax, 8(%rdi)
	xorl	%ebx, %ebx
	movq	(%rbx), %rax
wrong:	movl	$119, %eax
	outl	%eax, $VM__PROBE_PORT_HALT

on_page_fault:
	addq	$8, %rsp /* the error code */
	leaq	survived(%rip), %rax
	movq	%rax, (%rsp)
	iretq
survived:
	movq	%cr2, %rax
	testq	%rax, %rax
	jnz	wrong
	stage
	movl	$VM__PROBE_STATUS, %eax
	outl	%eax, $VM__PROBE_PORT_HALT
	hlt
vm__probe_guest_end:

	.section .note.GNU-stack, "", @progbits
