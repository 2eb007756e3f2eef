/* SPDX-License-Identifier: MIT */
/*
 * export_sample DIRECTORY: writes one file per format, all of the same runs,
 * for the readers in tests/readers to compare.
 */
#include "synthetic.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int write_file(void *context, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, context) == count ? 0 : -EIO;
}

static FILE *open_file(const char *directory, const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "wb");
	if (!file) {
		perror(path);
		exit(1);
	}
	return file;
}

int main(int argc, char **argv)
{
	struct syn s = {0};
	FILE *files[SYN_SINKS];
	bool failed;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: export_sample DIRECTORY\n");
		return 2;
	}
	for (i = 0; i < SYN_SINKS; i++) {
		struct gt_output output = {.write = write_file};

		files[i] = open_file(argv[1], syn_formats[i].name);
		output.context = files[i];
		if (syn_formats[i].make(&output, &s.sinks[i]))
			return 1;
		s.sink_count++;
	}
	syn_everything(&s, 0);
	for (i = 1; i < 12; i++)
		syn_random(&s, (uint32_t)i, (uint32_t)i, 2000);
	failed = syn_finish(&s) != 0;
	for (i = 0; i < SYN_SINKS; i++)
		failed |= fclose(files[i]) != 0;
	syn_free(&s);
	return failed;
}
