/* SPDX-License-Identifier: MIT */
/*
 * Included before all files of threads.c, those of the recorder too: from the
 * one to the other the scheduler leaves the vCPU to the thread that has it.
 */
#ifndef GUESTS_HOLD_H
#define GUESTS_HOLD_H

#ifndef __ASSEMBLER__
#include <stdint.h>

extern volatile uint64_t thread_holds;

#define GT_ENTER() ((void)(thread_holds += 1))
#define GT_LEAVE() ((void)(thread_holds -= 1))

#endif
#endif
