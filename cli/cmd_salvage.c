/* SPDX-License-Identifier: MIT */
/*
 * guesttrace salvage: what guests that are gone have left in their memory
 * becomes captures.
 */
#include "confinement.h"
#include "destination.h"
#include "monotonic.h"
#include "numbered.h"
#include "options.h"
#include "places.h"
#include "salvage.h"
#include "screen.h"
#include "settled.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS_MAX UINT64_C(1000000000)

/* The exit status where some of it is missing. */
#define SALVAGE_INCOMPLETE 3

/* Smaller dumps are done before a percentage could be read. */
#define PROGRESS_LOOKS_MIN (UINT64_C(7) << 14)

enum {
	OPTION_MEMORY = 256,
	OPTION_CR3,
	OPTION_IDENTITY,
	OPTION_TSC_KHZ,
	OPTION_MAX_TIME,
	OPTION_FORCE,
};

static const struct option_spec options[] = {
	{OPTION_MEMORY, "memory", "FILE[@GPA[:OFFSET[:LENGTH]]]",
         "raw memory at that address, a core or a snapshot; several times",
         NULL},
	{OPTION_CR3, "cr3", "GPA", "the guest's page tables; else found", NULL},
	{OPTION_IDENTITY, "identity", NULL,
         "virtual addresses are physical ones: no page tables", NULL},
	{OPTION_TSC_KHZ, "tsc-khz", "KHZ",
         "rate of the TSC; else a tick is shown as 1 ns", NULL},
	{OPTION_MAX_TIME, "max-time", "SECONDS",
         "give up looking for the guest then", NULL},
	{'o', "output", "CAPTURE", "default standard output", NULL},
	{OPTION_FORCE, "force", NULL, "to a terminal, too", NULL},
	READS_IN_SANDBOX,
	{0},
};

struct command {
	struct salvage salvage;
	const char *output;
	bool force;
	/* Of each --memory: what it says, and the file. */
	const char *memories[DUMP_FILES_MAX + 1];
	char *paths[DUMP_FILES_MAX + 1];
	int memory_count;
};

/* ---- What is said -------------------------------------------------------- */

static int percent_shown = -1;

static void show_progress(uint64_t looks, uint64_t of)
{
	int percent = (int)(looks / (of / 100 + 1));

	if (of < PROGRESS_LOOKS_MIN || percent == percent_shown)
		return;
	percent_shown = percent;
	fprintf(stderr, "\r%3d %%", percent);
}

static void hide_progress(void)
{
	if (percent_shown >= 0)
		fprintf(stderr, "\r     \r");
	percent_shown = -1;
}

static void complain_of_none(const struct salvage *s, int r)
{
	if (r == -ETIMEDOUT)
		complain("%s: no guest was found in the time of --max-time",
		         s->name);
	else if (r == -E2BIG)
		complain("%s: its pages lead to too many places that are no "
		         "guest's",
		         s->name);
	else if (r < 0)
		complain("%s: %s", s->name, code_text(r));
	else if (s->controls)
		complain("%s: no page tables lead to the guest's rings",
		         s->name);
	else
		complain("%s: no guest that records is in this memory",
		         s->name);
}

/* The first line: whether all was found, but for what the guest had lost. */
static void say_how_complete(const char *name, const struct salvaged *guest)
{
	const struct gt_missing *missing = &guest->missing;
	const struct seen *seen = &guest->seen;

	if (!salvage_is_whole(guest))
		complain("%s: INCOMPLETE: %" PRIu64
		         " records; not there: %" PRIu64
		         " bytes of rings, %" PRIu64
		         " bytes of call sites, rings of %" PRIu32
		         " vCPUs; %" PRIu64 " pieces did not decode",
		         name, seen->taken, missing->ring_bytes,
		         missing->sites_bytes, missing->vcpus,
		         seen->bad_records);
	else if (seen->records == 0)
		complain("%s: the guest has recorded nothing, or these page "
		         "tables are not its own",
		         name);
	else
		complain("%s: complete: %" PRIu64 " records", name,
		         seen->taken);
}

/* Said above, as far as it was not there. */
static void say_losses(const char *name, const struct salvaged *guest)
{
	struct seen seen = guest->seen;
	uint64_t missing = guest->missing.ring_bytes;

	seen.bad_records = 0;
	seen.overwritten_bytes -= missing < seen.overwritten_bytes
	                                  ? missing
	                                  : seen.overwritten_bytes;
	seen_say_losses(&seen, name);
}

