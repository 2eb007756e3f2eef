/* SPDX-License-Identifier: MIT */
/*
 * Loops around call sites, compiled as a guest is. Each records `count` times
 * into what gt_init() was given, or does not while its site is off.
 */
#ifndef GUESTTRACE_BENCH_RECORDING_H
#define GUESTTRACE_BENCH_RECORDING_H

#include <stdint.h>

void record_event_0(uint64_t count);
void record_event_2u64(uint64_t count);
void record_event_u64_str8(uint64_t count);
void record_event_2u64_stubbed(uint64_t count); /* its clock reads 0 */
void record_event_2u64_fenced(uint64_t count);
void record_event_2u64_out_of_line(uint64_t count);
void record_span_0(uint64_t count);
void record_span_2u64(uint64_t count);
void record_span_u64_str8(uint64_t count);
void record_nothing(uint64_t count); /* its site is at GT_DEBUG */

/* About 100 ns of work a round, alone and with an event of it. */
void work_alone(uint64_t count);
void work_and_record(uint64_t count);

#endif
