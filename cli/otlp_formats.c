/* SPDX-License-Identifier: MIT */
#include "otlp_formats.h"
#include "options.h"
#include "otlp_output.h"

#include <errno.h>

int otlp_logs_json_new(const struct gt_output *output,
                       struct gt_sink **ret_sink)
{
	return gt_otlp_logs_json_with(output, NULL, ret_sink);
}

int otlp_logs_protobuf_new(const struct gt_output *output,
                           struct gt_sink **ret_sink)
{
	return gt_otlp_logs_protobuf_with(output, NULL, ret_sink);
}

int otlp_metrics_json_new(const struct gt_output *output,
                          struct gt_sink **ret_sink)
{
	return gt_otlp_metrics_json_with(output, NULL, ret_sink);
}

int otlp_metrics_protobuf_new(const struct gt_output *output,
                              struct gt_sink **ret_sink)
{
	return gt_otlp_metrics_protobuf_with(output, NULL, ret_sink);
}

int otlp_traces_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	(void)output;
	(void)ret_sink;
	return -ENOTSUP;
}

int otlp_metrics_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return otlp_traces_new(output, ret_sink);
}

int otlp_logs_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return otlp_traces_new(output, ret_sink);
}

static const struct otlp_format formats[] = {
	{gt_otlp_json_new, gt_otlp_json_with, GT_OTLP_TRACES, false},
	{gt_otlp_protobuf_new, gt_otlp_protobuf_with, GT_OTLP_TRACES, true},
	{otlp_metrics_json_new, gt_otlp_metrics_json_with, GT_OTLP_METRICS,
         false},
	{otlp_metrics_protobuf_new, gt_otlp_metrics_protobuf_with,
         GT_OTLP_METRICS, true},
	{otlp_logs_json_new, gt_otlp_logs_json_with, GT_OTLP_LOGS, false},
	{otlp_logs_protobuf_new, gt_otlp_logs_protobuf_with, GT_OTLP_LOGS,
         true},
	{otlp_traces_new, NULL, GT_OTLP_TRACES, false},
	{otlp_metrics_new, NULL, GT_OTLP_METRICS, false},
	{otlp_logs_new, NULL, GT_OTLP_LOGS, false},
};

const struct otlp_format *otlp_format_of(new_sink_fn *new_sink)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (new_sink && formats[i].new_sink == new_sink)
			return &formats[i];
	return NULL;
}

bool otlp_events_parse(struct otlp_options *options, const char *text)
{
	static const char *const words[] = {"spans", "logs", "both", NULL};
	unsigned choice;

	if (!parse_word("otlp-events", text, words, &choice))
		return false;
	options->events = (enum gt_otlp_events)choice;
	options->asked_for_events = true;
	return true;
}

bool otlp_version_parse(struct otlp_options *options, const char *text)
{
	options->version = (struct gt_otlp_attribute){"service.version", text};
	if (*text)
		return true;
	complain("--service-version wants a version, not ''");
	return false;
}

bool otlp_format_is_sent(new_sink_fn *new_sink)
{
	const struct otlp_format *otlp = otlp_format_of(new_sink);

	return otlp && !otlp->with;
}
