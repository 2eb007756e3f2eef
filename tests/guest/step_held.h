/* SPDX-License-Identifier: MIT */
/* A scheduler that waits while a record is made: it counts who may not be
 * preempted. Included before all files of such a guest. */
#ifndef STEP_HELD_H
#define STEP_HELD_H

#ifndef __ASSEMBLER__
#include <stdint.h>

extern volatile uint64_t step_held;

#define GT_ENTER() ((void)(step_held += 1))
#define GT_LEAVE() ((void)(step_held -= 1))

#endif
#endif