/* ---- The command --------------------------------------------------------- */

static int write_one(struct salvage *s, const struct salvaged *guest,
                     const char *path)
{
	struct destination destination;
	struct gt_output to;
	int r = destination_open(&destination, path, false,
	                         DESTINATION_PRIVATE),
	    closed;

	if (r < 0)
		return r;
	to = destination_output(&destination);
	r = salvage_write(s, guest, &to);
	if (r < 0 && !destination.error)
		complain("%s: %s", s->name, code_text(r));
	closed = destination_close(&destination, r == 0);
	return r < 0 ? r : closed;
}

/* The exit status of one of several, or of the only one. */
static int salvage_one(struct command *command, uint32_t number)
{
	struct salvage *s = &command->salvage;
	const struct salvaged *guest = &s->guests[number];
	char *path = command->output ? numbered_path(command->output, number) : NULL;
	char *name = NULL;
	int status = COMMAND_FAILED;

	if (s->count == 1)
		name = strdup(s->name);
	else if (asprintf(&name, "%s: guest at 0x%" PRIx64 " into %s", s->name,
	                  guest->control_gpa, path) < 0)
		name = NULL;
	if (name && (path || !command->output) &&
	    !(number > 0 && dump_is_replaced(&s->dump, path)) &&
	    write_one(s, guest, path) == 0) {
		say_how_complete(name, guest);
		say_losses(name, guest);
		status = salvage_is_whole(guest) ? 0 : SALVAGE_INCOMPLETE;
	}
	free(path);
	free(name);
	return status;
}

static int salvage_all(struct command *command)
{
	struct salvage *s = &command->salvage;
	uint32_t count = s->count;
	bool any = false;
	int status = 0;

	if (count > 1 && place_is_standard_output(command->output)) {
		complain("%s: %" PRIu32 " guests, one capture each: they need "
		         "-o FILE",
		         s->name, count);
		return COMMAND_USAGE;
	}
	for (uint32_t i = 0; i < count && status != COMMAND_FAILED; i++) {
		int one = salvage_one(command, i);

		status = one ? one : status;
		any |= s->guests[i].seen.records > 0;
	}
	if (status != COMMAND_FAILED && !s->tsc_khz && any)
		complain("a tick of the TSC is shown as 1 ns: no --tsc-khz");
	return status;
}

static int salvage(struct command *command)
{
	struct salvage *s = &command->salvage;
	int r, status;

	if (s->identity && dump_add_identity(&s->dump, &s->identity_root) < 0) {
		complain("no room for --identity beside that much memory");
		return COMMAND_FAILED;
	}
	if (!s->tsc_khz)
		s->tsc_khz = s->dump.tsc_khz;
	if (isatty(STDERR_FILENO))
		s->progress = show_progress;
	r = salvage_find(s);
	hide_progress();
	if (s->count == 0) {
		complain_of_none(s, r);
		return COMMAND_FAILED;
	}
	status = salvage_all(command);
	if (r < 0 && status == 0) {
		complain("%s: the search ended early: there may be more",
		         s->name);
		status = SALVAGE_INCOMPLETE;
	}
	return status;
}

/* Of the files from that one on; page tables that were made are in none. */
static void take_time(struct salvage *s, uint32_t file)
{
	struct stat info;

	for (; file < s->dump.file_count; file++)
		if (s->dump.files[file].path &&
		    stat(s->dump.files[file].path, &info) == 0)
			s->written_ns =
				(uint64_t)info.st_mtim.tv_sec * 1000000000 +
				(uint64_t)info.st_mtim.tv_nsec;
}

static bool take_memory(struct salvage *s, const char *text)
{
	uint32_t files_before = s->dump.file_count;

	if (dump_add(&s->dump, text) < 0)
		return false;
	if (!s->name)
		s->name = place_input_name(text);
	take_time(s, files_before);
	return true;
}

/* They are read when all options are known. */
static bool note_memory(struct command *command)
{
	int count = command->memory_count;

	if (count == DUMP_FILES_MAX + 1)
		return true; /* one too many is enough to say so */
	command->memories[count] = optarg;
	command->paths[count] = dump_path(optarg);
	command->memory_count += command->paths[count] != NULL;
	return command->paths[count] != NULL;
}

