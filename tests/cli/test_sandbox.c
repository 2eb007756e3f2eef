/* SPDX-License-Identifier: MIT */
/* What a run gives up (threats G1, G2, G3): each in a process of its own. */
#include "cli/sandbox.h"
#include "cli/sandbox_lists.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>
#include <cmocka.h>

#define CALLS_MAX     512 /* far over the last one that there is */
#define SYS_URETPROBE 335 /* Linux 6.11: not filtered, and SIGILL */
#define SYS_UPROBE    336

static const struct sandbox_plan small = {.spool = NULL};
static const struct sandbox_plan usual = {.captures = true};
static const struct sandbox_plan largest = {.captures = true,
                                            .makes_directories = true,
                                            .sends = true,
                                            .spool = "spool"};
static const struct sandbox_plan with_ctf = {.captures = true,
                                             .makes_directories = true};
static const struct sandbox_plan printing = {.is_reader = true};
static const struct sandbox_plan exporting = {
	.is_reader = true, .written_count = 1, .makes_directories = true};

/* The wait status of a process that does this. */
static int status_of(void (*work)(void *context), void *context)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGILL, SIG_DFL); /* cmocka would go on */
		signal(SIGSYS, SIG_DFL);
		work(context);
		syscall(SYS_exit_group, 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool is_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

/* In a child: its exit status says where. */
#define NEEDS(what)                                \
	do {                                       \
		if (!(what))                       \
			_exit(1 + __LINE__ % 255); \
	} while (0)

/* ---- Lists --------------------------------------------------------------- */

static size_t allowed(enum sandbox_role role, const struct sandbox_plan *plan)
{
	struct sandbox_list list;
	size_t count = 0;

	sandbox_list(role, plan, &list);
	for (size_t i = 0; i < list.count; i++)
		count += list.calls[i].error == 0;
	return count;
}

static void g1_lists_are_short(void **unused)
{
	(void)unused;
	assert_true(allowed(SANDBOX_VCPU, &largest) <= 11);
	assert_true(allowed(SANDBOX_OUTPUTS, &largest) <= 6);
	assert_true(allowed(SANDBOX_DECODING, &largest) <= 10);
	assert_true(allowed(SANDBOX_WATCHDOG, &largest) <= 8);
	assert_true(allowed(SANDBOX_KEEPER, &largest) <= 9);
	assert_true(allowed(SANDBOX_PROCESS, &with_ctf) <= 40);
	assert_true(allowed(SANDBOX_PROCESS, &exporting) <= 40);
	print_message("calls: vCPU %zu, decoding %zu, watchdog %zu, keeper "
	              "%zu, process %zu, with a capture %zu, and CTF %zu, "
	              "with all outputs %zu; printing %zu, exporting %zu\n",
	              allowed(SANDBOX_VCPU, &largest),
	              allowed(SANDBOX_DECODING, &usual),
	              allowed(SANDBOX_WATCHDOG, &usual),
	              allowed(SANDBOX_KEEPER, &usual),
	              allowed(SANDBOX_PROCESS, &small),
	              allowed(SANDBOX_PROCESS, &usual),
	              allowed(SANDBOX_PROCESS, &with_ctf),
	              allowed(SANDBOX_PROCESS, &largest),
	              allowed(SANDBOX_PROCESS, &printing),
	              allowed(SANDBOX_PROCESS, &exporting));
}

/* What a thread of any kind may do, its process may, too: lists add up. */
static void a_list_is_part_of_that_of_its_process(void **unused)
{
	const struct sandbox_plan *const plans[] = {&small, &usual, &largest};
	struct sandbox_list whole, part;

	(void)unused;
	for (size_t i = 0; i < 3; i++)
		for (unsigned role = 1; role < SANDBOX_ROLES; role++) {
			if (role == SANDBOX_KEEPER)
				continue; /* a process of its own */
			sandbox_list(SANDBOX_PROCESS, plans[i], &whole);
			sandbox_list((enum sandbox_role)role, plans[i], &part);
			for (size_t j = 0; j < part.count; j++) {
				size_t k = 0;

				while (k < whole.count &&
				       whole.calls[k].number !=
				               part.calls[j].number)
					k++;
				assert_true(k < whole.count);
			}
		}
}

struct attempt {
	const struct sandbox_list *list;
	long number;
	unsigned long second; /* argument */
};

static void attempt(void *context)
{
	const struct attempt *what = context;

	NEEDS(system_calls_allow(what->list->calls, what->list->count,
	                         SECCOMP_RET_KILL_PROCESS) == 0);
	syscall(what->number, -1L, what->second, 0L, 0L, 0L, 0L);
}

static const struct system_call *find(const struct sandbox_list *list,
                                      long number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->calls[i].number == number)
			return &list->calls[i];
	return NULL;
}

