/* SPDX-License-Identifier: MIT */
/*
 * What is decided before a guest runs: options, files, its memory and page
 * tables, descriptors. The page tables are read here the way a host does that
 * knows nothing but CR3 and the RAM. Arguments: the ELF of behave.c.
 */
#include "vmm/probe_guest.h"
#include "tests/support/vm_fixture.h"

#include <guesttrace/abi.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB     (UINT64_C(1) << 20)
#define ADDRESS UINT64_C(0xffffffffff000)
#define NX      (UINT64_C(1) << 63)
#define FAR_GVA UINT64_C(0x600000000000)

static struct seen seen;
static struct vm_outcome outcome;

static enum vm_backend backend_of(void **state)
{
	return *(enum vm_backend *)*state;
}

/* Threat E7. */
static void options_out_of_range_are_refused(void **state)
{
	static const struct {
		uint64_t memory_bytes;
		unsigned vcpus;
		size_t size;
		int code;
	} cases[] = {
		{1, 1, sizeof(struct vm_options), -EINVAL},
		{2 * MIB - 4096, 1, sizeof(struct vm_options), -EINVAL},
		{2 * MIB + 1, 1, sizeof(struct vm_options), -EINVAL},
		{VM_MEMORY_BYTES_MAX + 4096, 1, sizeof(struct vm_options),
	         -EINVAL},
		{UINT64_MAX, 1, sizeof(struct vm_options), -EINVAL},
		{0, VM_VCPUS_MAX + 1, sizeof(struct vm_options), -EINVAL},
		{0, UINT32_MAX, sizeof(struct vm_options), -EINVAL},
		{0, 1, 0, -EINVAL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct vm_options options = {.size = cases[i].size,
		                             .backend = backend_of(state),
		                             .vcpus = cases[i].vcpus,
		                             .memory_bytes =
		                                     cases[i].memory_bytes};
		char error[VM_ERROR_BYTES] = "";
		struct vm *vm = NULL;

		assert_int_equal(vm_new(&vm, &options, error), cases[i].code);
		assert_null(vm);
		assert_true(strlen(error) > 0);
		assert_int_equal(vm_new(&vm, &options, NULL), cases[i].code);
	}
}

static void several_vcpus_need_a_backend_that_has_them(void **state)
{
	struct vm_options options = {.size = sizeof options,
	                             .backend = backend_of(state),
	                             .vcpus = 2};
	char error[VM_ERROR_BYTES] = "";
	struct vm *vm = NULL;
	int result = vm_new(&vm, &options, error);

	if (backend_of(state) == VM_BACKEND_KVM) {
		assert_int_equal(result, 0);
		assert_true(vm_capabilities(vm) & VM_HAS_VCPUS);
		vm_free(vm);
		return;
	}
	assert_int_equal(result, -ENOTSUP);
	assert_null(vm);
	assert_string_equal(error,
	                    "2 vCPUs need KVM; the emulated backend has 1");
	options.backend = VM_BACKEND_AUTO;
	if (vm_backend_usable(VM_BACKEND_KVM, NULL))
		return;
	assert_true(vm_new(&vm, &options, error) < 0);
	assert_null(vm);
	assert_memory_equal(error, "2 vCPUs need KVM; /dev/kvm", 26);
}

/* Where it fails, the guest is wrong and not the machine. */
static void the_guest_that_proves_kvm_runs_to_its_end(void **state)
{
	struct vm_options options = {.size = sizeof options,
	                             .backend = backend_of(state),
	                             .memory_bytes = VM_MEMORY_BYTES_MIN,
	                             .timeout_ns = UINT64_C(60000000000)};
	const char *argv[] = {"probe"};
	struct vm_boot boot = {.size = sizeof boot, .argc = 1, .argv = argv};
	size_t n = (size_t)(vm__probe_guest_end - vm__probe_guest);
	struct vm *vm;

	assert_int_equal(vm_new(&vm, &options, NULL), 0);
	assert_int_equal(vm_load_bytes(vm, vm__probe_guest, n), 0);
	assert_int_equal(vm_boot(vm, &boot), 0);
	assert_int_equal(vm_run(vm, &outcome), 0);
	vm_free(vm);
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, VM__PROBE_STATUS);
}

static struct vm *plain_vm(void **state, uint64_t memory_bytes)
{
	struct vm_options options = {.size = sizeof options,
	                             .backend = backend_of(state),
	                             .memory_bytes = memory_bytes};
	struct vm *vm = NULL;

	assert_int_equal(vm_new(&vm, &options, NULL), 0);
	return vm;
}

