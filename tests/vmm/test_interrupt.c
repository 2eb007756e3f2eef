/* SPDX-License-Identifier: MIT */
/*
 * Exception delivery by hand, against AMD64 volume 2: frames, stacks, and what
 * becomes of a fault while a fault is delivered.
 */
#include "vmm/interrupt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define IDT             UINT64_C(0x10000)
#define TSS             UINT64_C(0x20000)
#define STACK           UINT64_C(0x30000) /* two pages */
#define BROKEN          UINT64_C(0x40000) /* not mapped */
#define HANDLER(vector) (UINT64_C(0xffff800000400000) + (vector)*16)

static struct vm__space space;
static struct vm__cpu cpu;

static void put(uint64_t gva, uint64_t value)
{
	assert_true(vm__copy_in(&space, gva, &value, 8, VM__READ));
}

static uint64_t get(uint64_t gva)
{
	uint64_t value = 0;

	assert_true(vm__copy_out(&space, gva, &value, 8, VM__READ));
	return value;
}

static void set_gate(unsigned vector, unsigned flags)
{
	uint64_t handler = HANDLER(vector);

	put(IDT + vector * 16u, (handler & 0xffff) | 8u << 16 |
	                                (uint64_t)flags << 32 |
	                                (handler >> 16 & 0xffff) << 48);
	put(IDT + vector * 16u + 8, handler >> 32);
}