static void each_forbidden_call_kills(const struct sandbox_list *list)
{
	for (long number = 0; number < CALLS_MAX; number++) {
		struct attempt what = {list, number, 0};

		/* Of the kernel's own trampolines: nobody else may, anyway. */
		if (find(list, number) || number == SYS_URETPROBE ||
		    number == SYS_UPROBE)
			continue;
		if (!is_killed(status_of(attempt, &what)))
			fail_msg("call %ld does not kill", number);
	}
}

static void g1_whatever_is_not_listed_kills(void **unused)
{
	(void)unused;
	for (unsigned role = 0; role < SANDBOX_ROLES; role++) {
		struct sandbox_list list;

		sandbox_list((enum sandbox_role)role, &usual, &list);
		each_forbidden_call_kills(&list);
	}
}

/* No socket, no program, no process, no thread. */
static void g1_a_command_that_reads_calls_nothing_else(void **unused)
{
	struct sandbox_list list;

	(void)unused;
	sandbox_list(SANDBOX_PROCESS, &exporting, &list);
	assert_null(find(&list, SYS_socket));
	assert_null(find(&list, SYS_execve));
	assert_null(find(&list, SYS_clone));
	assert_null(find(&list, SYS_fork));
	each_forbidden_call_kills(&list);
	sandbox_list(SANDBOX_PROCESS, &printing, &list);
	assert_null(find(&list, SYS_unlinkat));
	each_forbidden_call_kills(&list);
}

static void numbers_of_other_architectures_kill(void **unused)
{
	struct sandbox_list list;
	struct attempt what = {&list, 0x40000000 | SYS_write, 0};

	(void)unused;
	sandbox_list(SANDBOX_PROCESS, &usual, &list);
	assert_true(is_killed(status_of(attempt, &what)));
}

static void ask_by_the_old_way(void *context)
{
	const struct attempt *what = context;
	long result = 3; /* of i386: read */

	NEEDS(system_calls_allow(what->list->calls, what->list->count,
	                         SECCOMP_RET_KILL_PROCESS) == 0);
	__asm__ volatile("int $0x80" : "+a"(result) : "b"(-1) : "memory");
}

static void calls_of_32_bits_kill(void **unused)
{
	struct sandbox_list list;
	struct attempt what = {.list = &list};

	(void)unused;
	sandbox_list(SANDBOX_PROCESS, &usual, &list);
	assert_int_not_equal(status_of(ask_by_the_old_way, &what), 0);
}

static void a_vcpu_has_no_ioctl_but_those_of_running(void **unused)
{
	struct sandbox_list list;
	struct attempt runs = {&list, SYS_ioctl, KVM_RUN};
	struct attempt makes = {&list, SYS_ioctl, KVM_CREATE_VM};
	struct attempt types = {&list, SYS_ioctl, TIOCSTI};

	(void)unused;
	sandbox_list(SANDBOX_VCPU, &usual, &list);
	assert_true(is_killed(status_of(attempt, &makes)));
	assert_true(is_killed(status_of(attempt, &types)));
	/* Its own end is not in the list, only that of its thread. */
	list.calls[list.count++] =
		(struct system_call){.number = SYS_exit_group};
	assert_int_equal(status_of(attempt, &runs), 0);
}

