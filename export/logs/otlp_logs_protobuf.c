/* SPDX-License-Identifier: MIT */
/* LogRecords in OTLP/protobuf (opentelemetry/proto/logs/v1/logs.proto). */
#include "otlp_logs.h"
#include "export/otlp/otlp_protobuf_attributes.h"

/* Fields of the messages, with their wire types. */
enum {
	SCOPE_LOGS_LOG_RECORDS = 2 << 3 | 2,
	LOG_TIME = 1 << 3 | 1,
	LOG_SEVERITY_NUMBER = 2 << 3 | 0,
	LOG_SEVERITY_TEXT = 3 << 3 | 2,
	LOG_BODY = 5 << 3 | 2,
	LOG_ATTRIBUTES = 6 << 3 | 2,
	LOG_DROPPED_ATTRIBUTES = 7 << 3 | 0,
	LOG_FLAGS = 8 << 3 | 5,
	LOG_TRACE_ID = 9 << 3 | 2,
	LOG_SPAN_ID = 10 << 3 | 2,
	LOG_OBSERVED_TIME = 11 << 3 | 1,
	VALUE_STRING = 1 << 3 | 2,
};

#define MAX_LOG 128u /* beside its texts and attributes */

static unsigned char *put_severity(unsigned char *p, const struct gt__log *log)
{
	if (!log->severity)
		return p;
	*p++ = LOG_SEVERITY_NUMBER;
	*p++ = (unsigned char)log->severity;
	*p++ = LOG_SEVERITY_TEXT;
	return gt__pb_utf8(p, log->severity_text);
}

static unsigned char *put_body(unsigned char *p, struct gt_text body)
{
	unsigned char *from;

	*p++ = LOG_BODY;
	from = ++p;
	*p++ = VALUE_STRING;
	return gt__pb_close(from, gt__pb_utf8(p, body));
}

void gt__log_put_protobuf(struct gt__out *o, const void *item, bool first)
{
	const struct gt__log *log = item;
	unsigned char *from;
	unsigned char *p = gt__pb_room(
		o, MAX_LOG + gt__pb_attributes_max(&log->attributes) +
			   (log->body.count + log->severity_text.count) *
				   GT__PB_GROWTH);

	(void)first;
	if (!p)
		return;
	*p++ = SCOPE_LOGS_LOG_RECORDS;
	p += GT__PB_USUAL_BYTES;
	from = p;
	*p++ = LOG_TIME;
	p = gt__pb_fixed64(p, log->time_ns);
	p = put_severity(p, log);
	p = put_body(p, log->body);
	p = gt__pb_attributes(p, LOG_ATTRIBUTES, &log->attributes);
	p = gt__pb_count(p, LOG_DROPPED_ATTRIBUTES, log->attributes.dropped);
	*p++ = LOG_FLAGS;
	p = gt__pb_fixed32(p, log->flags);
	p = gt__pb_trace_id(p, LOG_TRACE_ID, log->trace_id);
	p = gt__pb_id(p, LOG_SPAN_ID, log->span_id);
	*p++ = LOG_OBSERVED_TIME;
	p = gt__pb_fixed64(p, log->time_ns);
	gt__pb_end_room(o, gt__pb_close_usual(from, p));
}
