/* SPDX-License-Identifier: MIT */
#include "session.h"
#include "command.h"
#include "confinement.h"
#include "console.h"
#include "run_outcome.h"
#include "errands.h"
#include "filter_hints.h"
#include "keeper.h"
#include "monotonic.h"
#include "outlets.h"
#include "places.h"
#include "sandbox.h"
#include "vm_exit.h"
#include "waiting.h"
#include "watcher.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct session {
	const struct session_options *options;
	struct vm *vm;
	struct gt_host *host;
	struct rotation capture;
	struct keeper keeper;
	struct watcher watcher;
	int64_t tsc_offset[VM_VCPUS_MAX]; /* each is its vCPU's thread's */
	struct console console;
	char host_name[256];
	struct code_names code;
	char *snapshot_base; /* what snapshots are named after */
	bool whole;          /* the outputs were shown all of the run */
};

/* ---- What the VM calls --------------------------------------------------- */

static void on_enter(void *context, unsigned vcpu)
{
	struct session *session = context;

	gt_host_enter(session->host, vcpu, waiting_ns());
}

static void on_exit_of_vm(void *context, unsigned vcpu,
                          const struct vm_exit *from)
{
	struct session *session = context;
	struct gt_exit exit = exit_from_vm(from);
	struct keeper_state before;
	uint64_t khz;
	int answer;

	exit.waited_ns = waiting_ns();
	/* Two system calls on KVM: only where records may be taken. */
	if (from->reason != VM_EXIT_IO || from->port == GT_PORT_TRACE ||
	    from->r8 == GT_BATCH_MAGIC)
		vm_tsc(session->vm, vcpu, &session->tsc_offset[vcpu], &khz);
	exit.tsc_offset = session->tsc_offset[vcpu];
	if (session->options->drain == DRAIN_END &&
	    (uint32_t)exit.r10 == GT_DOORBELL_FLUSH)
		exit.r8 = 0;
	before = keeper_before_exit(&session->keeper, vcpu, &exit);
	/* A bad request is the guest's affair, and counted. */
	answer = gt_host_exit(session->host, vcpu, &exit);
	keeper_after_exit(&session->keeper, &exit, session->host, answer,
	                  &before);
	if (answer == GT_ANSWER_WAKE)
		watcher_wake(&session->watcher);
	if (session->options->drain == DRAIN_EXITS)
		gt_host_drain(session->host);
}

/* The file that says how long it waited is opened while that is allowed. */
static void on_thread(void *context, enum vm_thread which)
{
	(void)context;
	if (which == VM_THREAD_VCPU)
		waiting_ns();
	sandbox_enter(which == VM_THREAD_VCPU ? SANDBOX_VCPU
	                                      : SANDBOX_WATCHDOG);
}

static void on_print(void *context, const char *bytes, size_t count)
{
	struct session *session = context;

	console_print(&session->console, bytes, count);
}

/* ---- Setting up ---------------------------------------------------------- */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* AUTO found KVM unusable: a run that is slower than expected says why. */
static void say_backend(const struct session *session)
{
	char why[VM_ERROR_BYTES];

	if (session->options->backend == VM_BACKEND_AUTO &&
	    strcmp(vm_backend_name(session->vm), "emulated") == 0 &&
	    !vm_backend_usable(VM_BACKEND_KVM, why))
		complain("on the emulator: %s", why);
}

static int load(struct vm *vm, const char *guest, const struct vm_boot *boot)
{
	int r = vm_load(vm, guest);

	if (r == 0)
		r = vm_boot(vm, boot);
	if (r < 0)
		complain("%s: %s", guest, vm_error(vm));
	return r;
}

static int make_vm(struct session *session)
{
	const struct session_options *options = session->options;
	struct vm_options vm = {
		.size = sizeof(vm),
		.backend = options->backend,
		.vcpus = options->vcpus,
		.memory_bytes = options->memory_bytes,
		.timeout_ns = options->timeout_ns,
		.callbacks = {on_enter, on_exit_of_vm, on_print, on_thread},
		.ctx = session,
		.has_memory_fd = session->keeper.pid != 0,
		.memory_fd = session->keeper.memory_fd,
	};
	char error[VM_ERROR_BYTES] = "";
	int r = vm_new(&session->vm, &vm, error);

	if (r == 0)
		say_backend(session);
	else
		complain("%s", error);
	return r;
}

