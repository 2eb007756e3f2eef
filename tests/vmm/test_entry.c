/* SPDX-License-Identifier: MIT */
/*
 * The state in which a guest is entered, all of it, the same on every backend:
 * by the System V ABI for x86-64, vm_boot() in vm.h, and for what neither says
 * by the processor's state after a reset (Intel SDM, volume 3, table 10-1).
 * Arguments: the ELF of tests/guests/entry_state.S.
 */
#include "tests/support/vm_fixture.h"
#include "tests/guests/entry_state.h"

#include <guesttrace/abi.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	size_t offset, bytes;
	uint64_t value;
	const char *why;
} expected[] = {
#define SAYS(name, value, why)                                                 \
	{                                                                      \
#name, offsetof(struct entry_state, name),                     \
			sizeof(((struct entry_state *)NULL)->name), value, why \
	}
	/* ABI 3.2.1: DF is clear, x87 rounds to nearest with 64 bits of
         * mantissa and all exceptions masked; vm.h: interrupts off. */
	SAYS(rflags, 0x2, "IF and DF clear"),
	SAYS(fcw, 0x37f, "the ABI's x87 control word"),
	SAYS(mxcsr, 0x1f80, "the ABI's MXCSR"),
	SAYS(fsw, 0, "an x87 without exceptions"),
	SAYS(ftw, 0, "an empty x87 stack"), /* as FXSAVE has it */
	SAYS(fop, 0, "no x87 instruction so far"),
	SAYS(fip, 0, "no x87 instruction so far"),
	SAYS(fdp, 0, "no x87 instruction so far"),
	/* As if called from address 0, with one argument. */
	SAYS(rax, 0, "no other argument"),
	SAYS(rcx, 0, "no other argument"),
	SAYS(rdx, 0, "no other argument"),
	SAYS(rbx, 0, "no other argument"),
	SAYS(rbp, 0, "the outermost frame"),
	SAYS(rsi, 0, "no other argument"),
	SAYS(r8, 0, "no other argument"),
	SAYS(r9, 0, "no other argument"),
	SAYS(r10, 0, "no other argument"),
	SAYS(r11, 0, "no other argument"),
	SAYS(r12, 0, "no other argument"),
	SAYS(r13, 0, "no other argument"),
	SAYS(r14, 0, "no other argument"),
	SAYS(r15, 0, "no other argument"),
	SAYS(fs_base, 0, "no thread"),
	SAYS(gs_base, 0, "no thread"),
	SAYS(kernel_gs_base, 0, "no thread"),
	/* vm.h: CPL 0, no IDT; a GDT is the guest's own. */
	SAYS(cs, 8, "flat code of ring 0"),
	SAYS(ds, 16, "flat data of ring 0"),
	SAYS(es, 16, "flat data of ring 0"),
	SAYS(fs, 16, "flat data of ring 0"),
	SAYS(gs, 16, "flat data of ring 0"),
	SAYS(ss, 16, "flat data of ring 0"),
	SAYS(ldt, 0, "no LDT"),
	SAYS(tr, 0, "no task"),
	SAYS(lar_cs, UINT64_MAX, "no GDT"),
	SAYS(lar_ss, UINT64_MAX, "no GDT"),
	SAYS(gdt_limit, 0, "no GDT"),
	SAYS(gdt_base, 0, "no GDT"),
	SAYS(idt_limit, 0, "no IDT"),
	SAYS(idt_base, 0, "no IDT"),
	/* Paging, write protection, SSE; NX. */
	SAYS(cr0, 0x80010033, "PG WP NE ET MP PE"),
	SAYS(cr2, 0, "no page fault so far"),
	SAYS(cr4, 0x620, "OSXMMEXCPT OSFXSR PAE"),
	SAYS(efer, 0xd00, "NXE LMA LME"),
	SAYS(dr0, 0, "reset"),
	SAYS(dr1, 0, "reset"),
	SAYS(dr2, 0, "reset"),
	SAYS(dr3, 0, "reset"),
	SAYS(dr6, 0xffff0ff0, "reset"),
	SAYS(dr7, 0x400, "reset"),
	SAYS(pat, 0x0007040600070406, "reset"),
	SAYS(star, 0, "reset"),
	SAYS(lstar, 0, "reset"),
	SAYS(sfmask, 0, "reset"),
};

static unsigned capabilities; /* of the backend that was booted last */

