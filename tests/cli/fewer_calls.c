/* SPDX-License-Identifier: MIT */
/*
 * In place of sandbox_list(): what GUESTTRACE_FEWER_CALLS names, as ROLE:NUMBER
 * of a system call, is not in the list. A command that reads has the role
 * behind all others. With "print" all lists are printed and nothing else is
 * done.
 */
#include "cli/sandbox_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __real_sandbox_list(enum sandbox_role role,
                         const struct sandbox_plan *plan,
                         struct sandbox_list *ret_list);

static void remove_call(struct sandbox_list *list, unsigned number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->calls[i].number == number)
			list->calls[i--] = list->calls[--list->count];
}

void __wrap_sandbox_list(enum sandbox_role role,
                         const struct sandbox_plan *plan,
                         struct sandbox_list *ret_list)
{
	const char *what = getenv("GUESTTRACE_FEWER_CALLS");
	unsigned which, number;

	__real_sandbox_list(role, plan, ret_list);
	if (what && sscanf(what, "%u:%u", &which, &number) == 2 &&
	    which == (plan->is_reader ? SANDBOX_ROLES : (unsigned)role))
		remove_call(ret_list, number);
}

__attribute__((constructor)) static void print(void)
{
	static const struct sandbox_plan largest = {.captures = true,
	                                            .makes_directories = true,
	                                            .sends = true,
	                                            .spool = "spool"};
	/* Where it sends its list is that of a run, and more. */
	static const struct sandbox_plan reader = {.is_reader = true,
	                                           .written_count = 1,
	                                           .makes_directories = true};
	const char *what = getenv("GUESTTRACE_FEWER_CALLS");
	struct sandbox_list list;

	if (!what || strcmp(what, "print") != 0)
		return;
	for (unsigned role = 0; role <= SANDBOX_ROLES; role++) {
		__real_sandbox_list(
			role < SANDBOX_ROLES ? (enum sandbox_role)role
					     : SANDBOX_PROCESS,
			role < SANDBOX_ROLES ? &largest : &reader, &list);
		for (size_t i = 0; i < list.count; i++)
			printf("%u:%u\n", role, list.calls[i].number);
	}
	exit(0);
}
