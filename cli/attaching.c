/* SPDX-License-Identifier: MIT */
#include "attaching.h"
#include "attach_clock.h"
#include "attach_layout.h"
#include "command.h"
#include "monotonic.h"
#include "numbered.h"
#include "outlets.h"
#include "places.h"
#include "rotation.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LEASE_NS      (NS_PER_S)
#define LOOK_AGAIN_NS (NS_PER_S / 10) /* for a guest that comes back */
#define MS            UINT64_C(1000000)

/* An owner is looked at for its lease, up to so long, and so much more. */
#define WATCHED_MS_MAX 1500u
#define WATCHED_MS     200u

/* One guest that is read, and where that goes. */
struct attached {
	const struct attach_guest *guest;
	struct gt_layout layout;
	struct gt_host *host;
	struct outputs outputs;
	struct rotation capture;
	char *paths[ATTACH_EXPORTS_MAX], *path, *name;
	enum {
		READING,
		GONE,
		TAKEN
	} state;
};

struct attaching {
	const struct attaching_options *options;
	struct attached *readings[ATTACH_GUESTS_MAX];
	size_t count;
	uint32_t runs; /* so far, for the names of files */
	uint64_t hz;   /* of this machine's TSC */
	uint64_t lease_ticks, end_ns;
	struct timespec filter_time;
	char *filter; /* as in --filter-file */
	bool failed, is_taken;
};

static volatile sig_atomic_t stop;
static struct keeper no_keeper;

