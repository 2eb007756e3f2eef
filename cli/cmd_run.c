/* SPDX-License-Identifier: MIT */
/* guesttrace run: the command line, checked and put into session_options. */
#include "filter_hints.h"
#include "environment.h"
#include "limits.h"
#include "options.h"
#include "otlp_sampler.h"
#include "places.h"
#include "rotation.h"
#include "screen.h"
#include "session.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TREE_BYTES_DEFAULT ((size_t)256 << 20)
#define TREE_BYTES_MIN     ((size_t)1 << 20)

enum {
	OPTION_BACKEND = 256,
	OPTION_FILTER,
	OPTION_WIRE,
	OPTION_DRAIN,
	OPTION_RING_MODE,
	OPTION_VCPUS,
	OPTION_MEMORY,
	OPTION_TIMEOUT,
	OPTION_TRACEPARENT,
	OPTION_TRACESTATE,
	OPTION_MAX_SIZE,
	OPTION_ROTATE,
	OPTION_EXPORT,
	OPTION_SPOOL,
	OPTION_HOST_SPANS,
	OPTION_OTLP_EVENTS,
	OPTION_SERVICE_VERSION,
	OPTION_NO_PIGGYBACK,
	OPTION_LIMIT,
	OPTION_QUEUE,
	OPTION_PATIENCE,
	OPTION_TREE_BYTES,
	OPTION_FORCE,
	OPTION_CORE,
};

static const struct option_spec options_table[] = {
	{OPTION_BACKEND, "backend", "auto|kvm|emulated", "what runs the guest",
         NULL},
	{OPTION_FILTER, "filter", "DIRECTIVES", "such as info,net=debug", NULL},
	{OPTION_WIRE, "wire", "native|hyperlight-0.11|hyperlight-0.12",
         "how the guest records", NULL},
	{OPTION_DRAIN, "drain", "exit|exits|shared|end",
         "records are taken as it asks, at each exit, by a thread, at the end",
         NULL},
	{OPTION_RING_MODE, "ring-mode", "flush|drop|overwrite",
         "when its ring is full", NULL},
	{OPTION_VCPUS, "vcpus", "N", "default 1; more need KVM", NULL},
	{OPTION_MEMORY, "memory", "MIB", "default 64", NULL},
	{OPTION_TIMEOUT, "timeout", "SECONDS", "default none", NULL},
	{OPTION_NO_PIGGYBACK, "no-piggyback", NULL,
         "Hyperlight: batches on port 104 only", NULL},
	{OPTION_LIMIT, "limit", "NAME=VALUE[,...]",
         "what the guest may cost; see the man page", NULL},
	{OPTION_TRACEPARENT, "traceparent", "W3C", "default $TRACEPARENT",
         NULL},
	{OPTION_TRACESTATE, "tracestate", "W3C",
         "beside --traceparent; default $TRACESTATE beside $TRACEPARENT", NULL},
	{'o', "output", "CAPTURE", "keep everything", NULL},
	{OPTION_MAX_SIZE, "max-size", "BYTES",
         "of the capture: 64M, for example", NULL},
	{OPTION_ROTATE, "rotate", "N",
         "keep the last N captures of --max-size; default 1", NULL},
	{OPTION_EXPORT, "export", "FORMAT[=DEST]", "", format_names},
	{OPTION_SPOOL, "spool", "DIR", "what otlp cannot send now", NULL},
	{OPTION_HOST_SPANS, "host-spans", "on|off",
         "otlp*: with guest runs and exits; default on into files", NULL},
	{OPTION_OTLP_EVENTS, "otlp-events", "spans|logs|both",
         "otlp*: what events of spans become; default spans", NULL},
	{OPTION_SERVICE_VERSION, "service-version", "VERSION",
         "otlp*: service.version of the resource", NULL},
	{OPTION_QUEUE, "queue", "BYTES",
         "that may wait for who reads an output; default 64M", NULL},
	{OPTION_PATIENCE, "patience", "SECONDS",
         "with one that is not read, once the run is stopped; default 0.05",
         NULL},
	{OPTION_TREE_BYTES, "tree-bytes", "BYTES",
         "of memory for the tree, about; default 256M", NULL},
	SANDBOX_ROW("do not give up what a run has no need of"),
	{OPTION_CORE, "core", NULL,
         "a crash may leave a core file, with the guest's memory", NULL},
	{OPTION_FORCE, "force", NULL, "what is binary to a terminal, too",
         NULL},
	{0},
};

