/* SPDX-License-Identifier: MIT */
/* guesttrace export: captures -> another tool's format. */
#include "confinement.h"
#include "earliest.h"
#include "options.h"
#include "otlp_sampler.h"
#include "replayer.h"
#include "selecting.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	OPTION_BY = 256,
	OPTION_SPOOL,
	OPTION_HOST_SPANS,
	OPTION_OTLP_EVENTS,
	OPTION_SERVICE_VERSION,
	OPTION_FORCE,
};

static const struct option_spec options[] = {
	{'f', "format", "FORMAT", "", format_names},
	{'o', "output", "DEST", "default standard output", NULL},
	{OPTION_BY, "by", "self|exits",
         "folded: what the numbers are, default self", NULL},
	{OPTION_SPOOL, "spool", "DIR", "what otlp cannot send now", NULL},
	{OPTION_HOST_SPANS, "host-spans", "on|off",
         "otlp*: with guest runs and exits; default on into files", NULL},
	{OPTION_OTLP_EVENTS, "otlp-events", "spans|logs|both",
         "otlp*: what events of spans become; default spans", NULL},
	{OPTION_SERVICE_VERSION, "service-version", "VERSION",
         "otlp*: service.version of the resource", NULL},
	SELECTING_SPANS,
	READS_IN_SANDBOX,
	{OPTION_FORCE, "force", NULL, "binary formats to a terminal, too",
         NULL},
	{0},
};

static bool set_by(const char *by, const char *format, new_sink_fn **new_sink)
{
	static const char *const words[] = {"self", "exits", NULL};
	unsigned index;

	if (!parse_word("by", by, words, &index))
		return false;
	if (*new_sink != gt_folded_new) {
		complain("--by is of the format folded, not of %s", format);
		return false;
	}
	if (index == 1)
		*new_sink = gt_folded_exits_new;
	return true;
}

/* Those of OTLP; complains and returns false. */
static bool take_otlp(struct outputs *outputs, int id)
{
	switch (id) {
	case OPTION_SPOOL:
		outputs->otlp.spool = optarg;
		return true;
	case OPTION_HOST_SPANS:
		outputs->otlp.asked_for_host_spans = true;
		return parse_switch("host-spans", optarg,
		                    &outputs->otlp.no_host_spans);
	case OPTION_OTLP_EVENTS:
		return otlp_events_parse(&outputs->otlp, optarg);
	default:
		return otlp_version_parse(&outputs->otlp, optarg);
	}
}

static int export(struct outputs *outputs, char **paths, int count,
                  const struct gt_analysis *analysis)
{
	if (confinement_of_reading(&(struct reading){
		    .paths = paths, .count = count, .outputs = outputs}) < 0)
		return COMMAND_FAILED;
	if (outputs->many_runs && outputs->outputs[0].new_sink == gt_chrome_new)
		earliest_first(paths, count);
	return replay_selected(outputs, paths, count, analysis);
}

static int cmd_export(int argc, char **argv)
{
	static struct outputs outputs;
	struct gt_analysis analysis = {.size = sizeof(analysis)};
	const char *format = NULL, *path = NULL, *by = NULL;
	const struct format *found;
	new_sink_fn *new_sink;
	int id;

	while ((id = options_next(&command_export, argc, argv)) != -1)
		switch (id) {
		case 'f':
			format = optarg;
			break;
		case 'o':
			path = optarg;
			break;
		case OPTION_BY:
			by = optarg;
			break;
		case OPTION_SPOOL:
		case OPTION_HOST_SPANS:
		case OPTION_OTLP_EVENTS:
		case OPTION_SERVICE_VERSION:
			if (!take_otlp(&outputs, id))
				return COMMAND_USAGE;
			break;
		case OPTION_FORCE:
			outputs.force = true;
			break;
		default:
			if (!is_selecting(id))
				return options_stop(&command_export, id);
			if (!selecting_take(&analysis, id))
				return COMMAND_USAGE;
		}
	if (!format)
		return options_missing(&command_export, "--format");
	if (!options_operands(&command_export, argc, argv, 1, argc))
		return COMMAND_USAGE;
	found = format_find(format, strlen(format));
	if (!found) {
		format_unknown(format, strlen(format));
		return COMMAND_USAGE;
	}
	outputs.otlp.offline = true;
	if (found->new_sink == otlp_traces_new)
		outputs.otlp.sampler = otlp_sampler_read();
	new_sink = found->new_sink;
	if (by && !set_by(by, format, &new_sink))
		return COMMAND_USAGE;
	if (outputs_add(&outputs, format, new_sink, path) < 0 ||
	    !outputs_take_otlp(&outputs))
		return COMMAND_USAGE;
	outputs.says_damage = true;
	outputs.many_runs = argc - optind > 1;
	outputs.labels = (const char *const *)(argv + optind);
	outputs.label_count = (uint32_t)(argc - optind);
	if (!selecting_has_a_meaning(&analysis))
		return COMMAND_USAGE;
	return export(&outputs, argv + optind, argc - optind,
	              selects_spans(&analysis) ? &analysis : NULL);
}

const struct command_spec command_export = {
	.name = "export",
	.operands = "CAPTURE...",
	.what = "turn captures into another tool's format",
	.options = options,
	.run = cmd_export,
	.examples = "  guesttrace export -f perfetto -o kv.pftrace kv.gtrace\n"
		    "  guesttrace export -f html -o both.html kv.gtrace "
		    "new.gtrace\n",
	.usage_status = COMMAND_USAGE,
};
