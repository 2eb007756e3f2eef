/* SPDX-License-Identifier: MIT */
/*
 * Where the time went: how much of an interval a vCPU was in the guest, out of
 * it and why, or ready without a CPU of the host to run on.
 *
 * The parts are counted in whole nanoseconds and add up to the interval, to the
 * nanosecond, however it is cut: each part is the difference of a sum that only
 * grows. `waiting_ns` of a stretch is spread evenly over it, as floor(waiting *
 * elapsed / duration); it is an estimate, and so is what it is taken from.
 */
#ifndef GUESTTRACE_COLLECT_SPLIT_H
#define GUESTTRACE_COLLECT_SPLIT_H

#include <guesttrace/export.h>

/* What a vCPU did at a moment. The first three are columns of every row. */
enum gt__part {
	GT__PART_GUEST,
	GT__PART_WAITING, /* its thread was ready, but did not run */
	GT__PART_UNKNOWN, /* no stretch says: before the first, for example */
	GT__PART_TRACING, /* an exit that hands over records */
	GT__PART_EXIT,    /* + enum gt_exit_reason */
};
#define GT__PARTS (GT__PART_EXIT + GT_EXIT_REASONS)

/* A stretch of the host, or its own work; see struct gt_host_span_view. */
struct gt__host_span {
	uint64_t parent_id;
	uint64_t sequence; /* of the record before it, for the tree */
	uint32_t parent;   /* span index, or GT__ROOT */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t waiting_ns;
	struct gt_text name;
	uint32_t vcpu;
	uint16_t port;
	uint8_t kind;
	uint8_t reason;
	bool tracing;
	unsigned flags;
};

/* The stretches of all vCPUs. A row is one number per part that occurs. */
struct gt__timeline {
	struct gt__moment *moments; /* by vCPU, then by start */
	uint32_t moment_count;
	uint64_t *sums; /* a row per moment: of its vCPU, up to it */
	uint64_t *row;  /* of a look-up */
	enum gt__part parts[GT__PARTS]; /* by column */
	uint32_t columns;
	uint32_t begun; /* the last answer, for spans are near each other */
};

/*
 * Built of `count` host spans in any order; of those of one vCPU that overlap
 * the later one begins where the earlier ends. False: out of memory.
 */
bool gt__timeline_build(struct gt__timeline *timeline,
                        const struct gt__host_span *spans, uint32_t count);
void gt__timeline_fini(struct gt__timeline *timeline);

/* Adds the parts of [from_ns, to_ns) of each of so many vCPUs. */
void gt__timeline_sum(struct gt__timeline *timeline, uint32_t vcpus,
                      uint64_t from_ns, uint64_t to_ns, uint64_t *row);
/* Adds to `row`, or takes from it, the parts of [from_ns, to_ns) on `vcpu`. */
void gt__timeline_add(struct gt__timeline *timeline, uint32_t vcpu,
                      uint64_t from_ns, uint64_t to_ns, uint64_t *row);
void gt__timeline_take(struct gt__timeline *timeline, uint32_t vcpu,
                       uint64_t from_ns, uint64_t to_ns, uint64_t *row);

#endif
