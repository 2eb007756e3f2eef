/* SPDX-License-Identifier: MIT */
/*
 * The recorder, stopped before each of its instructions: an interrupt comes in
 * there whose handler records, another one interrupts that handler, another
 * thread gets a turn, or the machine dies. What the host then reads is compared
 * with what the guest attempted (threats D7, H4).
 *
 * Usage: test_every_instruction GUEST PREEMPTIBLE-GUEST [--long] [TEXT]
 * --long: at each instruction, not at every few. TEXT: only the cases in whose
 * name it is.
 */
#include "step_machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

static struct step_machine *machine;
static bool is_long;
static unsigned thinner = 1; /* so many times fewer stops */
static const char *only = "";
static unsigned cases, cases_failed;
static uint64_t all_runs, all_stops;
static bool stopped_at[65536]; /* by the low bits of RIP */

/* Of one case. */
static uint64_t runs, failures;
static struct step_result most;

static void finish(bool killed, const char *where, uint64_t first,
                   uint64_t second)
{
	struct step_result result;
	const char *wrong = step_finish(machine, killed, &result);

	runs++;
	if (result.lost > most.lost)
		most.lost = result.lost;
	if (result.doorbells > most.doorbells)
		most.doorbells = result.doorbells;
	if (result.records > most.records)
		most.records = result.records;
	if (result.close_lost > most.close_lost)
		most.close_lost = result.close_lost;
	if (!wrong || ++failures > 3)
		return;
	printf("# %s at %" PRIu64 ", %" PRIu64 ": not so: %s\n", where, first,
	       second, wrong);
	printf("#   records %" PRIu64 " lost %" PRIu64 " late %" PRIu64
	       " adjusted %" PRIu64 " unknown %" PRIu64 "\n",
	       result.records, result.lost, result.losses.late_records,
	       result.losses.adjusted_records, result.losses.unknown_spans);
}

static void report(const char *name, const char *variant, uint64_t stops)
{
	cases++;
	if (failures)
		cases_failed++;
	printf("%s %u - %s%s\n", failures ? "not ok" : "ok", cases, name,
	       variant);
	printf("# %" PRIu64 " runs at %" PRIu64 " instructions; up to %" PRIu64
	       " records, %" PRIu64 " lost, %" PRIu64 " doorbells, %" PRIu64
	       " spans without a close",
	       runs, stops, most.records, most.lost, most.doorbells,
	       most.close_lost);
	printf(failures ? "; %" PRIu64 " failed\n" : "\n", failures);
	all_runs += runs;
	all_stops += stops;
	runs = failures = 0;
	most = (struct step_result){.records = 0};
}

static bool restart(enum step_handler first, enum step_handler second)
{
	if (!step_restart(machine)) {
		failures++;
		return false;
	}
	step_board(machine)->handler[0] = first;
	step_board(machine)->handler[1] = second;
	return true;
}

/* Lets it run up to before its instruction `at` from here. */
static void run_to(uint64_t at)
{
	step_run(machine, at, NULL);
	stopped_at[step_rip(machine) % COUNT_OF(stopped_at)] = true;
}

/* ---- What happens at an instruction -------------------------------------- */

/* The number of instructions from the boot to the thread's end. */
static uint64_t undisturbed(void)
{
	uint64_t steps = 0;

	if (restart(STEP_EVENT, STEP_EVENT)) {
		step_run(machine, STEP_NEVER, &steps);
		finish(false, "undisturbed", 0, 0);
	}
	return steps;
}

static void kill_at(uint64_t at)
{
	if (!restart(STEP_EVENT, STEP_EVENT))
		return;
	run_to(at);
	finish(true, "killed", at, 0);
}

static void interrupt(void)
{
	step_interrupt(machine, step_board(machine)->interrupt_rip);
}

