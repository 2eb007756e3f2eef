/* SPDX-License-Identifier: MIT */
/* guesttrace run: the command line, checked and put into session_options. */
#include "command.h"
#include "session.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	OPTION_EXPORT,
	OPTION_NO_PIGGYBACK,
};

static const struct option options_table[] = {
	{"backend", required_argument, NULL, OPTION_BACKEND},
	{"filter", required_argument, NULL, OPTION_FILTER},
	{"wire", required_argument, NULL, OPTION_WIRE},
	{"drain", required_argument, NULL, OPTION_DRAIN},
	{"ring-mode", required_argument, NULL, OPTION_RING_MODE},
	{"vcpus", required_argument, NULL, OPTION_VCPUS},
	{"memory", required_argument, NULL, OPTION_MEMORY},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"traceparent", required_argument, NULL, OPTION_TRACEPARENT},
	{"export", required_argument, NULL, OPTION_EXPORT},
	{"no-piggyback", no_argument, NULL, OPTION_NO_PIGGYBACK},
	{NULL, 0, NULL, 0},
};

static int usage(void)
{
	fprintf(stderr,
	        "usage: guesttrace run [OPTION]... GUEST [-- ARG...]\n\n"
	        "  --backend auto|kvm|emulated       what runs the guest\n"
	        "  --filter DIRECTIVES               such as info,net=debug\n"
	        "  --wire native|hyperlight-0.11|hyperlight-0.12\n"
	        "                                    how the guest records\n"
	        "  --drain exit|exits|shared|end     when its records are "
	        "taken: "
	        "as it\n"
	        "                                    asks, at each exit, by a "
	        "thread, at the end\n"
	        "  --ring-mode flush|drop|overwrite  when its ring is full\n"
	        "  --vcpus N                         default 1\n"
	        "  --memory MIB                      default 64\n"
	        "  --timeout SECONDS                 default none\n"
	        "  --no-piggyback                    Hyperlight: port 104 "
	        "only\n"
	        "  --traceparent W3C                 default $TRACEPARENT\n"
	        "  -o CAPTURE                        keep everything\n"
	        "  --export FORMAT[=DEST]            %s\n\n"
	        "Without -o and --export the tree is printed.\n",
	        format_names());
	return RUN_FAILED;
}

/* The index of `word` in `words`, which end with NULL. */
static bool parse_word(const char *option, const char *word,
                       const char *const *words, unsigned *ret_index)
{
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0) {
			*ret_index = i;
			return true;
		}
	complain("--%s does not know '%s'", option, word);
	return false;
}

static bool parse_number(const char *option, const char *text, double max,
                         double *ret_number)
{
	char *end;
	double number;

	errno = 0;
	number = strtod(text, &end);
	if (errno == 0 && end != text && *end == '\0' && number > 0 &&
	    number <= max) {
		*ret_number = number;
		return true;
	}
	complain("--%s wants a number above 0 and up to %.0f, not '%s'", option,
	         max, text);
	return false;
}

static bool parse_export(struct session_options *options, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : strlen(text);
	new_sink_fn *new_sink = format_find(text, length);

	if (!new_sink) {
		complain("no format '%.*s'; there are %s", (int)length, text,
		         format_names());
		return false;
	}
	return outputs_add(options->outputs, text, new_sink,
	                   equals ? equals + 1 : NULL) == 0;
}

static bool parse_choice(struct session_options *options, int option,
                         const char *text)
{
	static const char *const backends[] = {"auto", "kvm", "emulated", NULL};
	static const char *const wires[] = {"native", "hyperlight-0.11",
	                                    "hyperlight-0.12", NULL};
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

static bool parse_option(struct session_options *options, int option,
                         const char *text)
{
	double number;

	switch (option) {
	case OPTION_VCPUS:
		if (!parse_number("vcpus", text, GT_VCPUS_MAX, &number))
			return false;
		options->vcpus = (unsigned)number;
		return true;
	case OPTION_MEMORY:
		if (!parse_number("memory", text, 65536, &number))
			return false;
		options->memory_bytes = (uint64_t)number << 20;
		return true;
	case OPTION_TIMEOUT:
		if (!parse_number("timeout", text, 1e9, &number))
			return false;
		options->timeout_ns = (uint64_t)(number * 1e9);
		return true;
	case OPTION_NO_PIGGYBACK:
		options->no_piggyback = true;
		return true;
	case OPTION_FILTER:
		options->filter = text;
		return true;
	case OPTION_TRACEPARENT:
		options->traceparent = text;
		return true;
	case OPTION_EXPORT:
		return parse_export(options, text);
	case 'o':
		options->capture = text;
		return true;
	default:
		return parse_choice(options, option, text);
	}
}

int cmd_run(int argc, char **argv)
{
	static struct outputs outputs;
	struct session_options options = {.vcpus = 1, .outputs = &outputs};
	const char *from_environment = getenv("TRACEPARENT");
	int option;

	if (from_environment && *from_environment)
		options.traceparent = from_environment;
	/* '+': what follows the guest's name is the guest's. */
	while ((option = getopt_long(argc, argv, "+o:", options_table, NULL)) !=
	       -1)
		if (option == '?')
			return usage();
		else if (!parse_option(&options, option, optarg))
			return RUN_FAILED;
	if (optind == argc)
		return usage();
	options.guest_argv = argv + optind;
	options.guest_argc = argc - optind;
	if (options.guest_argc > 1 &&
	    strcmp(options.guest_argv[1], "--") == 0) {
		options.guest_argv[1] = options.guest_argv[0];
		options.guest_argv++;
		options.guest_argc--;
	}
	if (!options.capture && outputs.count == 0)
		outputs_add(&outputs, "tree", gt_tree_new, NULL);
	return session_run(&options);
}
