/* SPDX-License-Identifier: MIT */
#include "replayer.h"
#include "command.h"
#include "inputs.h"
#include "places.h"

#include <guesttrace/host.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Smaller captures are done before a percentage could be read. */
#define PROGRESS_BYTES_MIN (UINT64_C(16) << 20)

struct input {
	int fd; /* first: read_file() is handed the whole struct */
	uint64_t bytes;
	bool show;
	int percent;
};

static void progress(void *context, uint64_t bytes)
{
	struct input *input = context;
	int percent = (int)(bytes / (input->bytes / 100 + 1));

	if (!input->show || percent == input->percent)
		return;
	input->percent = percent;
	fprintf(stderr, "\r%3d %%", percent);
}

/* `twice`: it will be read from its beginning again. */
static int open_input(struct input *input, const char *path, bool twice)
{
	struct stat info;

	*input = (struct input){.fd = twice ? input_open_whole(path)
	                                    : input_open(path)};
	if (input->fd < 0)
		return input->fd;
	if (fstat(input->fd, &info) == 0 && S_ISREG(info.st_mode))
		input->bytes = (uint64_t)info.st_size;
	input->show =
		input->bytes >= PROGRESS_BYTES_MIN && isatty(STDERR_FILENO);
	return 0;
}

/* Sees how a capture ends, behind the outputs. */
struct witness {
	struct gt_sink sink;
	struct gt_losses losses;
	bool has_end;
};

static int see_end(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_summary *summary)
{
	struct witness *witness = (struct witness *)sink;

	(void)trace;
	witness->losses = summary->losses;
	witness->has_end = summary->ending != GT_ENDING_UNKNOWN;
	return 0;
}

static void say_damage(const struct witness *witness, const char *path)
{
	const struct gt_losses *lost = &witness->losses;

	if (lost->bad_records + lost->bad_bytes + lost->cut_bytes > 0)
		complain("%s: incomplete: %" PRIu64
		         " bad records or frames, %" PRIu64
		         " bytes skipped, cut %" PRIu64
		         " bytes behind the last frame%s",
		         path, lost->bad_records, lost->bad_bytes,
		         lost->cut_bytes,
		         witness->has_end ? "" : "; end not captured");
	else if (!witness->has_end)
		complain("%s: incomplete: end not captured", path);
}

struct replay {
	struct outputs *outputs;
	struct gt_sink *sinks[OUTPUTS_MAX]; /* those of the outputs, or before
	                                       them */
	struct gt_selection *selection;     /* NULL: of all */
	const struct symbols *symbols;      /* NULL: none; not with that */
};

/* Which spans are selected, and back to the beginning of the file. */
static int learn(const struct replay *replay, struct input *input,
                 uint32_t index)
{
	struct gt_sink *learner = gt_selection_learner(replay->selection);
	struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_file,
		.context = input,
		.sinks = &learner,
		.sink_count = 1,
		.index = index,
	};
	int r = gt_replay(&options);

	if (r == 0 && lseek(input->fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r;
}

static int replay_one(struct replay *replay, const char *path, uint32_t index)
{
	struct outputs *outputs = replay->outputs;
	struct witness witness = {.sink = {.end = see_end}};
	struct gt_sink *sinks[OUTPUTS_MAX + 1];
	struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_file,
		.sinks = sinks,
		.sink_count = outputs->sink_count,
		.index = index,
		.progress = progress,
	};
	struct input input;
	int r = open_input(&input, path, replay->selection);

	path = place_input_name(path);
	memcpy(sinks, replay->sinks, sizeof(replay->sinks));
	if (outputs->says_damage)
		sinks[options.sink_count++] = &witness.sink;
	if (r == 0) {
		options.context = &input;
		if (replay->selection)
			r = learn(replay, &input, index);
		if (r == 0)
			r = gt_replay(&options);
		input_close(input.fd);
		if (input.percent)
			fprintf(stderr, "\r     \r");
	}
	if (r < 0 && !(replay->symbols && r == -ESTALE) &&
	    !outputs_failed(outputs))
		complain("%s: %s", path, code_text(r));
	if (r == 0 && outputs->says_damage)
		say_damage(&witness, path);
	return r;
}

/* ---- What is selected ---------------------------------------------------- */

static int select_begin(struct replay *replay,
                        const struct gt_analysis *analysis)
{
	int r = 0;

	memcpy(replay->sinks, replay->outputs->sinks, sizeof(replay->sinks));
	if (!analysis && !replay->symbols)
		return 0;
	if (analysis)
		r = gt_selection_new(analysis, &replay->selection);
	for (size_t i = 0; r == 0 && i < replay->outputs->sink_count; i++)
		r = analysis ? gt_selection_sink(replay->selection,
		                                 replay->outputs->sinks[i],
		                                 &replay->sinks[i])
		             : symbols_sink(replay->symbols,
		                            replay->outputs->sinks[i],
		                            &replay->sinks[i]);
	if (r < 0)
		complain("%s", code_text(r));
	return r;
}

static void select_end(struct replay *replay)
{
	for (size_t i = 0; i < replay->outputs->sink_count; i++)
		if (replay->sinks[i] &&
		    replay->sinks[i] != replay->outputs->sinks[i])
			replay->sinks[i]->free(replay->sinks[i]);
	if (replay->selection)
		gt_selection_free(replay->selection);
}

static int replay_with(struct replay replay, char *const *paths, int count,
                       const struct gt_analysis *analysis)
{
	struct outputs *outputs = replay.outputs;
	int r, closed;

	if (!inputs_are_apart(paths, count))
		return COMMAND_USAGE;
	if (!outputs_are_apart(outputs, NULL) ||
	    (outputs->says_damage && outputs_meet_messages(outputs, NULL)))
		return COMMAND_FAILED;
	for (int i = 0; i < count; i++)
		if (outputs_replace(outputs, paths[i]))
			return COMMAND_FAILED;
	r = outputs_open(outputs);
	if (r == 0)
		r = select_begin(&replay, analysis);
	for (int i = 0; r == 0 && i < count; i++)
		r = replay_one(&replay, paths[i], (uint32_t)i);
	select_end(&replay);
	closed = outputs_close(outputs, r == 0);
	return r < 0 || closed < 0 ? COMMAND_FAILED : 0;
}

int replay_selected(struct outputs *outputs, char *const *paths, int count,
                    const struct gt_analysis *analysis)
{
	return replay_with((struct replay){.outputs = outputs}, paths, count,
	                   analysis);
}

int replay_named(struct outputs *outputs, char *const *paths, int count,
                 const struct symbols *symbols)
{
	return replay_with(
		(struct replay){.outputs = outputs, .symbols = symbols}, paths,
		count, NULL);
}

int replay_all(struct outputs *outputs, char *const *paths, int count)
{
	return replay_selected(outputs, paths, count, NULL);
}
