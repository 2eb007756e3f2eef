/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target once over each file named on the command line, for
 * compilers without libFuzzer: the seeds are tests too. With --expand every
 * byte of each file is also changed and the file cut there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define FILE_MAX ((size_t)1 << 20)

static uint8_t bytes[FILE_MAX];

/* A copy of its own size, so that a sanitizer sees what is read behind it. */
static void run(size_t count)
{
	uint8_t *copy = malloc(count + !count);

	if (!copy)
		abort();
	memcpy(copy, bytes, count);
	LLVMFuzzerTestOneInput(copy, count);
	free(copy);
}

static void expand(size_t count)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	for (size_t at = 0; at < count; at++) {
		uint8_t before = bytes[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			bytes[at] = values[i];
			run(count);
		}
		bytes[at] = before;
		run(at);
	}
}

int main(int argc, char **argv)
{
	int all = argc > 1 && strcmp(argv[1], "--expand") == 0;

	for (int i = 1 + all; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t count;

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		count = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		run(count);
		if (all)
			expand(count);
	}
	printf("%d inputs\n", argc - 1 - all);
	return 0;
}
