/* SPDX-License-Identifier: MIT */
/*
 * OTLP in both encodings. otlp.c and otlp_run.c decide what is said: which
 * spans there are, their parents, events and flags; otlp_requests.c, when a
 * request is complete;
 * otlp_attributes.c, which attributes. An encoding only puts it into bytes.
 */
#ifndef GUESTTRACE_OTLP_H
#define GUESTTRACE_OTLP_H

#include "otlp_encoder.h"
#include "export/out/out.h"
#include <guesttrace/export_otlp.h>

#ifndef GT_VERSION
#define GT_VERSION "0.1.0"
#endif

/* Those of a span or an event, in this order. */
struct gt__otlp_attributes {
	struct gt_text opening; /* encoded: the name, those of its site */
	const struct gt_field *guest;
	size_t guest_count;
	struct gt_text place;        /* encoded */
	uint64_t guest_id;           /* 0 = none */
	const struct gt_field *last; /* the host's, at most two */
	size_t last_count;
	uint32_t dropped; /* of the guest's */
};

struct gt__otlp_event {
	uint64_t time_ns;
	struct gt__otlp_attributes attributes;
};

/* SpanFlags of trace.proto */
#define GT__OTLP_HAS_REMOTE 0x100u
#define GT__OTLP_REMOTE     0x200u

static inline uint32_t gt__otlp_link_flags(const struct gt_link *link)
{
	return link->flags | GT__OTLP_HAS_REMOTE |
	       (link->remote ? GT__OTLP_REMOTE : 0);
}

struct gt__otlp_span {
	const uint8_t *trace_id; /* 16 bytes */
	uint64_t id;
	uint64_t parent_id; /* 0 = none */
	uint32_t flags;     /* SpanFlags of trace.proto */
	uint32_t kind;      /* SpanKind; 0: internal */
	struct gt_text trace_state;
	uint64_t start_ns;
	uint64_t end_ns;
	struct gt__otlp_attributes attributes;
	struct gt_text events; /* encoded */
	uint32_t dropped_events;
	const struct gt_link *links;
	size_t link_count;
	uint32_t dropped_links;
	enum gt_status status;
	struct gt_text message; /* of GT_STATUS_ERROR */
};

/* What has attributes; the last two are data points. */
enum gt__otlp_item {
	GT__OTLP_SPAN,
	GT__OTLP_EVENT,
	GT__OTLP_LOG,
	GT__OTLP_NUMBER,
	GT__OTLP_HISTOGRAM,
};

/* Puts an item of a request into it: `first` of all there. */
typedef void gt__otlp_put_fn(struct gt__out *out, const void *item, bool first);

#define GT__OTLP_END_BYTES 7u /* that an encoding's `end` adds at most */

/* After an error of `out` its bytes do not matter. */
struct gt__otlp_encoding {
	/* What stands before the items of a request; returns what `end` takes.
	 */
	size_t (*begin)(struct gt__out *out, enum gt_otlp_signal signal,
	                const struct gt_field *resource, size_t count);
	void (*end)(struct gt__out *out, size_t mark);
	/* What `opening` holds; of a data point, which has no name, nothing. */
	void (*open)(struct gt__out *out, enum gt__otlp_item item,
	             struct gt_text name, const struct gt_field *host,
	             size_t count);
	/* What `place` holds. */
	void (*more)(struct gt__out *out, enum gt__otlp_item item,
	             const struct gt_field *host, size_t count);
	gt__otlp_put_fn *span; /* a struct gt__otlp_span */
	void (*event)(struct gt__out *out, const struct gt__otlp_event *event,
	              bool first);
};

extern const struct gt__otlp_encoding gt__otlp_json;
extern const struct gt__otlp_encoding gt__otlp_protobuf;

/* The conventions by which attributes are named; code.* is stable in it. */
#define GT__OTLP_SCHEMA "https://opentelemetry.io/schemas/1.37.0"

#define GT__OTLP_INTERNAL 1u /* SpanKind */

#endif
