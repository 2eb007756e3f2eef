/* SPDX-License-Identifier: MIT */
/*
 * The system calls of docs/security.md and no others: a VMM that allows itself
 * nothing else, with guests that are honest and hostile. Each run is a process
 * of its own; a call that is not in its list kills it.
 */
#include "cli/system_calls.h"
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"
#include "tests/support/random64.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define RESERVED ((size_t)256 << 20)
#define SINKS    6u

/* Of the test itself: its outputs, and its end. */
#define OWN                              \
	{.number = SYS_write},           \
	{                                \
		.number = SYS_exit_group \
	}

static const struct system_call of_new[] = {OWN, {.number = SYS_getrandom}};
static const struct system_call of_a_run[] = {OWN};
/* glibc's qsort() asks how much memory there is, the first time. */
static const struct system_call of_an_end[] = {OWN, {.number = SYS_sysinfo}};
static const struct system_call of_checked_memory[] = {
	OWN,
	{.number = SYS_sysinfo},
	{.number = SYS_getpid},
	{.number = SYS_process_vm_readv},
	{.number = SYS_process_vm_writev},
};
static const struct system_call of_two_threads[] = {
	OWN,
	{.number = SYS_futex},
};
static const struct system_call without_a_reserve[] = {
	OWN,
	{.number = SYS_sysinfo},
	{.number = SYS_brk},
	{.number = SYS_mmap},
	{.number = SYS_munmap},
	{.number = SYS_mremap},
};
static const struct system_call no_memory[] = {
	OWN,
	{.number = SYS_sysinfo},
	{.number = SYS_brk},
	{.number = SYS_mmap},
};

struct plan {
	const struct system_call *calls;
	size_t call_count;
	size_t reserve;
	const struct gt_memory_access *access;
	bool is_new;   /* the list is in force for gt_host_new() alone */
	bool is_ended; /* the run comes to its end */
	bool real_clock;
	bool is_shared; /* another thread calls the same host meanwhile */
};

#define LIST(name) name, sizeof(name) / sizeof(name[0])

static int nowhere = -1;
static bool may_lack; /* there is no memory, or another thread was first */
static bool is_short;

static int write_out(void *context, const void *bytes, size_t count)
{
	(void)context;
	return write(nowhere, bytes, count) == (ssize_t)count ? 0 : -EIO;
}

static const struct gt_output out = {.write = write_out};

/* The formats that write as they go, and those that write at the end. */
static void make_sinks(struct gt_sink **sinks)
{
	assert_int_equal(gt_tree_new(&out, &sinks[0]), 0);
	assert_int_equal(gt_perfetto_new(&out, &sinks[1]), 0);
	assert_int_equal(gt_chrome_new(&out, &sinks[2]), 0);
	assert_int_equal(gt_otlp_json_new(&out, &sinks[3]), 0);
	assert_int_equal(gt_folded_new(&out, &sinks[4]), 0);
	assert_int_equal(gt_csv_new(&out, &sinks[5]), 0);
}

/* In a child, whose exit status says where. */
#define NEEDS(what)                                \
	do {                                       \
		if (!(what))                       \
			_exit(1 + __LINE__ % 255); \
	} while (0)

static int ring(struct gt_host *host, uint64_t operation)
{
	struct gt_exit exit = bare_exit(operation, GVA(control));

	return gt_host_exit(host, 0, &exit);
}

static void one_honest_round(struct gt_host *host)
{
	struct gt_exit state = bare_exit(0, 0);
	uint64_t work;

	gt_host_enter(host, 0, 0);
	for (unsigned i = 0; i < 20; i++)
		bare_record(&ram->vcpu);
	NEEDS(ring(host, GT_DOORBELL_FLUSH) == 1 || may_lack);
	work = gt_host_work_begin(host, 0, "disk");
	gt_host_work_end(host, work);
	gt_host_want_wake(host, true);
	gt_host_sample(host);
	gt_host_set_filter(host, "honest=info,off");
	gt_host_set_filter(host, "trace");
	gt_host_snapshot(host, &out);
	bare_record(&ram->vcpu);
	gt_host_drain(host);
	gt_host_resumed(host, 0, &state, GVA(control));
}