static struct vm *booted(enum vm_backend backend, bool boots)
{
	const struct vm_options options = {.size = sizeof(options),
	                                   .backend = backend,
	                                   .memory_bytes = UINT64_C(8) << 20,
	                                   .timeout_ns = UINT64_C(60000000000)};
	static const char *const args[] = {"entry_state", NULL};
	const struct vm_boot boot = {
		.size = sizeof(boot), .argc = 1, .argv = args};
	char error[VM_ERROR_BYTES];
	struct vm *vm;

	if (vm_new(&vm, &options, error) < 0)
		fail_msg("%s", error);
	capabilities = vm_capabilities(vm);
	if (boots && (vm_load(vm, fixture_guest) < 0 || vm_boot(vm, &boot) < 0))
		fail_msg("%s", vm_error(vm));
	return vm;
}

/* Runs it to its end and frees it. */
static struct entry_state state_of(struct vm *vm)
{
	struct entry_state state;
	struct vm_outcome outcome;
	uint64_t bytes;
	const unsigned char *memory;

	assert_int_equal(vm_run(vm, &outcome), 0);
	if (outcome.end != VM_HALTED)
		fail_msg("%s", outcome.message);
	memory = vm_memory(vm, &bytes);
	for (uint64_t at = 0; at + sizeof(state) <= bytes; at += 16) {
		memcpy(&state, memory + at, sizeof(state));
		if (state.magic == ENTRY_STATE_MAGIC &&
		    state.done == ENTRY_STATE_MAGIC) {
			vm_free(vm);
			return state;
		}
	}
	vm_free(vm);
	fail_msg("the guest has not stored its state");
	return (struct entry_state){.magic = 0};
}

/* What a backend without paging reports, but does not have. */
static uint64_t absent(const char *name, unsigned has)
{
	if (has & VM_HAS_PAGING)
		return 0;
	return strcmp(name, "cr0") == 0    ? UINT64_C(0x80000000) /* PG */
	       : strcmp(name, "efer") == 0 ? UINT64_C(0x800)      /* NXE */
	                                   : 0;
}

/*
 * What is the host's own: on AMD's processors KVM leaves its CR4.MCE in what a
 * guest reads (Linux, svm_set_cr4()), where the host has it set.
 */
static uint64_t of_host(const char *name, unsigned has)
{
	return has & VM_HAS_PAGING && strcmp(name, "cr4") == 0 ? UINT64_C(0x40)
	                                                       : 0;
}

static void check(const struct entry_state *state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		uint64_t value = 0;

		memcpy(&value,
		       (const unsigned char *)state + expected[i].offset,
		       expected[i].bytes);
		value |= absent(expected[i].name, capabilities);
		value &= ~of_host(expected[i].name, capabilities);
		if (value == expected[i].value)
			continue;
		wrong++;
		print_message("# %s is %#" PRIx64 ", not %#" PRIx64 ": %s\n",
		              expected[i].name, value, expected[i].value,
		              expected[i].why);
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(state->rsp % 16, 8);
	assert_int_not_equal(state->rdi, 0);
	assert_int_equal(state->cr3 % 4096, 0);
	assert_int_not_equal(state->cr3, 0);
	for (size_t i = 0; i < sizeof(state->st); i++)
		assert_int_equal(((const uint8_t *)state->st)[i], 0);
	for (size_t i = 0; i < sizeof(state->xmm); i++)
		assert_int_equal(((const uint8_t *)state->xmm)[i], 0);
}

static void a_guest_is_entered_as_the_abi_says(void **backend)
{
	struct entry_state state =
		state_of(booted(*(enum vm_backend *)*backend, true));

	check(&state);
}

static void and_so_it_is_from_a_snapshot(void **backend)
{
	struct vm *vm = booted(*(enum vm_backend *)*backend, true), *copy;
	FILE *file = tmpfile();
	struct entry_state first, again;

	assert_non_null(file);
	if (vm_save(vm, fileno(file)) < 0)
		fail_msg("%s", vm_error(vm));
	copy = booted(*(enum vm_backend *)*backend, false);
	assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
	if (vm_restore(copy, fileno(file), VM_TSC_STAYS) < 0)
		fail_msg("%s", vm_error(copy));
	fclose(file);
	first = state_of(vm);
	again = state_of(copy);
	check(&again);
	assert_memory_equal(&first, &again, sizeof(first));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_is_entered_as_the_abi_says),
		cmocka_unit_test(and_so_it_is_from_a_snapshot),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_entry ENTRY_STATE.ELF\n");
		return 2;
	}
	fixture_guest = argv[1];
	return fixture_main(tests, sizeof(tests) / sizeof(tests[0]));
}
