/* SPDX-License-Identifier: MIT */
/* Lines of Chrome's JSON, and the threads that they are on. */
#ifndef GUESTTRACE_CHROME_LINES_H
#define GUESTTRACE_CHROME_LINES_H

#include "export/run/gap_track.h"
#include "export/run/host_stack.h"
#include "export/run/lanes.h"
#include "export/run/run_sink.h"

/* The end of a stretch of the host, behind its time. */
struct gt__chrome_tail {
	char *text; /* owned */
	size_t bytes;
};

/* What the host did on one vCPU; see chrome_host.c. */
struct gt__chrome_host {
	bool named[2]; /* guest runs, exits */
	struct gt__host_stack exits;
	struct gt__chrome_tail tails[GT__WORK_DEPTH]; /* of what is open */
};

struct gt__chrome_run {
	struct gt__run head;
	uint64_t zero_ns; /* CLOCK_MONOTONIC at its times' 0 */
	struct gt__lanes lanes;
	uint32_t lane_tid;            /* plus the index of a lane's track */
	struct gt__chrome_host *host; /* by vCPU; NULL before the first */
	struct gt__gap_track *gaps;   /* by vCPU; NULL before the first */
};

struct gt__chrome {
	struct gt__run_sink head;
	uint32_t lane_tids; /* given to runs so far */
	bool begun, has_zero;
	uint64_t zero_ns; /* of the first run */
};

/* One event a line; the first opens the array. */
struct gt__out *gt__chrome_next_line(struct gt__chrome *x);
/* Microseconds with three decimals. */
void gt__chrome_put_us(struct gt__out *out, uint64_t ns);
void gt__chrome_put_ids(struct gt__out *out, const struct gt__chrome_run *run,
                        uint32_t tid);

void gt__chrome_put_site(struct gt__out *out, const struct gt_site_view *site);

/*
 * The beginning of a span's stretch, to be ended by gt__chrome_end_begin();
 * what is between them is up to the caller. Other lines of its track call both
 * first.
 */
void gt__chrome_begin_span(struct gt__chrome *x, struct gt__chrome_run *run,
                           uint32_t index);
void gt__chrome_end_begin(struct gt__chrome *x, struct gt__chrome_run *run,
                          uint32_t index);
/* Has the span below this one begin, which is no longer on top. */
void gt__chrome_begin_below(struct gt__chrome *x, struct gt__chrome_run *run,
                            uint32_t index);

/* A line up to its time. The threads' names come before their first line. */
void gt__chrome_begin(struct gt__chrome *x, struct gt__chrome_run *run,
                      uint32_t track, char phase, uint64_t time_ns);
void gt__chrome_begin_tid(struct gt__chrome *x,
                          const struct gt__chrome_run *run, uint32_t tid,
                          char phase, uint64_t time_ns);

/*
 * A flow leaves the slice that has just begun on the track, phase `s`, or comes
 * to it, phase `f`; the exported id of the span that it leaves is its own.
 */
void gt__chrome_put_flow(struct gt__chrome *x, struct gt__chrome_run *run,
                         uint32_t track, char phase, uint64_t time_ns,
                         uint64_t id);

/* Members of `args`, each behind a comma. */
void gt__chrome_put_flags(struct gt__out *out, unsigned flags);

/* ---- chrome_host.c ------------------------------------------------------- */

/* 0, -EINVAL for a vCPU that the run does not have, or -ENOMEM. */
int gt__chrome_put_host(struct gt__chrome *x, struct gt__chrome_run *run,
                        const struct gt_host_span_view *span);
/* Ends what is still open of the host's stretches. */
void gt__chrome_end_host(struct gt__chrome *x, struct gt__chrome_run *run);
void gt__chrome_free_host(struct gt__chrome_run *run);

/* ---- chrome_losses.c ----------------------------------------------------- */

/* 0, -EINVAL for a vCPU that the run does not have, or -ENOMEM. */
int gt__chrome_put_loss(struct gt__chrome *x, struct gt__chrome_run *run,
                        const struct gt_loss_view *loss);
/* How the run ended, and all that was lost of it. */
void gt__chrome_put_outcome(struct gt__chrome *x, struct gt__chrome_run *run,
                            const struct gt_summary *summary);

#endif
