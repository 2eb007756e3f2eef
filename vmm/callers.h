/* SPDX-License-Identifier: MIT */
/*
 * Who called, by frame pointers: where each function keeps the one of its
 * caller, and behind it where to return to. Both are the guest's, and may be
 * anything: what is no chain ends it.
 */
#ifndef CALLERS_H
#define CALLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies guest memory; false if any of it is not there. */
typedef bool vm__read_fn(void *context, uint64_t gva, void *to, size_t count);

/*
 * Addresses behind the calls, the innermost first, at most `most`; returns how
 * many. Each frame lies at a higher address than the one it called, by less
 * than 1 MiB, and each address is right behind a call.
 */
size_t vm__find_callers(vm__read_fn *read, void *context,
                        uint64_t frame_pointer, uint64_t *ret_addresses,
                        size_t most);

/*
 * Of a function that has no frame of its own, and nothing else on the stack,
 * the address behind the call of it lies at its top. Returns which function
 * that calls, or 0: it is no such call, or the frame is of that function. It is
 * the caller only if that is where the code stands.
 */
uint64_t vm__find_leaf(vm__read_fn *read, void *context, uint64_t stack_pointer,
                       uint64_t frame_pointer, uint64_t *ret_address);

#endif
