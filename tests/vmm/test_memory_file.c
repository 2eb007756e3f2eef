/* SPDX-License-Identifier: MIT */
/* A VM whose RAM is a file, which others have as well. The argument is the ELF
 * of tests/guests/behave.c. */
#include "tests/support/vm_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES ((size_t)4 << 20)

static struct vm_outcome outcome;

static enum vm_backend backend_of(void **state)
{
	return *(enum vm_backend *)*state;
}

/* `ret_seen`: the file, as somebody else maps it. */
static struct vm *vm_of_file(enum vm_backend backend, const void **ret_seen)
{
	const char *argv[] = {"guest", "work", "0"};
	struct vm_boot boot = {.size = sizeof boot, .argc = 3, .argv = argv};
	struct vm_options options = {
		.size = sizeof options,
		.backend = backend,
		.memory_bytes = BYTES,
		.has_memory_fd = true,
		.memory_fd = memfd_create("memory", MFD_CLOEXEC),
	};
	struct vm *vm;

	assert_int_equal(ftruncate(options.memory_fd, (off_t)BYTES), 0);
	assert_int_equal(vm_new(&vm, &options, NULL), 0);
	*ret_seen = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, options.memory_fd,
	                 0);
	assert_true(*ret_seen != MAP_FAILED);
	close(options.memory_fd);
	assert_int_equal(vm_load(vm, fixture_guest), 0);
	assert_int_equal(vm_boot(vm, &boot), 0);
	return vm;
}

static void unmap(const void *seen)
{
	munmap((void *)(uintptr_t)seen, BYTES);
}

static void what_the_guest_leaves_outlives_its_vm(void **state)
{
	const void *seen;
	struct vm *vm = vm_of_file(backend_of(state), &seen);
	unsigned char *kept = test_malloc(BYTES);
	uint64_t bytes;

	assert_int_equal(vm_run(vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_HALTED);
	memcpy(kept, vm_memory(vm, &bytes), BYTES);
	assert_true(bytes == BYTES);
	vm_free(vm);
	assert_memory_equal(seen, kept, BYTES);
	test_free(kept);
	unmap(seen);
}

/* Of another run nothing is left, and both go on in the same way. */
static void it_is_restored_as_any_other(void **state)
{
	const struct plan plan = {.backend = backend_of(state),
	                          .memory_bytes = BYTES,
	                          .behaviour = "work",
	                          .number = "0"};
	struct seen of_saved = {0};
	struct vm *saved = fixture_vm(&plan, &of_saved), *vm;
	int fd = memfd_create("snapshot", MFD_CLOEXEC);
	const void *seen;
	uint64_t bytes;

	assert_int_equal(vm_save(saved, fd), 0);
	lseek(fd, 0, SEEK_SET);
	vm = vm_of_file(backend_of(state), &seen);
	assert_int_equal(vm_run(vm, &outcome), 0);
	memset(vm_memory(vm, &bytes), 0x55, bytes);
	assert_int_equal(vm_restore(vm, fd, VM_TSC_STAYS), 0);
	assert_memory_equal(seen, vm_memory(saved, &bytes), BYTES);
	assert_int_equal(vm_run(vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_HALTED);
	close(fd);
	vm_free(saved);
	vm_free(vm);
	unmap(seen);
}

static void a_file_that_cannot_be_mapped_is_told(void **state)
{
	struct vm_options options = {.size = sizeof options,
	                             .backend = backend_of(state),
	                             .memory_bytes = BYTES,
	                             .has_memory_fd = true};
	char error[VM_ERROR_BYTES] = "";
	struct vm *vm;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	options.memory_fd = pipes[0];
	assert_true(vm_new(&vm, &options, error) < 0);
	assert_true(error[0] != '\0');
	close(pipes[0]);
	close(pipes[1]);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_guest_leaves_outlives_its_vm),
		cmocka_unit_test(it_is_restored_as_any_other),
		cmocka_unit_test(a_file_that_cannot_be_mapped_is_told),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_memory_file BEHAVE_ELF\n");
		return 2;
	}
	fixture_guest = argv[1];
	return fixture_main(tests, sizeof tests / sizeof tests[0]);
}
