/* SPDX-License-Identifier: MIT */
/*
 * guesttrace help: of a subcommand, or of something that several share. It
 * alone knows all commands; main() asks it.
 */
#include "help_topics.h"
#include "options.h"
#include "outputs.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec options[] = {
	{256, "options", NULL,
         "a command's options for programs: option, argument, text", NULL},
	{0},
};

const struct command_spec *const commands[] = {
	&command_run,     &command_attach,
	&command_report,  &command_top,
	&command_diff,    &command_export,
	&command_sites,   &command_decode,
	&command_encode,  &command_salvage,
#ifdef HAVE_OTLP
	&command_spool,
#endif
	&command_help,    NULL,
};

const struct command_spec *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print_row(const char *dashes, const char *name,
                      const struct option_spec *spec)
{
	const char *argument = spec->argument ? spec->argument : "";

	if (strcmp(argument, "FORMAT") == 0 ||
	    strncmp(argument, "FORMAT[", 7) == 0)
		argument = format_choices();
	printf("%s%s\t%s\t%s\n", dashes, name, argument, spec->what);
}

/* One line each: --name or -l, tab, argument, tab, what it does. */
static void print_options(const struct command_spec *command)
{
	const struct option_spec *spec = command->options;

	for (; spec && spec->id; spec++) {
		char letter[2] = {(char)spec->id, '\0'};

		if (spec->id < 256)
			print_row("-", letter, spec);
		if (spec->name)
			print_row("--", spec->name, spec);
	}
	printf("-h\t\tshow this\n");
	printf("--help\t\tshow this\n");
}

static void print_commands(void)
{
	for (size_t i = 0; commands[i]; i++)
		printf("%s\t%s\t%s\n", commands[i]->name, commands[i]->operands,
		       commands[i]->what);
}

static int help_on(const char *topic, bool for_programs)
{
	const struct command_spec *command = command_find(topic);
	const char *text = help_topic(topic);

	if (!command && (!text || for_programs)) {
		complain("no help on '%s'; there is on commands and %s", topic,
		         help_topics());
		return COMMAND_USAGE;
	}
	if (command && for_programs)
		print_options(command);
	else if (command)
		options_help(command);
	else
		fputs(text, stdout);
	return 0;
}

static int cmd_help(int argc, char **argv)
{
	bool for_programs = false;
	int id;

	while ((id = options_next(&command_help, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_help, id);
		for_programs = true;
	}
	if (argc - optind == 1)
		return help_on(argv[optind], for_programs);
	if (argc != optind || !for_programs)
		return options_usage(&command_help);
	print_commands();
	return 0;
}

const struct command_spec command_help = {
	.name = "help",
	.operands = "[COMMAND|TOPIC]",
	.what = "show the help of a command, or on a topic",
	.notes = "Topics: environment, filter, formats, status.\n",
	.options = options,
	.run = cmd_help,
	.examples = "  guesttrace help filter\n"
		    "  guesttrace help --options run\n",
	.usage_status = COMMAND_USAGE,
};
