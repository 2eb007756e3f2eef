/* SPDX-License-Identifier: MIT */
/* trace.h for a guest with several vCPUs: each records into a ring of its own.
 */
#ifndef GUESTS_TRACE_VCPUS_H
#define GUESTS_TRACE_VCPUS_H

/* On vCPU 0, before runtime_start_vcpus(). */
void trace_start_vcpus(void);

/* On each other vCPU, before its first span. */
void trace_enter_vcpu(unsigned vcpu);

/* On vCPU 0, when the last span of all is closed. */
void trace_stop_vcpus(void);

#endif
