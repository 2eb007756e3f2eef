/* SPDX-License-Identifier: MIT */
/*
 * Files that say where guest memory lies: cores and snapshots' descriptions
 * (threats E6, F9). Whatever they say, each piece lies in its file, and the
 * pieces apart from each other. The input: u8, odd for a description in JSON,
 * which one page of zeros follows, and else how many do; then the file.
 */
#include "cli/command.h"
#include "cli/dump.h"
#include "cli/inputs.h"
#include "cli/places.h"
#include "host/decode/bytes.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define PAGE 4096u

static const uint8_t *file;
static size_t file_bytes, zeros;

/* ---- The rest of the command, as far as a dump asks for it --------------- */

bool place_is_input(const char *output, const char *input)
{
	(void)output;
	(void)input;
	return false;
}

int input_open_whole(const char *path)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	bool is_snapshot = zeros % 2 != 0;
	size_t pages = is_snapshot ? 1 : zeros;

	if (is_snapshot && strstr(path, "state.json") == NULL) {
		if (ftruncate(fd, 16 * PAGE) < 0)
			abort();
		return fd;
	}
	if (write(fd, file, file_bytes) != (ssize_t)file_bytes ||
	    ftruncate(fd, (off_t)(file_bytes + pages * PAGE)) < 0)
		abort();
	return fd;
}

void input_close(int fd)
{
	close(fd);
}

/* ---- What comes of it ---------------------------------------------------- */

static bool is_of_a_file(const struct dump *dump, const struct dump_piece *piece)
{
	for (uint32_t i = 0; i < dump->file_count; i++) {
		const uint8_t *bytes = dump->files[i].bytes;
		size_t count = dump->files[i].count;

		if (piece->host >= bytes && piece->host <= bytes + count &&
		    piece->bytes <= count - (size_t)(piece->host - bytes))
			return true;
	}
	return false;
}

static void expect_sound(struct dump *dump)
{
	for (uint32_t layout = 0; layout < dump_layouts(dump); layout++) {
		uint64_t end = 0;

		if (dump_use(dump, layout) < 0)
			continue;
		for (uint64_t i = 0; i < dump->count; i++) {
			const struct dump_piece *piece = &dump->pieces[i];

			if (!is_of_a_file(dump, piece) || piece->bytes == 0 ||
			    piece->gpa < end)
				abort();
			end = piece->gpa + piece->bytes;
			if (dump_at(dump, end - 1, 1) !=
			    piece->host + piece->bytes - 1)
				abort();
		}
		if (dump_at(dump, end, 1))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct dump dump = {.count = 0};
	int r;

	if (count == 0)
		return 0;
	file = bytes + 1;
	file_bytes = count - 1;
	zeros = bytes[0] % 64;
	if (zeros % 2 != 0)
		r = dump_add_directory(&dump, "snapshot");
	else
		r = dump_add(&dump, "core");
	if (r == 0)
		expect_sound(&dump);
	dump_fini(&dump);
	return 0;
}
