/* SPDX-License-Identifier: MIT */
/*
 * `metered`: counters that say what their numbers are, with attributes, inside
 * and outside of spans; one that falls; spans of each kind; events of each
 * level with and without a message, some of them outside of spans.
 */
#define GT_TARGET "metered"
#include <guesttrace/guest.h>

#include "../../examples/guests/trace.h"
#include "../../examples/runtime/runtime.h"

static void count(uint64_t i)
{
	GT_COUNTER(GT_INFO, "net", gt_str("queue", i % 2 ? "rx" : "tx"),
	           gt_bool("busy", i % 3 == 0), gt_u64("sent [+By]", i * 1500),
	           gt_i64("free [+-{page}]", 5 - (int64_t)i),
	           gt_f64("load [1]", (double)i / 8), gt_u64("depth", i % 5));
	GT_COUNTER(GT_INFO, "falls", gt_u64("n [+]", i % 10));
	GT_COUNTER(GT_INFO, "guesttrace", gt_u64("spans", 12345));
	GT_COUNTER(GT_INFO, "large", gt_u64("", UINT64_MAX - i),
	           gt_f64("nan", __builtin_nan("")));
}

static void say(uint64_t i)
{
	GT_EVENT(GT_ERROR, "failed", gt_str("message", "it \"failed\"\n"),
	         gt_u64("i", i));
	GT_EVENT(GT_WARN, "warned", gt_u64("message", i));
	GT_EVENT(GT_INFO, "informed", gt_str("a", "b"), gt_str("a", "c"));
	GT_EVENT(GT_DEBUG, "debugged", gt_str("guesttrace.vcpu", "forged"));
	GT_EVENT(GT_TRACE, "traced", gt_bytes("bytes", &i, sizeof(i)));
}

static void serve(uint64_t i)
{
	GT_SPAN(request, GT_INFO, "request", gt_str("otel.kind", "server"));
	count(i);
	say(i);
	{
		GT_SPAN(query, GT_INFO, "query", gt_str("otel.kind", "CLIENT"));
		if (i % 4 == 0)
			GT_RECORD(query, gt_error("timed out"));
		count(i);
	}
	GT_RECORD(request, gt_ok());
}

int guest_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	trace_start();
	say(0);
	count(1);
	for (uint64_t i = 0; i < 100; i++)
		serve(i);
	say(1);
	trace_stop();
	return 0;
}
