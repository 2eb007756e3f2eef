/* SPDX-License-Identifier: MIT */
/*
 * This process as the memory of a guest: page tables that map its writable data
 * one to one, so that the guest library and the host library can meet in it.
 */
#ifndef GUESTTRACE_TESTS_PROCESS_MEMORY_H
#define GUESTTRACE_TESTS_PROCESS_MEMORY_H

#include <guesttrace/host.h>

/* Fills the slots for what is mapped now; returns how many there are. */
uint32_t process_memory_slots(struct gt_memory_slot *slots);

/* A doorbell of a guest that lives in there. */
struct gt_exit process_memory_exit(void);

#endif
