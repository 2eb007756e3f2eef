/* SPDX-License-Identifier: MIT */
/*
 * A guest that asks others: each request it would send carries the traceparent
 * of its own span, and the tracestate above the run, so that what the other side does becomes part of the trace.
 * `caller PATH...` prints the requests on the console.
 */
#define GT_TARGET "caller"
#include "trace.h"
#include "../runtime/runtime.h"

#include <guesttrace/guest.h>

static void send(const char *path)
{
	char traceparent[GT_TRACEPARENT_BYTES];
	GT_SPAN(call, GT_INFO, "call", gt_str("path", path));

	runtime_print("GET ");
	runtime_print(path);
	runtime_print("\n");
	if (gt_traceparent(gt_current(), traceparent)) {
		runtime_print("traceparent: ");
		runtime_print(traceparent);
		runtime_print("\n");
		if (*gt_tracestate()) {
			runtime_print("tracestate: ");
			runtime_print(gt_tracestate());
			runtime_print("\n");
		}
	}
}

int guest_main(int argc, char **argv)
{
	trace_start();
	for (int i = 1; i < argc; i++)
		send(argv[i]);
	trace_stop();
	return 0;
}