static void on_signal(int number)
{
	(void)number;
	if (stop)
		leftovers_end(number);
	stop = 1;
	outlets_hurry(monotonic_ns());
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction action = {.sa_handler = on_signal}, before;

		sigaction(signals[i], NULL, &before);
		if (before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

static bool is_over(const struct attaching *attaching)
{
	return stop ||
	       (attaching->end_ns && monotonic_ns() >= attaching->end_ns);
}

/* Until then, or until a signal. */
static void nap(const struct attaching *attaching, uint64_t ns)
{
	uint64_t now = monotonic_ns();
	struct timespec span;

	if (attaching->end_ns && attaching->end_ns - now < ns)
		ns = attaching->end_ns > now ? attaching->end_ns - now : 0;
	span = (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
	                         .tv_nsec = (long)(ns % NS_PER_S)};
	if (!stop)
		nanosleep(&span, NULL);
}

/* ---- The owner ----------------------------------------------------------- */

static bool read_owner(const struct attach_guest *guest,
                       struct gt_owner *ret_owner)
{
	struct gt_process_memory place = {guest->found.mapping->pid,
	                                  guest->found.address};
	struct gt_control control;

	return gt_memory_of_process.read(&place, 0, &control,
	                                 sizeof(control)) == 0 &&
	       gt_owner_read(&control, sizeof(control), ret_owner);
}

/* Whether the one that says so still gives signs of life, for its lease. */
static bool is_alive(const struct attaching *attaching,
                     const struct attach_guest *guest)
{
	uint64_t ms = guest->owner.lease_ticks / (attaching->hz / 1000 + 1);
	uint64_t until = monotonic_ns() + WATCHED_MS * MS +
	                 (ms < WATCHED_MS_MAX ? ms : WATCHED_MS_MAX) * MS;
	struct gt_owner owner;

	while (monotonic_ns() < until && !is_over(attaching)) {
		if (!read_owner(guest, &owner))
			return false; /* it is gone: attaching says so */
		if (owner.word != guest->owner.word)
			return owner.word != 0;
		if (owner.beat != guest->owner.beat)
			return true;
		nap(attaching, 50 * MS);
	}
	return guest->owner.lease_ticks == 0;
}

/* Whether it may be read: nobody does, or nobody who lives. */
static bool is_free(const struct attaching *attaching,
                    const struct attach_guest *guest)
{
	if (guest->owner.word == 0 || attaching->options->takes_over)
		return true;
	if (guest->owner.word == GT_OWNER_VMM) {
		complain("guest at 0x%" PRIx64 ": its VMM reads it itself "
		         "(--take-over takes it away)",
		         guest->control_gpa);
		return false;
	}
	if (!is_alive(attaching, guest))
		return true;
	complain("guest at 0x%" PRIx64 ": process %" PRIu32
	         " reads it (--take-over takes it away)",
	         guest->control_gpa, guest->owner.owner);
	return false;
}

/* ---- Beginning ----------------------------------------------------------- */

static int open_outputs(struct attaching *attaching, struct attached *reading)
{
	const struct attaching_options *options = attaching->options;
	uint32_t number = attaching->runs;

	reading->outputs.otlp = options->otlp;
	reading->outputs.force = options->force;
	for (size_t i = 0; i < options->export_count; i++) {
		const struct attach_export *export = &options->exports[i];
		const struct format *format =
			format_find(export->format, strlen(export->format));

		if (export->path)
			reading->paths[i] =
				otlp_format_is_sent(format->new_sink)
					? strdup(export->path)
					: numbered_path(export->path, number);
		if (outputs_add(&reading->outputs, format->name,
		                format->new_sink, reading->paths[i]) < 0)
			return -EINVAL;
	}
	if (options->capture)
		reading->path = numbered_path(options->capture, number);
	if (!options->capture && options->export_count == 0)
		outputs_add_text(&reading->outputs, "tree", gt_tree_with,
		                 options->look);
	if (!outputs_take_otlp(&reading->outputs) ||
	    !outputs_are_apart(&reading->outputs, reading->path) ||
	    outputs_meet_messages(&reading->outputs, reading->path) ||
	    outputs_open(&reading->outputs) < 0)
		return -EINVAL;
	return rotation_open(&reading->capture, reading->path);
}

static const char *filter_of(const struct attaching *attaching)
{
	return attaching->filter ? attaching->filter
	                         : attaching->options->filter;
}

static int attach(struct attaching *attaching, struct attached *reading)
{
	const struct attaching_options *options = attaching->options;
	const struct attach_guest *guest = reading->guest;
	struct gt_attachment attachment = {
		.size = sizeof(attachment),
		.control_gva = guest->control_gva,
		.root = guest->root,
		.has_five_levels = guest->layout.has_five_levels,
		.takes_over = true, /* we have looked */
		.owner = (uint32_t)getpid(),
		.lease_ticks = attaching->lease_ticks,
		.tsc_offset = options->tsc_offset,
	};
	struct gt_host_options host = {
		.size = sizeof(host),
		.memory_slots = guest->layout.count,
		.vcpus = guest->found.control.vcpus,
		.sinks = reading->outputs.sinks,
		.sink_count = reading->outputs.sink_count,
		.filter = filter_of(attaching),
		.guest_name = reading->name,
		.vm_name = "vm",
		.backend = "attached",
		.traceparent = options->traceparent,
		.capture = rotation_output(&reading->capture),
	};

	if (host.vcpus < 1 || host.vcpus > GT_VCPUS_MAX)
		return -GT_ERROR_BAD_CONTROL;
	attach_layout_copy(&reading->layout, &guest->layout);
	memcpy(host.memory, reading->layout.slots, sizeof(host.memory));
	if (attachment.tsc_offset == GT_TSC_OFFSET_UNKNOWN &&
	    options->memory->pid)
		attach_clock_of_kvm(options->memory->pid, &attachment);
	return gt_host_attach(&host, &attachment, &reading->host);
}

static int end_reading(struct attached *reading, bool good)
{
	int r = outputs_close(&reading->outputs, good);
	int closed = rotation_close(&reading->capture);

	gt_host_free(reading->host);
	for (size_t i = 0; i < ATTACH_EXPORTS_MAX; i++)
		free(reading->paths[i]);
	free(reading->path);
	free(reading->name);
	free(reading);
	return r < 0 ? r : closed;
}

/* A capture that was not begun. */
static void remove_empty(const char *path)
{
	struct stat info;

	if (path && lstat(path, &info) == 0 && S_ISREG(info.st_mode) &&
	    info.st_size == 0)
		unlink(path);
}

/* Status as of the command: complains of what failed. */
static int begin(struct attaching *attaching, const struct attach_guest *guest)
{
	struct attached *reading = calloc(1, sizeof(*reading));
	int r;

	if (!reading)
		return -ENOMEM;
	reading->guest = guest;
	reading->capture = (struct rotation){
		.keeper = &no_keeper,
		.keep = 1,
		.files = {{.file = {.fd = -1}}, {.file = {.fd = -1}}}};
	r = asprintf(&reading->name, "guest@0x%" PRIx64, guest->control_gpa);
	if (r < 0)
		reading->name = NULL;
	r = reading->name ? open_outputs(attaching, reading) : -ENOMEM;
	if (r == 0) {
		r = attach(attaching, reading);
		if (r < 0)
			complain("%s: %s", reading->name, code_text(r));
	}
	if (r < 0) {
		remove_empty(reading->path);
		end_reading(reading, false);
		return r;
	}
	attaching->readings[attaching->count++] = reading;
	attaching->runs++;
	return 0;
}

static void begin_all(struct attaching *attaching)
{
	const struct attach_memory *memory = attaching->options->memory;

	for (size_t i = 0; i < memory->guest_count && !is_over(attaching);
	     i++) {
		if (!is_free(attaching, &memory->guests[i]))
			attaching->is_taken = true;
		else if (begin(attaching, &memory->guests[i]) < 0)
			attaching->failed = true;
	}
}

/* ---- Reading ------------------------------------------------------------- */

static void say_gone(struct attached *reading, int r)
{
	if (r == -GT_ERROR_HAS_OWNER)
		complain("%s: somebody else has taken it", reading->name);
	reading->state = r == -GT_ERROR_HAS_OWNER ? TAKEN : GONE;
}

/* A filter that is none is said, and the one before stays. */
static void look_at_filter(struct attaching *attaching)
{
	const char *path = attaching->options->filter_file;
	char text[4096];
	struct stat info;
	size_t length;
	FILE *file;

	if (!path || stat(path, &info) < 0 ||
	    (info.st_mtim.tv_sec == attaching->filter_time.tv_sec &&
	     info.st_mtim.tv_nsec == attaching->filter_time.tv_nsec))
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	attaching->filter_time = info.st_mtim;
	if (gt_filter_check(GT_WIRE_NATIVE, text, NULL, NULL) < 0) {
		complain("%s: '%s' is no filter: ignored", path, text);
		return;
	}
	free(attaching->filter);
	attaching->filter = strdup(text);
	for (size_t i = 0; i < attaching->count; i++)
		gt_host_set_filter(attaching->readings[i]->host, text);
}

/* Whether any guest is left. */
static bool drain_all(struct attaching *attaching)
{
	bool any = false;

	for (size_t i = 0; i < attaching->count; i++) {
		struct attached *reading = attaching->readings[i];
		int r;

		if (reading->state != READING)
			continue;
		r = gt_host_drain(reading->host);
		if (r == -GT_ERROR_GUEST_GONE || r == -GT_ERROR_HAS_OWNER)
			say_gone(reading, r);
		any |= reading->state == READING;
	}
	return any;
}

static const char *message_of(const struct attached *reading)
{
	switch (reading->state) {
	case GONE:
		return "its control block is gone: the VM has ended, or has "
		       "begun anew";
	case TAKEN:
		return "another reader has taken it";
	default:
		return "detached";
	}
}

static void finish_all(struct attaching *attaching)
{
	outlets_guest_is_gone();
	for (size_t i = 0; i < attaching->count; i++) {
		struct attached *reading = attaching->readings[i];
		bool good = true;
		int r = 0;

		if (reading->state == READING)
			r = gt_host_detach(reading->host);
		if (r == -GT_ERROR_GUEST_GONE || r == -GT_ERROR_HAS_OWNER)
			say_gone(reading, r);
		r = gt_host_finish(reading->host,
		                   reading->state == GONE ? GT_ENDING_UNKNOWN
		                                          : GT_ENDING_SNAPSHOT,
		                   0, message_of(reading));
		if (r < 0 && !rotation_error(&reading->capture) &&
		    !outputs_failed(&reading->outputs)) {
			complain("%s: the trace is incomplete: %s",
			         reading->name, code_text(r));
			good = false;
		}
		attaching->is_taken |= reading->state == TAKEN;
		attaching->failed |= r < 0 || !good;
		if (end_reading(reading, good) < 0)
			attaching->failed = true;
	}
	attaching->count = 0;
}

static bool is_running(int32_t pid)
{
	return pid == 0 || kill(pid, 0) == 0 || errno != ESRCH;
}

/* Until all are gone. */
static void read_guests(struct attaching *attaching)
{
	while (!is_over(attaching) && drain_all(attaching)) {
		look_at_filter(attaching);
		for (size_t i = 0; i < attaching->count; i++)
			gt_host_sample(attaching->readings[i]->host);
		nap(attaching, attaching->options->interval_ns);
	}
}

/* A guest that boots again in the same VM is another run. */
static bool wait_for_guest(struct attaching *attaching)
{
	struct attach_memory *memory = attaching->options->memory;

	while (!is_over(attaching) && is_running(memory->pid)) {
		if (attach_find(memory, NULL) == 0 && memory->guest_count > 0)
			return true;
		nap(attaching, LOOK_AGAIN_NS);
	}
	return false;
}

int attaching_run(const struct attaching_options *options)
{
	struct attaching attaching = {
		.options = options,
		.end_ns =
			options->for_ns ? monotonic_ns() + options->for_ns : 0,
	};
	uint64_t lease_ns = LEASE_NS;

	if (lease_ns < 4 * options->interval_ns)
		lease_ns = 4 * options->interval_ns;
	attaching.hz = attach_clock_hz();
	attaching.lease_ticks = (uint64_t)((double)attaching.hz *
	                                   (double)lease_ns / (double)NS_PER_S);
	if (outlets_start(0, 0) < 0)
		return COMMAND_FAILED;
	catch_signals();
	look_at_filter(&attaching);
	do {
		begin_all(&attaching);
		if (attaching.count == 0)
			break;
		read_guests(&attaching);
		finish_all(&attaching);
	} while (!attaching.is_taken && !attaching.failed &&
	         wait_for_guest(&attaching));
	outlets_stop();
	free(attaching.filter);
	return attaching.failed || attaching.is_taken ? COMMAND_FAILED : 0;
}
