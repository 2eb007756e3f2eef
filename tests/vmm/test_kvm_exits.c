/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend against a kernel that lies: every exit reason, every error,
 * lengths and offsets outside of the run page, each set-up call failing. The
 * units are included, with their system calls replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int fake_open(void);
static int fake_ioctl(int fd, unsigned long request, uintptr_t arg);
static void *fake_mmap(void);

#define open(path, flags)                    fake_open()
#define close(fd)                            ((void)(fd))
#define ioctl(fd, n, arg)                    fake_ioctl(fd, n, (uintptr_t)(arg))
#define mmap(at, n, prot, flags, fd, offset) fake_mmap()
#define munmap(at, n)                        ((void)(at))
#include "vmm/kvm.c"
#include "vmm/kvm_cpu.c"
#include "vmm/kvm_machine.c"
#include "vmm/kvm_probe.c"
#include "vmm/kvm_state.c"
#undef open
#undef close
#undef ioctl
#undef mmap
#undef munmap

#include <setjmp.h>

#include <cmocka.h>

#define RUN_BYTES 12288u
#define RUNS_MAX  1000u

/* What the kernel does next. */
static struct {
	union {
		struct kvm_run run;
		unsigned char bytes[RUN_BYTES];
	} page;
	unsigned long failing; /* this request fails ... */
	int error;             /* ... with this */
	int run_error;         /* KVM_RUN fails with this, 0 for not */
	int capability;        /* what KVM_CHECK_EXTENSION says */
	unsigned runs;
	struct vm *kick_at_run_2;
	unsigned prints; /* that many exits print a character, ... */
	uint32_t status; /* ... the next one halts with this, 0 for none */
	unsigned vms;    /* made so far */
} fake;

/* A program that halts: enough of an ELF for vm_boot(). */
static const unsigned char elf[] = {
	0x7f, 'E', 'L',  'F', 2, 1,  1, 0, 0, 0, 0, 0, 0,
	0,    0,   0,    2,   0, 62, 0, 1, 0, 0, 0, /* type machine version */
	0,    0,   0x40, 0,   0, 0,  0, 0,          /* entry */
	64,   0,   0,    0,   0, 0,  0, 0,          /* phoff */
	0,    0,   0,    0,   0, 0,  0, 0, 0, 0, 0, 0, /* shoff flags */
	64,   0,   56,   0,   1, 0,  0, 0, 0, 0, 0, 0, /* sizes and counts */
	1,    0,   0,    0,   5, 0,  0, 0,             /* PT_LOAD r-x */
	0,    0,   0,    0,   0, 0,  0, 0,             /* offset */
	0,    0,   0x40, 0,   0, 0,  0, 0,             /* vaddr */
	0,    0,   0x40, 0,   0, 0,  0, 0,             /* paddr */
	120,  0,   0,    0,   0, 0,  0, 0,             /* filesz */
	120,  0,   0,    0,   0, 0,  0, 0,             /* memsz */
	0,    16,  0,    0,   0, 0,  0, 0,             /* align */
};

static int fake_open(void)
{
	if (fake.failing == 1) {
		errno = fake.error;
		return -1;
	}
	return 1000;
}

static void *fake_mmap(void)
{
	if (fake.failing == 2) {
		errno = fake.error;
		return MAP_FAILED;
	}
	return &fake.page;
}

/* An OUT of four bytes. */
static void fake_out(uint16_t port, uint32_t value)
{
	fake.page.run.exit_reason = KVM_EXIT_IO;
	fake.page.run.io.direction = KVM_EXIT_IO_OUT;
	fake.page.run.io.port = port;
	fake.page.run.io.size = 4;
	fake.page.run.io.count = 1;
	fake.page.run.io.data_offset = 4096;
	memcpy(fake.page.bytes + 4096, &value, sizeof value);
}

static void fake_exit(uint32_t after)
{
	if (fake.runs <= fake.prints)
		fake_out(GT_PORT_PRINT, '.');
	else if (fake.status)
		fake_out(GT_PORT_HALT, fake.status);
	else if (fake.prints)
		fake.page.run.exit_reason = after;
}

