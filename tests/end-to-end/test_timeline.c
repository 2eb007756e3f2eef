/* SPDX-License-Identifier: MIT */
/*
 * Times of a real guest, on each backend that is there, against the host's own
 * clock around every stretch; a guest that lies about its clock; a guest that
 * is restored from a snapshot. Arguments: stamp.elf, liar.elf, turns.
 */
#include "cli/vm_exit.h"
#include "tests/support/vm_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *stamp, *liar;
static uint64_t turns = 10000;

struct event {
	uint64_t i, ns;
	bool adjusted;
};

/* What the sink was shown, and what the host's clock said. */
static struct {
	struct vm *vm;
	struct gt_host *host;
	struct event *events;
	size_t events_n;
	uint64_t last_event_ns, last_host_ns, spans, exits, guests, interrupted;
	uint64_t last_id, bad_order, bad_parent;
	uint64_t entered_ns[20004], left_ns[20004];
	size_t stretches;
	uint64_t run_id;
	struct gt_summary summary;
	bool pause_at_call;
	int64_t offset;
	size_t moves_after; /* so many stretches the offset is another; 0: no */
	bool drains_before;
} seen;

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- Sink ---------------------------------------------------------------- */

static uint64_t monotonic(const struct gt_trace *trace, uint64_t ns)
{
	return ns - (uint64_t)trace->monotonic_offset_ns;
}

static int on_begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	(void)sink;
	seen.run_id = trace->run_id;
	return 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	seen.spans++;
	seen.bad_order += span->end_ns < span->start_ns;
	seen.bad_order += span->start_ns < trace->start_ns;
	seen.interrupted += (span->flags & GT_SPAN_INTERRUPTED) != 0;
	return 0;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	seen.bad_order += event->time_ns < seen.last_event_ns;
	seen.last_event_ns = event->time_ns;
	seen.events = realloc(seen.events,
	                      (seen.events_n + 1) * sizeof(*seen.events));
	seen.events[seen.events_n++] = (struct event){
		.i = event->fields[0].value.u64,
		.ns = monotonic(trace, event->time_ns),
		.adjusted = event->flags & GT_SPAN_ADJUSTED,
	};
	return 0;
}

static int on_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                        const struct gt_host_span_view *span)
{
	(void)sink;
	(void)trace;
	seen.exits += span->kind == GT_HOST_EXIT;
	seen.guests += span->kind == GT_HOST_GUEST;
	seen.bad_order += span->end_ns < span->start_ns;
	/* Without gap or overlap. */
	if (seen.last_host_ns)
		seen.bad_order += span->start_ns != seen.last_host_ns;
	seen.last_host_ns = span->end_ns;
	if (span->kind == GT_HOST_GUEST)
		seen.bad_parent += span->parent_id != seen.run_id;
	else if (span->port == GT_PORT_LOG) /* within a turn */
		seen.bad_parent += span->parent_id == seen.run_id;
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)sink;
	(void)trace;
	seen.summary = *summary;
	return 0;
}

/* ---- The VM and its host ------------------------------------------------- */

static void on_enter(void *ctx, unsigned vcpu)
{
	(void)ctx;
	if (seen.stretches < 20004)
		seen.entered_ns[seen.stretches] = now_ns();
	if (seen.host)
		gt_host_enter(seen.host, vcpu, 0);
}

/* As a VMM does whose guest is migrated, or set by the user. */
static void move_offset(unsigned vcpu)
{
	static const int64_t offsets[] = {INT64_C(1000000000000), -12345,
	                                  INT64_C(-1000000000), 0};

	if (seen.drains_before && seen.host)
		assert_true(gt_host_drain(seen.host) >= 0);
	seen.offset = offsets[seen.stretches / seen.moves_after % 4];
	assert_int_equal(vm_set_tsc(seen.vm, vcpu, seen.offset), 0);
}

static struct gt_exit last_exit;

static void on_exit_of_vm(void *ctx, unsigned vcpu, const struct vm_exit *from)
{
	struct gt_exit exit = exit_from_vm(from);

	(void)ctx;
	exit.tsc_offset = seen.offset;
	if (seen.host)
		gt_host_exit(seen.host, vcpu, &exit);
	if (seen.stretches < 20004)
		seen.left_ns[seen.stretches++] = now_ns();
	if (seen.moves_after && seen.stretches % seen.moves_after == 0)
		move_offset(vcpu);
	if (from->reason == VM_EXIT_IO)
		last_exit = exit;
	if (seen.pause_at_call && from->reason == VM_EXIT_IO &&
	    from->port == GT_PORT_CALL)
		vm_pause(seen.vm);
}

