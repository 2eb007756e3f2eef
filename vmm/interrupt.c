/* SPDX-License-Identifier: MIT */
/*
 * Exception delivery in 64-bit mode, after the manuals: AMD64 volume 2,
 * 8.9 "Long-Mode Interrupt Control Transfers" and table 8-5 for faults while
 * delivering. Everything read from the guest is copied first.
 */
#include "interrupt.h"

#include <string.h>

#define RFLAGS_CLEARED UINT64_C(0x34100) /* VM RF NT TF */
#define RFLAGS_IF      UINT64_C(0x200)
#define GATE_INTERRUPT 0xeu
#define GATE_TRAP      0xfu
#define CODE_IDT       2u
#define CODE_EXTERNAL  1u
#define PF_PRESENT     1u
#define PF_WRITE       2u

struct gate {
	uint64_t handler_gva;
	uint16_t selector;
	unsigned ist, type, dpl;
	bool present;
};

static bool has_code(const struct vm__event *event)
{
	return !event->software && event->vector < 32 &&
	       (UINT32_C(0x00027d00) >> event->vector & 1);
}

static bool contributory(unsigned vector)
{
	return vector == VM__DIVIDE_ERROR ||
	       (vector >= VM__INVALID_TSS && vector <= VM__PROTECTION);
}

/* Delivering `first` raised `second`: what happens. False: triple fault. */
static bool escalate(struct vm__event *event, const struct vm__event *second)
{
	unsigned first = event->software ? 32 : event->vector;
	bool serious = contributory(second->vector) ||
	               second->vector == VM__PAGE_FAULT;

	if (first == VM__DOUBLE_FAULT)
		return false;
	if ((contributory(first) && contributory(second->vector)) ||
	    (first == VM__PAGE_FAULT && serious))
		*event = (struct vm__event){.vector = VM__DOUBLE_FAULT};
	else
		*event = *second;
	return true;
}

static struct vm__event fault(unsigned vector, uint32_t code)
{
	return (struct vm__event){.vector = vector, .code = code};
}

static struct vm__event page_fault(const struct vm__space *space, uint64_t gva,
                                   uint32_t access)
{
	struct vm__event event = fault(VM__PAGE_FAULT, access);
	uint64_t n;

	event.cr2 = gva;
	if (vm__at(space, gva, VM__READ, &n))
		event.code |= PF_PRESENT;
	return event;
}

/* Reads a system table; a fault goes to *raised. */
static bool fetch(const struct vm__space *space, uint64_t gva, void *to,
                  size_t n, struct vm__event *raised)
{
	if (vm__copy_out(space, gva, to, n, VM__READ))
		return true;
	*raised = page_fault(space, gva, 0);
	return false;
}

static bool read_gate(const struct vm__space *space, const struct vm__cpu *cpu,
                      const struct vm__event *event, struct gate *ret_gate,
                      struct vm__event *raised)
{
	uint32_t code = event->vector * 8 | CODE_IDT |
	                (event->software ? 0 : CODE_EXTERNAL);
	uint64_t words[2];
	struct gate gate;

	if (cpu->idt_limit < event->vector * 16 + 15) {
		*raised = fault(VM__PROTECTION, code);
		return false;
	}
	if (!fetch(space, cpu->idt_gva + event->vector * 16u, words,
	           sizeof words, raised))
		return false;
	gate = (struct gate){
		.handler_gva = (words[0] & 0xffff) |
	                       (words[0] >> 32 & 0xffff0000) | words[1] << 32,
		.selector = (uint16_t)(words[0] >> 16),
		.ist = words[0] >> 32 & 7,
		.type = words[0] >> 40 & 0x1f,
		.dpl = words[0] >> 45 & 3,
		.present = words[0] >> 47 & 1,
	};
	if ((gate.type != GATE_INTERRUPT && gate.type != GATE_TRAP) ||
	    (event->software && gate.dpl < (cpu->cs & 3u)))
		*raised = fault(VM__PROTECTION, code);
	else if (!gate.present)
		*raised = fault(VM__NOT_PRESENT, code);
	else {
		*ret_gate = gate;
		return true;
	}
	return false;
}

/* The stack to switch to: offset of its pointer in the TSS, 0 for none. */
static unsigned stack_slot(const struct vm__cpu *cpu, const struct gate *gate)
{
	if (gate->ist)
		return 36 + 8 * (gate->ist - 1);
	return (cpu->cs & 3u) > (gate->selector & 3u) ? 4 : 0;
}

static bool push_frame(const struct vm__space *space, const struct vm__cpu *cpu,
                       const struct vm__event *event, uint64_t *rsp,
                       struct vm__event *raised)
{
	uint64_t frame[] = {event->code, cpu->rip, cpu->cs,
	                    cpu->rflags, cpu->rsp, cpu->ss};
	unsigned first = has_code(event) ? 0 : 1;

	*rsp &= ~UINT64_C(15);
	for (unsigned i = sizeof frame / sizeof frame[0]; i-- > first;) {
		*rsp -= 8;
		if (!vm__copy_in(space, *rsp, &frame[i], 8, VM__WRITE)) {
			*raised = page_fault(space, *rsp, PF_WRITE);
			return false;
		}
	}
	return true;
}

static bool deliver_once(const struct vm__space *space, struct vm__cpu *cpu,
                         const struct vm__event *event,
                         struct vm__event *raised)
{
	struct gate gate;
	uint64_t rsp = cpu->rsp;
	unsigned slot;

	if (!read_gate(space, cpu, event, &gate, raised))
		return false;
	slot = stack_slot(cpu, &gate);
	if (slot && cpu->tss_limit < slot + 7) {
		*raised = fault(VM__INVALID_TSS, 0);
		return false;
	}
	if (slot && !fetch(space, cpu->tss_gva + slot, &rsp, 8, raised))
		return false;
	if (!push_frame(space, cpu, event, &rsp, raised))
		return false;
	if ((cpu->cs & 3u) > (gate.selector & 3u))
		cpu->ss = 0;
	cpu->rflags &= ~RFLAGS_CLEARED;
	if (gate.type == GATE_INTERRUPT)
		cpu->rflags &= ~RFLAGS_IF;
	cpu->rip = gate.handler_gva;
	cpu->rsp = rsp;
	cpu->cs = gate.selector;
	return true;
}

bool vm__deliver(const struct vm__space *space, struct vm__cpu *cpu,
                 struct vm__event event)
{
	struct vm__event raised;

	for (;;) {
		if (event.vector == VM__PAGE_FAULT && !event.software)
			cpu->cr2 = event.cr2;
		if (deliver_once(space, cpu, &event, &raised))
			return true;
		if (raised.vector == VM__PAGE_FAULT)
			cpu->cr2 = raised.cr2; /* even if it becomes a #DF */
		cpu->rip -= event.length;      /* INT n itself is what faults */
		if (!escalate(&event, &raised))
			return false;
	}
}
