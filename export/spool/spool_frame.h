/* SPDX-License-Identifier: MIT */
/*
 * A frame of a spool: one request body behind a header, docs/otlp.md. It is
 * written once; only its state changes, one byte in place, which no crash can
 * tear and a full disk cannot prevent.
 *
 * A segment's `seed` goes into the checksum of each header. It follows from the
 * random part of the segment's name, so that no guest can put bytes into a body
 * that a search behind damage would take for a frame.
 */
#ifndef GUESTTRACE_SPOOL_FRAME_H
#define GUESTTRACE_SPOOL_FRAME_H

#include "otlp_request.h"

#define GT__SPOOL_HEADER_BYTES 36u

enum gt__spool_state {
	GT__SPOOL_WAITING = 0,
	GT__SPOOL_SETTLED = 1, /* acknowledged or refused */
	GT__SPOOL_DAMAGED = 2, /* its body is not what was written */
};

struct gt__spool_frame {
	uint64_t offset;
	uint64_t spans;
	uint64_t created_ns; /* since 1970-01-01 UTC */
	uint32_t body_bytes;
	uint32_t body_crc;
	enum gt_otlp_signal signal;
	bool json;
	bool gzip;
	uint8_t state; /* enum gt__spool_state */
};

/*
 * Appends at `end`. 0 or a negative errno; then the file ends at `end` as
 * before, unless even that fails, and a reader skips what is there.
 */
int gt__spool_write(int fd, uint32_t seed, uint64_t end, uint64_t created_ns,
                    const struct gt__otlp_request *request);

/*
 * The first whole frame at or behind `offset` of a file of `end` bytes: 1, 0 if
 * there is none, or a negative errno. *ret_skipped: bytes before it (before
 * `end`) that are in no whole frame.
 */
int gt__spool_find(int fd, uint32_t seed, uint64_t offset, uint64_t end,
                   struct gt__spool_frame *ret_frame, uint64_t *ret_skipped);

/*
 * The request of a frame, for the caller to free(): 0, -EBADMSG if its body is
 * damaged, or a negative errno.
 */
int gt__spool_read(int fd, const struct gt__spool_frame *frame,
                   struct gt__otlp_request **ret_request);

/*
 * Whether a file in which there is no whole frame is what a process leaves that
 * dies over its first one: it is shorter than a header, its header was not
 * written, or is good while the body breaks off.
 */
bool gt__spool_is_broken_off(int fd, uint32_t seed, uint64_t end);

uint32_t gt__spool_seed(const char *name);

int gt__spool_mark(int fd, uint64_t offset, enum gt__spool_state state);

static inline uint64_t gt__spool_frame_end(const struct gt__spool_frame *frame)
{
	return frame->offset + GT__SPOOL_HEADER_BYTES + frame->body_bytes;
}

#endif