static struct gt_sink sink = {
	.begin = on_begin,
	.close = on_close,
	.event = on_event,
	.host_span = on_host_span,
	.end = on_end,
};

static void start_host(void)
{
	static struct gt_sink *const sinks[] = {&sink};
	struct gt_host_options options = {
		.size = sizeof(options),
		.memory_slots = 1,
		.sinks = sinks,
		.sink_count = 1,
	};

	options.memory[0].host = vm_memory(seen.vm, &options.memory[0].bytes);
	assert_int_equal(gt_host_new(&options, &seen.host), 0);
}

static void start_vm(enum vm_backend backend, const char *guest, uint64_t count,
                     bool pause)
{
	char number[24], error[VM_ERROR_BYTES];
	const char *argv[] = {"guest", number, "pause"};
	struct vm_options options = {
		.size = sizeof(options),
		.backend = backend,
		.callbacks = {on_enter, on_exit_of_vm, NULL},
	};
	struct vm_boot boot = {
		.size = sizeof(boot), .argc = pause ? 3 : 2, .argv = argv};

	free(seen.events);
	memset(&seen, 0, sizeof(seen));
	snprintf(number, sizeof(number), "%" PRIu64, count);
	assert_int_equal(vm_new(&seen.vm, &options, error), 0);
	assert_int_equal(vm_load(seen.vm, guest), 0);
	assert_int_equal(vm_boot(seen.vm, &boot), 0);
	seen.pause_at_call = pause;
}

static void run_on(enum vm_end end)
{
	struct vm_outcome outcome;

	assert_int_equal(vm_run(seen.vm, &outcome), 0);
	assert_int_equal(outcome.end, end);
}

static void stop_host(void)
{
	assert_int_equal(gt_host_finish(seen.host, GT_ENDING_HALTED, 0, NULL),
	                 0);
	gt_host_free(seen.host);
	seen.host = NULL;
}

/* ---- Tests --------------------------------------------------------------- */

/*
 * Event i was made in the stretch between turn i's entry and its exit. The host
 * learns at the next exit that an offset moved, so what is recorded before that
 * exit is flagged.
 */
static void check_events(const char *what, bool moved)
{
	uint64_t bound_ns = seen.summary.clock.error_bound_ns, worst_ns = 0;

	assert_int_equal(seen.events_n, turns);
	for (uint64_t i = 0; i < turns; i++) {
		/* Stretch 0 announces; flushes may lie between. */
		const struct event *event = &seen.events[i];
		uint64_t off_ns = UINT64_MAX;

		assert_int_equal(event->i, i);
		for (size_t s = i + 1; s < seen.stretches && off_ns; s++) {
			uint64_t from = seen.entered_ns[s],
				 to = seen.left_ns[s];

			if (event->ns < from)
				off_ns = off_ns < from - event->ns
				                 ? off_ns
				                 : from - event->ns;
			else
				off_ns = event->ns <= to ? 0 : off_ns;
			if (from > event->ns + 1000000)
				break;
		}
		worst_ns = off_ns > worst_ns ? off_ns : worst_ns;
	}
	print_message("# %s: bound %" PRIu64 " ns, worst %" PRIu64
	              " ns outside, "
	              "%zu stretches\n",
	              what, bound_ns, worst_ns, seen.stretches);
	assert_true(worst_ns <= bound_ns);
	if (!moved)
		assert_int_equal(seen.summary.losses.adjusted_records, 0);
	assert_true(seen.summary.losses.adjusted_records < turns);
	assert_int_equal(seen.summary.losses.late_records, 0);
	assert_int_equal(seen.bad_order, 0);
	assert_int_equal(seen.bad_parent, 0);
	assert_int_equal(seen.guests, seen.stretches);
	assert_int_equal(seen.exits, seen.stretches - 1);
}

static void every_time_lies_between_the_hosts_own(void **state)
{
	static const int64_t offsets[] = {0, INT64_C(1000000000000),
	                                  INT64_C(-1000000000)};
	enum vm_backend backend = *(enum vm_backend *)*state;

	for (unsigned i = 0; i < 3; i++) {
		char what[40];

		start_vm(backend, stamp, turns, false);
		if (!(vm_capabilities(seen.vm) & VM_HAS_TSC_OFFSET) && i > 0) {
			vm_free(seen.vm);
			break;
		}
		if (i > 0)
			assert_int_equal(vm_set_tsc(seen.vm, 0, offsets[i]), 0);
		seen.offset = offsets[i];
		start_host();
		run_on(VM_HALTED);
		stop_host();
		vm_free(seen.vm);
		snprintf(what, sizeof(what), "offset %" PRId64, offsets[i]);
		check_events(what, false);
	}
}

