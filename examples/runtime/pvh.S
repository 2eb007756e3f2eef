/* SPDX-License-Identifier: MIT */
/*
 * The other way in: VMMs that know nothing of guesttrace (QEMU -kernel,
 * Firecracker, cloud-hypervisor, gokvm) find a PVH note in the ELF file and enter
 * there, in 32-bit protected mode without paging, ebx = address of the start info.
 * What `guesttrace run` has ready is made here: memory that is zero, page tables,
 * 64-bit mode, a stack, boot information.
 */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, 18 /* bytes of name and value, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad pvh_start

	.set LARGE, 0x87 /* page entries: present, writable, user, 2 MiB */
	.set SMALL, 0x07
	.set DIRECTORIES, 4 /* of 1 GiB each */

	.section .text.pvh, "ax", @progbits
	.code32
	.type pvh_start, @function
pvh_start:
	cld
	movl $runtime_bss, %edi /* not every VMM's memory is zero */
	movl $runtime_image_end, %ecx
	subl %edi, %ecx
	xorl %eax, %eax
	rep stosb
	movl $stack_end, %esp

	movl $(pdpt + SMALL), runtime_pvh_tables
	movl $(directories + SMALL), %eax
	movl $pdpt, %edi
1:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	cmpl $(pdpt + 8 * DIRECTORIES), %edi
	jb 1b
	movl $LARGE, %eax
	movl $directories, %edi
2:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	cmpl $(directories + 4096 * DIRECTORIES), %edi
	jb 2b
	movl $(first_table + SMALL), directories
	movl $SMALL, %eax
	movl $first_table, %edi
3:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	cmpl $(first_table + 4096), %edi
	jb 3b

	movl $0x6a0, %eax /* PAE, PGE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $runtime_pvh_tables, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx /* EFER.LME */
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	andl $~0xc, %eax /* not EM, TS */
	orl $0x80010022, %eax /* PG, WP, NE, MP */
	movl %eax, %cr0
	lgdt gdt_at
	ljmp $8, $4f

	.code64
4:	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl %ebx, %edi
	call runtime_pvh_boot
	movq %rax, %rdi
	/* What was in page 0 has been copied: from here on NULL faults. */
	movq $0, first_table
	invlpg 0
	pushq $0
	jmp runtime_entry
	.size pvh_start, . - pvh_start

	.section .rodata.pvh, "a", @progbits
	.balign 8
gdt:
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_at:
	.word . - gdt - 1
	.quad gdt

	.section .bss.pvh, "aw", @nobits
	.balign 4096
	.globl runtime_pvh_tables
runtime_pvh_tables:
	.skip 4096
pdpt:
	.skip 4096
directories:
	.skip 4096 * DIRECTORIES
first_table:
	.skip 4096
	.skip 131072
stack_end:

	.section .note.GNU-stack, "", @progbits
