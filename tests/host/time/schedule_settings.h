/* SPDX-License-Identifier: MIT */
/* For the guest library of test_schedules: many vCPUs, and a simulated TSC. */
#ifndef SCHEDULE_SETTINGS_H
#define SCHEDULE_SETTINGS_H

#include <stdint.h>

struct gt_vcpu;
extern struct gt_vcpu *schedule_vcpu; /* the one whose code runs */

uint64_t schedule_tsc(void);

#define GT_THIS_VCPU() schedule_vcpu
#define GT_TSC()       schedule_tsc()
#define GT_DOORBELL    schedule_doorbell

#endif