static int fake_run(void)
{
	if (++fake.runs >= 2 && fake.kick_at_run_2)
		vm_kick(fake.kick_at_run_2);
	if (fake.runs > RUNS_MAX)
		fail_msg("the backend does not come to an end");
	fake_exit(KVM_EXIT_INTERNAL_ERROR);
	errno = fake.run_error;
	return fake.run_error ? -1 : 0;
}

static int fake_ioctl(int fd, unsigned long request, uintptr_t arg)
{
	struct kvm_cpuid2 *cpuid;

	(void)fd;
	if (request == fake.failing) {
		errno = fake.error;
		return -1;
	}
	switch (request) {
	case KVM_CREATE_VM:
		fake.vms++;
		return 0;
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return fake.capability;
	case KVM_GET_VCPU_MMAP_SIZE:
		return RUN_BYTES;
	case KVM_GET_TSC_KHZ:
		return 2000000;
	case KVM_GET_SREGS:
		memset((void *)arg, 0, sizeof(struct kvm_sregs));
		return 0;
	case KVM_GET_REGS:
		memset((void *)arg, 0, sizeof(struct kvm_regs));
		return 0;
	case KVM_GET_SUPPORTED_CPUID:
		cpuid = (struct kvm_cpuid2 *)arg;
		cpuid->nent = 256;
		return 0;
	case KVM_GET_MSRS:
		return 1;
	case KVM_RUN:
		return fake_run();
	default:
		return 0;
	}
}

static int reset(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof fake);
	fake.capability = 15;
	return 0;
}

static struct vm *booted(void)
{
	struct vm_options options = {.size = sizeof options,
	                             .memory_bytes = VM_MEMORY_BYTES_MIN};
	struct vm_boot boot = {.size = sizeof boot};
	struct vm *vm = NULL;

	assert_int_equal(vm__new_on(&vm, &vm__kvm, &options, NULL), 0);
	assert_int_equal(vm_load_bytes(vm, elf, sizeof elf), 0);
	assert_int_equal(vm_boot(vm, &boot), 0);
	return vm;
}

/* Runs until the end that the fake brings, by a kick at the latest. */
static struct vm_outcome run(void)
{
	struct vm *vm = booted();
	struct vm_outcome outcome;

	fake.runs = 0;
	fake.kick_at_run_2 = vm;
	assert_int_equal(vm_run(vm, &outcome), 0);
	fake.kick_at_run_2 = NULL;
	vm_free(vm);
	return outcome;
}

/* Threat E3. */
/* Nothing is left out, and what goes on is ended by EINTR and a kick. */
static void every_exit_reason_has_an_end(void **state)
{
	for (uint32_t reason = 0; reason < 64; reason++) {
		struct vm_outcome outcome;

		reset(state);
		fake.page.run.exit_reason = reason < 63 ? reason : UINT32_MAX;
		if (reason == KVM_EXIT_IO || reason == KVM_EXIT_MMIO)
			continue; /* they go on, see below */
		outcome = run();
		switch (reason) {
		case KVM_EXIT_HLT:
			assert_int_equal(outcome.end, VM_HALTED);
			break;
		case KVM_EXIT_SHUTDOWN:
			assert_int_equal(outcome.end, VM_SHUTDOWN);
			assert_false(outcome.rip_valid);
			break;
		case KVM_EXIT_INTR:
		case KVM_EXIT_IRQ_WINDOW_OPEN:
			assert_int_equal(outcome.end, VM_INTERRUPTED);
			break;
		default:
			assert_int_equal(outcome.end, VM_FAILED);
			assert_int_equal(outcome.error, -EIO);
			assert_true(outcome.length > 0);
		}
	}
}

/* Threat E3. */
static void every_error_of_run_has_an_end(void **state)
{
	for (int error = 1; error < 134; error++) {
		struct vm_outcome outcome;

		reset(state);
		fake.run_error = error;
		outcome = run();
		if (error == EINTR || error == EAGAIN) {
			assert_int_equal(outcome.end, VM_INTERRUPTED);
			assert_true(outcome.exits >= 2);
		} else {
			assert_int_equal(outcome.end, VM_FAILED);
			assert_int_equal(outcome.error, -error);
			assert_int_equal(outcome.exits, 1);
		}
	}
}

