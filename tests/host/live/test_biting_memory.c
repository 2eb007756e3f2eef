/* SPDX-License-Identifier: MIT */
/*
 * Guest memory as a VMM may have it: protected, cut off, or not mapped at all.
 * The host never dies of it, whatever lies there.
 */
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define PAGE      ((size_t)4096)
#define RAM_PAGES (sizeof(struct ram) / PAGE)

static int fd;

static int setup(void **unused)
{
	(void)unused;
	fd = memfd_create("ram", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, sizeof(*ram)), 0);
	ram = mmap(NULL, sizeof(*ram), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	           0);
	assert_true(ram != MAP_FAILED);
	bare_init();
	inproc_clear();
	return 0;
}

static int teardown(void **unused)
{
	munmap(ram, sizeof(*ram));
	close(fd);
	ram = NULL;
	return inproc_teardown(unused);
}

static void start(const struct gt_memory_slot *slots, uint32_t count)
{
	struct gt_host_options options = inproc_options();

	options.memory_slots = count;
	memcpy(options.memory, slots, count * sizeof(*slots));
	assert_int_equal(gt_host_new(&options, &inproc_host), 0);
}

static void start_on(const struct gt_memory_access *access)
{
	struct gt_memory_slot slot = bare_slot();

	slot.access = access;
	start(&slot, 1);
}

static int ring(uint64_t operation)
{
	struct gt_exit exit = bare_exit(operation, GVA(control));

	return gt_host_exit(inproc_host, 0, &exit);
}

static int write_nowhere(void *context, const void *bytes, size_t count)
{
	(void)context, (void)bytes, (void)count;
	return 0;
}

/* All that a host does with memory; what it returns is no matter here. */
static void use_it_all(void)
{
	struct gt_output nowhere = {.write = write_nowhere};
	struct gt_exit state = bare_exit(0, 0);

	ring(GT_DOORBELL_ANNOUNCE);
	ring(GT_DOORBELL_FLUSH);
	gt_host_drain(inproc_host);
	gt_host_want_wake(inproc_host, true);
	gt_host_sample(inproc_host);
	gt_host_set_filter(inproc_host, "off");
	gt_host_set_filter(inproc_host, "trace");
	gt_host_snapshot(inproc_host, &nowhere);
	gt_host_resumed(inproc_host, 0, &state, GVA(control));
	ring(GT_DOORBELL_FLUSH);
}

static void finish(void)
{
	gt_host_finish(inproc_host, GT_ENDING_HALTED, 0, NULL);
	gt_host_free(inproc_host);
	inproc_host = NULL;
}

/* How a child ends that runs `work`: its signal, or 0. */
static int signal_of(void (*work)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		work();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void cut_and_use_plainly(void)
{
	start_on(NULL);
	if (ring(GT_DOORBELL_ANNOUNCE) == 1 && ftruncate(fd, 0) == 0)
		use_it_all();
}

/* Without this the tests below would show nothing. */
static void a_plain_mapping_that_is_cut_kills(void **unused)
{
	(void)unused;
	assert_int_equal(signal_of(cut_and_use_plainly), SIGBUS);
}

/* Each page in turn, from the beginning and in the middle of a run. */
static void protect_each_page(int protection)
{
	for (size_t page = 0; page < RAM_PAGES; page++)
		for (unsigned late = 0; late < 2; late++) {
			uint8_t *at = (uint8_t *)ram + page * PAGE;

			bare_init();
			start_on(&gt_memory_checked);
			if (late)
				use_it_all();
			bare_record(&ram->vcpu);
			assert_int_equal(mprotect(at, PAGE, protection), 0);
			use_it_all();
			mprotect(at, PAGE, PROT_READ | PROT_WRITE);
			finish();
		}
}

static void no_protection_of_a_page_kills(void **unused)
{
	(void)unused;
	protect_each_page(PROT_NONE);
	protect_each_page(PROT_READ);
}

/* Threat B9. */
static void memory_may_be_cut_anywhere(void **unused)
{
	(void)unused;
	for (size_t pages = 0; pages < RAM_PAGES; pages++) {
		assert_int_equal(ftruncate(fd, sizeof(*ram)), 0);
		bare_init();
		start_on(&gt_memory_checked);
		assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
		bare_record(&ram->vcpu);
		assert_int_equal(ftruncate(fd, (off_t)(pages * PAGE)), 0);
		use_it_all();
		finish();
	}
	assert_int_equal(ftruncate(fd, sizeof(*ram)), 0);
}

/* Threat B9. */
static void memory_may_be_unmapped(void **unused)
{
	(void)unused;
	start_on(&gt_memory_checked);
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
	munmap(ram, sizeof(*ram));
	assert_int_equal(ring(GT_DOORBELL_FLUSH), -GT_ERROR_OUTSIDE_RAM);
	use_it_all();
	finish();
	assert_true(inproc_summary.losses.bad_requests > 0);
}

static void what_is_there_is_read(void **unused)
{
	(void)unused;
	start_on(&gt_memory_checked);
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
	bare_record(&ram->vcpu);
	assert_int_equal(ring(GT_DOORBELL_FLUSH), 1);
	assert_string_equal(inproc_text(), "event honest <0\n");
	assert_int_equal(ram->vcpu.ring[0].tail, ram->vcpu.ring[0].pos);
	inproc_clear();
	/* The ring of level 1, which is empty, is gone: nothing is missed. */
	mprotect(ram->ring + 4096, PAGE, PROT_NONE);
	bare_record(&ram->vcpu);
	assert_int_equal(ring(GT_DOORBELL_FLUSH), 1);
	assert_string_equal(inproc_text(), "event honest <0\n");
	finish();
	assert_int_equal(inproc_summary.events, 2);
	assert_int_equal(inproc_summary.losses.bad_requests, 0);
}

/* Solo5 maps a guest's text so, and the guest's tables allow the write. */
static void a_control_block_in_protected_pages_is_refused(void **unused)
{
	struct gt_control before = ram->control;

	(void)unused;
	assert_int_equal(mprotect(&ram->control, PAGE, PROT_READ), 0);
	start_on(&gt_memory_checked);
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), -GT_ERROR_READ_ONLY);
	finish();
	assert_int_equal(inproc_summary.losses.bad_requests, 1);
	assert_memory_equal(&ram->control, &before, sizeof(before));
}

