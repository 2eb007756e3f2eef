/* SPDX-License-Identifier: MIT */
#include "console.h"
#include "streams.h"

#include <unistd.h>

void console_open(struct console *console, bool on_standard_error)
{
	int fd = on_standard_error ? STDERR_FILENO : STDOUT_FILENO;

	*console = (struct console){
		.fd = fd, .is_file = stream_is_file(fd), .escapes = isatty(fd)};
}

static char shown(char byte)
{
	bool is_plain =
		byte == '\n' || byte == '\t' || (byte >= 0x20 && byte < 0x7f);

	return is_plain ? byte : '?';
}

void console_print(struct console *console, const char *bytes, size_t count)
{
	char piece[256];

	while (count > 0 && console->error == 0) {
		size_t n = count < sizeof(piece) ? count : sizeof(piece);

		for (size_t i = 0; i < n; i++)
			piece[i] =
				console->escapes ? shown(bytes[i]) : bytes[i];
		console->error =
			write_whole(console->fd, console->is_file, piece, n);
		bytes += n;
		count -= n;
	}
}

int console_close(const struct console *console)
{
	if (console->error < 0)
		complain_of_writing(
			console->fd == STDERR_FILENO ? "standard error" : NULL,
			console->error);
	return console->error;
}