static void interrupt_at(uint64_t at, enum step_handler handler)
{
	if (!restart(handler, STEP_EVENT))
		return;
	run_to(at);
	interrupt();
	step_run(machine, STEP_NEVER, NULL);
	finish(false, "interrupted", at, 0);
}

/* How long the handler takes that comes at `at`. */
static uint64_t handler_steps(uint64_t at, enum step_handler handler)
{
	uint64_t steps;

	if (!restart(handler, STEP_EVENT))
		return 0;
	run_to(at);
	interrupt();
	steps = step_return(machine);
	step_run(machine, STEP_NEVER, NULL);
	finish(false, "interrupted", at, 0);
	return steps;
}

static void nested_at(uint64_t at, uint64_t second_at, enum step_handler first,
                      enum step_handler second, bool kill)
{
	if (!restart(first, second))
		return;
	run_to(at);
	interrupt();
	run_to(second_at);
	if (!kill) {
		interrupt();
		step_run(machine, STEP_NEVER, NULL);
	}
	finish(kill, kill ? "killed in a handler" : "interrupted twice", at,
	       second_at);
}

/* What a scheduler does that has to wait: its turn ends as soon as it may. */
static void run_to_turn(uint64_t at)
{
	run_to(at);
	while (step_is_held(machine) && step_run(machine, 1, NULL))
		;
}

/*
 * The second thread has a turn at `at` that ends at its own instruction
 * `second_at`; the first one runs to its end then, and after that the second.
 */
static void preempt_at(uint64_t at, uint64_t second_at, bool kill)
{
	if (!restart(STEP_EVENT, STEP_EVENT))
		return;
	run_to_turn(at);
	if (step_board(machine)->switching)
		return;
	step_interrupt(machine, step_board(machine)->preempt_rip);
	step_run(machine, STEP_NEVER, NULL);
	step_swap(machine);
	run_to_turn(second_at);
	if (kill) {
		finish(true, "killed in the other thread", at, second_at);
		return;
	}
	if (step_board(machine)->switching)
		return;
	step_interrupt(machine, step_board(machine)->preempt_rip);
	step_run(machine, STEP_NEVER, NULL);
	step_swap(machine);
	step_run(machine, STEP_NEVER, NULL);
	step_swap(machine);
	step_run(machine, STEP_NEVER, NULL);
	finish(false, "preempted", at, second_at);
}

/* ---- Cases --------------------------------------------------------------- */

static const char *const mode_names[] = {"flush", "drop", "overwrite"};
static const char *const handler_names[] = {
	"an event", "a span", "a span opened apart", "more than fits",
	"a change of context"};

/* How full the ring is at the start, and who empties it. */
static const struct filling {
	const char *name;
	uint64_t long_events, first_bytes, flushes;
} fillings[] = {
	{"in an empty ring", 0, 0, 0},
	{"at the end of a block", 0, 520, 0},
	{"in a full ring", 7, 24, 0},
	{"in a full ring that is emptied", 7, 200, 1},
};

/*
 * Every how many instructions it stops: with --long at each, but where two of
 * them are combined. All are primes, and each case begins at another one, so
 * that together they miss few.
 */
static uint64_t stride(uint64_t normal, uint64_t in_long)
{
	return is_long ? in_long : normal * thinner;
}

static uint64_t first_stop(uint64_t step)
{
	return cases * 5 % step;
}

static void stop_everywhere(uint64_t steps, const char *where)
{
	uint64_t step = stride(7, 1), stops = 0;

	for (uint64_t at = first_stop(step); at < steps; at += step, stops++)
		kill_at(at);
	report("a death loses nothing that was finished: ", where, stops);
	step = stride(17, 1);
	for (unsigned i = 0; i < STEP_HANDLERS; i++) {
		char name[160];

		stops = 0;
		for (uint64_t at = first_stop(step); at < steps;
		     at += step, stops++)
			interrupt_at(at, (enum step_handler)i);
		snprintf(name, sizeof(name),
		         "a handler records %s: ", handler_names[i]);
		report(name, where, stops);
	}
}

