/* SPDX-License-Identifier: MIT */
/*
 * Guests looked for in a VMM whose guest has made every page of it look like a
 * control block. Threat A6.
 */
#include "cli/attach_find.h"
#include "cli/free_memory.h"
#include "cli/inputs.h"
#include "cli/places.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE  4096u
#define BYTES (UINT64_C(272) << 20)
#define BASE  UINT64_C(0x400000000000)

/* Of the command: no file is opened here. */
bool place_is_input(const char *output, const char *input)
{
	(void)output;
	(void)input;
	abort();
}

int input_open_whole(const char *path)
{
	(void)path;
	abort();
}

void input_close(int fd)
{
	(void)fd;
	abort();
}

static uint64_t is_free = UINT64_MAX;

uint64_t free_memory(void)
{
	return is_free;
}

/* Its tables lead from any address to themselves. */
static void make_fake(uint8_t *page)
{
	const struct gt_control fake = {
		.magic = GT_CONTROL_MAGIC,
		.version = GT_ABI_VERSION,
		.size = sizeof(fake),
		.vcpus = 1,
		.vcpus_gva = BASE,
		.vcpu_bytes = sizeof(struct gt_vcpu),
		.self_gva = BASE,
		.root = PAGE,
	};

	memcpy(page, &fake, sizeof(fake));
}

static void fill(uint8_t *ram)
{
	uint64_t *table = (uint64_t *)(void *)(ram + PAGE);

	for (uint64_t at = 2 * PAGE; at < BYTES; at += PAGE)
		make_fake(ram + at);
	for (unsigned i = 0; i < 512; i++)
		table[i] = PAGE | 3;
}

/* A process with such memory, until it is killed. */
static pid_t begin(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		uint8_t *ram = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ram == MAP_FAILED)
			_exit(1);
		fill(ram);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static double cpu_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void pages_that_all_look_like_one_cost_little(void **state)
{
	static struct attach_memory memory;
	pid_t pid = begin();
	double before;

	(void)state;
	assert_int_equal(attach_memory_of(&memory, pid), 0);
	before = cpu_s();
	attach_find(&memory, NULL);
	assert_int_equal(memory.guest_count, 0);
	assert_true(cpu_s() - before < 10);
	attach_memory_close(&memory);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static uint64_t resident_bytes_max(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_maxrss * 1024;
}

/* Tables are looked for in a copy. Before the other one: of the most. */
static void nothing_is_copied_that_fills_the_machine(void **state)
{
	static struct attach_memory memory;
	pid_t pid = begin();
	uint64_t before = resident_bytes_max();

	(void)state;
	assert_int_equal(attach_memory_of(&memory, pid), 0);
	is_free = 2 * (BYTES - 2 * PAGE); /* all but one are there */
	assert_int_equal(attach_find(&memory, NULL), 0);
	is_free = UINT64_MAX;
	assert_int_equal(memory.guest_count, 0);
	assert_true(memory.silent_count > 0);
	assert_true(resident_bytes_max() - before < BYTES / 4);
	attach_memory_close(&memory);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_copied_that_fills_the_machine),
		cmocka_unit_test(pages_that_all_look_like_one_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
