/* SPDX-License-Identifier: MIT */
/* What the files of the pipeline share: pipeline.c, records.c, batches.c. */
#ifndef GT_HOST_PIPELINE_INSIDE_H
#define GT_HOST_PIPELINE_INSIDE_H

#include "clock.h"
#include "foreign.h"
#include "levels.h"
#include "pipeline.h"
#include "spans.h"

#define GT__SITE_TABLES_MAX 64u
/* A drain of four such rings is one frame. */
#define RING_BYTES_MAX      ((size_t)GT__FRAME_BYTES_MAX / 8)

struct gt__pipeline_vcpu {
	struct gt__levels levels;
	int64_t tsc_offset;
	uint64_t lost, cut; /* latest word of the guest */
	uint64_t window_ns; /* no record of the next drain is older */
	uint64_t last_ns;
};

struct gt__pipeline {
	struct gt__fanout fanout;
	struct gt_limits limits;
	struct gt_trace trace;
	struct gt_summary summary;
	struct gt__clock clock;
	struct gt__spans spans;
	struct gt__pipeline_vcpu *vcpus;
	/* Views point into them: kept until the end. */
	struct gt__sites *sites[GT__SITE_TABLES_MAX];
	uint32_t site_tables;
	struct gt__foreign foreign;
	char *texts; /* of trace */
	char *message;
	uint64_t announced_sites_gva;
	bool started, announced, ended;
};

/* Takes a reading of the clocks from a frame. */
void gt__pipeline_clock(struct gt__pipeline *pipeline,
                        struct gt__cursor *cursor);
/* CLOCK_MONOTONIC -> UTC. */
uint64_t gt__pipeline_utc(const struct gt__pipeline *pipeline,
                          uint64_t monotonic_ns);
/* UTC of the latest reading. */
uint64_t gt__pipeline_now(const struct gt__pipeline *pipeline);

/* Sets `ns` and `adjusted` of a record made at `guest_tsc`. */
void gt__pipeline_place(struct gt__pipeline *pipeline,
                        struct gt__pipeline_vcpu *vcpu, uint64_t guest_tsc,
                        struct gt__when *when);

/* Shows what the rings of a vCPU hold; with `all`, what would wait as well. */
void gt__pipeline_show(struct gt__pipeline *pipeline, uint32_t number,
                       bool all);

/* GT__FRAME_RECORDS and GT__FRAME_BATCH; 0, -EINVAL, -ENOMEM. */
int gt__pipeline_records(struct gt__pipeline *pipeline, uint32_t number,
                         const uint8_t *payload, size_t count);
int gt__pipeline_batch(struct gt__pipeline *pipeline, uint32_t number,
                       const uint8_t *payload, size_t count);

#endif