static const char *const wires[] = {"native", "hyperlight-0.11",
                                    "hyperlight-0.12", NULL};

static bool parse_seconds(const char *option, const char *text,
                          uint64_t *ret_ns)
{
	char *end;
	double number;

	errno = 0;
	number = strtod(text, &end);
	if (errno == 0 && end != text && *end == '\0' && number > 0 &&
	    number <= 1e9) {
		*ret_ns = (uint64_t)(number * 1e9);
		return true;
	}
	complain("--%s wants seconds, above 0 and up to 1000000000, not '%s'",
	         option, text);
	return false;
}

static bool parse_export(struct session_options *options, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : strlen(text);
	const struct format *format = format_find(text, length);

	if (!format) {
		format_unknown(text, length);
		return false;
	}
	return outputs_add(options->outputs, format->name, format->new_sink,
	                   equals ? equals + 1 : NULL) == 0;
}

static bool parse_choice(struct session_options *options, int option,
                         const char *text)
{
	static const char *const backends[] = {"auto", "kvm", "emulated", NULL};
	static const char *const drains[] = {"exit", "exits", "shared", "end",
	                                     NULL};
	static const char *const modes[] = {"flush", "drop", "overwrite", NULL};
	unsigned choice;

	switch (option) {
	case OPTION_BACKEND:
		if (!parse_word("backend", text, backends, &choice))
			return false;
		options->backend = (enum vm_backend)choice;
		return true;
	case OPTION_WIRE:
		if (!parse_word("wire", text, wires, &choice))
			return false;
		options->wire = (enum gt_wire)choice;
		return true;
	case OPTION_DRAIN:
		if (!parse_word("drain", text, drains, &choice))
			return false;
		options->drain = (enum drain)choice;
		return true;
	default:
		if (!parse_word("ring-mode", text, modes, &choice))
			return false;
		options->ring_mode = (enum gt_ring_mode)choice;
		return true;
	}
}

static bool is_good(const char *option, const char *text, int r)
{
	if (r < 0)
		complain("--%s '%s': %s", option, text, code_text(r));
	return r == 0;
}

/* Options without a value; false: it is none of them. */
static bool parse_flag(struct session_options *options, int option)
{
	switch (option) {
	case OPTION_NO_PIGGYBACK:
		return options->no_piggyback = true;
	case OPTION_CORE:
		return options->core = true;
	case OPTION_FORCE:
		return options->outputs->force = true;
	default:
		return false;
	}
}

static bool parse_option(struct session_options *options, int option,
                         const char *text)
{
	uint32_t number;

	switch (option) {
	case OPTION_VCPUS:
		if (!parse_number("vcpus", text, 1, VM_VCPUS_MAX, &number))
			return false;
		options->vcpus = number;
		return true;
	case OPTION_MEMORY:
		if (!parse_number("memory", text, VM_MEMORY_BYTES_MIN >> 20,
		                  VM_MEMORY_BYTES_MAX >> 20, &number))
			return false;
		options->memory_bytes = (uint64_t)number << 20;
		return true;
	case OPTION_TIMEOUT:
		return parse_seconds("timeout", text, &options->timeout_ns);
	case OPTION_LIMIT:
		return limits_parse(&options->limits, text);
	case OPTION_FILTER:
		options->filter = text;
		return true;
	case OPTION_TRACEPARENT:
		options->traceparent = text;
		return is_good("traceparent", text, gt_check_traceparent(text));
	case OPTION_TRACESTATE:
		options->tracestate = text;
		return is_good("tracestate", text, gt_check_tracestate(text));
	case OPTION_MAX_SIZE:
		return limits_parse_bytes("max-size", text,
		                          &options->max_bytes);
	case OPTION_ROTATE:
		return parse_number("rotate", text, 1, ROTATION_KEEP_MAX,
		                    &options->keep_files);
	case OPTION_QUEUE:
		return limits_parse_bytes("queue", text, &options->queue_bytes);
	case OPTION_TREE_BYTES:
		return limits_parse_bytes("tree-bytes", text,
		                          &options->tree_bytes);
	case OPTION_PATIENCE:
		return parse_seconds("patience", text, &options->patience_ns);
	case OPTION_EXPORT:
		return parse_export(options, text);
	case OPTION_SPOOL:
		options->outputs->otlp.spool = text;
		return true;
	case OPTION_HOST_SPANS:
		options->outputs->otlp.asked_for_host_spans = true;
		return parse_switch("host-spans", text,
		                    &options->outputs->otlp.no_host_spans);
	case OPTION_OTLP_EVENTS:
		return otlp_events_parse(&options->outputs->otlp, text);
	case OPTION_SERVICE_VERSION:
		return otlp_version_parse(&options->outputs->otlp, text);
	case 'o':
		options->capture = text;
		return true;
	default:
		return parse_choice(options, option, text);
	}
}