/* Threat E4. */
static void port_data_outside_of_the_run_page_is_refused(void **state)
{
	static const struct {
		uint64_t offset;
		uint32_t count;
		uint8_t size;
		bool good;
	} cases[] = {
		{4096, 1, 4, true},
		{RUN_BYTES - 4, 1, 4, true},
		{RUN_BYTES - 4096, 1024, 4, true},
		{RUN_BYTES - 3, 1, 4, false},
		{RUN_BYTES, 1, 1, false},
		{RUN_BYTES + 1, 1, 1, false},
		{UINT64_MAX, 1, 1, false},
		{UINT64_MAX - 3, 1, 4, false},
		{4096, 0, 1, false},
		{4096, 1, 0, false},
		{4096, 1, 8, false},
		{4096, 1, 255, false},
		{4096, UINT32_MAX, 4, false},
		{4096, 0x40000001, 4, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (uint8_t direction = 0; direction < 2; direction++) {
			struct vm_outcome outcome;

			reset(state);
			fake.page.run.exit_reason = KVM_EXIT_IO;
			fake.page.run.io.direction = direction;
			fake.page.run.io.port = GT_PORT_HALT;
			fake.page.run.io.size = cases[i].size;
			fake.page.run.io.count = cases[i].count;
			fake.page.run.io.data_offset = cases[i].offset;
			if (cases[i].good && direction == KVM_EXIT_IO_IN)
				continue; /* never ends by itself */
			outcome = run();
			assert_int_equal(outcome.end,
			                 cases[i].good ? VM_HALTED : VM_FAILED);
		}
	}
}

/* Threat E1. */
static void memory_data_of_a_wrong_length_is_refused(void **state)
{
	static const uint32_t lengths[] = {0, 9, 255, UINT32_MAX};

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		reset(state);
		fake.page.run.exit_reason = KVM_EXIT_MMIO;
		fake.page.run.mmio.len = lengths[i];
		fake.page.run.mmio.is_write = i % 2;
		assert_int_equal(run().end, VM_FAILED);
	}
}

static void without_sync_regs_it_works_as_well(void **state)
{
	(void)state;
	fake.capability = 1;
	fake.page.run.exit_reason = KVM_EXIT_HLT;
	assert_int_equal(run().end, VM_HALTED);
}

/* Requests of vm_new(); 1 and 2 stand for open() and mmap(). */
static void each_failing_step_is_reported(void **state)
{
	static const unsigned long steps[] = {
		1,
		2,
		KVM_CREATE_VM,
		KVM_SET_TSS_ADDR,
		KVM_SET_USER_MEMORY_REGION,
		KVM_X86_SET_MSR_FILTER,
		KVM_CREATE_VCPU,
		KVM_GET_SUPPORTED_CPUID,
		KVM_SET_CPUID2,
	};
	struct vm_options options = {.size = sizeof options,
	                             .memory_bytes = VM_MEMORY_BYTES_MIN};

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		char error[VM_ERROR_BYTES] = "";
		struct vm *vm = NULL;

		reset(state);
		fake.failing = steps[i];
		fake.error = EPERM;
		assert_int_equal(vm__new_on(&vm, &vm__kvm, &options, error),
		                 -EPERM);
		assert_null(vm);
		assert_non_null(strstr(error, strerror(EPERM)));
	}
}

static void an_old_or_foreign_device_is_no_kvm(void **state)
{
	char why[VM_ERROR_BYTES] = "";

	(void)state;
	fake.capability = 0;
	assert_false(vm_backend_usable(VM_BACKEND_KVM, why));
	assert_true(strlen(why) > 0);
	fake.capability = 1;
	fake.failing = KVM_GET_API_VERSION;
	fake.error = ENOTTY;
	assert_false(vm_backend_usable(VM_BACKEND_KVM, why));
}

