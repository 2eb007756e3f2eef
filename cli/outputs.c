/* SPDX-License-Identifier: MIT */
#include "outputs.h"
#include "command.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	new_sink_fn *new_sink;
} formats[] = {
	{"tree", gt_tree_new},
	{"perfetto", gt_perfetto_new},
	{"chrome", gt_chrome_new},
	{"otlp-json", gt_otlp_json_new},
	{"folded", gt_folded_new},
	{"csv", gt_csv_new},
	{"otlp-protobuf", gt_otlp_protobuf_new},
};

const char *format_names(void)
{
	return "tree, perfetto, chrome, otlp-json, otlp-protobuf, folded, csv";
}

new_sink_fn *format_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strlen(formats[i].name) == length &&
		    memcmp(formats[i].name, name, length) == 0)
			return formats[i].new_sink;
	return NULL;
}

int outputs_add(struct outputs *outputs, const char *name,
                new_sink_fn *new_sink, const char *path)
{
	if (outputs->count == OUTPUTS_MAX) {
		complain("more than %d exports", OUTPUTS_MAX);
		return -E2BIG;
	}
	outputs->outputs[outputs->count++] = (struct output){
		.name = name,
		.new_sink = new_sink,
		.path = path,
		.destination = {.fd = -1},
	};
	return 0;
}

int outputs_open(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++) {
		struct output *output = &outputs->outputs[i];
		struct gt_output to;
		int r = destination_open(&output->destination, output->path,
		                         false);

		if (r < 0)
			return r;
		to = destination_output(&output->destination);
		r = output->new_sink(&to, &output->sink);
		if (r < 0) {
			complain("%s: %s", output->name, code_text(r));
			return r;
		}
		outputs->sinks[i] = output->sink;
	}
	return 0;
}

static int close_one(struct output *output, bool whole)
{
	int r = 0, closed;

	if (output->sink && whole && output->sink->finish) {
		r = output->sink->finish(output->sink);
		if (r < 0)
			complain("cannot write %s: %s",
			         output->path ? output->path
			                      : "standard output",
			         code_text(r));
	}
	if (output->sink)
		output->sink->free(output->sink);
	output->sink = NULL;
	closed = destination_close(&output->destination, whole && r == 0);
	return r < 0 ? r : closed;
}

int outputs_close(struct outputs *outputs, bool whole)
{
	int first_error = 0;

	for (size_t i = 0; i < outputs->count; i++) {
		int r = close_one(&outputs->outputs[i], whole);

		if (first_error == 0)
			first_error = r;
	}
	outputs->count = 0;
	return first_error;
}
