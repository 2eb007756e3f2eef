/* SPDX-License-Identifier: MIT */
#include "outputs.h"
#include "command.h"
#include "places.h"
#include "screen.h"
#include "streams.h"
#include "valve.h"

#include <guesttrace/analysis.h>
#include <guesttrace/export_otlp.h>

#include <errno.h>
#include <string.h>

#ifndef HAVE_OTLP
#define otlp_output_open(path, signal, options, ret_sink) (-ENOTSUP)
#define otlp_output_report(sink, signal, options)         ((void)(options), 0)
#define otlp_is_base(url)                                 true
#endif

/* To an endpoint, without a file. */
static bool is_sent(const struct output *output)
{
	return otlp_format_is_sent(output->new_sink);
}

static bool is_of(const struct output *output, enum gt_otlp_signal signal)
{
	const struct otlp_format *otlp = otlp_format_of(output->new_sink);

	return otlp && otlp->signal == signal;
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

static int open_directory(const struct outputs *outputs, struct output *output)
{
	struct gt_directory to;
	int r = directory_open(&output->directory, output->path);

	if (r < 0)
		return r;
	to = directory_of(&output->directory);
	return made(
		output,
		strcmp(output->name, "tables") == 0
			? gt_tables_new(&to, outputs->labels,
	                                outputs->label_count, &output->sink)
			: gt_ctf_new(&to, outputs->many_runs, &output->sink));
}

static int make_sink(const struct outputs *outputs, struct output *output,
                     const struct gt_output *to)
{
	const struct otlp_options *otlp = &outputs->otlp;
	const struct otlp_format *format = otlp_format_of(output->new_sink);
	const struct gt_otlp_options options = {
		.size = sizeof(options),
		.no_host_spans = otlp->no_host_spans,
		.events = otlp->events,
		.has_logs = otlp->has_logs,
		.attributes = &otlp->version,
		.attribute_count = otlp->version.key ? 1 : 0,
	};

	if (output->new_text)
		return output->new_text(to, output->look, &output->sink);
	if (format)
		return format->with(to, &options, &output->sink);
	if (output->new_sink == gt_sqlite_new)
		return gt_sqlite_with(to, outputs->labels, outputs->label_count,
		                      &output->sink);
	return output->new_sink(to, &output->sink);
}

/* As messages are. */
static bool is_for_people(const struct output *output)
{
	return output->new_text && output->new_text != gt_report_json_with &&
	       output->new_text != gt_diff_json_with;
}

static int open_file(const struct outputs *outputs, struct output *output)
{
	struct gt_output to;
	int r = destination_open(&output->destination, output->path, false,
	                         DESTINATION_EXPORT);

	if (r < 0)
		return r;
	to = destination_output(&output->destination);
	if ((is_for_people(output) || output->new_sink == gt_tree_new) &&
	    place_is_standard_output(output->path) && ascii_is_wanted())
		to = ascii_output(&output->ascii, &to);
	r = make_sink(outputs, output, &to);
	if (r == 0 && output->destination.outlet)
		r = valve_new(output->sink, output->destination.outlet,
		              &output->sink);
	if (r < 0)
		output->sink = NULL;
	return made(output, r);
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

		if (!is_sent(output) && place_is_input(output->path, input))
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
		if (!is_sent(&outputs->outputs[i]) &&
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
	const struct otlp_format *otlp = otlp_format_of(output->new_sink);

	return output->new_sink == gt_perfetto_new ||
	       output->new_sink == gt_sqlite_new || (otlp && otlp->is_binary);
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

		if (!is_sent(output) && !is_for_people(output) &&
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

		if (!is_sent(output) && (meets_another(outputs, i, capture) ||
		                         !may_go(outputs, output)))
			return false;
	}
	return true;
}

/* Metrics tell of those that send, too, and are behind them all the time. */
static bool is_last(const struct output *output)
{
	return is_sent(output) && is_of(output, GT_OTLP_METRICS);
}

static int open_sent(struct outputs *outputs, struct output *output)
{
	struct gt_sink *observed[OUTPUTS_MAX];

	outputs->otlp.observed = observed;
	outputs->otlp.observed_count = 0;
	for (size_t i = 0; i < outputs->count; i++)
		if (is_last(output) && is_sent(&outputs->outputs[i]) &&
		    !is_last(&outputs->outputs[i]) && outputs->outputs[i].sink)
			observed[outputs->otlp.observed_count++] =
				outputs->outputs[i].sink;
	return otlp_output_open(output->path,
	                        otlp_format_of(output->new_sink)->signal,
	                        &outputs->otlp, &output->sink);
}

static int open_one(struct outputs *outputs, struct output *output)
{
	int r = is_sent(output)        ? open_sent(outputs, output)
	        : is_directory(output) ? open_directory(outputs, output)
	                               : open_file(outputs, output);

	if (r == 0 && output->sink)
		outputs->sinks[outputs->sink_count++] = output->sink;
	return r;
}

int outputs_open(struct outputs *outputs)
{
	int r = 0;

	outputs->sink_count = 0;
	for (size_t i = 0; i < 2 * outputs->count && r == 0; i++) {
		bool last = i >= outputs->count;
		struct output *output = &outputs->outputs[i % outputs->count];

		if (is_last(output) == last)
			r = open_one(outputs, output);
	}
	return r;
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

static int finish_one(struct output *output, const struct otlp_options *otlp,
                      bool whole)
{
	int r;

	if (!output->sink || !(whole || is_sent(output)) ||
	    !output->sink->finish)
		return 0;
	r = output->sink->finish(output->sink);
	if (r == 0 && output->destination.outlet)
		r = valve_report(output->sink, output->name, output->path);
	else if (r == 0 && is_sent(output))
		r = otlp_output_report(output->sink,
		                       otlp_format_of(output->new_sink)->signal,
		                       otlp);
	else if (r < 0 && write_error(output) == 0)
		complain_of_writing(output->path, r);
	return r;
}

static int close_one(struct output *output, bool whole)
{
	if (output->sink)
		output->sink->free(output->sink);
	output->sink = NULL;
	return is_directory(output)
	               ? directory_close(&output->directory, whole)
	               : destination_close(&output->destination, whole);
}

bool outputs_have(const struct outputs *outputs, new_sink_fn *new_sink)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (outputs->outputs[i].new_sink == new_sink)
			return true;
	return false;
}

static bool have(const struct outputs *outputs, enum gt_otlp_signal signal)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (is_of(&outputs->outputs[i], signal))
			return true;
	return false;
}

/* Of the first one that sends; NULL: none does. */
static const struct output *sent_one(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (is_sent(&outputs->outputs[i]))
			return &outputs->outputs[i];
	return NULL;
}

/* Events that spans shall not have alone go where the spans do. */
static bool add_logs(struct outputs *outputs)
{
	const struct output *sent = sent_one(outputs);

	if (outputs->otlp.events == GT_OTLP_EVENTS_SPANS ||
	    have(outputs, GT_OTLP_LOGS))
		return true;
	if (!sent)
		complain("--otlp-events needs an output for log records beside "
		         "the spans, as otlp-logs-json");
	else if (sent->path && !otlp_is_base(sent->path))
		complain("--otlp-events needs an endpoint for log records: "
		         "--export otlp-logs=URL");
	else
		return outputs_add(outputs, "otlp-logs", otlp_logs_new,
		                   sent->path) == 0;
	return false;
}

bool outputs_take_otlp(struct outputs *outputs)
{
	const struct otlp_options *otlp = &outputs->otlp;
	bool traces = have(outputs, GT_OTLP_TRACES);
	bool events = traces || have(outputs, GT_OTLP_LOGS);

	if (otlp->spool && !sent_one(outputs))
		complain("--spool is of the format otlp, to which nothing "
		         "goes here");
	else if (otlp->asked_for_host_spans && !traces)
		complain("--host-spans is of the formats otlp, otlp-json and "
		         "otlp-protobuf, to which nothing goes here");
	else if (otlp->asked_for_events && !events)
		complain("--otlp-events is of OTLP's spans and log records, to "
		         "which nothing goes here");
	else if (otlp->version.key && !events &&
	         !have(outputs, GT_OTLP_METRICS))
		complain("--service-version is of the formats of OTLP, to "
		         "which nothing goes here");
	else if (add_logs(outputs)) {
		outputs->otlp.has_logs = have(outputs, GT_OTLP_LOGS);
		return true;
	}
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
	int results[OUTPUTS_MAX] = {0}, first_error = 0;

	for (size_t i = 0; i < 2 * outputs->count; i++) {
		size_t index = i % outputs->count;
		struct output *output = &outputs->outputs[index];

		if (is_last(output) == (i >= outputs->count))
			results[index] =
				finish_one(output, &outputs->otlp, whole);
	}
	for (size_t i = 0; i < outputs->count; i++) {
		int r = close_one(&outputs->outputs[i],
		                  whole && results[i] == 0);

		if (results[i] == 0)
			results[i] = r;
		if (first_error == 0)
			first_error = results[i];
	}
	outputs->count = 0;
	return first_error;
}
