/* SPDX-License-Identifier: MIT */
/*
 * Traces other than the run's of which spans are a part: what a field
 * `traceparent` names, or what begins with `otel.new_root`. Spans inherit the
 * trace of their parent. A trace lives as long as a span of it is open, or was
 * among the last ones that ended: links and late children still name those.
 */
#ifndef GT_HOST_TRACES_H
#define GT_HOST_TRACES_H

#include "host/decode/native.h"
#include "host/decode/w3c.h"

#define GT__PAST_SPANS       4096u /* a power of two */
#define GT__TRACESTATE_BYTES (GT_TRACESTATE_BYTES - 1u)

struct gt__trace {
	struct gt_span_trace shown;
	uint32_t references;
	bool caused;          /* it begins here, caused by a request: */
	struct gt_link cause; /* who made that */
	char state[];         /* of `shown` */
};

struct gt__past_span {
	uint64_t id; /* the guest's */
	struct gt__trace *trace;
};

/* Zeroed is a valid beginning. */
struct gt__traces {
	uint32_t count;             /* alive; 0: all spans are the run's */
	struct gt__past_span *past; /* by the id's hash, the latest one */
};

/* Of spans that have ended nothing is known any more: their ids start over, or
 * it is the end. */
void gt__traces_forget(struct gt__traces *traces);

/* What a record says, as far as it is good. */
struct gt__said {
	unsigned good, bad, empty; /* enum gt__saying */
	struct gt_link parent;
	struct gt_text state;
	bool new_root;
};

/* Of a record of a site with `says_trace`. */
void gt__traces_read(const struct gt__record *record,
                     struct gt__said *ret_said);

/*
 * A new trace with one reference, for the opening span of that exported id; its
 * random part is the run's and the id's. `sampler` sets its sampled bit. NULL:
 * no memory.
 */
struct gt__trace *gt__trace_new(struct gt__traces *traces,
                                const struct gt__said *said,
                                const struct gt_sampler *sampler,
                                const uint8_t run_trace_id[16],
                                uint64_t exported_id);
static inline struct gt__trace *gt__trace_take(struct gt__trace *trace)
{
	if (trace)
		trace->references++;
	return trace;
}
/* NULL is allowed. */
void gt__trace_give(struct gt__traces *traces, struct gt__trace *trace);

/* The span has ended; its reference becomes the memory's. */
void gt__traces_ended(struct gt__traces *traces, uint64_t id,
                      struct gt__trace *trace);
/* Of a span that is not open; NULL: the run's, as far as is known. */
struct gt__trace *gt__traces_past(const struct gt__traces *traces, uint64_t id);

static inline const struct gt_span_trace *
gt__trace_shown(const struct gt__trace *trace)
{
	return trace ? &trace->shown : NULL;
}

#endif
