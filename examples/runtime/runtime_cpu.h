/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the runtime; a guest includes runtime.h.
 */
#ifndef RUNTIME_CPU_H
#define RUNTIME_CPU_H

#include <guesttrace/abi.h>

#include <stdbool.h>
#include <stdint.h>

#define RUNTIME_HEX_BYTES        19u /* 0x, 16 digits, NUL */
#define RUNTIME_ABORT_TEXT_BYTES 256u

/* What entry.S leaves on the stack of an exception. */
struct runtime_frame {
	uint64_t rbp, vector, code, rip, cs, rflags, rsp, ss;
};

#define RUNTIME_EXCEPTION_STACK_BYTES 16384u

/* The task state: nothing in it but stacks matters in 64-bit mode. */
struct runtime_task {
	uint32_t zero;
	uint32_t stack[20]; /* rsp0 to rsp2, none, ist1 to ist7: low, high */
	uint32_t none[4];
};

/* What a vCPU has of its own; GS points at it. */
struct runtime_vcpu {
	struct runtime_vcpu *self; /* %gs:0 */
	void *local;               /* %gs:8, RUNTIME_LOCAL_GS in runtime.h */
	unsigned index;
	/* The first reason of its death. */
	bool dying;
	uint8_t code;
	int vector;
	char text[RUNTIME_ABORT_TEXT_BYTES];
	uint64_t frame_pointer, rip, stack_pointer; /* of that; 0: unknown */
	uint64_t gdt[5];
	struct runtime_task task;
	unsigned char stack[RUNTIME_EXCEPTION_STACK_BYTES]
		__attribute__((aligned(16)));
};

/* entry.S */
extern const unsigned char runtime_doors[32][16];
void runtime_load_tables(const void *gdt, const void *idt);

/* Called by entry.S. */
_Noreturn void runtime_start(const struct gt_boot *from_host);
_Noreturn void runtime_exception(const struct runtime_frame *frame);

/*
 * pvh.c: whether another VMM than `guesttrace run` runs this, its console, and
 * the end of its machine.
 */
extern bool runtime_is_elsewhere;
void runtime_pvh_print(char byte);
_Noreturn void runtime_pvh_end(void);

/* Own GDT and GS, a stack for exceptions, the IDT of all. `vcpu` is zeroed. */
void runtime_cpu_init(struct runtime_vcpu *vcpu, unsigned index);

/* The caller's. */
struct runtime_vcpu *runtime_vcpu(void);

/* Writes `0x...` and a NUL, returns where the NUL is. */
char *runtime_hex(char *to, uint64_t value);

/* `vector` -1 for none. */
_Noreturn void runtime_abort(uint8_t code, int vector, const char *message);
/* The same for what stood there; NULL: nothing is known of it. */
_Noreturn void runtime_abort_at(const struct runtime_frame *frame, uint8_t code,
                                int vector, const char *message);

#endif