static void an_offset_that_moves_moves_no_time(void **state)
{
	for (unsigned drains = 0; drains < 2; drains++) {
		start_vm(*(enum vm_backend *)*state, stamp, turns, false);
		if (!(vm_capabilities(seen.vm) & VM_HAS_TSC_OFFSET)) {
			vm_free(seen.vm);
			skip();
		}
		seen.moves_after = turns / 20 + 1;
		seen.drains_before = drains;
		start_host();
		run_on(VM_HALTED);
		stop_host();
		vm_free(seen.vm);
		check_events(drains ? "offset moved behind drains"
		                    : "offset moved",
		             true);
		assert_true(seen.summary.clock.flags & GT_CLOCK_MOVED);
		/* Else a record may be one of before or of after. */
		assert_true(!drains ||
		            seen.summary.clock.error_bound_ns < 1000000);
	}
}

/* Threat D5. */
static void a_guest_that_lies_about_its_clock_hurts_nobody(void **state)
{
	start_vm(*(enum vm_backend *)*state, liar, turns / 10, false);
	start_host();
	run_on(VM_HALTED);
	stop_host();
	vm_free(seen.vm);
	assert_int_equal(seen.events_n, turns / 10);
	assert_int_equal(seen.spans, turns / 10);
	assert_int_equal(seen.bad_order, 0);
	assert_true(seen.summary.losses.adjusted_records > 0);
	assert_true(seen.summary.losses.late_records > 0);
	for (size_t i = 0; i < seen.events_n; i++)
		assert_true(seen.events[i].ns >= seen.entered_ns[0] &&
		            seen.events[i].ns <=
		                    seen.left_ns[seen.stretches - 1]);
}

/* Twice from the middle: into the same host, and into one that is new. */
static void a_restored_guest_begins_a_new_life(void **state)
{
	FILE *file = tmpfile();
	uint64_t control_gva, half = 50;

	assert_non_null(file);
	start_vm(*(enum vm_backend *)*state, stamp, 2 * half, true);
	start_host();
	run_on(VM_PAUSED);
	assert_int_equal(vm_save(seen.vm, fileno(file)), 0);
	control_gva = gt_host_control(seen.host);
	assert_true(control_gva != 0);
	run_on(VM_HALTED);
	assert_true(gt_host_drain(seen.host) >= 0);
	assert_int_equal(seen.events_n, 2 * half);

	for (unsigned life = 0; life < 2; life++) {
		uint64_t before = seen.events_n;

		if (life == 1) {
			stop_host();
			free(seen.events);
			seen.events = NULL;
			before = seen.events_n = 0;
			seen.last_event_ns = seen.last_host_ns = 0;
			start_host();
		}
		rewind(file);
		assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
		assert_int_equal(
			vm_restore(seen.vm, fileno(file), VM_TSC_STAYS), 0);
		assert_int_equal(
			gt_host_resumed(seen.host, 0, &last_exit, control_gva),
			0);
		run_on(VM_HALTED);
		assert_true(gt_host_drain(seen.host) >= 0);
		/* What the rings held at the snapshot does not come again. */
		assert_int_equal(seen.events_n - before, half - 1);
		assert_int_equal(seen.events[before].i, half + 1);
	}
	stop_host();
	assert_int_equal(seen.summary.losses.bad_records, 0);
	assert_int_equal(seen.summary.losses.adjusted_records, 0);
	/* The turn that was open in the snapshot began in another life. */
	assert_int_equal(seen.summary.losses.unknown_spans, 1);
	assert_int_equal(seen.interrupted, 0);
	assert_int_equal(seen.bad_order, 0);
	vm_free(seen.vm);
	fclose(file);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_time_lies_between_the_hosts_own),
		cmocka_unit_test(an_offset_that_moves_moves_no_time),
		cmocka_unit_test(
			a_guest_that_lies_about_its_clock_hurts_nobody),
		cmocka_unit_test(a_restored_guest_begins_a_new_life),
	};

	if (argc < 3)
		return 2;
	fixture_guest = stamp = argv[1];
	liar = argv[2];
	if (argc > 3)
		turns = strtoull(argv[3], NULL, 10);
	return fixture_main(tests, sizeof(tests) / sizeof(tests[0]));
}
