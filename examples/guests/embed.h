/* SPDX-License-Identifier: MIT */
/*
 * A file as part of the program. The assembler finds it by the compiler's -I
 * options; `name` is its first byte, `name_end` lies behind its last.
 */
#ifndef GUESTS_EMBED_H
#define GUESTS_EMBED_H

/* clang-format off */
#define EMBED(name, file)                           \
	__asm__(".pushsection .rodata\n"            \
		".globl " #name ", " #name "_end\n" \
		#name ":\n"                         \
		"\t.incbin \"" file "\"\n"          \
		#name "_end:\n"                     \
		".popsection");                     \
	extern const char name[], name##_end[]
/* clang-format on */

#endif