/* Any words in what the host looks at, and any exit. */
static void one_hostile_round(struct gt_host *host)
{
	for (uint64_t j = random64() % 6 + 1; j > 0; j--) {
		uint64_t word = random64() >> random64() % 64;

		memcpy((uint8_t *)ram + random64() % sizeof(*ram) / 8 * 8,
		       &word, 8);
	}
	ring(host, random64() % 4);
	gt_host_drain(host);
	gt_host_sample(host);
}

static void run_guests(struct gt_host *host)
{
	NEEDS(ring(host, GT_DOORBELL_ANNOUNCE) == 1 || may_lack);
	for (unsigned i = 0; i < 50; i++)
		one_honest_round(host);
	for (unsigned i = 0; i < 2000; i++) {
		if (i % 20 == 0)
			bare_init();
		one_hostile_round(host);
	}
	bare_init();
	ring(host, GT_DOORBELL_ANNOUNCE); /* one too many, perhaps */
	one_honest_round(host);
}

static void confine(const struct plan *plan)
{
	NEEDS(system_calls_allow(plan->calls, plan->call_count,
	                         SECCOMP_RET_KILL_PROCESS) == 0);
}

struct other {
	const struct plan *plan;
	struct gt_host *host;
	atomic_bool is_there;
};

static void *drain(void *argument)
{
	struct other *other = argument;

	confine(other->plan);
	gt_host_drain(other->host); /* this thread's own memory is there now */
	atomic_store(&other->is_there, true);
	for (;;) {
		gt_host_drain(other->host);
		gt_host_sample(other->host);
	}
	return NULL;
}

/* It ends with the process. */
static void share(const struct plan *plan, struct gt_host *host)
{
	static struct other other;
	pthread_t thread;

	other = (struct other){.plan = plan, .host = host};
	NEEDS(pthread_create(&thread, NULL, drain, &other) == 0);
	while (!atomic_load(&other.is_there))
		usleep(100);
}

static void child(const struct plan *plan)
{
	struct gt_host_options options = inproc_options();
	struct gt_sink *sinks[SINKS];
	const struct rlimit nothing_more = {0};
	struct gt_host *host;

	NEEDS(plan->reserve == 0 || gt_reserve_memory(plan->reserve) == 0);
	make_sinks(sinks);
	options.sinks = sinks;
	options.sink_count = SINKS;
	options.capture = out;
	options.random = NULL;
	if (plan->real_clock)
		options.read_clock = NULL;
	options.memory_slots = 1;
	options.memory[0] = bare_slot();
	options.memory[0].access = plan->access;
	if (plan->is_new)
		confine(plan);
	NEEDS(gt_host_new(&options, &host) == 0);
	if (plan->is_new)
		_exit(0);
	if (is_short)
		NEEDS(setrlimit(RLIMIT_AS, &nothing_more) == 0);
	if (plan->is_shared)
		share(plan, host);
	confine(plan);
	run_guests(host);
	if (!plan->is_ended)
		_exit(0);
	gt_host_finish(host, GT_ENDING_HALTED, 0, "over");
	for (unsigned i = 0; i < SINKS; i++) {
		if (sinks[i]->finish)
			sinks[i]->finish(sinks[i]);
		sinks[i]->free(sinks[i]);
	}
	gt_host_free(host);
	_exit(0);
}

/* The wait status of a process that lives so. */
static int lives(const struct plan *plan)
{
	int status;
	pid_t pid;

	nowhere = memfd_create("out", MFD_CLOEXEC);
	bare_new();
	bare_init();
	pid = fork();
	if (pid == 0)
		child(plan);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	bare_free();
	close(nowhere);
	return status;
}

