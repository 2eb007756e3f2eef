/* SPDX-License-Identifier: MIT */
/*
 * What `run` gives up before it reads its guest and lets it run, and each other
 * command before it reads a file that somebody else may have made: system
 * calls, for the process and more of them for each kind of thread; files; what
 * it could use up. The lists are in docs/security.md.
 */
#ifndef GT_CLI_SANDBOX_H
#define GT_CLI_SANDBOX_H

#include <stdbool.h>

/*
 * Sanitizers make calls and read files of their own: with them calls that are
 * not listed are allowed, files can be read, and address space is not limited.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_IS_WIDE true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANDBOX_IS_WIDE true
#endif
#endif
#ifndef SANDBOX_IS_WIDE
#define SANDBOX_IS_WIDE false
#endif

/* Kinds of threads that are confined further than the process is. */
enum sandbox_role {
	SANDBOX_PROCESS = 0, /* all others */
	SANDBOX_VCPU = 1,
	SANDBOX_DECODING = 2,
	SANDBOX_WATCHDOG = 3,
	SANDBOX_KEEPER = 4,  /* the process beside a run */
	SANDBOX_OUTPUTS = 5, /* writes to pipes and terminals */
};
#define SANDBOX_ROLES 6u

struct sandbox_plan {
	/* Paths; NULL and "-" are streams. What is read need not be there. */
	const char *const *written, *const *read;
	unsigned written_count, read_count;
	bool is_reader;    /* a command without a guest */
	const char *spool; /* a directory, or NULL */
	bool makes_directories; /* an output is one */
	bool captures;          /* into a file, with a keeper beside it */
	bool sends;        /* over the network */
	bool keeps_core;   /* the process may leave one */
};

/*
 * Before there are other threads, and before outputs are opened: confines the
 * process. Complains and returns < 0 if it cannot be done.
 */
int sandbox_begin(const struct sandbox_plan *plan);

/* In a thread that begins; without sandbox_begin() nothing happens. If it
 * cannot be done the process ends. */
void sandbox_enter(enum sandbox_role role);

/* The same for the process that keeps a run's memory; 0 or a negative errno. */
int sandbox_alone(void);

/* The calling thread may make no call but those of its kind. */
bool sandbox_is_narrow(void);

#endif