/*
 * A variable that the shell or a service has set for all it starts: bad ones
 * are ignored, and said to be. NULL: there is none.
 */
static const char *from_environment(const char *name,
                                    int (*check)(const char *text))
{
	const char *text = getenv(name);
	int r = text && *text ? check(text) : 0;

	if (r < 0)
		complain("%s: '%s' is %s: ignored", name, text, code_text(r));
	return r == 0 && text && *text ? text : NULL;
}

/* A tracestate belongs to its traceparent, from wherever that comes. */
static bool complete_context(struct session_options *options)
{
	if (options->tracestate && !options->traceparent)
		complain("--tracestate needs --traceparent beside it");
	if (options->traceparent || options->tracestate)
		return options->traceparent != NULL;
	options->traceparent =
		from_environment("TRACEPARENT", gt_check_traceparent);
	if (options->traceparent)
		options->tracestate =
			from_environment("TRACESTATE", gt_check_tracestate);
	return true;
}

/* Which options were there: 1 << of their places behind OPTION_BACKEND. */
static bool is_given(unsigned given, int option)
{
	return given >> (option - OPTION_BACKEND) & 1;
}

/* What means nothing there is refused: it would be missed. */
static bool fits_wire(enum gt_wire wire, unsigned given)
{
	static const struct {
		int option;
		const char *name;
		bool native;
	} of_one[] = {
		{OPTION_DRAIN, "drain", true},
		{OPTION_RING_MODE, "ring-mode", true},
		{OPTION_NO_PIGGYBACK, "no-piggyback", false},
	};
	bool is_native = wire == GT_WIRE_NATIVE;

	for (size_t i = 0; i < sizeof(of_one) / sizeof(of_one[0]); i++) {
		if (!is_given(given, of_one[i].option) ||
		    of_one[i].native == is_native)
			continue;
		complain("--%s is of the %s, not of %s", of_one[i].name,
		         of_one[i].native ? "wire native"
		                          : "wires of Hyperlight",
		         wires[wire]);
		return false;
	}
	return true;
}

/* A capture that is to have a size is a file. */
static bool fits_capture(const struct session_options *options)
{
	if (!options->max_bytes && !options->keep_files)
		return true;
	if (!options->max_bytes)
		complain("--rotate needs --max-size beside it");
	else if (!options->capture)
		complain("--max-size is of a capture: it needs -o beside it");
	else if (place_is_stream(options->capture))
		complain("--max-size is of a file, which %s is not",
		         options->capture);
	else
		return true;
	return false;
}

static bool fits_tree(const struct session_options *options)
{
	bool has_tree = outputs_have_text(options->outputs);

	if (options->tree_bytes && !has_tree)
		complain("--tree-bytes is of the tree on standard output, "
		         "which is not printed here");
	else if (options->tree_bytes && options->tree_bytes < TREE_BYTES_MIN)
		complain("--tree-bytes: at least %zu", TREE_BYTES_MIN);
	else
		return true;
	return false;
}

static bool has_a_meaning(const struct session_options *options, unsigned given)
{
	return fits_wire(options->wire, given) && fits_capture(options) &&
	       fits_tree(options) &&
	       (!options->filter ||
	        filter_is_good(options->filter, options->wire)) &&
	       outputs_take_otlp(options->outputs);
}

