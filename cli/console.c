/* SPDX-License-Identifier: MIT */
#include "console.h"
#include "command.h"
#include "outlets.h"
#include "streams.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

int console_open(struct console *console, bool on_standard_error)
{
	int fd = on_standard_error ? STDERR_FILENO : STDOUT_FILENO;

	*console = (struct console){
		.fd = fd, .may_wait = stream_may_wait(fd), .escapes = isatty(fd)};
	return outlet_open(fd, &console->outlet);
}

static char shown(char byte)
{
	bool is_plain =
		byte == '\n' || byte == '\t' || (byte >= 0x20 && byte < 0x7f);

	return is_plain ? byte : '?';
}

static int write_piece(struct console *console, const char *piece, size_t count)
{
	if (!console->outlet)
		return write_whole(console->fd, console->may_wait, piece, count);
	if (!outlet_is_full(console->outlet))
		return outlet_write(console->outlet, piece, count);
	console->dropped_bytes += count;
	return 0;
}

void console_print(struct console *console, const char *bytes, size_t count)
{
	char piece[256];

	while (count > 0 && console->error == 0) {
		size_t n = count < sizeof(piece) ? count : sizeof(piece);

		for (size_t i = 0; i < n; i++)
			piece[i] =
				console->escapes ? shown(bytes[i]) : bytes[i];
		console->error = write_piece(console, piece, n);
		bytes += n;
		count -= n;
	}
}

int console_close(struct console *console)
{
	int r = console->outlet ? outlet_close(console->outlet) : 0;

	console->outlet = NULL;
	if (console->error)
		r = console->error;
	if (r < 0) {
		complain_of_writing(
			console->fd == STDERR_FILENO ? "standard error" : NULL,
			r);
		return r;
	}
	if (console->dropped_bytes == 0)
		return 0;
	complain("%" PRIu64 " bytes that the guest printed were dropped: "
	         "nobody took them in time",
	         console->dropped_bytes);
	return -ENOBUFS;
}
