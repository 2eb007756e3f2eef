/* SPDX-License-Identifier: MIT */
/*
 * What the files of the pipeline share. pipeline.c gives each frame to the file
 * of its type: records.c, batches.c, stretches.c. Those of records go through
 * merge.c, which has stretches.c show what the host did between them.
 */
#ifndef GT_HOST_PIPELINE_INSIDE_H
#define GT_HOST_PIPELINE_INSIDE_H

#include "host/time/clock.h"
#include "host/decode/foreign.h"
#include "levels.h"
#include "sieve.h"
#include "pipeline.h"
#include "host/spans/spans.h"
#include "edges.h"
#include "turns.h"
#include "host/time/tscmap.h"

#define GT__SITE_TABLES_MAX   64u
/* Of memory, of all tables but the first: one may take 12 times its bytes. */
#define SITE_TABLES_BYTES_MAX ((size_t)64 << 20)
/* A drain of four such rings is one frame. */
#define RING_BYTES_MAX        ((size_t)GT__FRAME_BYTES_MAX / 8)

/* What waits for all vCPUs to have been read; more is shown without that. */
#define WAITING_BYTES_MAX ((size_t)32 << 20)

/* Where in time a record is put, and whether the guest said so. */
struct gt__place {
	uint64_t tick;
	bool adjusted, late;
};

/* Of one vCPU; see missing.c. */
struct gt__missing {
	bool pending;        /* something is told before a record to come */
	uint64_t known_ns;   /* when it had lost no more than that */
	uint64_t known_lost; /* records, as told so far */
	/* What the last drain knew, once its records are shown. */
	bool drained;
	uint64_t drained_ns, drained_lost;
	/* Overwritten, and of which levels no record has come since. */
	uint64_t gap_bytes, gap_from_ns;
	unsigned gap_levels;
	/* What sync records count on top of what this run has lost. */
	uint64_t base;
	bool has_base;
};

/* Since when frames have named a vCPU: named.c. */
enum gt__since {
	GT__SINCE_GUEST, /* announced itself */
	GT__SINCE_MERGE,
	GT__SINCE_TAKEN, /* gt__pipeline_taken() */
	GT__SINCES,
};

struct gt__named {
	uint32_t *numbers, count; /* room for all vCPUs */
};

/* What the latest announcement says of all vCPUs, whether named or not. */
struct gt__life {
	uint64_t start_ns;
	bool is_fresh;
	uint32_t restores;      /* so many times it came from a snapshot, */
	uint64_t restored_tick; /* and no record is older than the last one */
};

struct gt__pipeline_vcpu {
	unsigned named;    /* 1 << enum gt__since */
	uint32_t restores; /* of which it has heard */
	struct gt__levels levels;
	struct gt__tsc_map tsc;
	struct gt__edges timeline;
	struct gt__trace *parent_trace; /* of timeline.parent_id; a reference */
	uint64_t lost, cut;             /* latest word of the guest */
	uint64_t lower_tick;            /* no record to come is older */
	/* But for the first of the next batch, where wires carry one over. */
	uint64_t carry_tick;
	bool carries;
	/* Its offset is an estimate, which may be too low by so many ticks. */
	uint64_t doubt_ticks;
	uint64_t doubt_from_tsc; /* since then */
	uint64_t upper_tick;     /* nor any that is here younger */
	bool idle;               /* at the last look nobody was in a record */
	bool unmerged;           /* it was read since all were merged */
	uint64_t last_tick;      /* of what was shown last */
	uint64_t last_ns;
	struct gt__missing missing;
	/* What is shown next, while merging. */
	struct gt__merged next;
	struct gt__place next_place;
	bool has_next, next_is_edge;
};

struct gt__pipeline {
	struct gt__fanout fanout;
	struct gt_limits limits;
	struct gt_trace trace;
	struct gt_summary summary;
	struct gt__clock clock;
	uint64_t base_tsc;    /* tick 0 */
	uint64_t id_base;     /* as it was at the start */
	uint64_t stretches;   /* of the host, shown so far */
	uint64_t outside;     /* times that no reading is behind */
	size_t waiting_bytes; /* of records, taken since the last merge */
	enum gt_clock_source clock_source;
	uint64_t clock_hz; /* what the source says; 0: nothing */
	unsigned clock_flags;
	struct gt__spans spans;
	struct gt__pipeline_vcpu *vcpus;
	struct gt__named named[GT__SINCES];
	struct gt__life life;
	uint32_t announced_vcpus; /* have rings */
	struct gt__turns turns;   /* when each shows what is next */
	struct gt__turns oldest;  /* no tick of it that is to come is lower */
	uint64_t *lost_records;   /* by vCPU, summed up as `summary` is */
	uint64_t bad_records_told, bad_bytes_told; /* of summary.losses */
	/* The latest; views point into all of them: kept until the end. */
	struct gt__sites *sites;
	uint32_t site_tables;
	size_t site_tables_bytes;
	struct gt__foreign foreign;
	struct gt__sieve sieve; /* of what comes in batches */
	char *texts;            /* of trace */
	char *message;
	uint64_t announced_sites_gva;
	bool started, announced, ended;
};

int gt__named_init(struct gt__pipeline *pipeline); /* -ENOMEM */
void gt__named_fini(struct gt__pipeline *pipeline);
void gt__named_forget(struct gt__pipeline *pipeline, enum gt__since since);
/* A frame names the vCPU, or it is its turn: before anything of it changes. */
void gt__pipeline_name(struct gt__pipeline *pipeline, uint32_t number);