static void ask_for_more(void *context)
{
	struct sandbox_list *list = context;

	list->calls[list->count++] =
		(struct system_call){.number = SYS_exit_group};
	NEEDS(system_calls_allow(list->calls, list->count,
	                         SECCOMP_RET_KILL_PROCESS) == 0);
	if (syscall(SYS_mremap, 0, 0, 0, 0) != -1 || errno != ENOSYS)
		syscall(SYS_exit_group, 1);
}

static void what_is_refused_fails(void **unused)
{
	struct sandbox_list list;

	(void)unused;
	sandbox_list(SANDBOX_VCPU, &usual, &list);
	assert_int_equal(status_of(ask_for_more, &list), 0);
}

/* ---- The whole ----------------------------------------------------------- */

static char directory[] = "/tmp/test_sandbox.XXXXXX", inside[64];
static const char *written[] = {inside, "-", NULL};
static struct sandbox_plan plan = {.written = written, .written_count = 3};

static bool status_says(const char *line)
{
	char text[8192];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t count = read(fd, text, sizeof(text) - 1);

	text[count > 0 ? count : 0] = '\0';
	return strstr(text, line) != NULL;
}

static void look_at_itself(void *unused)
{
	struct rlimit limit = {1, 1};
	FILE *file;

	(void)unused;
	NEEDS(setrlimit(RLIMIT_CORE, &limit) == 0);
	NEEDS(sandbox_begin(&plan) == 0);
	NEEDS(status_says("NoNewPrivs:\t1\n"));
	NEEDS(status_says("Seccomp:\t2\n"));
	NEEDS(!sandbox_is_narrow());
	file = fopen("/proc/self/limits", "r");
	for (char line[256]; file && fgets(line, sizeof(line), file);) {
		unsigned long soft, hard;
		const char *core = "Max core file size", *files = "Max open files";

		if (strncmp(line, core, strlen(core)) == 0) {
			NEEDS(sscanf(line + strlen(core), "%lu %lu", &soft,
			             &hard) == 2);
			NEEDS(hard == (plan.keeps_core ? 1 : 0));
		} else if (strncmp(line, files, strlen(files)) == 0) {
			NEEDS(sscanf(line + strlen(files), "%lu %lu", &soft,
			             &hard) == 2);
			NEEDS(hard <= 1024);
		}
	}
	NEEDS(file);
}

static void g3_it_gains_no_privilege_and_leaves_no_core(void **unused)
{
	(void)unused;
	assert_int_equal(status_of(look_at_itself, NULL), 0);
	plan.keeps_core = true;
	assert_int_equal(status_of(look_at_itself, NULL), 0);
	plan.keeps_core = false;
}