static int setup(void **state)
{
	(void)state;
	memset(&space, 0, sizeof space);
	if (vm__space_init(&space, UINT64_C(2) << 20, -1) < 0 ||
	    vm__map(&space, IDT, 4096, VM__READ | VM__WRITE) < 0 ||
	    vm__map(&space, TSS, 4096, VM__READ) < 0 ||
	    vm__map(&space, STACK, 8192, VM__READ | VM__WRITE) < 0)
		return -1;
	for (unsigned vector = 0; vector < 33; vector++)
		set_gate(vector, 0x8e00);
	cpu = (struct vm__cpu){
		.rip = 0x400123,
		.rsp = STACK + 4096 + 24,
		.rflags = 0x10302,
		.cs = 8,
		.ss = 16,
		.idt_gva = IDT,
		.tss_gva = TSS,
		.idt_limit = 33 * 16 - 1,
		.tss_limit = 103,
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm__space_fini(&space);
	return 0;
}

static bool deliver(unsigned vector)
{
	struct vm__event event = {.vector = vector, .code = 2, .cr2 = 0x1234};

	return vm__deliver(&space, &cpu, event);
}

static void a_page_fault_pushes_a_code_and_sets_cr2(void **state)
{
	(void)state;
	assert_true(deliver(VM__PAGE_FAULT));
	assert_true(cpu.rip == HANDLER(14));
	assert_true(cpu.rsp == STACK + 4096 + 16 - 48); /* aligned down */
	assert_true(cpu.cr2 == 0x1234);
	assert_true(cpu.rflags == 2);
	assert_true(get(cpu.rsp) == 2);
	assert_true(get(cpu.rsp + 8) == 0x400123);
	assert_true(get(cpu.rsp + 16) == 8);
	assert_true(get(cpu.rsp + 24) == 0x10302);
	assert_true(get(cpu.rsp + 32) == STACK + 4096 + 24);
	assert_true(get(cpu.rsp + 40) == 16);
}

static void only_some_vectors_have_a_code(void **state)
{
	static const unsigned with[] = {8, 10, 11, 12, 13, 14, 17};

	(void)state;
	for (unsigned vector = 0; vector < 21; vector++) {
		uint64_t rsp = cpu.rsp, n = 40;

		for (size_t i = 0; i < sizeof with / sizeof with[0]; i++)
			n = with[i] == vector ? 48 : n;
		assert_true(deliver(vector));
		assert_true(cpu.rsp == (rsp & ~UINT64_C(15)) - n);
		cpu.rsp = rsp;
	}
}

static void a_trap_gate_leaves_interrupts_on(void **state)
{
	(void)state;
	set_gate(3, 0x8f00);
	assert_true(deliver(VM__BREAKPOINT));
	assert_true(cpu.rflags == 0x202);
}

static void a_gate_can_name_its_own_stack(void **state)
{
	(void)state;
	set_gate(14, 0x8e03);
	put(TSS + 36 + 16, STACK + 8192);
	cpu.rsp = BROKEN;
	assert_true(deliver(VM__PAGE_FAULT));
	assert_true(cpu.rsp == STACK + 8192 - 48);
	assert_true(get(cpu.rsp + 32) == BROKEN);
}

static void a_broken_stack_is_a_double_fault(void **state)
{
	(void)state;
	set_gate(8, 0x8e01);
	put(TSS + 36, STACK + 8192);
	cpu.rsp = BROKEN + 64;
	assert_true(deliver(VM__PAGE_FAULT));
	assert_true(cpu.rip == HANDLER(8));
	assert_true(get(cpu.rsp) == 0);
	assert_true(cpu.cr2 == BROKEN + 56); /* of the second one */
}

static void a_benign_fault_is_followed_by_the_next(void **state)
{
	(void)state;
	set_gate(14, 0x8e01);
	put(TSS + 36, STACK + 8192);
	cpu.rsp = BROKEN + 64;
	assert_true(deliver(VM__INVALID_OPCODE));
	assert_true(cpu.rip == HANDLER(14));
	assert_true(get(cpu.rsp) == 2); /* a write, not present */
}

static void no_stack_at_all_is_a_triple_fault(void **state)
{
	(void)state;
	cpu.rsp = BROKEN;
	assert_false(deliver(VM__PAGE_FAULT));
	assert_true(cpu.rip == 0x400123);
}

static void no_table_is_a_triple_fault(void **state)
{
	(void)state;
	cpu.idt_limit = 0;
	assert_false(deliver(VM__INVALID_OPCODE));
	cpu.idt_limit = UINT32_MAX;
	cpu.idt_gva = BROKEN;
	assert_false(deliver(VM__PAGE_FAULT));
	cpu.idt_gva = UINT64_MAX - 100;
	assert_false(deliver(VM__PAGE_FAULT));
}

static void a_missing_gate_names_itself(void **state)
{
	(void)state;
	set_gate(6, 0x0e00);
	assert_true(deliver(VM__INVALID_OPCODE));
	assert_true(cpu.rip == HANDLER(11));
	assert_true(get(cpu.rsp) == (6 * 8 | 3));
}

static void a_software_interrupt_is_at_fault_itself(void **state)
{
	struct vm__event event = {
		.vector = 0x40, .software = true, .length = 2};

	(void)state;
	assert_true(vm__deliver(&space, &cpu, event));
	assert_true(cpu.rip == HANDLER(13));
	assert_true(get(cpu.rsp) == (0x40 * 8 | 2));
	assert_true(get(cpu.rsp + 8) == 0x400121);
}

static void a_short_task_state_is_noticed(void **state)
{
	(void)state;
	set_gate(6, 0x8e07);
	cpu.tss_limit = 90;
	assert_true(deliver(VM__INVALID_OPCODE));
	assert_true(cpu.rip == HANDLER(10));
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_page_fault_pushes_a_code_and_sets_cr2),
		CASE(only_some_vectors_have_a_code),
		CASE(a_trap_gate_leaves_interrupts_on),
		CASE(a_gate_can_name_its_own_stack),
		CASE(a_broken_stack_is_a_double_fault),
		CASE(a_benign_fault_is_followed_by_the_next),
		CASE(no_stack_at_all_is_a_triple_fault),
		CASE(no_table_is_a_triple_fault),
		CASE(a_missing_gate_names_itself),
		CASE(a_software_interrupt_is_at_fault_itself),
		CASE(a_short_task_state_is_noticed),
	};
#undef CASE

	return cmocka_run_group_tests_name("interrupt", tests, NULL, NULL);
}
