/* SPDX-License-Identifier: MIT */
/*
 * A machine that can be stopped before any instruction, and the host library
 * beside it. It keeps a log of its own of what the guest publishes and of what
 * each drain must find, and compares it with what the host shows.
 */
#ifndef STEP_MACHINE_H
#define STEP_MACHINE_H

#include <guesttrace/host.h>

#include "step_board.h"

#define STEP_NEVER UINT64_MAX

struct step_machine;

/* What one run amounted to. */
struct step_result {
	uint64_t records; /* committed, without sync and pad */
	uint64_t lost;
	uint64_t spans, interrupted, close_lost; /* as the host ended them */
	uint64_t doorbells;
	bool took_turns; /* step_swap() was called */
	struct gt_losses losses;
};

/* The flat image that entered at its first byte; NULL with a word on stderr. */
struct step_machine *step_new(const char *image_path);
void step_free(struct step_machine *machine);

/* The guest's board, at any time. */
struct step_board *step_board(struct step_machine *machine);

/* Boots the guest with these settings and keeps the state at its first HLT. */
bool step_boot(struct step_machine *machine, const struct step_board *settings);

/* Back to the state after step_boot(), with a new host. */
bool step_restart(struct step_machine *machine);

/* Whether a scheduler must let the thread go on that runs. */
bool step_is_held(struct step_machine *machine);

/*
 * Runs until before instruction `steps` from here, counted from 0; true: it has
 * stopped there; false: at a HLT before. *ret_steps, unless NULL, is the number
 * of instructions that were begun.
 */
bool step_run(struct step_machine *machine, uint64_t steps,
              uint64_t *ret_steps);

/* Where the machine stands. */
uint64_t step_rip(const struct step_machine *machine);

/* Lets it enter `rip` as for an interrupt that returns to here. */
void step_interrupt(struct step_machine *machine, uint64_t rip);

/* Runs until the last interrupt returns; the number of its instructions. */
uint64_t step_return(struct step_machine *machine);

/* Runs the other thread from where it stood. */
void step_swap(struct step_machine *machine);

/*
 * Ends the run, with the guest where it is, and checks it: NULL or what does
 * not hold. `killed`: records may be under way.
 */
const char *step_finish(struct step_machine *machine, bool killed,
                        struct step_result *ret_result);

#endif
