/* SPDX-License-Identifier: MIT */
/*
 * A peer: babeltrace2 reading a CTF trace from its first to its last event, as
 * its own command does without printing them.
 *
 *   bench_babeltrace TRACE-DIR EVENTS [OPTION]...
 */
#include "harness.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *trace;
static double events;

static double read_all(void)
{
	char *const command[] = {"babeltrace2", trace,
	                         "--component=sink.utils.dummy", NULL};
	posix_spawn_file_actions_t files;
	double start = bench_seconds();
	int status = -1;
	pid_t child;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null",
	                                 O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
	                                 O_WRONLY, 0);
	if (posix_spawnp(&child, command[0], &files, NULL, command, environ) ||
	    waitpid(child, &status, 0) < 0 || status != 0)
		bench_fail("babeltrace2 did not read the trace");
	posix_spawn_file_actions_destroy(&files);
	return events / (bench_seconds() - start);
}

int main(int argc, char **argv)
{
	const struct bench bench = {"peer_babeltrace2_ctf", "events/s",
	                            BENCH_RATE, read_all};

	if (argc < 3)
		bench_fail("usage: bench_babeltrace TRACE-DIR EVENTS");
	trace = argv[1];
	events = strtod(argv[2], NULL);
	return bench_main(argc - 2, argv + 2, &bench, 1);
}
