/* SPDX-License-Identifier: MIT */
/*
 * Memory of a guest that is gone, spoiled in any place: guests are looked for in
 * it, what is found is written as a capture, and the capture has to be one
 * (threats E6, F9). The input: patches of the image.
 */
#include "cli/inputs.h"
#include "cli/places.h"
#include "cli/salvage.h"
#include "doubting_sink.h"
#include "guest_input.h"
#include "tests/support/memfile.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Of the command: no file is opened here. */
bool place_is_input(const char *output, const char *input)
{
	(void)output;
	(void)input;
	abort();
}

int input_open_whole(const char *path)
{
	(void)path;
	abort();
}

void input_close(int fd)
{
	(void)fd;
}

static void write_one(struct salvage *s, const struct salvaged *guest)
{
	struct doubting_sink seen = doubting_sink();
	struct gt_sink *const sinks[] = {&seen.sink};
	struct memfile capture = {.count = 0};
	struct gt_output to = {memfile_write, &capture};
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = memfile_read,
		.context = &capture,
		.sinks = sinks,
		.sink_count = 1,
	};

	if (salvage_write(s, guest, &to) == 0)
		check(gt_replay(&options) == 0);
	free(capture.bytes);
}

/* The image, as a file that was mapped. */
static void add_image(struct dump *dump)
{
	void *image = mmap(NULL, sizeof(*ram), PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(image != MAP_FAILED);
	memcpy(image, ram, sizeof(*ram));
	check(dump_keep_mapping(dump, image, sizeof(*ram)) == 0);
	check(dump_add_piece(dump, 0, image, sizeof(*ram), 0) == 0);
	check(dump_use(dump, 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct input input = {bytes, count};
	uint64_t setting = take(&input, 1);
	static struct salvage s;

	s = (struct salvage){.name = "image",
	                     .tsc_khz = setting & 1 ? 2000000 : 0};
	make_guest();
	for (unsigned i = 0; i < 3; i++)
		bare_record(&ram->vcpu);
	while (input.left > 0)
		patch(&input);
	add_image(&s.dump);
	if (setting & 2) {
		s.identity = true;
		check(dump_add_identity(&s.dump, &s.identity_root) == 0);
	}
	if (setting & 4)
		s.has_cr3 = true;
	salvage_find(&s);
	check(s.count <= SALVAGE_GUESTS_MAX);
	for (uint32_t i = 0; i < s.count; i++)
		write_one(&s, &s.guests[i]);
	dump_fini(&s.dump);
	return 0;
}
