/* SPDX-License-Identifier: MIT */
#include "pager.h"
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_THERE 127 /* of the shell */

static bool never;

void pager_never(void)
{
	never = true;
}

static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");
	bool found = false;

	while (path && *path && !found) {
		size_t count = strcspn(path, ":");
		char name[1024];
		int length = snprintf(name, sizeof(name), "%.*s/%s", (int)count,
		                      path, program);

		found = length < (int)sizeof(name) && access(name, X_OK) == 0;
		path += count + (path[count] == ':');
	}
	return found;
}

/* NULL: none. */
static const char *chosen(void)
{
	const char *term = getenv("TERM"), *name = getenv("GUESTTRACE_PAGER");

	if (never || !isatty(STDOUT_FILENO) || !term || !*term ||
	    strcmp(term, "dumb") == 0)
		return NULL;
	if (!name)
		name = getenv("PAGER");
	if (!name)
		name = is_in_path("less") ? "less" : "";
	return *name && strcmp(name, "cat") != 0 ? name : NULL;
}

/* As git does it: less ends at once if all fits, and shows colours. */
static void become_pager(const char *name, int input)
{
	dup2(input, STDIN_FILENO);
	setenv("LESS", "FRX", 0);
	execl("/bin/sh", "sh", "-c", name, (char *)NULL);
	_exit(NOT_THERE);
}

static int wait_for(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Who closes the pager has seen enough. */
static _Noreturn void end_as(pid_t worker, pid_t pager)
{
	int status, shown;

	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	status = wait_for(worker);
	shown = wait_for(pager);
	if (WIFEXITED(shown) && WEXITSTATUS(shown) == NOT_THERE)
		_exit(COMMAND_FAILED); /* the shell has said so */
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(WTERMSIG(status) == SIGPIPE ? 0 : 128 + WTERMSIG(status));
}

void pager_begin(void)
{
	const char *name = chosen();
	pid_t worker, pager;
	int ends[2];

	if (!name || pipe2(ends, O_CLOEXEC) < 0)
		return;
	pager = fork();
	if (pager == 0)
		become_pager(name, ends[0]);
	worker = pager > 0 ? fork() : -1;
	if (worker == 0)
		dup2(ends[1], STDOUT_FILENO);
	close(ends[0]);
	close(ends[1]);
	if (worker > 0)
		end_as(worker, pager);
}
