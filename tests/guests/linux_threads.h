/* SPDX-License-Identifier: MIT */
/* Before all else in each file of the program: a thread is a vCPU. */
#ifndef GUESTS_LINUX_THREADS_H
#define GUESTS_LINUX_THREADS_H

struct gt_vcpu;

extern _Thread_local struct gt_vcpu *linux_threads_vcpu;

#define GT_THIS_VCPU() linux_threads_vcpu

#endif