/* The tree, for people, unless it or something else has standard output. */
static void add_console(const struct session_options *options,
                        const struct gt_report_options *look)
{
	struct outputs *outputs = options->outputs;
	const char *other =
		outputs_on_standard_output(outputs, options->capture);

	if (other && strcmp(other, "tree") != 0)
		complain("OTEL_TRACES_EXPORTER: console: %s has standard "
		         "output: ignored",
		         other);
	else if (!other && !outputs_have_text(outputs))
		outputs_add_text(outputs, "tree", gt_tree_with, look);
}

/*
 * Such as OTEL_TRACES_EXPORTER: a list; what is asked for already comes once.
 * There is a console for spans alone.
 */
static void add_from_variable(const char *name, const char *format_name,
                              const struct session_options *options,
                              const struct gt_report_options *look)
{
	const char *list = getenv(name);

	while (list && *list) {
		size_t length = strcspn(list, ",");
		const struct format *otlp =
			environment_is_word(list, length, "otlp")
				? format_find(format_name, strlen(format_name))
				: NULL;

		if (look && environment_is_word(list, length, "console"))
			add_console(options, look);
		else if (otlp &&
		         !outputs_have(options->outputs, otlp->new_sink))
			outputs_add(options->outputs, format_name,
			            otlp->new_sink, NULL);
		else if (!otlp && !environment_is_word(list, length, "none") &&
		         !environment_is_word(list, length, ""))
			complain("%s: no '%.*s' here: ignored", name,
			         (int)length, list);
		list += length + (list[length] == ',');
	}
}

static void add_from_environment(const struct session_options *options,
                                 const struct gt_report_options *look)
{
	add_from_variable("OTEL_TRACES_EXPORTER", "otlp", options, look);
	add_from_variable("OTEL_METRICS_EXPORTER", "otlp-metrics", options,
	                  NULL);
	add_from_variable("OTEL_LOGS_EXPORTER", "otlp-logs", options, NULL);
}

static void take_operands(struct session_options *options, int argc,
                          char **argv)
{
	options->guest_argv = argv;
	options->guest_argc = argc;
	if (argc > 1 && strcmp(argv[1], "--") == 0) {
		argv[1] = argv[0];
		options->guest_argv++;
		options->guest_argc--;
	}
}

static int cmd_run(int argc, char **argv)
{
	static struct outputs outputs;
	struct session_options options = {.vcpus = 1, .outputs = &outputs};
	struct gt_report_options look = {.size = sizeof(look)};
	unsigned given = 0;
	int id;

	while ((id = options_next(&command_run, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_run, id);
		if (!parse_flag(&options, id) &&
		    !parse_option(&options, id, optarg))
			return RUN_FAILED;
		if (id >= OPTION_BACKEND)
			given |= 1u << (id - OPTION_BACKEND);
	}
	options.no_sandbox = !options_want_sandbox();
	if (!options_operands(&command_run, argc, argv, 1, argc))
		return RUN_FAILED;
	if (!complete_context(&options))
		return RUN_FAILED;
	take_operands(&options, argc - optind, argv + optind);
	screen_look(COLOURS_AUTO, &look);
	look.max_bytes =
		options.tree_bytes ? options.tree_bytes : TREE_BYTES_DEFAULT;
	if (!options.capture && outputs.count == 0)
		outputs_add_text(&outputs, "tree", gt_tree_with, &look);
	add_from_environment(&options, &look);
	outputs.otlp.sampler = otlp_sampler_read();
	if (!has_a_meaning(&options, given))
		return RUN_FAILED;
	return session_run(&options);
}

const struct command_spec command_run = {
	.name = "run",
	.operands = "GUEST [-- ARG...]",
	.what = "run a guest in a micro-VM and trace it",
	.notes = "Without -o and --export the tree is printed.\n",
	.options = options_table,
	.run = cmd_run,
	.examples = "  guesttrace run kv.elf\n"
		    "  guesttrace run -o new.gtrace --filter off,kv=debug "
		    "kv.elf -- --repeat 20\n",
	.usage_status = RUN_FAILED,
	.has_rest = true,
};