/* The same where the VMM says so of a slot: no copy is the kernel's. */
static void a_control_block_in_a_read_only_slot_is_refused(void **unused)
{
	struct gt_memory_slot slots[3] = {bare_slot(), bare_slot(),
	                                  bare_slot()};
	size_t at = offsetof(struct ram, control);

	(void)unused;
	slots[0].bytes = at;
	slots[1] = (struct gt_memory_slot){.gpa = at,
	                                   .bytes = PAGE,
	                                   .host = &ram->control,
	                                   .read_only = true};
	slots[2] = (struct gt_memory_slot){.gpa = at + PAGE,
	                                   .bytes = sizeof(*ram) - at - PAGE,
	                                   .host = (uint8_t *)ram + at + PAGE};
	assert_int_equal(mprotect(&ram->control, PAGE, PROT_READ), 0);
	start(slots, 3);
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), -GT_ERROR_READ_ONLY);
	use_it_all();
	finish();
	assert_true(inproc_summary.losses.bad_requests >= 1);
}

/* ---- Memory that only the VMM can reach ---------------------------------- */

static unsigned reads, writes, fails_after;

static int may_go_on(uint64_t offset, size_t count)
{
	assert_true(count > 0 && offset < sizeof(*ram));
	assert_true(count <= sizeof(*ram) - offset);
	return reads + writes > fails_after ? -1 : 0;
}

/* `host` is what the slot says: no address here. */
static int read_there(void *host, uint64_t offset, void *to, size_t count)
{
	assert_ptr_equal(host, &fd);
	reads++;
	if (may_go_on(offset, count) < 0)
		return -1;
	memcpy(to, (uint8_t *)ram + offset, count);
	return 0;
}

static int write_there(void *host, uint64_t offset, const void *from,
                       size_t count)
{
	assert_ptr_equal(host, &fd);
	writes++;
	if (may_go_on(offset, count) < 0)
		return -1;
	memcpy((uint8_t *)ram + offset, from, count);
	return 0;
}

static const struct gt_memory_access there = {.read = read_there,
                                              .write = write_there};

static void start_there(unsigned calls)
{
	struct gt_memory_slot slot = {
		.bytes = sizeof(*ram), .host = &fd, .access = &there};

	reads = writes = 0;
	fails_after = calls;
	bare_init();
	start(&slot, 1);
	bare_record(&ram->vcpu);
}

static void a_vmm_may_do_all_copies(void **unused)
{
	(void)unused;
	start_there(1000000);
	assert_int_equal(ring(GT_DOORBELL_ANNOUNCE), 1);
	assert_int_equal(ring(GT_DOORBELL_FLUSH), 1);
	assert_string_equal(inproc_text(), "event honest <0\n");
	assert_true(reads > 0 && writes > 0);
	finish();
}

/* The first copy that fails is each of them, and all behind it fail, too. */
static void any_copy_may_fail(void **unused)
{
	unsigned calls = 0, all = 1000000;

	(void)unused;
	for (; calls <= all; calls++) {
		start_there(calls ? calls - 1 : all);
		use_it_all();
		if (calls == 0)
			all = reads + writes;
		finish();
	}
	assert_true(all > 100);
}

static void an_access_needs_both_functions(void **unused)
{
	static const struct gt_memory_access deaf = {.write = write_there};
	struct gt_host_options options = inproc_options();
	struct gt_host *host;

	(void)unused;
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.memory[0].access = &deaf;
	assert_int_equal(gt_host_new(&options, &host), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_plain_mapping_that_is_cut_kills),
		T(no_protection_of_a_page_kills),
		T(memory_may_be_cut_anywhere),
		T(memory_may_be_unmapped),
		T(what_is_there_is_read),
		T(a_control_block_in_protected_pages_is_refused),
		T(a_control_block_in_a_read_only_slot_is_refused),
		T(a_vmm_may_do_all_copies),
		T(any_copy_may_fail),
		T(an_access_needs_both_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
