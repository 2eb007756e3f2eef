/* SPDX-License-Identifier: MIT */
/*
 * Settings for the guest library compiled into a test of the host: a clock that
 * the test drives, and a doorbell that calls the host library directly.
 */
#ifndef GUEST_SETTINGS_H
#define GUEST_SETTINGS_H

#include <stdint.h>

uint64_t inproc_tsc(void);

#define GT_TSC() inproc_tsc()
#define GT_DOORBELL inproc_doorbell

#endif