static void open_here_and_there(void *unused)
{
	char other[80];

	(void)unused;
	snprintf(other, sizeof(other), "%s/another", directory);
	NEEDS(sandbox_begin(&plan) == 0);
	NEEDS(open(inside, O_WRONLY | O_CREAT, 0600) >= 0);
	NEEDS(renameat(AT_FDCWD, inside, AT_FDCWD, other) == 0);
	NEEDS(unlinkat(AT_FDCWD, other, 0) == 0);
	NEEDS(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
	NEEDS(open("/", O_RDONLY) < 0 && errno == EACCES);
	NEEDS(open("/tmp/test_sandbox.elsewhere", O_WRONLY | O_CREAT, 0600) <
	              0 &&
	      errno == EACCES);
	NEEDS(open("/dev/kvm", O_RDWR) < 0);
}

static bool has_landlock(void)
{
	return syscall(444, NULL, 0, 1) >= 1;
}

static void g2_files_elsewhere_are_closed(void **unused)
{
	(void)unused;
	if (!has_landlock())
		skip();
	assert_int_equal(status_of(open_here_and_there, NULL), 0);
}

/* What it reads is open to it, what it writes, and nothing else. */
static void read_and_write(void *unused)
{
	static const char *const paths[] = {"/etc/hostname", "-"};
	static const struct sandbox_plan reader = {.written = written,
	                                           .written_count = 1,
	                                           .read = paths,
	                                           .read_count = 2,
	                                           .is_reader = true};

	(void)unused;
	NEEDS(sandbox_begin(&reader) == 0);
	NEEDS(status_says("Seccomp:\t2\n"));
	NEEDS(open("/etc/hostname", O_RDONLY) >= 0);
	NEEDS(open("/etc/hostname", O_RDWR) < 0 && errno == EACCES);
	NEEDS(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
	NEEDS(open(inside, O_WRONLY | O_CREAT, 0600) >= 0);
	NEEDS(unlinkat(AT_FDCWD, inside, 0) == 0);
}

static void g2_a_command_reads_what_it_was_told_to(void **unused)
{
	(void)unused;
	if (!has_landlock() || access("/etc/hostname", R_OK) < 0)
		skip();
	assert_int_equal(status_of(read_and_write, NULL), 0);
}

static void run_something(void *unused)
{
	(void)unused;
	NEEDS(sandbox_begin(&plan) == 0);
	execl("/bin/true", "true", (char *)NULL);
}

static void call_somebody(void *unused)
{
	(void)unused;
	NEEDS(sandbox_begin(&plan) == 0);
	socket(AF_INET, SOCK_STREAM, 0);
}

static void g1_it_runs_nothing_and_calls_nobody(void **unused)
{
	(void)unused;
	assert_true(is_killed(status_of(run_something, NULL)));
	assert_true(is_killed(status_of(call_somebody, NULL)));
}

static void be_narrow(void *role)
{
	NEEDS(sandbox_begin(&plan) == 0);
	sandbox_enter(*(const enum sandbox_role *)role);
	if (!sandbox_is_narrow())
		return;
	open(inside, O_WRONLY);
}

static void g1_threads_of_each_kind_open_nothing(void **unused)
{
	enum sandbox_role role = SANDBOX_VCPU;

	(void)unused;
	for (; role <= SANDBOX_WATCHDOG; role++)
		assert_true(is_killed(status_of(be_narrow, &role)));
}

static void enter_alone(void *unused)
{
	(void)unused;
	sandbox_enter(SANDBOX_VCPU);
	NEEDS(open("/etc/passwd", O_RDONLY) >= 0);
}

static void without_a_beginning_nothing_is_given_up(void **unused)
{
	(void)unused;
	assert_int_equal(status_of(enter_alone, NULL), 0);
}

static int setup(void **unused)
{
	(void)unused;
	if (!mkdtemp(directory))
		return -1;
	snprintf(inside, sizeof(inside), "%s/file", directory);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	unlink(inside);
	return rmdir(directory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(g1_lists_are_short),
		cmocka_unit_test(a_list_is_part_of_that_of_its_process),
		cmocka_unit_test(g1_whatever_is_not_listed_kills),
		cmocka_unit_test(numbers_of_other_architectures_kill),
		cmocka_unit_test(calls_of_32_bits_kill),
		cmocka_unit_test(a_vcpu_has_no_ioctl_but_those_of_running),
		cmocka_unit_test(what_is_refused_fails),
		cmocka_unit_test(g3_it_gains_no_privilege_and_leaves_no_core),
		cmocka_unit_test(g1_a_command_that_reads_calls_nothing_else),
		cmocka_unit_test(g2_files_elsewhere_are_closed),
		cmocka_unit_test(g2_a_command_reads_what_it_was_told_to),
		cmocka_unit_test(g1_it_runs_nothing_and_calls_nobody),
		cmocka_unit_test(g1_threads_of_each_kind_open_nothing),
		cmocka_unit_test(without_a_beginning_nothing_is_given_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