static bool take_memories(struct command *command)
{
	for (int i = 0; i < command->memory_count; i++)
		if (!take_memory(&command->salvage, command->memories[i]))
			return false;
	return true;
}

static bool take_number(const char *option, const char *text, unsigned min,
                        uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	if (end != text && *end == '\0' && errno == 0 && *text != '-' &&
	    *number >= min)
		return true;
	complain("--%s wants a whole number from %u to 2^64 - 1, not '%s'",
	         option, min, text);
	return false;
}

static bool take_max_time(struct salvage *s, const char *text)
{
	uint64_t seconds;

	if (!take_number("max-time", text, 1, &seconds))
		return false;
	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	s->end_ns = monotonic_ns() + seconds * NS_PER_S;
	return true;
}

static bool take_option(struct command *command, int id)
{
	struct salvage *s = &command->salvage;

	switch (id) {
	case OPTION_MEMORY:
		return note_memory(command);
	case OPTION_CR3:
		s->has_cr3 = true;
		return take_number("cr3", optarg, 0, &s->cr3);
	case OPTION_IDENTITY:
		return s->identity = true;
	case OPTION_TSC_KHZ:
		return take_number("tsc-khz", optarg, 1, &s->tsc_khz);
	case OPTION_MAX_TIME:
		return take_max_time(s, optarg);
	case OPTION_FORCE:
		return command->force = true;
	default:
		command->output = optarg;
		return true;
	}
}

static int check(const struct salvage *s)
{
	if (s->has_cr3 && s->identity) {
		complain("--cr3 does not go with --identity");
		return COMMAND_USAGE;
	}
	if (s->dump.count > 0)
		return 0;
	complain("%s: not one page of memory", s->name);
	return COMMAND_FAILED;
}

static int confine(const struct command *command)
{
	return confinement_of_reading(&(struct reading){
		.paths = command->paths,
		.count = command->memory_count,
		.output = command->output,
	});
}

/* What there was to salvage of a run is in its capture already. */
static int look_at_capture(char **path)
{
	int whole;

	if (confinement_of_reading(
		    &(struct reading){.paths = path, .count = 1}) < 0)
		return COMMAND_FAILED;
	whole = settled_look(*path);
	return whole < 0 ? COMMAND_FAILED : whole ? 0 : SALVAGE_INCOMPLETE;
}

/* With all options known; its exit status. */
static int salvage_memories(struct command *command)
{
	struct salvage *s = &command->salvage;
	int status;

	if (!screen_takes("a capture", command->output, command->force))
		return COMMAND_USAGE;
	dump_kdump_load();
	if (confine(command) < 0 || !take_memories(command))
		return COMMAND_FAILED;
	status = check(s);
	if (status != 0)
		return status;
	return dump_is_replaced(&s->dump, command->output) ? COMMAND_FAILED
	                                                   : salvage(command);
}

static int run_command(struct command *command, int argc, char **argv)
{
	int id;

	while ((id = options_next(&command_salvage, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_salvage, id);
		if (!take_option(command, id))
			return id == OPTION_MEMORY ? COMMAND_FAILED
			                           : COMMAND_USAGE;
	}
	if (command->memory_count == 0 && !command->output &&
	    optind == argc - 1)
		return look_at_capture(argv + optind);
	if (command->memory_count == 0)
		return options_missing(&command_salvage, "--memory");
	if (!options_operands(&command_salvage, argc, argv, 0, 0))
		return COMMAND_USAGE;
	return salvage_memories(command);
}

static int cmd_salvage(int argc, char **argv)
{
	static struct command command;
	int status = run_command(&command, argc, argv);

	dump_fini(&command.salvage.dump);
	while (command.memory_count > 0)
		free(command.paths[--command.memory_count]);
	return status;
}

const struct command_spec command_salvage = {
	.name = "salvage",
	.operands = "[CAPTURE]",
	.what = "make a capture of a dead guest's memory",
	.notes = "Of a CAPTURE alone it is said whether it has all: a run that "
		 "was "
		 "killed\ncompletes its own.\n",
	.options = options,
	.run = cmd_salvage,
	.examples = "  guesttrace salvage --memory guest.mem -o dead.gtrace\n"
		    "  guesttrace salvage kv.gtrace\n",
	.usage_status = COMMAND_USAGE,
};
