/* SPDX-License-Identifier: MIT */
/* guesttrace attach: the command line, and the list of guests. */
#include "attaching.h"
#include "command.h"
#include "filter_hints.h"
#include "options.h"
#include "screen.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_NS     UINT64_C(10000000)
#define INTERVAL_NS_MAX (UINT64_C(10) * 1000000000)

enum {
	OPTION_PID = 256,
	OPTION_MEMORY,
	OPTION_IMAGE,
	OPTION_QMP,
	OPTION_FILTER,
	OPTION_FILTER_FILE,
	OPTION_INTERVAL,
	OPTION_EXPORT,
	OPTION_FOR,
	OPTION_TRACEPARENT,
	OPTION_TSC_OFFSET,
	OPTION_TAKE_OVER,
	OPTION_LIST,
	OPTION_FORCE,
};

static const struct option_spec options_table[] = {
	{OPTION_PID, "pid", "PID", "the VM's process, as `ps` shows it", NULL},
	{OPTION_MEMORY, "memory", "FILE[@GPA[:OFFSET[:LENGTH]]]",
         "memory that the VM shares, at that address; several times", NULL},
	{OPTION_IMAGE, "image", "ELF",
         "the guest's, for one that was just restored", NULL},
	{OPTION_QMP, "qmp", "SOCKET",
         "of QEMU: it says where page tables and RAM are", NULL},
	{OPTION_LIST, "list", NULL, "say which guests there are, and end",
         NULL},
	{OPTION_FILTER, "filter", "DIRECTIVES", "such as info,net=debug", NULL},
	{OPTION_FILTER_FILE, "filter-file", "FILE",
         "its first line, whenever the file changes", NULL},
	{OPTION_FOR, "for", "TIME", "then leave; default: at a signal", NULL},
	{OPTION_INTERVAL, "drain-interval", "TIME",
         "between two looks; default 10ms", NULL},
	{'o', "output", "CAPTURE", "keep everything", NULL},
	{OPTION_EXPORT, "export", "FORMAT[=DEST]", "", format_names},
	{OPTION_TRACEPARENT, "traceparent", "W3C", "the span above the guest",
         NULL},
	{OPTION_TSC_OFFSET, "tsc-offset", "TICKS",
         "guest's TSC less the host's; else found out", NULL},
	{OPTION_TAKE_OVER, "take-over", NULL,
         "from another reader, or from the VMM itself", NULL},
	{OPTION_FORCE, "force", NULL, "what is binary to a terminal, too",
         NULL},
	{0},
};

struct command {
	struct attaching_options attaching;
	bool lists, has_files;
	const char *qmp;
};

static struct attach_memory memory;

static bool take_pid(const char *text)
{
	uint32_t pid;

	return parse_number("pid", text, 1, INT32_MAX, &pid) &&
	       attach_memory_of(&memory, (int32_t)pid) == 0;
}

static bool take_offset(struct attaching_options *options, const char *text)
{
	char *end;

	errno = 0;
	options->tsc_offset = strtoll(text, &end, 0);
	if (end != text && *end == '\0' && errno == 0 &&
	    options->tsc_offset != GT_TSC_OFFSET_UNKNOWN)
		return true;
	complain("--tsc-offset wants a whole number, not '%s'", text);
	return false;
}

static bool take_interval(struct attaching_options *options, const char *text)
{
	if (!parse_duration("drain-interval", text, &options->interval_ns))
		return false;
	if (options->interval_ns > 0 && options->interval_ns <= INTERVAL_NS_MAX)
		return true;
	complain("--drain-interval: above 0 and at most 10s");
	return false;
}

static bool take_export(struct attaching_options *options, char *text)
{
	char *equals = strchr(text, '=');

	if (equals)
		*equals = '\0';
	if (!format_find(text, strlen(text))) {
		format_unknown(text, strlen(text));
		return false;
	}
	if (options->export_count == ATTACH_EXPORTS_MAX) {
		complain("more than %u exports", ATTACH_EXPORTS_MAX);
		return false;
	}
	options->exports[options->export_count++] =
		(struct attach_export){text, equals ? equals + 1 : NULL};
	return true;
}

static bool take_traceparent(struct attaching_options *options,
                             const char *text)
{
	int r = gt_check_traceparent(text);

	options->traceparent = text;
	if (r < 0)
		complain("--traceparent '%s': %s", text, code_text(r));
	return r == 0;
}