static bool is_killed(const struct plan *plan)
{
	int status = lives(plan);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void a_host_is_made_with_random_bytes_alone(void **unused)
{
	struct plan plan = {LIST(of_new), .reserve = RESERVED, .is_new = true};

	(void)unused;
	assert_int_equal(lives(&plan), 0);
	plan.real_clock = true;
	assert_int_equal(lives(&plan), 0);
}

static void nothing_is_asked_of_the_kernel_in_a_run(void **unused)
{
	struct plan plan = {LIST(of_a_run), .reserve = RESERVED};

	(void)unused;
	assert_int_equal(lives(&plan), 0);
}

static void nor_for_the_time_where_the_kernel_lends_its_clock(void **unused)
{
	struct plan plan = {LIST(of_a_run), .reserve = RESERVED,
	                    .real_clock = true};

	(void)unused;
	assert_int_equal(lives(&plan), 0);
}

static void an_end_sorts(void **unused)
{
	struct plan plan = {LIST(of_an_end), .reserve = RESERVED,
	                    .is_ended = true};

	(void)unused;
	assert_int_equal(lives(&plan), 0);
}

static void checked_memory_takes_three_calls(void **unused)
{
	struct plan plan = {LIST(of_checked_memory), .reserve = RESERVED,
	                    .access = &gt_memory_checked, .is_ended = true};

	(void)unused;
	assert_int_equal(lives(&plan), 0);
}

/* Without the end: each thread may be in the middle of something then. */
static void two_threads_wait_for_each_other(void **unused)
{
	struct plan plan = {LIST(of_two_threads), .reserve = RESERVED,
	                    .is_shared = true};

	(void)unused;
	may_lack = true;
	assert_int_equal(lives(&plan), 0);
	may_lack = false;
}

static void without_a_reserve_memory_is_asked_for(void **unused)
{
	struct plan plan = {LIST(without_a_reserve), .is_ended = true};

	(void)unused;
	assert_int_equal(lives(&plan), 0);
}

/* What is lost is counted; the VMM goes on. */
static void a_reserve_that_is_used_up_kills_nobody(void **unused)
{
	struct plan plan = {LIST(no_memory), .reserve = 4096, .is_ended = true};

	(void)unused;
	may_lack = is_short = true;
	assert_int_equal(lives(&plan), 0);
	may_lack = is_short = false;
}

static const struct plan plans[] = {
	{LIST(of_new), .reserve = RESERVED, .is_new = true},
	{LIST(of_a_run), .reserve = RESERVED},
	{LIST(of_an_end), .reserve = RESERVED, .is_ended = true},
	{LIST(of_checked_memory), .reserve = RESERVED,
         .access = &gt_memory_checked, .is_ended = true},
	{LIST(without_a_reserve), .is_ended = true},
};

/* Each call of each list is made: without it the process is killed. */
static void no_list_is_too_long(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		for (size_t j = 0; j < plans[i].call_count; j++) {
			struct system_call calls[8];
			struct plan plan = plans[i];

			/* Of the C library that there is; by chance, as large
			 * memory grows; our own end. */
			if (plan.calls[j].number == SYS_sysinfo ||
			    plan.calls[j].number == SYS_mremap ||
			    plan.calls[j].number == SYS_exit_group)
				continue;
			memcpy(calls, plan.calls,
			       plan.call_count * sizeof(*calls));
			calls[j] = calls[--plan.call_count];
			plan.calls = calls;
			if (!is_killed(&plan))
				fail_msg("list %zu: call %d is not needed", i,
				         plans[i].calls[j].number);
		}
}

static void what_is_not_reserved_kills(void **unused)
{
	struct plan plan = {LIST(of_a_run), .reserve = 0};

	(void)unused;
	assert_true(is_killed(&plan));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_made_with_random_bytes_alone),
		cmocka_unit_test(nothing_is_asked_of_the_kernel_in_a_run),
		cmocka_unit_test(
			nor_for_the_time_where_the_kernel_lends_its_clock),
		cmocka_unit_test(an_end_sorts),
		cmocka_unit_test(checked_memory_takes_three_calls),
		cmocka_unit_test(two_threads_wait_for_each_other),
		cmocka_unit_test(without_a_reserve_memory_is_asked_for),
		cmocka_unit_test(a_reserve_that_is_used_up_kills_nobody),
		cmocka_unit_test(no_list_is_too_long),
		cmocka_unit_test(what_is_not_reserved_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
