/* SPDX-License-Identifier: MIT */
/* The live host, for host.c and for outbox.c, which sends its frames. */
#ifndef GT_HOST_HOST_INSIDE_H
#define GT_HOST_HOST_INSIDE_H

#include "mailbox.h"
#include "pipeline.h"
#include "rings.h"

#include <pthread.h>

#define EXITS_PER_FRAME 256u

struct host_vcpu {
	struct gt__paging paging; /* as of its last exit */
	int64_t tsc_offset;
	uint64_t enter_tsc;
	bool has_exited;
};

struct gt_host {
	pthread_mutex_t lock;
	struct gt_host_options options;
	struct gt_limits limits;
	struct gt__memory memory;
	struct gt__pipeline *pipeline;
	struct gt__guest guest; /* vcpus 0: not announced */
	struct gt__mailbox mailbox;
	struct gt_context context;
	uint64_t first_id_base; /* before any second announcement */
	struct gt_clock_reading first_reading;
	char *guest_name, *vm_name, *backend;
	char *filter_text;
	struct gt__filter filter;
	struct host_vcpu *vcpus;
	uint32_t last_vcpu; /* whose page tables are the newest */
	uint32_t announcements;
	uint64_t bad_requests;
	struct gt__frame_buffer frame;
	uint8_t exits[EXITS_PER_FRAME * GT__EXIT_BYTES];
	size_t exits_bytes;
	int error;   /* the first of capture and sinks */
	bool wanted; /* a reader sleeps until a block is full */
	bool finished;
};

/* The first error of capture and sinks is what gt_host_finish() returns. */
void gt__outbox_keep_error(struct gt_host *host, int r);

/* Reads the clocks into three words: TSC, CLOCK_MONOTONIC, gap. */
void gt__outbox_clock(struct gt_host *host, uint8_t *to);

/*
 * Seals the frame in host->frame and sends it to the capture and to the
 * pipeline. -ENOMEM, or the first error of the sinks.
 */
int gt__outbox_send(struct gt_host *host, enum gt__frame_type type,
                    uint32_t vcpu);

/* Exits gather until the next records, or until a frame of them is full. */
void gt__outbox_note_exit(struct gt_host *host, uint32_t vcpu,
                          const struct gt_exit *exit);
void gt__outbox_exits(struct gt_host *host);

int gt__outbox_start(struct gt_host *host);
void gt__outbox_end(struct gt_host *host, enum gt_ending ending,
                    uint32_t status, const char *message);

/* Payloads of GT__FRAME_START and GT__FRAME_END. */
void gt__outbox_put_start(const struct gt_host *host,
                          struct gt__frame_buffer *frame);
void gt__outbox_put_end(struct gt_host *host, struct gt__frame_buffer *frame,
                        enum gt_ending ending, uint32_t status,
                        const char *message);

/* What gt__guest_read() leaves to its caller: no record is younger. */
void gt__outbox_records_head(struct gt_host *host, uint32_t vcpu,
                             struct gt__frame_buffer *frame);

/* gt_host_snapshot(), under the lock. */
int gt__snapshot(struct gt_host *host, const struct gt_output *to);

#endif
