/* SPDX-License-Identifier: MIT */
/* The live host, for host.c and for outbox.c, which sends its frames. */
#ifndef GT_HOST_HOST_INSIDE_H
#define GT_HOST_HOST_INSIDE_H

#include "mailbox.h"
#include "host/pipeline/pipeline.h"
#include "quota.h"
#include "rings.h"
#include "host/time/tscmap.h"

#include <guesttrace/keyed_hash.h>

#include <pthread.h>

#define EXITS_PER_FRAME    32u
#define RECENT_MAX         16u
#define WORK_MAX           16u /* pieces of the VMM's work open at once */
/* Many times what a store buffer takes to drain; an interrupt drains it, too.
 */
#define STORE_BUFFER_TICKS 65536u

/* As it lies in a frame. */
struct gt__reading {
	uint64_t tsc, monotonic_ns, gap_ns;
};

/* What batches tell of an offset that the VMM does not know. */
struct host_guess {
	bool is_on;
	bool has_any;
	uint64_t since_tsc; /* host TSC: it holds from here on; 0: always */
	/* It is in between; `first`: the lowest that times were placed by. */
	int64_t low, high, first;
};

/* The latest look at level 0 of an attached guest. */
struct host_peek {
	uint64_t tsc; /* of the host, just before it; 0: there was none */
	uint64_t pos;
	bool is_free; /* nobody was inside a record */
};

struct host_vcpu {
	struct gt__paging paging; /* as of its last exit */
	struct gt__tsc tsc;       /* as of its last exit */
	struct host_guess guess;  /* in place of it */
	struct host_peek peek;
	uint64_t looked_tsc; /* host TSC at its latest batch */
	uint64_t carry_tsc;  /* and at the one before */
	uint64_t enter_tsc;  /* of its latest entry; 0: none was reported */
	uint64_t exit_tsc;   /* of its latest exit */
	uint64_t waited_ns;  /* by then, since its thread began */
	uint64_t enter_waited_ns; /* between that exit and that entry */
	bool has_exited;
};

/* A piece of the VMM's work that is not over. */
struct host_work {
	uint64_t number; /* 0: free */
	uint64_t parent, start_tsc;
	uint32_t vcpu;
	char name[GT_WORK_NAME_BYTES];
};

struct gt_host {
	pthread_mutex_t lock;
	struct gt_host_options options;
	struct gt_limits limits;
	struct gt__quota quota;
	struct gt__memory memory;
	bool has_moved; /* since the latest exit: page tables are not known */
	struct gt__pipeline *pipeline;
	struct gt__guest guest; /* vcpus 0: not announced */
	struct gt__mailbox mailbox;
	struct gt_context context;
	uint64_t first_id_base; /* before any second announcement */
	/* Later ones are made of these: see gt__outbox_new_ids(). */
	struct gt__hash_key ids_key;
	uint64_t id_bases;
	uint32_t capture_seed; /* no guest may learn it: host/frames/frame.h */
	struct gt_clock_reading first_reading;
	unsigned clock_flags; /* enum gt_clock_flag */
	char *guest_name, *vm_name, *backend;
	char *guest_build_id, *vm_id, *host_name, *trace_state;
	struct gt__filter *filter;
	char *filter_text; /* as it stands in the capture; NULL: in none */
	struct host_vcpu *vcpus;
	uint32_t last_vcpu; /* whose page tables are the newest */
	uint32_t announcements;
	uint32_t lives; /* that began with gt_host_resumed() */
	uint64_t bad_requests;
	struct gt__frame_buffer frame;
	uint8_t exits[EXITS_PER_FRAME * GT__EXIT_BYTES];
	size_t exits_bytes;
	struct gt_clock_reading reading; /* the latest */
	/* Some of those in frames, for snapshots: a ring, `recent_count` ever.
	 */
	struct gt__reading recent[RECENT_MAX];
	uint64_t recent_count;
	uint64_t sent_ns;       /* CLOCK_MONOTONIC of the latest in a frame */
	uint64_t sent_tsc;      /* its TSC */
	uint64_t worked_tsc;    /* when the VMM's latest work was over */
	uint64_t sampled_pos;   /* sum of all positions at the latest sample */
	bool unmerged;          /* frames since the last GT__FRAME_MERGE */
	struct host_work *work; /* WORK_MAX of them, once there was one */
	uint64_t work_count;    /* numbers given so far */
	/* Frames that wait until their times can be placed, START not among
	 * them: held.c. */
	struct gt__frame_buffer held;
	bool is_holding;
	uint32_t held_looks;
	int error;   /* the first of capture and sinks */
	bool wanted; /* a reader sleeps until a block is full */
	bool finished;
};

