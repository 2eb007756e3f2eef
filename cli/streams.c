/* SPDX-License-Identifier: MIT */
#include "streams.h"
#include "command.h"
#include "monotonic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
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

#define NS_PER_MS UINT64_C(1000000)
#define LOOK_NS   50000000 /* at whether there is a hurry now */

static _Atomic uint64_t hurry_from_ns;

void streams_hurry(uint64_t from_ns)
{
	atomic_store(&hurry_from_ns, from_ns);
}

/* Patience begins when the hurry does, or what is to be written, if later. */
static bool is_patient(uint64_t since_ns)
{
	uint64_t from_ns = atomic_load(&hurry_from_ns), now = monotonic_ns();

	if (from_ns == 0)
		return true;
	from_ns = from_ns > since_ns ? from_ns : since_ns;
	return now < from_ns || now - from_ns < STREAMS_PATIENCE_MS * NS_PER_MS;
}

static int wait_for_room(int fd)
{
	const struct timespec no_time = {0}, a_while = {.tv_nsec = LOOK_NS};
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	uint64_t since_ns = 0;

	while (ppoll(&room, 1, since_ns ? &a_while : &no_time, NULL) <= 0) {
		if (!since_ns)
			since_ns = monotonic_ns();
		if (!is_patient(since_ns))
			return -ETIMEDOUT;
	}
	return 0;
}

bool stream_is_file(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

int write_whole(int fd, bool is_file, const void *bytes, size_t count)
{
	const char *from = bytes;
	/* What poll() promises room for; a file always has it. */
	size_t most = is_file ? SIZE_MAX : PIPE_BUF;

	while (count > 0) {
		int r = most == SIZE_MAX ? 0 : wait_for_room(fd);
		ssize_t done;

		if (r < 0)
			return r;
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
