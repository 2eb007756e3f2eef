/* SPDX-License-Identifier: MIT */
/*
 * Records in the order of time -> finished spans and events for the sinks. Here
 * lie the quotas. Parents follow from the order: the innermost entered span of
 * the recording context is the parent of what comes next.
 */
#ifndef GT_HOST_SPANS_H
#define GT_HOST_SPANS_H

#include "contexts.h"
#include "early.h"
#include "fanout.h"
#include "seen.h"
#include "views.h"

struct gt__vcpu_spans {
	struct gt__context *context; /* the one that runs */
	/* Scopes that may be over, see entered.c: the last one on top. */
	struct gt__stack limbo;
	uint64_t lost;        /* as the last sync record had it */
	uint64_t lost_by_now; /* by the end of the records at hand */
	uint32_t turns;       /* switches of context */
	bool preemptible;
	bool realign; /* the next sync record tells where we are */
	/* What was current before the last record of each level. */
	uint64_t before[GT_LEVELS];
	struct gt__seen seen;
};

struct gt__spans {
	struct gt__fanout *fanout;
	const struct gt_trace *trace;
	struct gt_summary *summary;
	struct gt__names names;
	struct gt__open_table open;
	struct gt__contexts contexts;
	struct gt__earlies early;
	struct gt__traces traces;
	struct gt__views views;
	struct gt__vcpu_spans *vcpus;
	uint32_t vcpu_count;
	uint32_t fields_max; /* of a span */
	uint64_t sequence;
	bool missing; /* records, and until when some were */
	uint64_t missing_ns;
};

/* When and where a record was made, in the host's terms. */
struct gt__when {
	uint64_t ns; /* since 1970-01-01 UTC; does not fall on one vCPU */
	uint64_t id; /* of the span that the record opens, if it opens one */
	uint32_t vcpu;
	uint32_t level;
	bool adjusted;
	bool native; /* ids are places in rings, the record's own as well */
};

/* The pointers stay the caller's and must outlive the spans. -ENOMEM. */
int gt__spans_init(struct gt__spans *spans, struct gt__fanout *fanout,
                   const struct gt_trace *trace, struct gt_summary *summary,
                   const struct gt__names *names,
                   const struct gt_limits *limits,
                   struct gt__hash_key hash_key);
void gt__spans_fini(struct gt__spans *spans);

/*
 * The innermost entered span of what the vCPU runs, exported; 0 = none. Stores
 * its trace, NULL: the run's; without a reference.
 */
uint64_t gt__spans_current(const struct gt__spans *spans, uint32_t vcpu,
                           struct gt__trace **ret_trace);

void gt__spans_record(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record);

/*
 * Records of this vCPU are missing, of a level those at positions [from, to):
 * its stack is checked at the next sync.
 */
void gt__spans_gap(struct gt__spans *spans, uint32_t vcpu, uint32_t level,
                   uint64_t from, uint64_t to);

/*
 * How many records the vCPU has lost by the end of those that come next, and
 * whether its contexts take turns in the middle of records.
 */
void gt__spans_lost(struct gt__spans *spans, uint32_t vcpu, uint64_t lost,
                    bool preemptible);

/* Records that were made by `ns` are missing: among them may be any close. */
void gt__spans_missing(struct gt__spans *spans, uint64_t ns);

/*
 * The guest has announced itself anew: its ids and contexts start over. Only
 * `vcpus` have been used since it did last.
 */
void gt__spans_restart(struct gt__spans *spans, uint64_t id_base, uint64_t ns,
                       const uint32_t *vcpus, uint32_t count);

/* Ends all open spans, the innermost first; the summary has the ending. */
void gt__spans_interrupt(struct gt__spans *spans, uint64_t ns);

#endif
