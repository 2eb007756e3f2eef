/* SPDX-License-Identifier: MIT */
/*
 * A run that is paused, saved and gone on with, here and in another VM; files
 * that are no snapshot; and the guest's clock, which may be moved. Arguments:
 * the ELF of tests/guests/behave.c.
 */
#include "tests/support/vm_fixture.h"

#include <guesttrace/abi.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>
#include <zlib.h>

#define MS         UINT64_C(1000000)
#define HEAD_BYTES 80u

/* One VM and what its callbacks see. */
struct scene {
	struct vm *vm;
	unsigned bells;
	unsigned pause_at; /* this doorbell, 0 for none */
	int64_t move_to;   /* offset to set at the 50th doorbell, 0: do not */
	int64_t offset;
	uint64_t tsc_in, first_tsc, last_tsc;
	uint64_t outside; /* clock readings that cannot be */
	char text[1024];
	size_t text_n;
};

static struct vm_outcome outcome;
static size_t changes = 150; /* to files; VM_TEST_CHANGES */

static void on_enter(void *ctx, unsigned vcpu)
{
	(void)vcpu;
	((struct scene *)ctx)->tsc_in = __rdtsc();
}

static void see_clock(struct scene *scene, uint64_t guest_tsc)
{
	uint64_t at = guest_tsc - (uint64_t)scene->offset;

	scene->outside += at < scene->tsc_in || at > __rdtsc();
	if (scene->first_tsc == 0)
		scene->first_tsc = guest_tsc;
	scene->last_tsc = guest_tsc;
}

static void on_exit_(void *ctx, unsigned vcpu, const struct vm_exit *exit)
{
	struct scene *scene = ctx;

	if (exit->reason != VM_EXIT_IO || exit->port != GT_PORT_TRACE)
		return;
	if (exit->r8 != GT_DOORBELL_MAGIC)
		see_clock(scene, exit->r8);
	if (++scene->bells == scene->pause_at)
		vm_pause(scene->vm);
	if (scene->bells != 50 || scene->move_to == 0)
		return;
	scene->offset = scene->move_to;
	scene->outside += vm_set_tsc(scene->vm, vcpu, scene->offset) < 0;
}

static void on_print(void *ctx, const char *bytes, size_t n)
{
	struct scene *scene = ctx;

	if (n > sizeof scene->text - scene->text_n)
		n = sizeof scene->text - scene->text_n;
	memcpy(scene->text + scene->text_n, bytes, n);
	scene->text_n += n;
}

static enum vm_backend backend_of(void **state)
{
	return *(enum vm_backend *)*state;
}

static uint64_t timeout_ns = 20000 * MS;

static void empty_vm(struct scene *scene, enum vm_backend backend,
                     uint64_t memory_bytes)
{
	struct vm_options options = {
		.size = sizeof options,
		.backend = backend,
		.memory_bytes = memory_bytes,
		.timeout_ns = timeout_ns,
		.callbacks = {on_enter, on_exit_, on_print},
		.ctx = scene,
	};

	memset(scene, 0, sizeof *scene);
	assert_int_equal(vm_new(&scene->vm, &options, NULL), 0);
}

static void booted_vm(struct scene *scene, enum vm_backend backend,
                      const char *behaviour, const char *number)
{
	const char *argv[] = {"guest", behaviour, number};
	struct vm_boot boot = {.size = sizeof boot, .argc = 3, .argv = argv};

	empty_vm(scene, backend, 4 << 20);
	assert_int_equal(vm_load(scene->vm, fixture_guest), 0);
	assert_int_equal(vm_boot(scene->vm, &boot), 0);
}

/* Behind the n-th doorbell of `work`. */
static void paused_vm(struct scene *scene, enum vm_backend backend, unsigned n,
                      const char *number)
{
	booted_vm(scene, backend, "work", number);
	scene->pause_at = n;
	assert_int_equal(vm_run(scene->vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_PAUSED);
	assert_int_equal(scene->bells, n);
}

static int saved(struct scene *scene)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(vm_save(scene->vm, fd), 0);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void run_to_end(struct scene *scene)
{
	assert_int_equal(vm_run(scene->vm, &outcome), 0);
	assert_int_not_equal(outcome.end, VM_PAUSED);
}

static void same(const struct vm_outcome *a, const struct vm_outcome *b)
{
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->vector, b->vector);
	assert_string_equal(a->message, b->message);
	assert_true(a->rip == b->rip);
	assert_true(a->exits == b->exits);
	assert_true(a->ignored == b->ignored);
}

