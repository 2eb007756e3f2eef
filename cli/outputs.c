/* SPDX-License-Identifier: MIT */
#include "outputs.h"
#include "command.h"
#include "places.h"
#include "screen.h"
#include "streams.h"

#include <guesttrace/export_otlp.h>

#include <errno.h>
#include <string.h>

#ifdef HAVE_OTLP
/* As a constructor of the table; its address marks the output without a file.
 */
static int otlp_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	const struct otlp_options options = {0};

	(void)output;
	return otlp_output_open(NULL, &options, ret_sink);
}
#define IS_OTLP(output) ((output)->new_sink == otlp_new)
#else
#define IS_OTLP(output)                           false
#define otlp_output_open(path, options, ret_sink) (-ENOTSUP)
#define otlp_output_report(sink, options)         ((void)(options), 0)
#endif

static const struct format formats[] = {
	{"tree", gt_tree_new},
	{"perfetto", gt_perfetto_new},
	{"chrome", gt_chrome_new},
	{"otlp-json", gt_otlp_json_new},
	{"otlp-protobuf", gt_otlp_protobuf_new},
	{"folded", gt_folded_new},
	{"csv", gt_csv_new},
	{"html", gt_html_new},
	{"ctf", NULL},
#ifdef HAVE_OTLP
	{"otlp", otlp_new},
#endif
};

#ifdef HAVE_OTLP
#define OTLP_NAME(separator) separator "otlp"
#else
#define OTLP_NAME(separator)
#endif
/* In the order of the table. */
#define NAMES(separator)                                                   \
	"tree" separator "perfetto" separator "chrome" separator           \
	"otlp-json" separator "otlp-protobuf" separator "folded" separator \
	"csv" separator "html" separator "ctf" OTLP_NAME(separator)

const char *format_names(void)
{
	return NAMES(", ");
}

const char *format_choices(void)
{
	return NAMES("|");
}

const struct format *format_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strlen(formats[i].name) == length &&
		    memcmp(formats[i].name, name, length) == 0)
			return &formats[i];
	return NULL;
}

static bool is_left_out(const char *name, size_t length)
{
	return length == 4 && memcmp(name, "otlp", 4) == 0;
}

void format_unknown(const char *name, size_t length)
{
	if (is_left_out(name, length))
		complain("this guesttrace was built without the format otlp");
	else
		complain("no format '%.*s'; there are %s", (int)length, name,
		         format_names());
}

static bool is_directory(const struct output *output)
{
	return !output->new_sink && !output->new_text;
}

static int add(struct outputs *outputs, const struct output *output)
{
	struct output *to;

	if (outputs->count == OUTPUTS_MAX) {
		complain("more than %d exports", OUTPUTS_MAX);
		return -E2BIG;
	}
	if (is_directory(output) &&
	    (!output->path || strcmp(output->path, "-") == 0)) {
		complain("%s is a directory of files: it needs a name, and "
		         "cannot go to standard output",
		         output->name);
		return -EINVAL;
	}
	to = &outputs->outputs[outputs->count++];
	*to = *output;
	to->destination.fd = -1;
	return 0;
}

static int made(const struct output *output, int r)
{
	if (r == -ENOTSUP)
		complain("this guesttrace was built without the format %s",
		         output->name);
	else if (r < 0)
		complain("%s: %s", output->name, code_text(r));
	return r;
}

static int open_directory(struct output *output, bool many)
{
	struct gt_directory to;
	int r = directory_open(&output->directory, output->path);

	if (r < 0)
		return r;
	to = directory_of(&output->directory);
	return made(output, gt_ctf_new(&to, many, &output->sink));
}

static int make_sink(struct output *output, const struct otlp_options *otlp,
                     const struct gt_output *to)
{
	const struct gt_otlp_options options = {
		.size = sizeof(options),
		.no_host_spans = otlp->no_host_spans,
	};

	if (output->new_text)
		return output->new_text(to, output->look, &output->sink);
	if (output->new_sink == gt_otlp_json_new)
		return gt_otlp_json_with(to, &options, &output->sink);
	if (output->new_sink == gt_otlp_protobuf_new)
		return gt_otlp_protobuf_with(to, &options, &output->sink);
	return output->new_sink(to, &output->sink);
}

static int open_file(struct output *output, const struct otlp_options *otlp)
{
	struct gt_output to;
	int r = destination_open(&output->destination, output->path, false);

	if (r < 0)
		return r;
	to = destination_output(&output->destination);
	return made(output, make_sink(output, otlp, &to));
}

int outputs_add(struct outputs *outputs, const char *name,
                new_sink_fn *new_sink, const char *path)
{
	return add(outputs, &(struct output){.name = name,
	                                     .new_sink = new_sink,
	                                     .path = path});
}

int outputs_add_text(struct outputs *outputs, const char *name,
                     new_text_fn *new_text,
                     const struct gt_report_options *look)
{
	return add(outputs, &(struct output){.name = name,
	                                     .new_text = new_text,
	                                     .look = look});
}

bool outputs_replace(const struct outputs *outputs, const char *input)
{
	for (size_t i = 0; i < outputs->count; i++) {
		const struct output *output = &outputs->outputs[i];

		if (!IS_OTLP(output) && place_is_input(output->path, input))
			return true;
	}
	return false;
}

