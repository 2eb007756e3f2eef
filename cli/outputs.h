/* SPDX-License-Identifier: MIT */
/* The exports of one command: format, destination and sink of each. */
#ifndef GT_CLI_OUTPUTS_H
#define GT_CLI_OUTPUTS_H

#include "ascii.h"
#include "destination.h"
#include "directory.h"
#include "formats.h"
#include "otlp_formats.h"
#include "otlp_output.h"

#define OUTPUTS_MAX 16

/* Of a text for people. */
typedef int new_text_fn(const struct gt_output *output,
                        const struct gt_report_options *options,
                        struct gt_sink **ret_sink);

struct output {
	const char *name; /* for messages */
	new_sink_fn *new_sink;
	new_text_fn *new_text; /* instead of new_sink; the look is `look` */
	const struct gt_report_options *look;
	const char *path; /* NULL: standard output; of otlp the URL */
	struct destination destination;
	struct ascii ascii;         /* between the two, if that is wanted */
	struct directory directory; /* if there is no `new_sink` */
	struct gt_sink *sink;
};

struct outputs {
	struct output outputs[OUTPUTS_MAX];
	struct gt_sink *sinks[OUTPUTS_MAX]; /* of those that are open */
	size_t sink_count;
	size_t count;
	bool many_runs;           /* they are shown more than one */
	bool force;               /* binary formats onto a terminal */
	const char *const *labels; /* of the runs, by index; NULL: none */
	uint32_t label_count;
	bool says_damage;         /* on standard error: they do not */
	struct otlp_options otlp; /* of an output of that name */
};

/* Adds an output, not yet open. Complains and returns < 0 if there are too
 * many, or a directory is to be standard output. The strings stay the
 * caller's. */
int outputs_add(struct outputs *outputs, const char *name,
                new_sink_fn *new_sink, const char *path);

bool outputs_have(const struct outputs *outputs, new_sink_fn *new_sink);
/*
 * Whether --spool, --host-spans, --otlp-events and --service-version, where they
 * were given, mean something to one of them; complains and returns false if not.
 * Adds an output for log records where --otlp-events wants one.
 */
bool outputs_take_otlp(struct outputs *outputs);
bool outputs_have_text(const struct outputs *outputs);

/* A text on standard output; `look` stays the caller's. */
int outputs_add_text(struct outputs *outputs, const char *name,
                     new_text_fn *new_text,
                     const struct gt_report_options *look);

/* Complains and returns true if one would replace a file that is to be read. */
bool outputs_replace(const struct outputs *outputs, const char *input);

/*
 * Whether each of them, and `capture`, which may be NULL, has a place of its
 * own, and one that bears it. Complains and returns false if not. Nothing is
 * opened.
 */
bool outputs_are_apart(const struct outputs *outputs, const char *capture);

/*
 * Whether standard error goes into the same file as one of them, where what is
 * said, and what a guest prints, would be among its bytes. Complains and
 * returns true if so.
 */
bool outputs_meet_messages(const struct outputs *outputs, const char *capture);

/*
 * The name of what goes to standard output and wants it alone, "the capture"
 * among them; NULL: nothing, or a text for people.
 */
const char *outputs_on_standard_output(const struct outputs *outputs,
                                       const char *capture);

/* Opens all files and makes all sinks. Complains and returns < 0. */
int outputs_open(struct outputs *outputs);

/* Whether one could not be written; outputs_close() says which. */
bool outputs_failed(const struct outputs *outputs);

/*
 * Ends the sinks and files; `whole` says that the sinks were shown all of it.
 * Without, and of those that failed, nothing is left behind; the others stand.
 * Complains of each that failed and returns < 0 if one did.
 */
int outputs_close(struct outputs *outputs, bool whole);

#endif
