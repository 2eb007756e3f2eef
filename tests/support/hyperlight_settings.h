/* SPDX-License-Identifier: MIT */
/*
 * Settings for the guest library compiled into a test of its Hyperlight wires:
 * the test defines the clock, and is given each batch that leaves.
 */
#ifndef HYPERLIGHT_SETTINGS_H
#define HYPERLIGHT_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

uint64_t test_tsc(void);
void test_batch(const void *batch, size_t bytes);

#define GT_TSC()      test_tsc()
#define GT_BATCH_EXIT test_batch

#endif
