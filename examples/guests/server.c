/* SPDX-License-Identifier: MIT */
/*
 * A guest that serves others: a VM that is up for days is no single trace. Each
 * request is a part of the trace of who made it, or where nobody says, of one
 * of its own; what it asks others for meanwhile is told the same. `server
 * PATH[@TRACEPARENT[@TRACESTATE]]...` answers these requests, and prints those
 * that it would make itself.
 */
#define GT_TARGET "server"
#include "trace.h"
#include "../runtime/runtime.h"

#include <guesttrace/guest.h>

struct request {
	char *path, *traceparent, *tracestate; /* "": it has none */
};

/* Ends `text` at the next '@'; what is behind that, or "". */
static char *split(char *text)
{
	while (*text && *text != '@')
		text++;
	if (*text)
		*text++ = '\0';
	return text;
}

/* `traceparent` is that of the request's span. */
static void look_up(const struct request *request, const char *traceparent)
{
	char own[GT_TRACEPARENT_BYTES];
	GT_SPAN(call, GT_INFO, "look up", gt_kind("client"));

	if (!gt_traceparent_in(traceparent, gt_current(), own))
		return;
	runtime_print("GET /data");
	runtime_print(request->path);
	runtime_print("\ntraceparent: ");
	runtime_print(own);
	if (*request->tracestate) {
		runtime_print("\ntracestate: ");
		runtime_print(request->tracestate);
	}
	runtime_print("\n");
}

static void answer(const struct request *request)
{
	struct gt_span span;
	char own[GT_TRACEPARENT_BYTES];

	if (*request->traceparent)
		GT_OPEN(span, GT_INFO, "request", gt_kind("server"),
		        gt_parent_remote(request->traceparent),
		        gt_parent_state(request->tracestate),
		        gt_str("url.path", request->path));
	else
		GT_OPEN(span, GT_INFO, "request", gt_kind("server"),
		        gt_new_trace(), gt_str("url.path", request->path));
	/* Of a traceparent that is none, the request is the run's. */
	if (!*request->traceparent)
		gt_traceparent_new(span.id, own);
	else if (!gt_traceparent_in(request->traceparent, span.id, own))
		gt_traceparent(span.id, own);
	gt_enter(&span);
	look_up(request, own);
	GT_EVENT(GT_INFO, "answered");
	gt_close(&span);
}

int guest_main(int argc, char **argv)
{
	trace_start();
	{
		GT_SPAN(serving, GT_INFO, "serve");

		for (int i = 1; i < argc; i++) {
			struct request request = {.path = argv[i]};

			request.traceparent = split(argv[i]);
			request.tracestate = split(request.traceparent);
			answer(&request);
		}
		GT_RECORD(serving, gt_i64("requests", argc - 1));
	}
	trace_stop();
	return 0;
}