static void nest_everywhere(uint64_t steps, const char *where)
{
	uint64_t step = stride(401, 13), inner = stride(17, 3), stops = 0;

	for (uint64_t at = first_stop(step); at < steps; at += step) {
		uint64_t handler = handler_steps(at, STEP_SCOPE);

		for (uint64_t i = first_stop(inner); i < handler;
		     i += inner, stops++) {
			nested_at(at, i, STEP_SCOPE, STEP_FILL, false);
			nested_at(at, i, STEP_SCOPE, STEP_FILL, true);
		}
	}
	report("handlers interrupt handlers: ", where, stops);
}

static void preempt_everywhere(uint64_t steps, const char *where)
{
	uint64_t step = stride(37, 7), inner = stride(23, 5), stops = 0;

	for (uint64_t at = first_stop(step); at + 1 < steps; at += step)
		for (uint64_t i = first_stop(inner); i + 200 < steps;
		     i += inner, stops++) {
			preempt_at(at, i, false);
			preempt_at(at, i, true);
		}
	report("threads take turns: ", where, stops);
}

static bool boot(enum gt_ring_mode mode, const struct filling *filling,
                 bool quiet, uint64_t rounds, const char *where)
{
	struct step_board board = {
		.ring_bytes = 4096,
		.mode = mode,
		.rounds = rounds,
		.flushes = filling->flushes,
		.long_events = filling->long_events,
		.first_bytes = filling->first_bytes,
		.quiet = quiet,
	};

	if (!strstr(where, only))
		return false;
	if (step_boot(machine, &board))
		return true;
	failures++;
	report("boots: ", where, 0);
	return false;
}

static void run_filling(const char *guest, enum gt_ring_mode mode,
                        const struct filling *filling, bool quiet,
                        bool preemptible)
{
	char where[128];

	snprintf(where, sizeof(where), "%s, %s, %s%s", guest, mode_names[mode],
	         filling->name, quiet ? ", silent switches" : "");
	if (boot(mode, filling, quiet, 2, where)) {
		uint64_t steps = undisturbed();

		stop_everywhere(steps, where);
		nest_everywhere(steps, where);
	}
	if (preemptible && boot(mode, filling, quiet, 1, where)) {
		uint64_t steps = undisturbed();

		preempt_everywhere(steps, where);
	}
}

static bool run_guest(const char *name, const char *path, bool preemptible)
{
	machine = step_new(path);
	if (!machine)
		return false;
	for (unsigned mode = 0; mode < COUNT_OF(mode_names); mode++)
		for (unsigned i = 0; i < COUNT_OF(fillings); i++)
			run_filling(name, (enum gt_ring_mode)mode, &fillings[i],
			            false, preemptible);
	run_filling(name, GT_RING_FLUSH, &fillings[0], true, preemptible);
	run_filling(name, GT_RING_DROP, &fillings[1], true, preemptible);
	run_filling(name, GT_RING_FLUSH, &fillings[2], true, preemptible);
	step_free(machine);
	return true;
}

int main(int argc, char **argv)
{
	unsigned distinct = 0;

	if (argc < 4)
		return 2;
	is_long = argc > 4 && strcmp(argv[4], "--long") == 0;
	if (argc > 4 + is_long)
		only = argv[4 + is_long];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!run_guest("handlers return in order", argv[1], false))
		return 1;
	thinner = 3;
	if (!run_guest("preemptible, out of line", argv[2], true))
		return 1;
	if (!run_guest("a scheduler that waits", argv[3], true))
		return 1;
	for (size_t i = 0; i < COUNT_OF(stopped_at); i++)
		distinct += stopped_at[i];
	printf("# %" PRIu64 " runs, %" PRIu64
	       " stops at %u instructions of the guests\n",
	       all_runs, all_stops, distinct);
	printf("1..%u\n", cases);
	return cases_failed != 0;
}
