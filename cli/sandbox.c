/* SPDX-License-Identifier: MIT */
#include "sandbox.h"
#include "command.h"
#include "sandbox_lists.h"
#include "sandbox_paths.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES_MAX  1024u
#define SPACE_MORE (UINT64_C(16) << 30) /* over what is mapped by then */

#define OTHERS \
	(SANDBOX_IS_WIDE ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS)

static bool is_on;
static struct sandbox_plan of_process; /* whether it sends, and how */
static _Thread_local bool narrow;

static int lower(int resource, uint64_t to)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return -errno;
	if (limit.rlim_max > to)
		limit.rlim_max = to;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno
	                                                            : 0;
}

/* Bytes of address space in use; 0: nobody says. */
static uint64_t space_used(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int limit(const struct sandbox_plan *plan)
{
	uint64_t used = space_used();
	int r = lower(RLIMIT_NOFILE, FILES_MAX);

	if (r == 0 && !plan->keeps_core)
		r = lower(RLIMIT_CORE, 0);
	/* Sanitizers map all there is; what a capture takes grows with it. */
	if (r == 0 && !plan->is_reader && used > 0 && !SANDBOX_IS_WIDE)
		r = lower(RLIMIT_AS, used + SPACE_MORE);
	return r;
}

static int confine(enum sandbox_role role, const struct sandbox_plan *plan)
{
	struct sandbox_list list;

	sandbox_list(role, plan, &list);
	return system_calls_allow(list.calls, list.count, OTHERS);
}

/* Up to 2.36 glibc asks how much memory there is, once: not in the sandbox. */
static int warm_qsort(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static int begin(const struct sandbox_plan *plan)
{
	char many[2048] = "";
	int r = limit(plan);

	qsort(many, sizeof(many), 1, warm_qsort);

	/* Heaps of threads would take calls that they do not have. */
	mallopt(M_ARENA_MAX, 1);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = sandbox_paths(plan);
	if (r == 1 && !plan->is_reader)
		complain("this kernel has no Landlock: files are not closed "
		         "to the run");
	return r < 0 ? r : confine(SANDBOX_PROCESS, plan);
}

int sandbox_begin(const struct sandbox_plan *plan)
{
	int r = begin(plan);

	is_on = r == 0;
	of_process = *plan;
	of_process.written = of_process.read = NULL; /* the caller's */
	if (r < 0)
		complain("the %s cannot be confined: %s; --no-sandbox does "
		         "without",
		         plan->is_reader ? "command" : "run", code_text(r));
	return r;
}

void sandbox_enter(enum sandbox_role role)
{
	int r;

	if (!is_on)
		return;
	narrow = true;
	r = confine(role, &of_process);
	if (r == 0)
		return;
	complain("a thread cannot be confined: %s", code_text(r));
	_exit(RUN_FAILED);
}

int sandbox_alone(void)
{
	const struct sandbox_plan none = {.keeps_core = false};
	int r = limit(&none);

	if (r == 0)
		r = sandbox_paths(&none);
	return r < 0 ? r : confine(SANDBOX_KEEPER, &none);
}

bool sandbox_is_narrow(void)
{
	return narrow;
}