/* Of the vCPU; what is estimated of it from now on is another matter. */
void gt__pipeline_doubts(struct gt__pipeline *pipeline, uint32_t vcpu);

/*
 * Takes a reading of the clocks from a frame. 0, -ENOMEM; -EINVAL: its time is
 * over 2^63 ns, so that UTC could come round to before the start.
 */
__attribute__((warn_unused_result)) int
gt__pipeline_clock(struct gt__pipeline *pipeline, struct gt__cursor *cursor);
/* What was recorded before the tick is here, but for some; 0: nobody knows. */
void gt__pipeline_taken(struct gt__pipeline *pipeline, uint64_t tick);
/* UTC of the latest reading. */
uint64_t gt__pipeline_now(const struct gt__pipeline *pipeline);

/* The host's TSC -> ticks. What is before the first reading is put on it. */
uint64_t gt__pipeline_tick(struct gt__pipeline *pipeline, uint64_t tsc);

/* CLOCK_MONOTONIC -> UTC. */
static inline uint64_t gt__pipeline_utc(const struct gt__pipeline *pipeline,
                                        uint64_t monotonic_ns)
{
	return monotonic_ns + (uint64_t)pipeline->trace.monotonic_offset_ns;
}

/* Tick -> UTC, for every record; false: it is but near, outside the readings.
 */
__attribute__((warn_unused_result)) static inline bool
gt__pipeline_ns(struct gt__pipeline *pipeline, uint64_t tick, uint64_t *ret_ns)
{
	bool known = gt__clock_convert(&pipeline->clock, tick, ret_ns);

	*ret_ns = gt__pipeline_utc(pipeline, *ret_ns);
	return known;
}

/* The same of what has no flag of its own: if it is but near, it is counted. */
static inline uint64_t gt__pipeline_ns_counted(struct gt__pipeline *pipeline,
                                               uint64_t tick)
{
	uint64_t ns;

	if (!gt__pipeline_ns(pipeline, tick, &ns))
		pipeline->outside++;
	return ns;
}

/*
 * Sets vCPU, `ns` and `adjusted` of a record made at `guest_tsc`, behind all
 * edges before it.
 */
void gt__pipeline_place(struct gt__pipeline *pipeline, uint32_t number,
                        uint64_t guest_tsc, struct gt__when *when);

/*
 * Losses of a vCPU: it is followed from `ns` on, `is_fresh` if it has lost
 * nothing yet; a frame with its rings is at hand, some of which is missing;
 * before a record that is `pending` or a sync; behind what was no record, made
 * by `ns`; behind a merge; and of all vCPUs, before the end.
 */
static inline void gt__missing_start(struct gt__pipeline *pipeline,
                                     uint32_t number, uint64_t ns,
                                     bool is_fresh)
{
	pipeline->vcpus[number].missing = (struct gt__missing){
		.known_ns = ns,
		.has_base = is_fresh,
	};
}
void gt__missing_look(struct gt__pipeline *pipeline, uint32_t number);
void gt__missing_gap(struct gt__pipeline *pipeline, uint32_t number,
                     uint64_t bytes, unsigned levels);
void gt__missing_before(struct gt__pipeline *pipeline,
                        const struct gt__when *when,
                        const struct gt__record *record);
void gt__missing_bad(struct gt__pipeline *pipeline, uint32_t number,
                     uint64_t ns);
void gt__missing_merged(struct gt__pipeline *pipeline, uint32_t number);
void gt__missing_end(struct gt__pipeline *pipeline);

/* Shows everything up to a tick, and with `all` what would wait as well. */
void gt__pipeline_merge(struct gt__pipeline *pipeline, uint64_t until,
                        bool all);
void gt__pipeline_merge_all(struct gt__pipeline *pipeline);
/* All records of one vCPU, whatever the others may still have. */
void gt__pipeline_show(struct gt__pipeline *pipeline, uint32_t number);

/* Shows the next edge of the vCPU, of which there is one. */
void gt__pipeline_edge(struct gt__pipeline *pipeline, uint32_t number);
/* The vCPU is in the guest since then. 0: it is not, or nobody said so. */
int gt__pipeline_entered(struct gt__pipeline *pipeline, uint32_t number,
                         uint64_t enter_tsc);

/* Payloads of frames; 0, -EINVAL, -ENOSPC, -ENOMEM. */
int gt__pipeline_exits(struct gt__pipeline *pipeline, const uint8_t *payload,
                       size_t count);
int gt__pipeline_work(struct gt__pipeline *pipeline, uint32_t number,
                      const uint8_t *payload, size_t count);
int gt__pipeline_tsc(struct gt__pipeline *pipeline, uint32_t number,
                     const uint8_t *payload, size_t count);
int gt__pipeline_records(struct gt__pipeline *pipeline, uint32_t number,
                         const uint8_t *payload, size_t count);
int gt__pipeline_merge_frame(struct gt__pipeline *pipeline,
                             const uint8_t *payload, size_t count);
int gt__pipeline_filter(struct gt__pipeline *pipeline, const uint8_t *payload,
                        size_t count);
int gt__pipeline_batch(struct gt__pipeline *pipeline, uint32_t number,
                       const uint8_t *payload, size_t count);

#endif
