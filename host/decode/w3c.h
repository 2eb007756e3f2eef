/* SPDX-License-Identifier: MIT */
/* W3C Trace Context, Level 2: the texts that name a trace from outside. */
#ifndef GT_HOST_W3C_H
#define GT_HOST_W3C_H

#include <guesttrace/host.h>

/*
 * A traceparent: of version 00, or as 3.2.3 reads those to come, of which no
 * more is taken than the sampled bit. Stores on success only.
 */
bool gt__traceparent_parse(struct gt_text text, uint8_t ret_trace_id[16],
                           uint64_t *ret_span_id, uint32_t *ret_flags);

/* Whether it is a tracestate (3.3.1), an empty one among them. */
bool gt__tracestate_is_good(struct gt_text text);

/*
 * Copies it into `room` bytes, at least 1, NUL behind it. Of one that is too
 * long, members go: those over 128 characters, then the last ones (3.3.1.5).
 */
void gt__tracestate_fit(struct gt_text text, char *to, size_t room);

/* What the opening of a span says of its trace, in a field of that name. */
enum gt__saying {
	GT__SAYS_TRACEPARENT = 1,
	GT__SAYS_TRACESTATE = 2,
	GT__SAYS_NEW_ROOT = 4,
};

#define GT__NEW_ROOT "otel.new_root"

/* Which of them a field says, whatever its value; 0: it is another one. */
unsigned gt__saying_of(struct gt_text key, enum gt_type type);

#endif