static void what_is_no_guest_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *path, *why;
		int code;
	} cases[] = {
		{"/nowhere/at/all", "No such file", -ENOENT},
		{"/", "not a regular file", -ENOEXEC},
		{"/dev/zero", "not a regular file", -ENOEXEC},
		{"/dev/null", "not a regular file", -ENOEXEC},
		{"/proc/self/status", "not an ELF", -ENOEXEC},
		{"/proc/self/exe", "-static", -ENOEXEC},
	};
	struct vm *vm = plain_vm(state, 0);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(vm_load(vm, cases[i].path), cases[i].code);
		assert_non_null(strstr(vm_error(vm), cases[i].why));
	}
	vm_free(vm);
}

static void steps_out_of_order_are_refused(void **state)
{
	struct vm_boot boot = {.size = sizeof boot};
	struct vm *vm = plain_vm(state, 0);

	assert_int_equal(vm_boot(vm, &boot), -EINVAL);
	assert_int_equal(vm_run(vm, &outcome), -EINVAL);
	assert_int_equal(vm_load(vm, fixture_guest), 0);
	assert_int_equal(vm_load(vm, fixture_guest), -EBUSY);
	assert_int_equal(vm_run(vm, &outcome), -EINVAL);
	assert_int_equal(vm_boot(vm, &boot), 0);
	assert_int_equal(vm_boot(vm, &boot), -EBUSY);
	assert_int_equal(vm_run(vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_ABORTED); /* no such behaviour */
	assert_int_equal(vm_run(vm, &outcome), -EBUSY);
	assert_null(vm_free(vm));
	assert_null(vm_free(NULL));
}

static void arguments_have_a_limit(void **state)
{
	char *text = calloc(1, VM_ARGS_BYTES_MAX + 1);
	const char *argv[] = {text, "", NULL};
	struct vm_boot boot = {.size = sizeof boot, .argv = argv};
	struct vm *vm = plain_vm(state, 0);

	assert_non_null(text);
	assert_int_equal(vm_load(vm, fixture_guest), 0);
	memset(text, 'a', VM_ARGS_BYTES_MAX);
	boot.argc = 1;
	assert_int_equal(vm_boot(vm, &boot), -EINVAL);
	text[VM_ARGS_BYTES_MAX - 1] = '\0'; /* fits alone, not with "" */
	boot.argc = 2;
	assert_int_equal(vm_boot(vm, &boot), -EINVAL);
	boot.argc = 1;
	assert_int_equal(vm_boot(vm, &boot), 0);
	vm_free(vm);
	free(text);
}

static void all_of_the_heap_is_zeroed_memory(void **state)
{
	static const uint64_t sizes[] = {2 * MIB, 3 * MIB + 4096, 11 * MIB};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct plan plan = {.backend = backend_of(state),
		                    .memory_bytes = sizes[i],
		                    .behaviour = "heap"};

		fixture_run(&plan, &seen, &outcome);
		assert_int_equal(outcome.end, VM_HALTED);
		assert_int_equal(outcome.status, 0);
	}
}

/* Threat E7. */
static void large_memory_costs_nothing_until_used(void **state)
{
	struct plan plan = {.backend = backend_of(state),
	                    .memory_bytes = 16384 * MIB,
	                    .behaviour = "echo"};

	fixture_run(&plan, &seen, &outcome);
	assert_int_equal(outcome.status, 2);
}

/* ---- Page tables --------------------------------------------------------- */

struct tally {
	const unsigned char *ram;
	uint64_t ram_bytes;
	unsigned small, large, same, both, zero;
};

static uint64_t entry_at(const struct tally *tally, uint64_t table, unsigned i)
{
	uint64_t entry;

	assert_true((table & ADDRESS) < tally->ram_bytes);
	memcpy(&entry, tally->ram + (table & ADDRESS) + 8 * i, 8);
	return entry;
}

static void count_page(struct tally *tally, uint64_t gva, uint64_t entry,
                       unsigned level)
{
	uint64_t gpa = entry & ADDRESS;

	assert_true(gpa < tally->ram_bytes);
	*(level ? &tally->large : &tally->small) += 1;
	tally->same += gpa == gva;
	tally->both += (entry & 2) && !(entry & NX);
	tally->zero += gva == 0;
}

static void count_table(struct tally *tally, uint64_t table, uint64_t gva,
                        unsigned level)
{
	for (unsigned i = 0; i < 512; i++) {
		uint64_t entry = entry_at(tally, table, i);
		uint64_t at = gva | (uint64_t)i << (12 + 9 * level);

		if (!(entry & 1))
			continue;
		if (level == 0 || (level == 1 && entry & 0x80))
			count_page(tally, at, entry, level);
		else
			count_table(tally, entry, at, level - 1);
	}
}

