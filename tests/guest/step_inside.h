/* SPDX-License-Identifier: MIT */
/* What step_machine.c, the machine, and step_log.c, its judge, share. */
#ifndef STEP_INSIDE_H
#define STEP_INSIDE_H

#include "step_machine.h"

#include <unicorn/unicorn.h>

#define LOG_MAX    1024u
#define TOKENS_MAX 512u

/* A published record. */
struct entry {
	uint64_t pos;
	uint64_t token; /* of a record that has one, else 0 */
	unsigned level;
	unsigned kind;
	bool due; /* a drain has found it */
};

/* What the host showed of a token. */
struct shown {
	uint64_t id;      /* of a span, as exported */
	uint64_t parent;  /* id */
	uint64_t parents; /* tokens that may be it */
	unsigned times;
	bool is_span;
};

struct step_machine {
	uc_engine *uc;
	uint8_t *ram;
	uint8_t *kept;  /* of ram, after the boot */
	uint8_t *image; /* as loaded */
	uint64_t image_bytes;
	uc_context *booted, *second, *other;
	struct gt_clock_reading booting, started;
	uint64_t control_gva;
	uint64_t steps, stop_at;
	uint64_t return_rip, return_rsp; /* of the last step_interrupt() */
	bool stopped, watches, watches_return;
	struct gt_host *host; /* NULL: nobody answers the doorbell */
	struct gt_sink sink;
	/* The log, and how far each level has been drained. */
	struct entry log[LOG_MAX];
	unsigned log_count, booted_count;
	uint64_t tail[GT_LEVELS];
	uint64_t due; /* records that drains have found, pads not */
	uint64_t overwritten_bytes;
	/* What the host showed. */
	struct shown shown[TOKENS_MAX];
	uint64_t parents[TOKENS_MAX]; /* of all that was published */
	struct gt_summary summary;
	struct step_result result;
	const char *wrong; /* the first thing that does not hold */
};

/* Keeps the first thing that does not hold. */
void step__check(struct step_machine *machine, bool holds, const char *what);

/* The guest is about to store `value` of `bytes` bytes at an address that is
 * `at` bytes into its struct gt_vcpu. */
void step__log(struct step_machine *machine, uint64_t at, int bytes,
               uint64_t value);

/* The host is about to take what all rings hold, while the guest stands still,
 * as docs/format.md says. */
void step__expect_drain(struct step_machine *machine);

/* The log as after the boot, and nothing shown. */
void step__forget(struct step_machine *machine);

/* What the host shows things to. */
struct gt_sink step__sink(void);

#endif
