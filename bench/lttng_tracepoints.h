/* SPDX-License-Identifier: MIT */
/* LTTng-UST's way to declare an event with two u64; read several times by it.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "bench/lttng_tracepoints.h"

#if !defined(GUESTTRACE_BENCH_LTTNG_TRACEPOINTS_H) || \
	defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define GUESTTRACE_BENCH_LTTNG_TRACEPOINTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(
	bench, tick, LTTNG_UST_TP_ARGS(uint64_t, count, uint64_t, left),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, count, count)
                                    lttng_ust_field_integer(uint64_t, left,
                                                            left)))

#endif

#include <lttng/tracepoint-event.h>
