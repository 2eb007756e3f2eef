/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "similar.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEFT_COLUMNS 34 /* of the help: what is wider has a line of its own */
#define HELP_COLUMNS 80

/* ---- getopt(3), from the table ------------------------------------------- */

struct getopt_tables {
	struct option options[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 5];
};

static void fill_tables(struct getopt_tables *t,
                        const struct command_spec *command)
{
	const struct option_spec *spec = command->options;
	char *letter = t->letters;
	size_t n = 0;

	*t = (struct getopt_tables){0};
	if (command->has_rest)
		*letter++ = '+';
	*letter++ = ':'; /* getopt(3) says nothing, and what is missing */
	*letter++ = 'h';
	t->options[n++] =
		(struct option){"help", no_argument, NULL, OPTION_HELP};
	for (; spec && spec->id && n <= OPTIONS_MAX; spec++) {
		if (spec->id < 256) {
			*letter++ = (char)spec->id;
			if (spec->argument)
				*letter++ = ':';
		}
		if (spec->name)
			t->options[n++] = (struct option){
				spec->name,
				spec->argument ? required_argument
					       : no_argument,
				NULL, spec->id};
	}
}

static const char *name_of(const void *command, size_t number)
{
	const struct option_spec *spec =
		((const struct command_spec *)command)->options;

	for (; spec && spec->id; spec++)
		if (spec->name && number-- == 0)
			return spec->name;
	return spec && number == 0 ? "help" : NULL;
}

static const struct option_spec *find_option(const struct command_spec *command,
                                             int id)
{
	const struct option_spec *spec = command->options;

	while (spec && spec->id && spec->id != id)
		spec++;
	return spec && spec->id ? spec : NULL;
}

/* `text`: --NAME or --NAME=ARGUMENT, which begins no option, or several. */
static void complain_of_name(const struct command_spec *command,
                             const char *text)
{
	char name[64];
	const char *meant;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text + 2, "="),
	         text + 2);
	meant = similar(name, name_of, command);
	if (meant)
		complain("%s: no option --%s; did you mean --%s?",
		         command->name, name, meant);
	else
		complain("%s: no option --%s", command->name, name);
}

/* As getopt(3) returned it. `word` is the one that it looked at last, but for a
 * letter in front of others: then it is one before. */
static void complain_of_option(const struct command_spec *command, int id,
                               const char *word)
{
	const struct option_spec *spec = find_option(command, optopt);
	bool by_name = strncmp(word, "--", 2) == 0;

	if (id == ':' && spec)
		complain("%s: %s wants %s", command->name,
		         by_name ? word : (char[]){'-', (char)optopt, '\0'},
		         spec->argument);
	else if (spec || optopt == OPTION_HELP)
		complain("%s: %.*s takes no argument", command->name,
		         (int)strcspn(word, "="), word);
	else if (optopt)
		complain("%s: no option -%c", command->name, optopt);
	else
		complain_of_name(command, word);
}

static bool has_no_sandbox;

bool options_want_sandbox(void)
{
	return !has_no_sandbox;
}

int options_next(const struct command_spec *command, int argc, char **argv)
{
	struct getopt_tables tables;
	int id;

	fill_tables(&tables, command);
	do {
		id = getopt_long(argc, argv, tables.letters, tables.options,
		                 NULL);
		has_no_sandbox |= id == OPTION_NO_SANDBOX;
	} while (id == OPTION_NO_SANDBOX);
	if (id == 'h' && !find_option(command, 'h'))
		id = OPTION_HELP;
	if (id == OPTION_HELP)
		options_help(command);
	if (id == ':' || id == OPTION_WRONG) {
		complain_of_option(command, id, argv[optind - 1]);
		id = OPTION_WRONG;
	}
	return id;
}

/* ---- Help ---------------------------------------------------------------- */

static void print_usage(FILE *to, const struct command_spec *command)
{
	fprintf(to, "usage: guesttrace %s %s%s\n", command->name,
	        command->options ? "[OPTION]... " : "", command->operands);
}

/* Both, in lines that end at HELP_COLUMNS and begin at LEFT_COLUMNS. */
static void print_wrapped(const char *what, const char *more)
{
	int column = LEFT_COLUMNS;

	for (const char *word = what; *word;) {
		int count = (int)strcspn(word, " ");
		const char *next = word + count + (word[count] == ' ');

		if (column > LEFT_COLUMNS && column + 1 + count > HELP_COLUMNS)
			column = printf("\n%*s", LEFT_COLUMNS, "") - 1;
		column += printf("%s%.*s", column > LEFT_COLUMNS ? " " : "",
		                 count, word);
		word = next;
		if (!*word && *more) {
			word = more + (*more == ' ');
			more = "";
		}
	}
	printf("\n");
}

