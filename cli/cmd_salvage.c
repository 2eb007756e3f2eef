/* SPDX-License-Identifier: MIT */
/*
 * guesttrace salvage: what a guest that is gone has left in its memory becomes
 * a capture, by way of the host library as in any VMM: one exit that announces
 * the guest, and its end.
 */
#include "destination.h"
#include "dump.h"
#include "first_pass.h"
#include "monotonic.h"
#include "options.h"
#include "places.h"
#include "screen.h"
#include "ways.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TSC_LAST    (UINT64_C(1) << 60)
#define SECONDS_MAX UINT64_C(1000000000)

/* Intel SDM volume 3, 2.5 and 2.2.1: 4-level paging is on. */
#define CR0_PAGING (UINT64_C(1) << 31 | 1)
#define CR4_PAE    (UINT64_C(1) << 5)
#define EFER_LONG  (UINT64_C(1) << 10 | UINT64_C(1) << 8)

enum {
	OPTION_MEMORY = 256,
	OPTION_CR3,
	OPTION_IDENTITY,
	OPTION_TSC_KHZ,
	OPTION_MAX_TIME,
	OPTION_FORCE,
};

static const struct option_spec options[] = {
	{OPTION_MEMORY, "memory", "FILE[@GPA]",
         "raw memory at that address, or an ELF core; several times", NULL},
	{OPTION_CR3, "cr3", "GPA", "the guest's page tables; else found", NULL},
	{OPTION_IDENTITY, "identity", NULL,
         "virtual addresses are physical ones: no page tables", NULL},
	{OPTION_TSC_KHZ, "tsc-khz", "KHZ",
         "rate of the TSC; else a tick is shown as 1 ns", NULL},
	{OPTION_MAX_TIME, "max-time", "SECONDS",
         "give up looking for the guest then", NULL},
	{'o', "output", "CAPTURE", "default standard output", NULL},
	{OPTION_FORCE, "force", NULL, "to a terminal, too", NULL},
	{0},
};

struct salvage {
	struct dump dump;
	uint64_t cr3, identity_root;
	bool has_cr3, identity, force;
	uint64_t tsc_khz;    /* 0: not known */
	uint64_t end_ns;     /* of looking, CLOCK_MONOTONIC; 0: never */
	uint64_t written_ns; /* when the dump was written, since 1970 */
	const char *output;
	const char *name; /* of the first file */
	/* Found: */
	uint64_t root, control_gva;
	uint32_t vcpus; /* as the control block says, at least 1 */
	/* The clock of a pass: host times at both ends. */
	uint64_t tsc[2], realtime_ns[2];
	unsigned readings;
};

/* ---- The host library's way ---------------------------------------------- */

__extension__ typedef unsigned __int128 u128;

static uint64_t ns_of(const struct salvage *s, uint64_t ticks)
{
	uint64_t khz = s->tsc_khz ? s->tsc_khz : 1000000;

	return (uint64_t)((u128)ticks * 1000000 / khz);
}

/* The first reading is the beginning, each other the end. */
static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	struct salvage *s = context;
	unsigned end = s->readings++ > 0;

	*ret_reading = (struct gt_clock_reading){
		.tsc = s->tsc[end],
		.monotonic_ns = ns_of(s, s->tsc[end]),
		.realtime_ns = s->realtime_ns[end],
	};
}

static struct gt_exit announcement(uint64_t root, uint64_t control_gva)
{
	return (struct gt_exit){
		.size = sizeof(struct gt_exit),
		.reason = GT_EXIT_IO,
		.port = GT_PORT_TRACE,
		.width_bytes = 1,
		.out = true,
		.count = 1,
		.r8 = GT_DOORBELL_MAGIC,
		.r9 = control_gva,
		.r10 = GT_DOORBELL_ANNOUNCE,
		.cr0 = CR0_PAGING,
		.cr3 = root,
		.cr4 = CR4_PAE,
		.efer = EFER_LONG,
	};
}