/* Puts the guest into the VM, in the sandbox: its file may be anybody's. */
static int load_guest(struct session *session)
{
	const struct session_options *options = session->options;
	struct vm_boot boot = {
		.size = sizeof(boot),
		.argc = (unsigned)options->guest_argc,
		.wire = options->wire,
		.ring_mode = options->ring_mode,
	};
	const char **argv = calloc((size_t)options->guest_argc, sizeof(*argv));
	int r;

	if (!argv) {
		complain("%s", code_text(-ENOMEM));
		return -ENOMEM;
	}
	for (int i = 0; i < options->guest_argc; i++)
		argv[i] = i == 0 ? file_name(options->guest_argv[0])
		                 : options->guest_argv[i];
	boot.argv = argv;
	r = load(session->vm, options->guest_argv[0], &boot);
	if (r == 0)
		code_names_open(&session->code, options->guest_argv[0]);
	if (r == 0 && options->filter && session->code.image)
		filter_hints(options->filter, options->guest_argv[0],
		             session->code.image, session->code.bytes);
	free(argv);
	return r;
}

/* A UUID, version 4 (RFC 9562); "" where there are no random bytes. */
static void new_vm_id(char *to, size_t size)
{
	unsigned char b[16];

	*to = '\0';
	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(to, size,
	         "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	         "%02x%02x%02x%02x%02x%02x",
	         b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
	         b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* A file that fails stops no other, and is named when it is closed. */
static bool could_not_write(const struct session *session)
{
	return rotation_error(&session->capture) ||
	       outputs_failed(session->options->outputs);
}

static int make_host(struct session *session)
{
	const struct session_options *options = session->options;
	char vm_id[37];
	struct gt_host_options host = {
		.size = sizeof(host),
		.memory_slots = 1,
		.vcpus = options->vcpus,
		.sinks = options->outputs->sinks,
		.sink_count = options->outputs->sink_count,
		.filter = options->filter,
		.wire = options->wire,
		.no_piggyback = options->no_piggyback,
		.limits = options->limits,
		.guest_name = file_name(options->guest_argv[0]),
		.vm_name = "vm",
		.backend = vm_backend_name(session->vm),
		.traceparent = options->traceparent,
		.tracestate = options->tracestate,
		.guest_build_id = vm_build_id(session->vm),
		.vm_id = vm_id,
		.host_name = session->host_name,
		.sampler = options->outputs->otlp.sampler,
	};
	int64_t offset;
	uint64_t khz = 0;
	int r;

	new_vm_id(vm_id, sizeof(vm_id));
	/* Of the guest's TSC, which is made to run at the host's rate. */
	if (vm_tsc(session->vm, 0, &offset, &khz) == 0 && khz > 0) {
		host.tsc_hz = khz * 1000;
		host.tsc_source = GT_CLOCK_HYPERVISOR;
	}
	host.memory[0].host = vm_memory(session->vm, &host.memory[0].bytes);
	host.capture = rotation_output(&session->capture);
	r = gt_host_new(&host, &session->host);
	if (r < 0 && !could_not_write(session))
		complain("%s", code_text(r));
	return r;
}

/* ---- Running ------------------------------------------------------------- */

static struct vm *volatile running;

/* A signal that comes twice within it is one: `timeout` sends two at once. */
#define TWICE_NS (NS_PER_S / 10)

/*
 * The run ends, and what was recorded is written, if somebody takes it. Whoever
 * asks again ends it all.
 */
static void on_signal(int number)
{
	static _Atomic uint64_t patient_until_ns;
	struct vm *vm = running;
	uint64_t now = monotonic_ns(), until = 0;

	if (!atomic_compare_exchange_strong(&patient_until_ns, &until,
	                                    now + TWICE_NS) &&
	    now > until)
		leftovers_end(number);
	outlets_hurry(now);
	if (vm)
		vm_kick(vm);
}

/* A run that is to outlive its terminal (nohup) ignores SIGHUP: so it stays. */
static void catch_signals(struct vm *vm)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	running = vm;
	if (!vm) {
		leftovers_catch_signals();
		return;
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction action = {.sa_handler = on_signal}, before;

		sigaction(signals[i], NULL, &before);
		if (signals[i] != SIGHUP || before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/* From then on nobody is waited for who reads nothing. */
static void hurry_at_timeout(const struct session_options *options)
{
	if (options->timeout_ns)
		outlets_hurry(monotonic_ns() + options->timeout_ns);
}

static int run_guest(struct session *session, struct vm_outcome *ret_outcome)
{
	struct watcher *watcher = &session->watcher;
	int r;

	watcher->host = session->host;
	watcher->shared = session->options->drain == DRAIN_SHARED;
	watcher->snapshot_base = session->snapshot_base;
	watcher->capture = &session->capture;
	r = errands_start();
	if (r == 0)
		r = watcher_start(watcher);
	if (r < 0) {
		complain("no thread beside the run: %s", code_text(r));
		return r;
	}
	/* Where that is not to be had, the doorbell is an exit like any other.
	 */
	if (watcher->shared)
		vm_doorbell(session->vm, watcher->wake_fd, GT_DOORBELL_AL_WAKE);
	catch_signals(session->vm);
	hurry_at_timeout(session->options);
	r = vm_run(session->vm, ret_outcome);
	outlets_guest_is_gone();
	/* Of a guest that ends by itself all is written, however slowly it is
	 * read. */
	if (r == 0 && ret_outcome->end != VM_TIMEOUT &&
	    ret_outcome->end != VM_INTERRUPTED)
		outlets_hurry(0);
	watcher_stop(watcher);
	errands_stop();
	if (r < 0)
		complain("%s", vm_error(session->vm));
	return r;
}

/* Captures that are full have names, too. */
static bool are_apart(const struct session_options *options)
{
	bool good = outputs_are_apart(options->outputs, options->capture);

	for (uint32_t i = 1; good && i < options->keep_files; i++) {
		char *path = rotation_name(options->capture, i);

		good = path && !place_is_input(path, options->guest_argv[0]) &&
		       outputs_are_apart(options->outputs, path);
		free(path);
	}
	return good;
}

static int open_files(struct session *session)
{
	const struct session_options *options = session->options;
	const char *guest = options->guest_argv[0];
	int r;

	/* Its console alone would be enough. */
	if (place_is_input(NULL, guest) ||
	    outputs_replace(options->outputs, guest) ||
	    (options->capture && place_is_input(options->capture, guest)) ||
	    !are_apart(options) ||
	    outputs_meet_messages(options->outputs, options->capture))
		return -EINVAL;
	r = outputs_open(options->outputs);
	if (r == 0)
		r = rotation_open(&session->capture, options->capture);
	return r;
}

static int open_outlets(struct session *session)
{
	const struct session_options *options = session->options;
	int r = outlets_start(options->queue_bytes, options->patience_ns);

	if (r == 0)
		r = console_open(&session->console,
		                 outputs_on_standard_output(
					 options->outputs, options->capture));
	if (r < 0)
		complain("no thread for outputs: %s", code_text(r));
	return r;
}

/* On Hyperlight's wires nothing stays in the guest's memory. */
static void start_keeper(struct session *session)
{
	const struct session_options *options = session->options;

	if (options->capture && options->wire == GT_WIRE_NATIVE &&
	    !place_is_standard_output(options->capture))
		keeper_start(&session->keeper,
		             options->memory_bytes ? options->memory_bytes
		                                   : VM_MEMORY_BYTES_DEFAULT,
		             &options->limits, !options->no_sandbox);
}

static int run(struct session *session)
{
	struct vm_outcome outcome = {.end = VM_FAILED};
	int status, r;

	start_keeper(session);
	r = make_vm(session);
	hurry_at_timeout(session->options);
	if (r == 0)
		r = watcher_open(&session->watcher);
	if (r == 0)
		r = confinement_begin(session->options, session->vm,
		                      &session->snapshot_base);
	if (r == 0)
		r = load_guest(session);
	if (r == 0)
		r = open_outlets(session);
	if (r == 0)
		r = open_files(session);
	if (r == 0)
		r = make_host(session);
	if (r == 0)
		r = run_guest(session, &outcome);
	if (r < 0)
		return RUN_FAILED;
	outcome_name_code(&session->code, session->vm, &outcome);
	status = outcome_status(session->options, &outcome);
	r = gt_host_finish(session->host, ending_of(outcome.end),
	                   outcome.status, outcome.message);
	session->whole = r == 0 || could_not_write(session);
	if (!session->whole)
		complain("the trace is incomplete: %s", code_text(r));
	return r < 0 ? RUN_FAILED : status;
}

int session_run(const struct session_options *options)
{
	struct session session = {
		.options = options,
		.capture = {.keeper = &session.keeper,
	                    .max_bytes = options->max_bytes,
	                    .keep = options->keep_files ? options->keep_files
	                                                : 1,
	                    .files = {{.file = {.fd = -1}},
	                              {.file = {.fd = -1}}}},
		.watcher = {.wake_fd = -1},
	};
	int status;

	gethostname(session.host_name, sizeof(session.host_name) - 1);
	status = run(&session);
	if (console_close(&session.console) < 0)
		status = RUN_FAILED;
	if (outputs_close(options->outputs, session.whole) < 0)
		status = RUN_FAILED;
	if (rotation_close(&session.capture) < 0)
		status = RUN_FAILED;
	keeper_end(&session.keeper);
	watcher_close(&session.watcher);
	gt_host_free(session.host);
	vm_free(session.vm);
	free(session.snapshot_base);
	code_names_close(&session.code);
	outlets_stop();
	return status;
}
