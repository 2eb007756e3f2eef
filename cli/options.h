/* SPDX-License-Identifier: MIT */
/*
 * What each subcommand is and takes: one table, of which its parser, its help
 * and `guesttrace help --options` are made, and with that the completions.
 */
#ifndef GT_CLI_OPTIONS_H
#define GT_CLI_OPTIONS_H

#include "command.h"

#include <stdint.h>

struct option_spec {
	int id; /* what options_next() returns: a letter's is the letter */
	const char *name;     /* without dashes; NULL: only the letter */
	const char *argument; /* "FILE", "a|b|c" (the choices); NULL: none */
	const char *what;
	const char *(*more)(void); /* goes on behind `what`; may be NULL */
};

#define OPTIONS_MAX 32

struct command_spec {
	const char *name;
	const char *operands; /* "CAPTURE..." */
	const char *what;
	const char *notes;    /* whole lines below the options; may be NULL */
	const char *examples; /* whole lines, each a command that works */
	const struct option_spec *options; /* the last has id 0; may be NULL */
	/* Gets its own name as argv[0] and returns the exit status. */
	int (*run)(int argc, char **argv);
	int usage_status; /* of wrong use */
	bool has_rest;    /* what follows the first operand is not its own */
};

extern const struct command_spec command_run, command_attach, command_report,
	command_diff, command_export, command_sites, command_decode,
	command_encode, command_salvage, command_spool, command_top,
	command_help;

/* cmd_help.c: all of them, in the order of the help; NULL at the end. */
extern const struct command_spec *const commands[];
const struct command_spec *command_find(const char *name);

enum {
	OPTION_WRONG = '?', /* has been complained about */
	OPTION_HELP = 1,    /* has been answered */
	OPTION_NO_SANDBOX = 256 + 31, /* behind those of each command */
};

/* A row of the table of what has one. options_next() takes it by itself. */
#define SANDBOX_ROW(what)                                         \
	{                                                         \
		OPTION_NO_SANDBOX, "no-sandbox", NULL, what, NULL \
	}
#define READS_IN_SANDBOX \
	SANDBOX_ROW("do not give up what reading has no need of")

/* Unless there was --no-sandbox. */
bool options_want_sandbox(void);

/* The next option's id, its argument in `optarg`; -1: operands from `optind`.
 */
int options_next(const struct command_spec *command, int argc, char **argv);

/* The command's status after OPTION_WRONG (prints the usage) or OPTION_HELP. */
int options_stop(const struct command_spec *command, int id);

/*
 * Whether there are `min` to `max` operands. Complains of one that is missing
 * or too many, prints the usage, and returns false.
 */
bool options_operands(const struct command_spec *command, int argc, char **argv,
                      int min, int max);
/* Complains of an option that it cannot do without; its status. */
int options_missing(const struct command_spec *command, const char *option);
/* Prints the usage, behind a complaint. */
int options_usage(const struct command_spec *command);

/* Whole help, on standard output. */
void options_help(const struct command_spec *command);

/* "1ms", "20us", "1.5s", "300ns" -> ns. Complains and returns false. */
bool parse_duration(const char *option, const char *text, uint64_t *ret_ns);
/* 0 to `max`, decimal. Complains and returns false. */
bool parse_count(const char *option, const char *text, uint32_t max,
                 uint32_t *ret_count);

/* The same from `min` on. */
bool parse_number(const char *option, const char *text, uint32_t min,
                  uint32_t max, uint32_t *ret_number);

/* The index of `text` in `words`, which end with NULL. Complains, with all of
 * them, and returns false. */
bool parse_word(const char *option, const char *text, const char *const *words,
                unsigned *ret_index);

/* on, off; stores whether it is off. Complains and returns false. */
bool parse_switch(const char *option, const char *text, bool *ret_off);

#endif