static int new_host(struct salvage *s, struct gt_sink *const *sink,
                    const struct gt_output *capture, struct gt_host **ret_host)
{
	const char *slash = strrchr(s->name, '/');
	struct gt_host_options host = {
		.size = sizeof(host),
		.memory_slots = s->dump.count,
		.vcpus = s->vcpus,
		.sinks = sink,
		.sink_count = sink ? 1 : 0,
		.guest_name = slash ? slash + 1 : s->name,
		.vm_name = "salvaged",
		.backend = "memory",
		.read_clock = read_clock,
		.clock_context = s,
	};

	memcpy(host.memory, s->dump.slots, sizeof(s->dump.slots));
	if (capture)
		host.capture = *capture;
	s->readings = 0;
	return gt_host_new(&host, ret_host);
}

static int take_all(struct salvage *s, struct gt_sink *const *sink,
                    const struct gt_output *capture)
{
	struct gt_exit exit = announcement(s->root, s->control_gva);
	struct gt_host *host;
	int r = new_host(s, sink, capture, &host), finished;

	if (r < 0)
		return r;
	r = gt_host_exit(host, 0, &exit);
	finished = gt_host_finish(host, GT_ENDING_UNKNOWN, 0,
	                          "salvaged from its memory");
	gt_host_free(host);
	return r < 0 ? r : finished;
}

/* ---- Finding the guest --------------------------------------------------- */

/* What the library makes of a number that is not true is its own affair. */
static uint32_t count_vcpus(const struct dump *dump, uint64_t control_gpa)
{
	const uint8_t *control =
		dump_at(dump, control_gpa, sizeof(struct gt_control));
	uint32_t vcpus = 1;

	if (control)
		memcpy(&vcpus, control + offsetof(struct gt_control, vcpus),
		       sizeof(vcpus));
	return vcpus >= 1 && vcpus <= GT_VCPUS_MAX ? vcpus : 1;
}

/* Whether the library can follow a control block at `gva` to its rings. */
static bool try_control(void *context, uint64_t root, uint64_t gva,
                        uint64_t gpa)
{
	struct salvage *s = context;
	struct gt_exit exit = announcement(root, gva);
	struct gt_host *host;
	bool works;

	s->vcpus = count_vcpus(&s->dump, gpa);
	if (new_host(s, NULL, NULL, &host) < 0)
		return false;
	works = gt_host_exit(host, 0, &exit) == 1;
	gt_host_free(host);
	if (works) {
		s->root = root;
		s->control_gva = gva;
	}
	return works;
}

/* 1, 0, or an error of ways.h. */
static int find_guest(struct salvage *s, uint64_t *ret_controls)
{
	struct ways ways;
	int r = ways_init(&ways, &s->dump, GT_CONTROL_MAGIC, s->end_ns);

	if (r == 0 && s->identity)
		r = ways_follow(&ways, s->identity_root, try_control, s);
	else if (r == 0 && s->has_cr3)
		r = ways_follow(&ways, s->cr3, try_control, s);
	else if (r == 0)
		r = ways_follow_all(&ways, try_control, s);
	*ret_controls = ways.target_count;
	ways_fini(&ways);
	return r;
}

static void complain_of_none(const struct salvage *s, int r, uint64_t controls)
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
	else if (controls)
		complain("%s: no page tables lead to the guest's rings",
		         s->name);
	else
		complain("%s: no guest that records is in this memory",
		         s->name);
}

/* ---- Times --------------------------------------------------------------- */

/* A first pass, on a clock of one tick a ns, tells between what TSCs it is. */
static int find_range(struct salvage *s, struct seen *range)
{
	struct gt_sink *const sink = &range->sink;
	uint64_t khz = s->tsc_khz;
	int r;

	*range = seen_begin();
	s->tsc_khz = 0;
	s->tsc[0] = s->realtime_ns[0] = 0;
	s->tsc[1] = s->realtime_ns[1] = TSC_LAST;
	r = take_all(s, &sink, NULL);
	s->tsc_khz = khz;
	return r;
}

