/* SPDX-License-Identifier: MIT */
/* A user of the host library that is written in C++: a capture into CSV. */
#include <guesttrace/abi.h>
#include <guesttrace/batch.h>
#include <guesttrace/export.h>
#include <guesttrace/export_otlp.h>
#include <guesttrace/host.h>
#include <guesttrace/keyed_hash.h>

#include <cstdio>

static int write_file(void *context, const void *bytes, size_t count)
{
	std::FILE *file = static_cast<std::FILE *>(context);

	return std::fwrite(bytes, 1, count, file) == count ? 0 : -1;
}

static long read_file(void *context, void *bytes, size_t count)
{
	std::FILE *file = static_cast<std::FILE *>(context);

	return static_cast<long>(std::fread(bytes, 1, count, file));
}

int main(int argc, char **argv)
{
	std::FILE *capture = argc == 2 ? std::fopen(argv[1], "rb") : nullptr;
	gt_output output = {write_file, stdout};
	gt_sink *sink = nullptr;
	gt_replay_options options = {};
	int r;

	if (!capture || gt_csv_new(&output, &sink) < 0)
		return 2;
	options.size = sizeof options;
	options.read = read_file;
	options.context = capture;
	options.sinks = &sink;
	options.sink_count = 1;
	r = gt_replay(&options);
	if (sink->finish(sink) < 0)
		r = -1;
	sink->free(sink);
	std::fclose(capture);
	if (r < 0)
		std::fprintf(stderr, "%s\n", gt_error_text(r));
	return r < 0;
}