/* All stages, then the status that the guest computes: the probe's contract. */
static void a_kvm_that_runs_the_probe_to_its_end_is_usable(void **state)
{
	(void)state;
	fake.prints = STAGES - 1;
	fake.status = VM__PROBE_STATUS;
	assert_int_equal(vm__kvm_probe(NULL), 0);
	fake.runs = 0;
	fake.status = VM__PROBE_STATUS + 1;
	assert_int_equal(vm__kvm_probe(NULL), -ENODEV);
}

/* As `kvm_pvm` without hardware: it interprets, up to what it does not know. */
static void a_kvm_that_only_interprets_says_where_it_ends(void **state)
{
	static const struct {
		unsigned prints;
		const char *words;
	} cases[] = {
		{2, " at SSE"}, {3, " at fxsave"}, {6, " at an exception"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char why[VM_ERROR_BYTES] = "";

		reset(state);
		fake.prints = cases[i].prints;
		fake.page.run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
		assert_int_equal(vm__kvm_probe(why), -ENODEV);
		assert_non_null(strstr(why, "cannot run a guest: KVM: "));
		assert_non_null(strstr(why, cases[i].words));
	}
}

static void a_step_that_fails_in_the_probe_is_its_reason(void **state)
{
	char why[VM_ERROR_BYTES] = "";

	(void)state;
	fake.failing = KVM_CREATE_VM;
	fake.error = EPERM;
	assert_int_equal(vm__kvm_probe(why), -EPERM);
	assert_non_null(strstr(why, strerror(EPERM)));
	reset(state);
	fake.page.run.exit_reason = KVM_EXIT_HLT;
	assert_int_equal(vm__kvm_probe(why), -ENODEV);
	reset(state);
	fake.page.run.exit_reason = KVM_EXIT_SHUTDOWN;
	assert_int_equal(vm__kvm_probe(why), -ENODEV);
	assert_non_null(strstr(why, "a triple fault at its first"));
}

static void the_probe_runs_once_in_a_process(void **state)
{
	(void)state;
	fake.prints = 2;
	assert_false(vm_backend_usable(VM_BACKEND_KVM, NULL));
	assert_int_equal(fake.vms, 1);
	fake.runs = 0;
	fake.prints = STAGES - 1;
	fake.status = VM__PROBE_STATUS;
	assert_false(vm_backend_usable(VM_BACKEND_KVM, NULL));
	assert_int_equal(fake.vms, 1);
}

static void an_offset_that_cannot_be_read_is_measured(void **state)
{
	struct vm *vm = booted();
	int64_t offset = 0;
	uint64_t khz = 0;

	(void)state;
	fake.failing = KVM_GET_DEVICE_ATTR;
	fake.error = ENXIO;
	assert_int_equal(vm_tsc(vm, 0, &offset, &khz), 0);
	assert_true(offset < 0); /* the fake's TSC stands at 0 */
	assert_true(khz == 2000000);
	fake.failing = KVM_RUN;
	vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_exit_reason_has_an_end, reset),
		cmocka_unit_test_setup(every_error_of_run_has_an_end, reset),
		cmocka_unit_test_setup(
			port_data_outside_of_the_run_page_is_refused, reset),
		cmocka_unit_test_setup(memory_data_of_a_wrong_length_is_refused,
	                               reset),
		cmocka_unit_test_setup(without_sync_regs_it_works_as_well,
	                               reset),
		cmocka_unit_test_setup(each_failing_step_is_reported, reset),
		cmocka_unit_test_setup(an_old_or_foreign_device_is_no_kvm,
	                               reset),
		cmocka_unit_test_setup(
			a_kvm_that_runs_the_probe_to_its_end_is_usable, reset),
		cmocka_unit_test_setup(
			a_kvm_that_only_interprets_says_where_it_ends, reset),
		cmocka_unit_test_setup(
			a_step_that_fails_in_the_probe_is_its_reason, reset),
		cmocka_unit_test_setup(the_probe_runs_once_in_a_process, reset),
		cmocka_unit_test_setup(
			an_offset_that_cannot_be_read_is_measured, reset),
	};

	return cmocka_run_group_tests_name("kvm exits", tests, NULL, NULL);
}
