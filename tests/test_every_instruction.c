/* SPDX-License-Identifier: MIT */
/*
 * The recorder, stopped before each of its instructions: an interrupt comes in
 * there whose handler records, another one interrupts that handler, another
 * thread gets a turn, or the machine dies. What the host then reads is compared
 * with what the guest attempted.
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

static struct step_machine *machine;
static bool is_long;
static const char *only = "";
static unsigned cases, cases_failed;
static uint64_t all_runs, all_stops;

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
	step_run(machine, at, NULL);
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
	step_run(machine, at, NULL);
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
	step_run(machine, at, NULL);
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
	step_run(machine, at, NULL);
	interrupt();
	step_run(machine, second_at, NULL);
	if (!kill) {
		interrupt();
		step_run(machine, STEP_NEVER, NULL);
	}
	finish(kill, kill ? "killed in a handler" : "interrupted twice", at,
	       second_at);
}

/*
 * The second thread has a turn at `at` that ends at its own instruction
 * `second_at`; the first one runs to its end then, and after that the second.
 */
static void preempt_at(uint64_t at, uint64_t second_at, bool kill)
{
	if (!restart(STEP_EVENT, STEP_EVENT))
		return;
	step_run(machine, at, NULL);
	if (step_board(machine)->switching)
		return;
	step_interrupt(machine, step_board(machine)->preempt_rip);
	step_run(machine, STEP_NEVER, NULL);
	step_swap(machine);
	step_run(machine, second_at, NULL);
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

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

static uint64_t stride(uint64_t number)
{
	return is_long ? 1 : number;
}

static void run_filling(const char *guest, enum gt_ring_mode mode,
                        const struct filling *filling)
{
	struct step_board board = {
		.ring_bytes = 4096,
		.mode = mode,
		.rounds = 2,
		.flushes = filling->flushes,
		.long_events = filling->long_events,
		.first_bytes = filling->first_bytes,
	};
	uint64_t steps;
	char where[128];

	snprintf(where, sizeof(where), "%s, %s, %s", guest, mode_names[mode],
	         filling->name);
	if (!strstr(where, only))
		return;
	if (!step_boot(machine, &board)) {
		failures++;
		report("boots: ", where, 0);
		return;
	}
	steps = undisturbed();
	for (uint64_t at = 0; at < steps; at += stride(5))
		kill_at(at);
	report("a death loses nothing that was finished: ", where,
	       steps / stride(5));
	for (unsigned i = 0; i < COUNT_OF(handler_names); i++) {
		char name[160];

		for (uint64_t at = 0; at < steps; at += stride(7))
			interrupt_at(at, (enum step_handler)i);
		snprintf(name, sizeof(name),
		         "a handler records %s: ", handler_names[i]);
		report(name, where, steps / stride(7));
	}
	for (uint64_t at = 0; at < steps; at += stride(211)) {
		uint64_t handler = handler_steps(at, STEP_SCOPE);
		for (uint64_t i = 0; i < handler; i += stride(13)) {
			nested_at(at, i, STEP_SCOPE, STEP_FILL, false);
			nested_at(at, i, STEP_SCOPE, STEP_FILL, true);
		}
	}
	report("handlers interrupt handlers: ", where, steps / stride(211));
}

static void run_preempt(enum gt_ring_mode mode, const struct filling *filling)
{
	struct step_board board = {
		.ring_bytes = 4096,
		.mode = mode,
		.rounds = 1,
		.flushes = filling->flushes,
		.long_events = filling->long_events,
		.first_bytes = filling->first_bytes,
	};
	char where[128];
	uint64_t steps;

	snprintf(where, sizeof(where), "preemptible, %s, %s", mode_names[mode],
	         filling->name);
	if (!strstr(where, only))
		return;
	if (!step_boot(machine, &board)) {
		failures++;
		report("boots: ", where, 0);
		return;
	}
	steps = undisturbed();
	for (uint64_t at = 0; at < steps - 1; at += stride(37))
		for (uint64_t i = 0; i + 200 < steps; i += stride(31)) {
			preempt_at(at, i, false);
			preempt_at(at, i, true);
		}
	report("threads take turns: ", where, steps / stride(37));
}

static bool run_guest(const char *name, const char *path, bool preemptible)
{
	machine = step_new(path);
	if (!machine)
		return false;
	for (unsigned mode = 0; mode < 3; mode++)
		for (unsigned i = 0; i < COUNT_OF(fillings); i++) {
			run_filling(name, (enum gt_ring_mode)mode,
			            &fillings[i]);
			if (preemptible)
				run_preempt((enum gt_ring_mode)mode,
				            &fillings[i]);
		}
	step_free(machine);
	return true;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	is_long = argc > 3 && strcmp(argv[3], "--long") == 0;
	if (argc > 3 + is_long)
		only = argv[3 + is_long];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!run_guest("handlers return in order", argv[1], false) ||
	    !run_guest("preemptible", argv[2], true))
		return 1;
	printf("# %" PRIu64 " runs, stopped at %" PRIu64 " instructions\n",
	       all_runs, all_stops);
	printf("1..%u\n", cases);
	return cases_failed != 0;
}