/* The first error of capture and sinks is what gt_host_finish() returns. */
void gt__outbox_keep_error(struct gt_host *host, int r);

/* Reads the clocks into host->reading. */
void gt__outbox_read(struct gt_host *host);

/* The same, and into three words: TSC, CLOCK_MONOTONIC, gap. */
void gt__outbox_clock(struct gt_host *host, uint8_t *to);

/*
 * Seals the frame in host->frame and sends it to the capture and to the
 * pipeline. -ENOMEM, or the first error of the sinks.
 */
int gt__outbox_send(struct gt_host *host, enum gt__frame_type type,
                    uint32_t vcpu);

/* Of a sealed frame, which may lie anywhere. */
int gt__outbox_deliver(struct gt_host *host, const uint8_t *bytes, size_t count,
                       enum gt__frame_type type, uint32_t vcpu);

/* How long its thread has waited since the last time this was asked. */
uint64_t gt__outbox_waited(struct host_vcpu *vcpu, uint64_t total_ns);

/*
 * Exits gather until the next records, or until a frame of them is full or some
 * milliseconds old. The frame brings the latest reading of the clocks along.
 */
void gt__outbox_note_exit(struct gt_host *host, uint32_t vcpu,
                          const struct gt_exit *exit, bool tracing);
void gt__outbox_exits(struct gt_host *host);

/* A reading at a moment at which there may be nothing else to say. */
void gt__outbox_sample(struct gt_host *host);

/* All rings were read after `tsc`. */
void gt__outbox_merge(struct gt_host *host, uint64_t tsc);

/*
 * The vCPU's TSC is that one, since `from_tsc` of the host's, 0: always.
 * `doubt`: by how many ticks an estimate may be too low; -1: it is none.
 */
void gt__outbox_tsc(struct gt_host *host, uint32_t vcpu, uint64_t from_tsc,
                    const struct gt__tsc *tsc, int64_t doubt);

/*
 * Ids of the next life are none of those before. No random bytes are asked for
 * after gt_host_new(): what they are made of was drawn there.
 */
void gt__outbox_new_ids(struct gt_host *host);

/* A new life without a control block. */
void gt__outbox_life(struct gt_host *host);

void gt__outbox_work(struct gt_host *host, const struct host_work *work);

int gt__outbox_start(struct gt_host *host);
void gt__outbox_begin(struct gt_host *host);
void gt__outbox_end(struct gt_host *host, enum gt_ending ending,
                    uint32_t status, const char *message);

/* Payloads of GT__FRAME_START and GT__FRAME_END. */
void gt__outbox_put_start(const struct gt_host *host,
                          struct gt__frame_buffer *frame);
void gt__outbox_put_end(struct gt_host *host, struct gt__frame_buffer *frame,
                        enum gt_ending ending, uint32_t status,
                        const char *message);

/* There is memory, and page tables for it. */
bool gt__outbox_may_look(const struct gt_host *host);

/* It is in the guest, as far as the VMM has said. */
bool gt__outbox_is_inside(const struct host_vcpu *vcpu);

/* Payload of GT__FRAME_TSC, as gt__outbox_tsc(). */
void gt__outbox_put_tsc(const struct gt__tsc *tsc, uint64_t from_tsc,
                        int64_t doubt, struct gt__frame_buffer *frame);

