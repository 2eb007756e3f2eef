/* SPDX-License-Identifier: MIT */
#include "streams.h"
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

static bool dies_of_pipe; /* as it would if SIGPIPE were not ignored */
static bool pipe_is_closed;
static bool has_complained; /* of standard output */

/*
 * A stream that is closed must not become the first file that is opened. It
 * gets one that fails: what is written to it goes nowhere, and that is said.
 */
static void fill_gaps(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
			_exit(COMMAND_FAILED);
	}
}

void streams_begin(bool many)
{
	struct sigaction before;

	fill_gaps();
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
	dies_of_pipe = !many && before.sa_handler != SIG_IGN;
	/* Over the limit of its size a file is an error like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
}

void complain_of_writing(const char *path, int code)
{
	if (!path && code == -EPIPE && dies_of_pipe)
		pipe_is_closed = true;
	else if (path || !has_complained)
		complain("cannot write %s: %s",
		         !path   ? "standard output"
		         : *path ? path
		                 : "''",
		         code == -ETIMEDOUT ? "nobody takes it"
		                            : code_text(code));
	has_complained |= !path;
}

/* The stream has forgotten the errno: one byte more fails alike. */
int stream_error(FILE *stream)
{
	if (!ferror(stream))
		return 0;
	return putc('\n', stream) == EOF || fflush(stream) != 0 ? -errno : -EIO;
}

int streams_end(int status, int failed)
{
	int r = fflush(stdout) != 0 ? -errno : stream_error(stdout);

	if (r < 0) {
		complain_of_writing(NULL, r);
		status = status ? status : failed;
	}
	if (pipe_is_closed) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return status;
}

/* ---- Writing ------------------------------------------------------------- */

static void wait_for_room(int fd)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};

	while (ppoll(&room, 1, NULL, NULL) <= 0)
		;
}

bool stream_may_wait(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 &&
	       (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode) ||
	        (S_ISCHR(info.st_mode) && isatty(fd)));
}

int write_whole(int fd, bool may_wait, const void *bytes, size_t count)
{
	const char *from = bytes;
	/* What poll() promises room for; a file or a disk always has it. */
	size_t most = may_wait ? PIPE_BUF : SIZE_MAX;

	while (count > 0) {
		ssize_t done;

		if (may_wait)
			wait_for_room(fd);
		done = write(fd, from, count < most ? count : most);
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (done > 0) {
			from += done;
			count -= (size_t)done;
		}
	}
	return 0;
}
