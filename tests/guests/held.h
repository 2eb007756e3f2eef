/* SPDX-License-Identifier: MIT */
/* Included before all files of a preemptive guest: its scheduler waits. */
#ifndef HELD_H
#define HELD_H

#ifndef __ASSEMBLER__
#include <stdint.h>

extern volatile uint64_t held;

#define GT_ENTER() ((void)(held += 1))
#define GT_LEAVE() ((void)(held -= 1))

#endif
#endif
