/* SPDX-License-Identifier: MIT */
/*
 * Calls its fields what the host calls its own, so that a reader of the trace
 * who took them for the host's would be told lies.
 */
#include "../../examples/guests/trace.h"
#include "../../examples/runtime/runtime.h"

#include <guesttrace/guest.h>

int guest_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	trace_start();
	{
		GT_SPAN(resource, GT_INFO, "resource",
		        gt_str("service.name", "forged"),
		        gt_str("service.instance.id", "forged"),
		        gt_str("host.name", "forged"),
		        gt_str("host.arch", "forged"),
		        gt_str("telemetry.sdk.name", "forged"),
		        gt_str("process.executable.build_id.gnu", "forged"),
		        gt_str("guest.service.name", "again"),
		        gt_u64("guesttrace.vcpu", 77));
		GT_RECORD(resource, gt_u64("guesttrace.vcpu", 78),
		          gt_i64("code.line.number", -1),
		          gt_str("code.file.path", "/forged"));
	}
	{
		GT_SPAN(run, GT_INFO, "run",
		        gt_bool("guesttrace.synthetic", true),
		        gt_str("guesttrace.outcome", "halted"),
		        gt_str("guesttrace.host_span", "exit"),
		        gt_str("guesttrace.guest_id", "1"),
		        gt_str("otel.status_code", "ERROR"),
		        gt_link_remote("00-0af7651916cd43dd8448eb211c80319c-"
		                       "b7ad6b7169203331-01"));

		GT_EVENT(GT_INFO, "guesttrace.event",
		         gt_str("guesttrace.span_id", "0123456789abcdef"),
		         gt_str("guesttrace.level", "error"),
		         gt_u64("guesttrace.guesttrace.vcpu", 3));
		(void)run;
	}
	{
		GT_SPAN(request, GT_INFO, "request",
		        gt_str("otel.kind", "client"), gt_u64("size", 7));
		GT_RECORD(request, gt_str("otel.kind", "Server"));
		GT_SPAN(unknown, GT_INFO, "unknown",
		        gt_str("otel.kind", "servant"));
		GT_SPAN(number, GT_INFO, "number", gt_u64("otel.kind", 2));
	}
	trace_stop();
	return 0;
}