/* Whether one goes where an earlier one, or the capture, goes already. */
static bool meets_another(const struct outputs *outputs, size_t index,
                          const char *capture)
{
	const struct output *output = &outputs->outputs[index];
	const char *other = NULL;

	for (size_t i = 0; i < index && !other; i++)
		if (!IS_OTLP(&outputs->outputs[i]) &&
		    place_is_one(output->path, outputs->outputs[i].path))
			other = outputs->outputs[i].name;
	if (!other && capture && place_is_one(output->path, capture))
		other = "the capture";
	if (other)
		complain("cannot write %s to %s: %s goes there", output->name,
		         place_output_name(output->path), other);
	return other != NULL;
}

static bool meets_messages(const char *path)
{
	bool meets = place_is_standard_error(path);

	if (meets)
		complain("cannot write %s: it is standard error", path);
	return meets;
}

static bool is_binary(const struct output *output)
{
	return output->new_sink == gt_perfetto_new ||
	       output->new_sink == gt_otlp_protobuf_new;
}

static bool may_go(const struct outputs *outputs, const struct output *output)
{
	return !meets_messages(output->path) &&
	       (!is_binary(output) ||
	        screen_takes(output->name, output->path, outputs->force));
}

const char *outputs_on_standard_output(const struct outputs *outputs,
                                       const char *capture)
{
	if (capture && place_is_standard_output(capture))
		return "the capture";
	for (size_t i = 0; i < outputs->count; i++) {
		const struct output *output = &outputs->outputs[i];

		if (!IS_OTLP(output) && !output->new_text &&
		    place_is_standard_output(output->path))
			return output->name;
	}
	return NULL;
}

bool outputs_meet_messages(const struct outputs *outputs, const char *capture)
{
	const char *what = outputs_on_standard_output(outputs, capture);

	/* The tree is for people, as messages are. */
	if (!what || strcmp(what, "tree") == 0 || !place_streams_are_one())
		return false;
	complain("cannot write %s to standard output: standard error goes "
	         "there, too",
	         what);
	return true;
}

bool outputs_are_apart(const struct outputs *outputs, const char *capture)
{
	if (capture && (meets_messages(capture) ||
	                !screen_takes("a capture", capture, outputs->force)))
		return false;
	for (size_t i = 0; i < outputs->count; i++) {
		const struct output *output = &outputs->outputs[i];

		if (!IS_OTLP(output) && (meets_another(outputs, i, capture) ||
		                         !may_go(outputs, output)))
			return false;
	}
	return true;
}

int outputs_open(struct outputs *outputs)
{
	outputs->sink_count = 0;
	for (size_t i = 0; i < outputs->count; i++) {
		struct output *output = &outputs->outputs[i];
		int r = IS_OTLP(output)
		                ? otlp_output_open(output->path, &outputs->otlp,
		                                   &output->sink)
		        : is_directory(output)
		                ? open_directory(output, outputs->many_runs)
		                : open_file(output, &outputs->otlp);

		if (r < 0)
			return r;
		if (output->sink)
			outputs->sinks[outputs->sink_count++] = output->sink;
	}
	return 0;
}

static int write_error(const struct output *output)
{
	return is_directory(output) ? directory_error(&output->directory)
	                            : output->destination.error;
}

bool outputs_failed(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (write_error(&outputs->outputs[i]) < 0)
			return true;
	return false;
}

static int close_one(struct output *output, const struct otlp_options *otlp,
                     bool whole)
{
	int r = 0, closed;

	if (output->sink && (whole || IS_OTLP(output)) &&
	    output->sink->finish) {
		r = output->sink->finish(output->sink);
		if (r == 0 && IS_OTLP(output))
			r = otlp_output_report(output->sink, otlp);
		else if (r < 0 && write_error(output) == 0)
			complain_of_writing(output->path, r);
	}
	if (output->sink)
		output->sink->free(output->sink);
	output->sink = NULL;
	whole = whole && r == 0;
	closed = is_directory(output)
	                 ? directory_close(&output->directory, whole)
	                 : destination_close(&output->destination, whole);
	return r < 0 ? r : closed;
}

bool outputs_have(const struct outputs *outputs, new_sink_fn *new_sink)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (outputs->outputs[i].new_sink == new_sink)
			return true;
	return false;
}

bool outputs_take_otlp(const struct outputs *outputs, bool host_spans)
{
	bool sends = false, encodes = false;

	for (size_t i = 0; i < outputs->count; i++) {
		const struct output *output = &outputs->outputs[i];

		sends |= IS_OTLP(output);
		encodes |= output->new_sink == gt_otlp_json_new ||
		           output->new_sink == gt_otlp_protobuf_new;
	}
	if (outputs->otlp.spool && !sends)
		complain("--spool is of the format otlp, to which nothing "
		         "goes here");
	else if (host_spans && !sends && !encodes)
		complain("--host-spans is of the formats otlp, otlp-json and "
		         "otlp-protobuf, to which nothing goes here");
	else
		return true;
	return false;
}

bool outputs_have_text(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (outputs->outputs[i].new_text)
			return true;
	return false;
}

int outputs_close(struct outputs *outputs, bool whole)
{
	int first_error = 0;

	for (size_t i = 0; i < outputs->count; i++) {
		int r = close_one(&outputs->outputs[i], &outputs->otlp, whole);

		if (first_error == 0)
			first_error = r;
	}
	outputs->count = 0;
	return first_error;
}
