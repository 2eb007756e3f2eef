/* SPDX-License-Identifier: MIT */
/* LogRecords in OTLP/JSON. */
#include "otlp_logs.h"
#include "export/otlp/otlp_json_attributes.h"
#include "export/out/escape.h"

void gt__log_put_json(struct gt__out *o, const void *item, bool first)
{
	const struct gt__log *log = item;

	gt__json_u64(o, first ? "{\"timeUnixNano\":" : ",{\"timeUnixNano\":",
	             log->time_ns);
	gt__json_u64(o, ",\"observedTimeUnixNano\":", log->time_ns);
	if (log->severity) {
		gt__json_u32(o, ",\"severityNumber\":", log->severity);
		gt__put(o, ",\"severityText\":");
		gt__put_json(o, log->severity_text);
	}
	gt__put(o, ",\"body\":{\"stringValue\":");
	gt__put_json(o, log->body);
	gt__put_char(o, '}');
	gt__json_attributes(o, &log->attributes);
	gt__json_dropped(o, "Attributes", log->attributes.dropped);
	gt__json_u32(o, ",\"flags\":", log->flags);
	gt__json_trace_id(o, ",\"traceId\":", log->trace_id);
	gt__json_id(o, ",\"spanId\":", log->span_id);
	gt__put_char(o, '}');
}