static bool take_option(struct command *command, int id)
{
	struct attaching_options *options = &command->attaching;

	switch (id) {
	case OPTION_PID:
		return take_pid(optarg);
	case OPTION_MEMORY:
		command->has_files = true;
		return attach_memory_add(&memory, optarg) == 0;
	case OPTION_IMAGE:
		return attach_memory_image(&memory, optarg) == 0;
	case OPTION_QMP:
		command->qmp = optarg;
		return true;
	case OPTION_FILTER:
		options->filter = optarg;
		return filter_is_good(optarg, GT_WIRE_NATIVE);
	case OPTION_FILTER_FILE:
		options->filter_file = optarg;
		return true;
	case OPTION_FOR:
		return parse_duration("for", optarg, &options->for_ns);
	case OPTION_INTERVAL:
		return take_interval(options, optarg);
	case OPTION_EXPORT:
		return take_export(options, optarg);
	case OPTION_TRACEPARENT:
		return take_traceparent(options, optarg);
	case OPTION_TSC_OFFSET:
		return take_offset(options, optarg);
	case OPTION_TAKE_OVER:
		return options->takes_over = true;
	case OPTION_LIST:
		return command->lists = true;
	case OPTION_FORCE:
		return options->force = true;
	default:
		options->capture = optarg;
		return true;
	}
}

/* ---- What there is ------------------------------------------------------- */

static void show_progress(void *context, uint64_t bytes, uint64_t of)
{
	(void)context;
	if (of >> 30 >= 4)
		fprintf(stderr, "\r%3d %%\r", (int)(bytes / (of / 100 + 1)));
}

static void list(const struct attach_guest *guest)
{
	const struct gt_control *control = &guest->found.control;

	printf("guest@0x%" PRIx64 "  %" PRIu32 " vCPU%s  %" PRIu64
	       " bytes of sites  page tables 0x%" PRIx64 "  RAM",
	       guest->control_gpa, control->vcpus,
	       control->vcpus == 1 ? "" : "s", control->sites_bytes,
	       guest->root);
	for (uint32_t i = 0; i < guest->layout.count; i++)
		printf("%s 0x%" PRIx64 "+%" PRIu64 " MiB", i ? "," : "",
		       guest->layout.slots[i].gpa,
		       guest->layout.slots[i].bytes >> 20);
	if (guest->is_laid_out_by_qmp)
		printf(" (QEMU says so)");
	if (guest->from == ATTACH_ROOT_QMP)
		printf(" (page tables as QEMU says)");
	if (guest->from == ATTACH_ROOT_FOUND)
		printf(" (found; it does not say)");
	else if (guest->layout.others)
		printf(" (or %" PRIu32 " others that differ where it has "
		       "nothing)",
		       guest->layout.others);
	if (guest->owner.word == GT_OWNER_VMM)
		printf("  read by its VMM");
	else if (guest->owner.word)
		printf("  read by process %" PRIu32, guest->owner.owner);
	printf("\n");
}

static int find(const struct command *command)
{
	int r = attach_find(&memory,
	                    isatty(STDERR_FILENO) ? show_progress : NULL);

	if (r < 0)
		complain("%s", code_text(r));
	else if (memory.guest_count == 0 && memory.silent_count > 0)
		complain("%zu pages look like a guest's control block, and no "
		         "page tables lead to one; --memory says where RAM "
		         "is",
		         memory.silent_count);
	else if (memory.guest_count == 0)
		complain("no guest that records is in this memory");
	if (r < 0 || memory.guest_count == 0)
		return COMMAND_FAILED;
	for (size_t i = 0; command->lists && i < memory.guest_count; i++)
		list(&memory.guests[i]);
	return 0;
}

static int cmd_attach(int argc, char **argv)
{
	struct gt_report_options look = {.size = sizeof(look)};
	struct command command = {
		.attaching = {.memory = &memory,
	                      .interval_ns = INTERVAL_NS,
	                      .tsc_offset = GT_TSC_OFFSET_UNKNOWN,
	                      .look = &look},
	};
	int id, status;

	while ((id = options_next(&command_attach, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_attach, id);
		if (!take_option(&command, id))
			return id == OPTION_PID || id == OPTION_MEMORY ||
			                       id == OPTION_IMAGE
			               ? COMMAND_FAILED
			               : COMMAND_USAGE;
	}
	if (!options_operands(&command_attach, argc, argv, 0, 0))
		return COMMAND_USAGE;
	if (memory.pid != 0 && command.has_files) {
		complain("--pid does not go with --memory");
		return COMMAND_USAGE;
	}
	if (memory.pid == 0 && memory.count == 0)
		return options_missing(&command_attach, "--pid");
	screen_look(COLOURS_AUTO, &look);
	status = command.qmp && attach_qmp_begin(&memory.qmp, command.qmp) < 0
	                 ? COMMAND_FAILED
	                 : find(&command);
	if (status == 0 && !command.lists)
		status = attaching_run(&command.attaching);
	attach_memory_close(&memory);
	return status;
}

const struct command_spec command_attach = {
	.name = "attach",
	.operands = "",
	.what = "trace the guests of a VM that runs, whatever its VMM",
	.notes =
		"Needs root, CAP_SYS_PTRACE, or the VMM's own user. The guests "
		"run on\nmeanwhile and afterwards.\n",
	.options = options_table,
	.run = cmd_attach,
	.examples = "  guesttrace attach --pid 4711 --list\n"
		    "  guesttrace attach --pid 4711 --filter info --for 2s\n",
	.usage_status = COMMAND_USAGE,
};