static void print_option(const struct option_spec *spec)
{
	char left[128];
	int used = 0, room = sizeof(left);

	if (spec->id < 256 && spec->name)
		used = snprintf(left, sizeof(left), "  -%c, --%s", spec->id,
		                spec->name);
	else if (spec->name)
		used = snprintf(left, sizeof(left), "  --%s", spec->name);
	else
		used = snprintf(left, sizeof(left), "  -%c", spec->id);
	if (spec->argument && used < room)
		used += snprintf(left + used, (size_t)(room - used), " %s",
		                 spec->argument);
	if (used >= LEFT_COLUMNS)
		printf("%s\n%-*s", left, LEFT_COLUMNS, "");
	else
		printf("%-*s", LEFT_COLUMNS, left);
	print_wrapped(spec->what, spec->more ? spec->more() : "");
}

void options_help(const struct command_spec *command)
{
	static const struct option_spec help = {
		.id = 'h',
		.name = "help",
		.what = "show this",
	};
	const struct option_spec *spec = command->options;

	print_usage(stdout, command);
	printf("%s\n\n", command->what);
	for (; spec && spec->id; spec++)
		print_option(spec);
	print_option(&help);
	if (command->notes)
		printf("\n%s", command->notes);
	if (command->examples)
		printf("\nExamples:\n%s", command->examples);
}

int options_stop(const struct command_spec *command, int id)
{
	return id == OPTION_HELP ? 0 : options_usage(command);
}

int options_usage(const struct command_spec *command)
{
	print_usage(stderr, command);
	fprintf(stderr, "`guesttrace %s --help` lists the options\n",
	        command->name);
	return command->usage_status;
}

bool options_operands(const struct command_spec *command, int argc, char **argv,
                      int min, int max)
{
	int given = argc - optind;

	if (given >= min && given <= max)
		return true;
	if (given < min)
		complain("%s: missing operand: %s", command->name,
		         command->operands);
	else
		complain("%s: extra operand '%s'", command->name,
		         argv[optind + max]);
	options_usage(command);
	return false;
}

int options_missing(const struct command_spec *command, const char *option)
{
	complain("%s: missing option: %s", command->name, option);
	return options_usage(command);
}

/* ---- Arguments ----------------------------------------------------------- */

bool parse_duration(const char *option, const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *word;
		double ns;
	} units[] = {{"ns", 1},
	             {"us", 1e3},
	             {"\u00b5s", 1e3},
	             {"ms", 1e6},
	             {"s", 1e9}};
	char *end;
	double number;

	errno = 0;
	number = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == text || errno != 0 || strcmp(end, units[i].word) ||
		    !(number >= 0) || number * units[i].ns > 1e18)
			continue;
		*ret_ns = (uint64_t)(number * units[i].ns + 0.5);
		return true;
	}
	complain("--%s wants a duration such as 20us or 1.5ms, up to "
	         "1000000000s, not '%s'",
	         option, text);
	return false;
}

bool parse_number(const char *option, const char *text, uint32_t min,
                  uint32_t max, uint32_t *ret_number)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' &&
	    isdigit((unsigned char)*text) && number >= min && number <= max) {
		*ret_number = (uint32_t)number;
		return true;
	}
	complain("--%s wants a whole number from %u to %u, not '%s'", option,
	         min, max, text);
	return false;
}

bool parse_count(const char *option, const char *text, uint32_t max,
                 uint32_t *ret_count)
{
	return parse_number(option, text, 0, max, ret_count);
}

bool parse_word(const char *option, const char *text, const char *const *words,
                unsigned *ret_index)
{
	char all[128] = "";
	size_t used = 0;

	for (unsigned i = 0; words[i]; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_index = i;
			return true;
		}
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
		                         i == 0         ? ""
		                         : words[i + 1] ? ", "
		                                        : " or ",
		                         words[i]);
	}
	complain("--%s is %s, not '%s'", option, all, text);
	return false;
}

bool parse_switch(const char *option, const char *text, bool *ret_off)
{
	static const char *const words[] = {"on", "off", NULL};
	unsigned index;

	if (!parse_word(option, text, words, &index))
		return false;
	*ret_off = index == 1;
	return true;
}