/* What gt__guest_read() leaves to its caller: no record is younger. */
void gt__outbox_records_head(struct gt_host *host, uint32_t vcpu,
                             struct gt__frame_buffer *frame);

/* gt_host_snapshot(), under the lock. */
int gt__snapshot(struct gt_host *host, const struct gt_output *to);

/* ---- held.c, under the lock -------------------------------------------- */

/* Shows what was held, and from then on all. -ENOMEM, the error of a sink. */
int gt__held_release(struct gt_host *host);

/* Whether all that is known of the TSC is worth to place times by it. */
bool gt__held_is_ripe(const struct gt_host *host);

/* ---- peek.c, under the lock -------------------------------------------- */

/* Learns of the offsets of an attached guest's TSCs from what it records. */
void gt__peek(struct gt_host *host);

/* By how many ticks times may be too late, as far as that is known. */
uint64_t gt__peek_doubt(const struct gt_host *host);

/* ---- offsets.c, under the lock ----------------------------------------- */

/* Whether the vCPU's TSC is another one than before. */
bool gt__offset_set(struct gt_host *host, uint32_t vcpu,
                    const struct gt__tsc *tsc);

/*
 * A batch is at hand that was made before `upper_tsc` of the host's; its vCPU
 * handed it over at `guest_tsc`, 0: unknown. Nothing happens if the offset is
 * known.
 */
void gt__offset_learn(struct gt_host *host, uint32_t vcpu, const uint8_t *batch,
                      size_t count, uint64_t guest_tsc, uint64_t upper_tsc);

/*
 * An offset is at least `low` and at most `high`, since `since_tsc` of the
 * host's if that contradicts what was known. Nothing happens if it is known.
 */
void gt__offset_narrow(struct gt_host *host, uint32_t vcpu, int64_t low,
                       int64_t high, uint64_t since_tsc);

/* By how many ticks times may be too late by it. */
int64_t gt__offset_doubt(const struct host_guess *guess);

/* Says what is known of it to who reads the frames. */
void gt__offset_tell(struct gt_host *host, uint32_t vcpu);

/* ---- host.c -------------------------------------------------------------- */

/* gt_host_new(); one that holds what it has to show. */
int gt__host_make(const struct gt_host_options *options, bool is_holding,
                  struct gt_host **ret_host);

/* ---- handover.c, under the lock ---------------------------------------- */

/* The batch that an exit names. 1: it is sent; 0: it came before. */
int gt__handover_exit(struct gt_host *host, uint32_t vcpu,
                      const struct gt_exit *exit);

/* gt_host_batch(), its offset being set. */
int gt__handover_bytes(struct gt_host *host, uint32_t vcpu, const void *bytes,
                       size_t count, uint64_t guest_tsc);

/* ---- serve.c, under the lock ------------------------------------------- */

/* The announced guest, and its sites, to who reads the frames. */
int gt__serve_introduce(struct gt_host *host, const struct gt__paging *paging);
/* Its place in the trace, which sites are on, and whether somebody waits. */
int gt__serve_tell(struct gt_host *host, const struct gt__paging *paging);

/* gt_host_exit(), gt_host_drain(). */
int gt__serve_exit(struct gt_host *host, uint32_t vcpu,
                   const struct gt_exit *exit);
int gt__serve_drain(struct gt_host *host);

/* As gt_host_rotate(). */
int gt__rotate(struct gt_host *host, const struct gt_output *next);

/* gt_host_batch(). */
int gt__serve_batch(struct gt_host *host, uint32_t vcpu, const void *bytes,
                    size_t count, uint64_t guest_tsc, int64_t tsc_offset);

/* gt_host_resumed(). */
int gt__serve_resume(struct gt_host *host, uint32_t vcpu,
                     const struct gt_exit *state, uint64_t control_gva);

/* The latest reading follows that one, by another thread perhaps: not back. */
void gt__serve_check_warp(struct gt_host *host, uint64_t before_tsc);

#endif