static void addresses_are_not_physical_and_no_page_is_wx(void **state)
{
	struct plan plan = {.backend = backend_of(state),
	                    .memory_bytes = 16 * MIB,
	                    .behaviour = "doorbell"};
	struct vm *vm;
	struct tally tally = {0};

	memset(&seen, 0, sizeof seen);
	vm = fixture_vm(&plan, &seen);
	tally.ram = vm_memory(vm, &tally.ram_bytes);
	assert_int_equal(tally.ram_bytes, 16 * MIB);
	assert_int_equal(vm_run(vm, &outcome), 0);
	count_table(&tally, seen.exit[0].cr3, 0, 3);
	vm_free(vm);
	assert_true(tally.small > 40);
	assert_true(tally.large >= 6);
	assert_int_equal(tally.same, 0);
	assert_int_equal(tally.both, 0);
	assert_int_equal(tally.zero, 0);
}

/* Points an unused part of the address space behind the end of the RAM. */
static void map_nothing(struct vm *vm, void *ctx)
{
	uint64_t n;
	unsigned char *ram = vm_memory(vm, &n);
	uint64_t root = n - 4096; /* where the first table happens to lie */
	uint64_t spare = n / 2;   /* heap that this guest does not touch */
	uint64_t pdpt = spare | 3, pd = (spare + 4096) | 3;
	uint64_t far_away = UINT64_C(0x100000000) | 0x83;

	(void)ctx;
	memcpy(ram + root + (FAR_GVA >> 39) * 8, &pdpt, 8);
	memcpy(ram + spare, &pd, 8);
	memcpy(ram + spare + 4096, &far_away, 8);
}

/* Threat E1. */
static void memory_that_is_not_there_reads_ones(void **state)
{
	struct plan plan = {.backend = backend_of(state),
	                    .behaviour = "mmio",
	                    .before_run = map_nothing};

	fixture_run(&plan, &seen, &outcome);
	if (backend_of(state) == VM_BACKEND_EMULATED) {
		assert_int_equal(outcome.vector, 14);
		return;
	}
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, 0);
	assert_int_equal(outcome.ignored, 2);
	assert_int_equal(seen.exit[0].reason, VM_EXIT_MMIO);
	assert_false(seen.exit[0].write);
	assert_true(seen.exit[0].address == UINT64_C(0x100000008));
	assert_true(seen.exit[1].write);
	assert_true(seen.exit[1].value == 0x1122334455667788);
}

/* ---- Descriptors --------------------------------------------------------- */

/* `*ret_inherited`: those that a program inherits which this one executes. */
static unsigned count_descriptors(unsigned *ret_inherited)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned n = 0;

	assert_non_null(dir);
	*ret_inherited = 0;
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd <= 2)
			continue;
		n++;
		*ret_inherited += !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	closedir(dir);
	return n;
}

/* Threat E8. */
static void no_descriptor_leaks(void **state)
{
	unsigned ours, inherited, before = count_descriptors(&ours);
	struct plan plan = {.backend = backend_of(state), .behaviour = "echo"};
	struct vm *vm;

	memset(&seen, 0, sizeof seen);
	vm = fixture_vm(&plan, &seen);
	assert_true(count_descriptors(&inherited) > before);
	assert_int_equal(inherited, ours);
	assert_int_equal(vm_run(vm, &outcome), 0);
	vm_free(vm);
	assert_int_equal(count_descriptors(&inherited), before);
	assert_int_equal(inherited, ours);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_out_of_range_are_refused),
		cmocka_unit_test(several_vcpus_need_a_backend_that_has_them),
		cmocka_unit_test(the_guest_that_proves_kvm_runs_to_its_end),
		cmocka_unit_test(what_is_no_guest_is_refused_with_a_reason),
		cmocka_unit_test(steps_out_of_order_are_refused),
		cmocka_unit_test(arguments_have_a_limit),
		cmocka_unit_test(all_of_the_heap_is_zeroed_memory),
		cmocka_unit_test(large_memory_costs_nothing_until_used),
		cmocka_unit_test(addresses_are_not_physical_and_no_page_is_wx),
		cmocka_unit_test(memory_that_is_not_there_reads_ones),
		cmocka_unit_test(no_descriptor_leaks),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_vm_memory BEHAVE_ELF\n");
		return 2;
	}
	fixture_guest = argv[1];
	return fixture_main(tests, sizeof tests / sizeof tests[0]);
}
