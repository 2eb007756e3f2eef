/* SPDX-License-Identifier: MIT */
/* What a guest on KVM finds of the CPU (threat E5). */
#include "tests/support/vm_fixture.h"

#include <stdio.h>
#include <string.h>

#define VECTOR_GP 13

static struct vm_outcome run(const char *behaviour, uint64_t number)
{
	static struct seen seen;
	struct vm_outcome outcome;
	char text[24];
	struct plan plan = {.backend = VM_BACKEND_KVM,
	                    .behaviour = behaviour,
	                    .number = text};

	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	fixture_run(&plan, &seen, &outcome);
	return outcome;
}

static bool faults(const char *behaviour, uint32_t msr)
{
	struct vm_outcome outcome = run(behaviour, msr);

	if (outcome.end == VM_ABORTED)
		assert_int_equal(outcome.vector, VECTOR_GP);
	else
		assert_int_equal(outcome.end, VM_HALTED);
	return outcome.end == VM_ABORTED;
}

static void e5_no_msr_is_read_or_written_but_a_few(void **state)
{
	static const uint32_t others[] = {
		0x11,       0x12,       0x1b,       0x3a,       0x48,
		0x8b,       0xc1,       0xfe,       0x186,      0x1a0,
		0x1d9,      0x2ff,      0x400,      0x480,      0x560,
		0x6e0,      0x40000000, 0x4b564d00, 0x4b564d02, 0xc0000085,
		0xc0010015, 0xc0010114, 0xc0011029,
	};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		assert_true(faults("read_msr", others[i]));
		assert_true(faults("write_msr", others[i]));
	}
}

static void programs_have_those_that_they_use(void **state)
{
	static const uint32_t used[] = {0x174,      0x277,      0xc0000080,
	                                0xc0000081, 0xc0000084, 0xc0000100,
	                                0xc0000101, 0xc0000102};

	(void)state;
	for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
		assert_false(faults("write_msr", used[i]));
	/* The TSC is the host's to set. */
	assert_false(faults("read_msr", 0x10));
	assert_true(faults("write_msr", 0x10));
}

static uint32_t cpuid(uint32_t leaf, unsigned reg)
{
	struct vm_outcome outcome = run("cpuid", leaf | (uint64_t)reg << 32);

	assert_int_equal(outcome.end, VM_HALTED);
	return outcome.status;
}

static void e5_cpuid_is_chosen(void **state)
{
	enum { A, B, C, D };
	/* MONITOR, VMX, SMX, PDCM, x2APIC, TSC deadline. */
	uint32_t of_machines = 1u << 3 | 1u << 5 | 1u << 6 | 1u << 15 |
	                       1u << 21 | 1u << 24;
	static const uint32_t absent[] = {2, 4, 0xa, 0xf, 0x14, 0x80000002,
	                                  0x8000001f, 0x40000001};

	(void)state;
	assert_true(cpuid(0, A) <= 0xd);
	assert_int_equal(cpuid(1, C) & of_machines, 0);
	assert_true(cpuid(1, C) >> 31); /* there is a hypervisor */
	/* MCE, MTRR, MCA; that of the APIC KVM sets by itself. */
	assert_int_equal(cpuid(1, D) & (1u << 7 | 1u << 12 | 1u << 14), 0);
	/* Speculation is controlled by MSRs that there are not. */
	assert_int_equal(cpuid(7, D) & 0xfc000000, 0);
	/* SVM, XOP, SKINIT, ways to profile. */
	assert_int_equal(cpuid(0x80000001, C) & ~0x1f3u, 0);
	for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
		for (unsigned reg = A; reg <= D; reg++)
			assert_int_equal(cpuid(absent[i], reg), 0);
}

static void and_has_what_programs_use(void **state)
{
	uint32_t sse2 = 1u << 26, tsc = 1u << 4, fxsr = 1u << 24;
	uint32_t long_mode = 1u << 29, nx = 1u << 20, syscall_ = 1u << 11;

	(void)state;
	assert_int_equal(~cpuid(1, 3) & (sse2 | tsc | fxsr), 0);
	assert_int_equal(~cpuid(0x80000001, 3) & (long_mode | nx | syscall_),
	                 0);
	assert_true(cpuid(0x40000010, 0) > 0); /* the TSC's rate */
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(e5_no_msr_is_read_or_written_but_a_few),
		cmocka_unit_test(programs_have_those_that_they_use),
		cmocka_unit_test(e5_cpuid_is_chosen),
		cmocka_unit_test(and_has_what_programs_use),
	};

	char why[VM_ERROR_BYTES];

	if (argc != 2) {
		fprintf(stderr, "usage: test_kvm_cpu BEHAVE_ELF\n");
		return 2;
	}
	fixture_guest = argv[1];
	if (!vm_backend_usable(VM_BACKEND_KVM, why)) {
		printf("ok 1 - the CPU of a guest # SKIP %s\n1..1\n", why);
		return 0;
	}
	return cmocka_run_group_tests_name("kvm_cpu", tests, NULL, NULL);
}