/* ---- Pausing ------------------------------------------------------------- */

static void a_paused_run_goes_on_as_if_it_had_not_been(void **state)
{
	struct vm_outcome whole;
	struct scene scene;
	unsigned pauses = 0;

	booted_vm(&scene, backend_of(state), "work", "0");
	run_to_end(&scene);
	whole = outcome;
	assert_int_equal(whole.end, VM_HALTED);
	vm_free(scene.vm);
	booted_vm(&scene, backend_of(state), "work", "0");
	for (scene.pause_at = 1;; scene.pause_at++) {
		assert_int_equal(vm_run(scene.vm, &outcome), 0);
		if (outcome.end != VM_PAUSED)
			break;
		pauses++;
		assert_int_equal(scene.bells, pauses);
	}
	assert_int_equal(pauses, 100);
	assert_int_equal(outcome.end, VM_HALTED);
	assert_int_equal(outcome.status, whole.status);
	assert_true(outcome.exits == whole.exits + pauses);
	assert_int_equal(vm_run(scene.vm, &outcome), -EBUSY);
	vm_free(scene.vm);
}

static void a_kick_is_more_than_a_pause(void **state)
{
	struct scene scene;

	paused_vm(&scene, backend_of(state), 3, "0");
	vm_kick(scene.vm);
	vm_pause(scene.vm);
	assert_int_equal(vm_run(scene.vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_INTERRUPTED);
	assert_int_equal(scene.bells, 3);
	vm_free(scene.vm);
}

static void a_pause_does_not_hide_a_hlt(void **state)
{
	for (int i = 0; i < 20; i++) {
		struct scene scene;

		booted_vm(&scene, backend_of(state), "plain_hlt", "0");
		vm_pause(scene.vm);
		assert_int_equal(vm_run(scene.vm, &outcome), 0);
		if (outcome.end == VM_PAUSED)
			run_to_end(&scene);
		assert_int_equal(outcome.end, VM_HALTED);
		assert_int_equal(outcome.status, 0);
		vm_free(scene.vm);
	}
}

/* ---- Saving and restoring ------------------------------------------------ */

static void a_restored_guest_does_what_the_saved_one_did(void **state)
{
	static const unsigned when[] = {1, 36, 100};

	for (size_t i = 0; i < 2 * sizeof when / sizeof when[0]; i++) {
		const char *number = i % 2 ? "1" : "0";
		struct scene here, there;
		struct vm_outcome first;
		size_t from;
		int fd;

		paused_vm(&here, backend_of(state), when[i / 2], number);
		fd = saved(&here);
		from = here.text_n;
		run_to_end(&here);
		first = outcome;
		assert_int_equal(first.end, i % 2 ? VM_ABORTED : VM_HALTED);
		for (int again = 0; again < 2; again++) {
			here.text_n = from;
			lseek(fd, 0, SEEK_SET);
			assert_int_equal(vm_restore(here.vm, fd, VM_TSC_STAYS),
			                 0);
			run_to_end(&here);
			same(&outcome, &first);
		}
		empty_vm(&there, backend_of(state), 4 << 20);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(vm_restore(there.vm, fd, VM_TSC_STAYS), 0);
		run_to_end(&there);
		same(&outcome, &first);
		assert_int_equal(there.text_n, here.text_n - from);
		assert_memory_equal(there.text, here.text + from, there.text_n);
		vm_free(here.vm);
		vm_free(there.vm);
		close(fd);
	}
}

static void a_vm_that_has_not_run_yet_can_be_saved(void **state)
{
	struct scene here, there;
	int fd;

	booted_vm(&here, backend_of(state), "exit", "55");
	fd = saved(&here);
	empty_vm(&there, backend_of(state), 4 << 20);
	assert_int_equal(vm_restore(there.vm, fd, VM_TSC_STAYS), 0);
	run_to_end(&there);
	assert_int_equal(outcome.status, 55);
	vm_free(here.vm);
	vm_free(there.vm);
	close(fd);
}

static void what_cannot_be_saved_is_refused(void **state)
{
	struct scene scene;

	empty_vm(&scene, backend_of(state), 4 << 20);
	assert_int_equal(vm_save(scene.vm, 1), -EINVAL);
	vm_free(scene.vm);
	booted_vm(&scene, backend_of(state), "exit", "1");
	assert_int_equal(vm_save(scene.vm, -1), -EBADF);
	run_to_end(&scene);
	assert_int_equal(vm_save(scene.vm, 1), -EINVAL);
	vm_free(scene.vm);
}

static void another_kind_of_vm_is_refused_and_unharmed(void **state)
{
	struct scene here, there;
	int fd;

	paused_vm(&here, backend_of(state), 5, "0");
	fd = saved(&here);
	vm_free(here.vm);
	booted_vm(&there, backend_of(state), "exit", "9");
	vm_free(there.vm);
	empty_vm(&there, backend_of(state), 8 << 20);
	assert_int_equal(vm_restore(there.vm, fd, VM_TSC_STAYS), -EINVAL);
	assert_int_equal(vm_load(there.vm, fixture_guest), 0);
	vm_free(there.vm);
	close(fd);
}

/* ---- Files that are none ------------------------------------------------- */

static int file_of(const unsigned char *bytes, size_t n)
{
	int fd = memfd_create("changed", MFD_CLOEXEC);

	assert_true(write(fd, bytes, n) == (ssize_t)n);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static unsigned char *bytes_of(int fd, size_t *ret_n)
{
	off_t n = lseek(fd, 0, SEEK_END);
	unsigned char *bytes = malloc((size_t)n);

	assert_non_null(bytes);
	assert_true(pread(fd, bytes, (size_t)n, 0) == n);
	*ret_n = (size_t)n;
	return bytes;
}

static void damaged_and_truncated_files_are_refused(void **state)
{
	struct scene scene;
	unsigned char *bytes;
	size_t n;
	int fd;

	paused_vm(&scene, backend_of(state), 36, "0");
	fd = saved(&scene);
	bytes = bytes_of(fd, &n);
	close(fd);
	for (size_t i = 0; i < changes; i++) {
		size_t at = i % 2 ? i * 7 % HEAD_BYTES : i * (n / changes);

		fd = file_of(bytes, at);
		assert_int_equal(vm_restore(scene.vm, fd, VM_TSC_STAYS),
		                 -EBADMSG);
		close(fd);
		bytes[at] ^= 0x10;
		fd = file_of(bytes, n);
		bytes[at] ^= 0x10;
		assert_int_equal(vm_restore(scene.vm, fd, VM_TSC_STAYS),
		                 -EBADMSG);
		close(fd);
	}
	assert_int_equal(vm_run(scene.vm, &outcome), -EBUSY);
	fd = file_of(bytes, n);
	assert_int_equal(vm_restore(scene.vm, fd, VM_TSC_STAYS), 0);
	run_to_end(&scene);
	assert_int_equal(outcome.end, VM_HALTED);
	vm_free(scene.vm);
	close(fd);
	free(bytes);
}

static void put_crc(unsigned char *bytes, size_t from, size_t at)
{
	uint32_t crc = (uint32_t)crc32_z(0, bytes + from, at - from);

	memcpy(bytes + at, &crc, sizeof crc);
}

/* With sums that are right: refused, or a guest that does what it will. */
static void a_hostile_file_harms_nobody(void **state)
{
	struct scene scene;
	unsigned char *bytes, *copy;
	size_t n, taken = 0;
	int fd;

	paused_vm(&scene, backend_of(state), 36, "0");
	fd = saved(&scene);
	bytes = bytes_of(fd, &n);
	close(fd);
	vm_free(scene.vm);
	copy = malloc(n);
	assert_non_null(copy);
	srand(1);
	timeout_ns = 300 * MS; /* it may spin */
	for (size_t i = 0; i < changes; i++) {
		/* The head, the mappings, the state; and some of the RAM. */
		size_t at = i % 3 ? (size_t)rand() % 8192
		                  : (size_t)rand() % (n - 4);

		memcpy(copy, bytes, n);
		copy[at] ^= (unsigned char)(1 + rand() % 255);
		put_crc(copy, 0, HEAD_BYTES - 4);
		put_crc(copy, HEAD_BYTES, n - 4);
		fd = file_of(copy, n);
		empty_vm(&scene, backend_of(state), 4 << 20);
		if (vm_restore(scene.vm, fd, VM_TSC_STAYS) == 0) {
			taken++;
			scene.pause_at = 50;
			assert_int_equal(vm_run(scene.vm, &outcome), 0);
		} else {
			assert_true(strlen(vm_error(scene.vm)) > 0);
		}
		vm_free(scene.vm);
		close(fd);
	}
	timeout_ns = 20000 * MS;
	assert_true(taken > 0 && taken < changes);
	free(bytes);
	free(copy);
}

/* ---- The guest's clock --------------------------------------------------- */

static void the_clock_can_be_moved(void **state)
{
	static const int64_t offsets[] = {1000000000000, -1000000000};
	struct scene scene;
	int64_t offset;
	uint64_t khz;

	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		booted_vm(&scene, backend_of(state), "clock", "0");
		if (!(vm_capabilities(scene.vm) & VM_HAS_TSC_OFFSET)) {
			assert_int_equal(vm_set_tsc(scene.vm, 0, 1), -ENOTSUP);
			vm_free(scene.vm);
			return;
		}
		assert_int_equal(vm_set_tsc(scene.vm, 1, 1), -EINVAL);
		scene.offset = offsets[i];
		scene.move_to = offsets[1 - i];
		assert_int_equal(vm_set_tsc(scene.vm, 0, offsets[i]), 0);
		assert_int_equal(vm_tsc(scene.vm, 0, &offset, &khz), 0);
		assert_true(offset == offsets[i]);
		run_to_end(&scene);
		assert_int_equal(outcome.end, VM_HALTED);
		assert_int_equal(scene.bells, 100);
		assert_true(scene.outside == 0);
		assert_int_equal(vm_tsc(scene.vm, 0, &offset, &khz), 0);
		assert_true(offset == offsets[1 - i]);
		vm_free(scene.vm);
	}
}

static void a_restored_clock_stays_the_hosts_or_resumes(void **state)
{
	struct scene scene;
	int64_t offset;
	uint64_t khz, tsc;
	int fd;

	booted_vm(&scene, backend_of(state), "clock", "0");
	scene.pause_at = 10;
	assert_int_equal(vm_run(scene.vm, &outcome), 0);
	assert_int_equal(outcome.end, VM_PAUSED);
	fd = saved(&scene);
	tsc = scene.last_tsc;
	assert_int_equal(vm_restore(scene.vm, fd, VM_TSC_STAYS), 0);
	run_to_end(&scene);
	assert_true(scene.outside == 0);
	if (vm_capabilities(scene.vm) & VM_HAS_TSC_OFFSET) {
		usleep(200000);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(vm_restore(scene.vm, fd, VM_TSC_RESUMES), 0);
		assert_int_equal(vm_tsc(scene.vm, 0, &offset, &khz), 0);
		assert_true(offset < -(int64_t)(khz * 200));
		scene.offset = offset;
		scene.first_tsc = 0;
		run_to_end(&scene);
		assert_true(scene.outside == 0);
		assert_true(scene.first_tsc > tsc);
	} else {
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(vm_restore(scene.vm, fd, VM_TSC_RESUMES),
		                 -ENOTSUP);
	}
	vm_free(scene.vm);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_paused_run_goes_on_as_if_it_had_not_been),
		cmocka_unit_test(a_kick_is_more_than_a_pause),
		cmocka_unit_test(a_pause_does_not_hide_a_hlt),
		cmocka_unit_test(a_restored_guest_does_what_the_saved_one_did),
		cmocka_unit_test(a_vm_that_has_not_run_yet_can_be_saved),
		cmocka_unit_test(what_cannot_be_saved_is_refused),
		cmocka_unit_test(another_kind_of_vm_is_refused_and_unharmed),
		cmocka_unit_test(damaged_and_truncated_files_are_refused),
		cmocka_unit_test(a_hostile_file_harms_nobody),
		cmocka_unit_test(the_clock_can_be_moved),
		cmocka_unit_test(a_restored_clock_stays_the_hosts_or_resumes),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_snapshot BEHAVE_ELF\n");
		return 2;
	}
	fixture_guest = argv[1];
	if (getenv("VM_TEST_CHANGES"))
		changes = strtoul(getenv("VM_TEST_CHANGES"), NULL, 10);
	return fixture_main(tests, sizeof tests / sizeof tests[0]);
}
