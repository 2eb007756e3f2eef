/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables, and exceptions that become an abort. Each vCPU has its own
 * tables, but one IDT, and a stack of its own for exceptions, so that a stack
 * overflow is reported like any other.
 */
#include "runtime_cpu.h"
#include "runtime.h"

#define PAGE_FAULT     14u
#define GATE_INTERRUPT 0x8e00u
#define CODE_SELECTOR  8u
#define TASK_SELECTOR  24u
#define MSR_GS_BASE    0xc0000101u

struct gate {
	uint16_t low, selector, flags, middle;
	uint32_t high, zero;
};

struct table {
	uint16_t zero[3]; /* so that `base` is aligned */
	uint16_t limit;
	uint64_t base;
};

static struct gate idt[256] __attribute__((aligned(16)));
static const uint64_t flat[] = {
	0, 0x00af9b000000ffff, /* code, 64-bit, accessed */
	0x00cf93000000ffff,    /* data, accessed */
};

static void set_gate(unsigned vector, uint64_t handler, unsigned ist)
{
	idt[vector] = (struct gate){
		.low = (uint16_t)handler,
		.selector = CODE_SELECTOR,
		.flags = (uint16_t)(GATE_INTERRUPT | ist),
		.middle = (uint16_t)(handler >> 16),
		.high = (uint32_t)(handler >> 32),
	};
}

static void set_task(struct runtime_vcpu *vcpu)
{
	struct runtime_task *task = &vcpu->task;
	uint64_t base = (uintptr_t)task, limit = sizeof(*task) - 1;
	uint64_t top = (uintptr_t)(vcpu->stack + sizeof(vcpu->stack));

	task->stack[8] = (uint32_t)top; /* ist1 */
	task->stack[9] = (uint32_t)(top >> 32);
	vcpu->gdt[TASK_SELECTOR / 8] = limit | (base & 0xffffff) << 16 |
	                               UINT64_C(0x89) << 40 |
	                               (base >> 24 & 0xff) << 56;
	vcpu->gdt[TASK_SELECTOR / 8 + 1] = base >> 32;
}

static void set_gs(struct runtime_vcpu *vcpu)
{
	uint64_t base = (uintptr_t)vcpu;

	__asm__ volatile("wrmsr"
	                 :
	                 : "a"((uint32_t)base), "d"((uint32_t)(base >> 32)),
	                   "c"(MSR_GS_BASE)
	                 : "memory");
}

struct runtime_vcpu *runtime_vcpu(void)
{
	struct runtime_vcpu *vcpu;

	__asm__("movq %%gs:0, %0" : "=r"(vcpu));
	return vcpu;
}

void runtime_set_vector(uint8_t vector, void (*handler)(void))
{
	set_gate(vector, (uintptr_t)handler, 0);
}

static void set_gates(void)
{
	for (unsigned i = 0; i < 32; i++)
		set_gate(i, (uintptr_t)runtime_doors[i], 1);
}

void runtime_cpu_init(struct runtime_vcpu *vcpu, unsigned index)
{
	struct table gdt_at = {.limit = sizeof(vcpu->gdt) - 1,
	                       .base = (uintptr_t)vcpu->gdt};
	struct table idt_at = {.limit = sizeof idt - 1, .base = (uintptr_t)idt};

	vcpu->self = vcpu;
	vcpu->index = index;
	memcpy(vcpu->gdt, flat, sizeof(flat));
	set_task(vcpu);
	if (index == 0)
		set_gates();
	runtime_load_tables(&gdt_at.limit, &idt_at.limit);
	set_gs(vcpu);
}

static const char *name_of(uint64_t vector)
{
	switch (vector) {
	case 0:
		return "divide error";
	case 1:
		return "debug exception";
	case 3:
		return "breakpoint";
	case 6:
		return "invalid opcode";
	case 7:
		return "no coprocessor";
	case 8:
		return "double fault";
	case 11:
		return "segment not present";
	case 12:
		return "stack fault";
	case 13:
		return "general protection fault";
	case PAGE_FAULT:
		return "page fault";
	case 16:
		return "x87 error";
	case 17:
		return "alignment check";
	case 19:
		return "SIMD error";
	default:
		return "exception";
	}
}

static char *append(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n + 1);
	return to + n;
}

_Noreturn void runtime_exception(const struct runtime_frame *frame)
{
	char text[RUNTIME_ABORT_TEXT_BYTES];
	char *end = append(text, name_of(frame->vector));
	uint64_t address;

	end = runtime_hex(append(end, " at rip "), frame->rip);
	if (frame->vector == PAGE_FAULT) {
		__asm__ volatile("movq %%cr2, %0" : "=r"(address));
		runtime_hex(append(end, " address "), address);
	}
	runtime_abort_at(frame, RUNTIME_ABORT_EXCEPTION, (int)frame->vector,
	                 text);
}