/* The last record is given the time at which the dump was written. */
static void set_clock(struct salvage *s, const struct seen *range)
{
	uint64_t duration_ns = ns_of(s, range->last - range->first);

	s->tsc[0] = range->first;
	s->tsc[1] = range->last;
	if (s->written_ns < duration_ns)
		s->written_ns = duration_ns;
	s->realtime_ns[0] = s->written_ns - duration_ns;
	s->realtime_ns[1] = s->written_ns;
}

/* ---- The command --------------------------------------------------------- */

static int write_capture(struct salvage *s)
{
	struct destination destination;
	struct gt_output to;
	struct seen range;
	int r = find_range(s, &range), closed;

	if (r < 0) {
		complain("%s: %s", s->name, code_text(r));
		return r;
	}
	set_clock(s, &range);
	r = destination_open(&destination, s->output, false);
	if (r < 0)
		return r;
	to = destination_output(&destination);
	r = take_all(s, NULL, &to);
	if (r < 0 && !destination.error)
		complain("%s: %s", s->name, code_text(r));
	closed = destination_close(&destination, r == 0);
	if (r == 0 && closed == 0)
		seen_say_losses(&range, s->name);
	if (r == 0 && closed == 0 && range.records == 0)
		complain("%s: the guest has recorded nothing, or these page "
		         "tables are not its own",
		         s->name);
	else if (r == 0 && closed == 0 && !s->tsc_khz)
		complain("a tick of the TSC is shown as 1 ns: no --tsc-khz");
	return r < 0 ? r : closed;
}

static int salvage(struct salvage *s)
{
	uint64_t controls;
	int r;

	if (s->identity && dump_add_identity(&s->dump, &s->identity_root) < 0) {
		complain("no room for --identity beside that much memory");
		return COMMAND_FAILED;
	}
	s->tsc[1] = s->realtime_ns[1] = TSC_LAST;
	r = find_guest(s, &controls);
	if (r <= 0) {
		complain_of_none(s, r, controls);
		return COMMAND_FAILED;
	}
	return write_capture(s) < 0 ? COMMAND_FAILED : 0;
}

static bool take_memory(struct salvage *s, const char *text)
{
	struct stat info;

	if (dump_add(&s->dump, text) < 0)
		return false;
	if (!s->name)
		s->name = place_input_name(text);
	/* With an @GPA behind it the name is no file's: the time stays 0. */
	if (stat(text, &info) == 0)
		s->written_ns = (uint64_t)info.st_mtim.tv_sec * 1000000000 +
		                (uint64_t)info.st_mtim.tv_nsec;
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

static bool take_option(struct salvage *s, int id)
{
	switch (id) {
	case OPTION_MEMORY:
		return take_memory(s, optarg);
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
		return s->force = true;
	default:
		s->output = optarg;
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

static int cmd_salvage(int argc, char **argv)
{
	struct salvage s = {0};
	int id, status = 0;

	while (status == 0 &&
	       (id = options_next(&command_salvage, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP) {
			dump_fini(&s.dump);
			return options_stop(&command_salvage, id);
		}
		if (!take_option(&s, id))
			status = id == OPTION_MEMORY ? COMMAND_FAILED
			                             : COMMAND_USAGE;
	}
	if (status == 0 && (optind != argc || !s.name))
		status = options_usage(&command_salvage);
	if (status == 0)
		status = check(&s);
	if (status == 0 && !screen_takes("a capture", s.output, s.force))
		status = COMMAND_USAGE;
	if (status == 0)
		status = dump_is_replaced(&s.dump, s.output) ? COMMAND_FAILED
		                                             : salvage(&s);
	dump_fini(&s.dump);
	return status;
}

const struct command_spec command_salvage = {
	.name = "salvage",
	.operands = "",
	.what = "make a capture of a dead guest's memory",
	.options = options,
	.run = cmd_salvage,
	.usage_status = COMMAND_USAGE,
};
