/* SPDX-License-Identifier: MIT */
/*
 * Records in the order of time -> finished spans and events for the sinks. Here
 * lie the quotas. Parents follow from the order: the innermost entered span of
 * the recording context is the parent of what comes next.
 */
#ifndef GT_HOST_SPANS_H
#define GT_HOST_SPANS_H

#include "contexts.h"
#include "fanout.h"
#include "views.h"

struct gt__vcpu_spans {
	struct gt__context *context; /* the one that runs */
	uint64_t lost;               /* as the last sync record had it */
	bool realign; /* the next sync record tells where we are */
};

struct gt__spans {
	struct gt__fanout *fanout;
	const struct gt_trace *trace;
	struct gt_summary *summary;
	struct gt__names names;
	struct gt__open_table open;
	struct gt__contexts contexts;
	struct gt__views views;
	struct gt__vcpu_spans *vcpus;
	uint32_t vcpu_count;
	uint64_t sequence;
};

/* When and where a record was made, in the host's terms. */
struct gt__when {
	uint64_t ns; /* since 1970-01-01 UTC; does not fall on one vCPU */
	uint64_t id; /* of the span that the record opens, if it opens one */
	uint32_t vcpu;
	uint32_t level;
	bool adjusted;
};

/* The pointers stay the caller's and must outlive the spans. -ENOMEM. */
int gt__spans_init(struct gt__spans *spans, struct gt__fanout *fanout,
                   const struct gt_trace *trace, struct gt_summary *summary,
                   const struct gt__names *names,
                   const struct gt_limits *limits, uint64_t hash_key);
void gt__spans_fini(struct gt__spans *spans);

/* The innermost entered span of what the vCPU runs, exported; 0 = none. */
uint64_t gt__spans_current(const struct gt__spans *spans, uint32_t vcpu);

void gt__spans_record(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record);

/* Records of this vCPU are missing: its stack is checked at the next sync. */
void gt__spans_gap(struct gt__spans *spans, uint32_t vcpu);

/* The guest has announced itself anew: its ids and contexts start over. */
void gt__spans_restart(struct gt__spans *spans, uint64_t id_base, uint64_t ns);

/* Ends all open spans, the innermost first. */
void gt__spans_interrupt(struct gt__spans *spans, uint64_t ns);

#endif
