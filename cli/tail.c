/* SPDX-License-Identifier: MIT */
#include "tail.h"
#include "command.h"
#include "inputs.h"
#include "monotonic.h"
#include "places.h"

#include <guesttrace/host.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#define LOOK_AGAIN_NS 50000000L /* how often at a file that does not grow */

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void wait_a_little(void)
{
	nap_ns(LOOK_AGAIN_NS);
}

void tail_stop(void)
{
	stopped = 1;
}

struct growing {
	const struct tail_watch *watch; /* NULL: nobody looks */
	int fd;
	bool is_pipe;    /* its end is the end */
	bool had_writer; /* one that locks it */
};

/* It held the lock and does not any more: destination.h. */
static bool writer_is_gone(struct growing *file)
{
	struct flock whole = {.l_type = F_RDLCK};
	bool has_writer = fcntl(file->fd, F_OFD_GETLK, &whole) == 0 &&
	                  whole.l_type == F_WRLCK;
	bool gone = file->had_writer && !has_writer;

	file->had_writer = has_writer;
	return gone;
}

/* Waits at the end of the file for more, or for being stopped. */
static long read_growing(void *context, void *bytes, size_t count)
{
	struct growing *file = context;
	bool gone = file->is_pipe;
	long got = 0;

	while (!stopped && got == 0) {
		if (file->watch)
			file->watch->look(file->watch->context,
			                  file->had_writer);
		got = read_file(&file->fd, bytes, count);
		if (got != 0 || gone || (file->watch && file->watch->once))
			break;
		/* It may have written its last bytes meanwhile. */
		gone = writer_is_gone(file);
		if (!gone)
			wait_a_little();
	}
	return got;
}

static int open_when_there(const char *path, bool waits)
{
	int fd = -EINTR;

	while (!stopped) {
		fd = input_open(path);
		if (fd != -ENOENT || !waits)
			break;
		wait_a_little();
	}
	return fd < 0 && stopped ? -EINTR : fd;
}

static int follow(struct outputs *outputs, const char *path,
                  const struct tail_watch *watch)
{
	struct growing file = {
		.watch = watch,
		.fd = open_when_there(path, !watch || !watch->once),
	};
	struct stat info;
	int r = file.fd;
	struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_growing,
		.context = &file,
		.sinks = outputs->sinks,
		.sink_count = outputs->count,
		.stops_at_end = true,
	};

	path = place_input_name(path);
	if (file.fd >= 0) {
		file.is_pipe =
			fstat(file.fd, &info) == 0 && !S_ISREG(info.st_mode);
		if (!file.is_pipe)
			writer_is_gone(&file); /* is there one? */
		r = gt_replay(&options);
		input_close(file.fd);
	}
	if (stopped && (r == -EINTR || r == -GT_ERROR_NOT_A_CAPTURE))
		return 0; /* nothing was there yet */
	if (r < 0 && !outputs_failed(outputs))
		complain("%s: %s", path, code_text(r));
	return r;
}

int tail(struct outputs *outputs, const char *path,
         const struct tail_watch *watch)
{
	int r, closed;

	if (outputs_replace(outputs, path))
		return COMMAND_FAILED;
	r = outputs_open(outputs);
	catch_signals();
	if (r == 0)
		r = follow(outputs, path, watch);
	closed = outputs_close(outputs, r == 0);
	return r < 0 || closed < 0 ? COMMAND_FAILED : 0;
}
