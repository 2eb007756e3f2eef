/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the runtime; a guest includes runtime.h.
 */
#ifndef RUNTIME_CPU_H
#define RUNTIME_CPU_H

#include <guesttrace/abi.h>

#include <stdint.h>

#define RUNTIME_HEX_BYTES        19u /* 0x, 16 digits, NUL */
#define RUNTIME_ABORT_TEXT_BYTES 256u

/* What entry.S leaves on the stack of an exception. */
struct runtime_frame {
	uint64_t vector, code, rip, cs, rflags, rsp, ss;
};

/* entry.S */
extern const unsigned char runtime_doors[32][16];
void runtime_load_tables(const void *gdt, const void *idt);

/* Called by entry.S. */
_Noreturn void runtime_start(const struct gt_boot *from_host);
_Noreturn void runtime_exception(const struct runtime_frame *frame);

/* Own GDT, IDT, and a stack for exceptions. */
void runtime_cpu_init(void);

/* Writes `0x...` and a NUL, returns where the NUL is. */
char *runtime_hex(char *to, uint64_t value);

/* `vector` -1 for none. */
_Noreturn void runtime_abort(uint8_t code, int vector, const char *message);

#endif
