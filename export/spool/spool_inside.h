/* SPDX-License-Identifier: MIT */
/* Shared by the files of the spool. */
#ifndef GUESTTRACE_SPOOL_INSIDE_H
#define GUESTTRACE_SPOOL_INSIDE_H

#include "spool.h"
#include "spool_frame.h"
#include "spool_sync.h"

/*
 * Names: WRITER.count, the ledger, locked while its process lives, and
 * WRITER-NUMBER.gtspool, its segments. WRITER is the time in ns, in hex, and a
 * random number, so that names sort by age.
 */
#define GT__SPOOL_WRITER_BYTES  33u /* 16 digits, '-', 16 digits */
#define GT__SPOOL_NAME_BYTES    64u
#define GT__SPOOL_SEGMENT_BYTES (4u << 20)
#define GT__SPOOL_SEGMENT       ".gtspool"
#define GT__SPOOL_LEDGER        ".count"

struct gt__spool_segment {
	struct gt__spool_segment *next;
	char name[GT__SPOOL_NAME_BYTES];
	uint32_t seed;
	int fd; /* -1: not open now */
	uint64_t number;
	uint64_t end; /* bytes */
	uint64_t waiting_frames;
	uint64_t waiting_spans;
	bool found; /* another process's */
	bool whole; /* nothing is appended any more */
	bool keep;  /* it may hold what cannot be read now */
	bool left;  /* the old cursor is past it, with requests of it out */
};

struct gt__spool_position {
	struct gt__spool_segment *segment; /* NULL: the next one to come */
	uint64_t offset;
};

struct gt__spool {
	int directory_fd;
	int lock_fd;   /* -1: another process drains what is found */
	int ledger_fd; /* locked */
	bool drains;
	bool must_drain;
	struct gt__spool_ledger *ledger; /* mapped */
	char writer[GT__SPOOL_WRITER_BYTES + 1];
	uint64_t bytes_max;
	uint64_t bytes;        /* of all segments, as far as is known */
	uint64_t bytes_unseen; /* its own, since it looked at all */
	uint64_t own_bytes, own_bytes_max; /* of its own segments */
	int64_t looked_s;
	uint64_t next_number;
	struct gt__spool_segment *segments; /* oldest first */
	struct gt__spool_segment **last;
	struct gt__spool_segment *current;
	struct gt__spool_position cursors[GT__SPOOL_CURSORS];
	/* Also what is settled and could not be marked as that. */
	struct gt__spool_position out[GT__SPOOL_OUT_MAX];
	size_t out_count;
	struct gt__spool_counts counts;
	uint64_t refused_number; /* of the next file in `refused` */
	struct gt__spool_syncer syncer;
};

/* Nothing in it has to be sent or may be some day: it may be removed. */
static inline bool gt__spool_is_settled(const struct gt__spool_segment *segment)
{
	return !segment->waiting_frames && !segment->keep;
}

/* ---- spool_directory.c ---- */

/* The name of a segment, and the number in one. */
void gt__spool_segment_name(char *to, const char *writer, uint64_t number);
uint64_t gt__spool_number_of(const char *segment);
/*
 * Calls `look` for each name that a spool gives to files of that suffix, and
 * for no other, in any order. 0, or the negative errno of a directory that
 * cannot be read to its end.
 */
int gt__spool_each(const struct gt__spool *spool, const char *suffix,
                   void (*look)(void *context, const char *name),
                   void *context);
/* A descriptor of a regular file, or a negative errno. */
int gt__spool_open_file(const struct gt__spool *spool, const char *name,
                        int flags);

/* ---- spool_segment.c ---- */

/* Makes a new one the current one: 0 or a negative errno. */
int gt__spool_new_segment(struct gt__spool *spool);
/* Nothing more is appended to the current one, if there is one. */
void gt__spool_end_current(struct gt__spool *spool);
uint64_t gt__spool_segment_bytes_max(const struct gt__spool *spool);
/* Of its file, which is opened if it is not: or a negative errno. */
int gt__spool_segment_fd(struct gt__spool *spool,
                         struct gt__spool_segment *segment);
/* It need not stay open if no cursor is in it and nothing is appended. */
void gt__spool_rest(struct gt__spool *spool, struct gt__spool_segment *segment);
/* Takes one off the disk; it is freed. */
void gt__spool_remove(struct gt__spool *spool,
                      struct gt__spool_segment *segment);

/* ---- spool_ledger.c ---- */

/* Makes this process's; 0 or a negative errno. */
int gt__spool_ledger_open(struct gt__spool *spool);
/* Counts a frame that was written, which ends at the segment's end. */
void gt__spool_ledger_append(struct gt__spool_ledger *ledger,
                             const struct gt__spool_segment *segment,
                             uint64_t spans);
void gt__spool_ledger_close(struct gt__spool *spool, bool remove);
/* Whether the process that wrote it lives; false also if its ledger is gone. */
bool gt__spool_writer_lives(const struct gt__spool *spool, const char *writer);
/*
 * Brings the ledgers of dead processes up to the last whole frame they wrote,
 * and sums what they lost. With `remove` they are taken away. 0, or the negative
 * errno of a directory that cannot be read.
 */
int gt__spool_ledgers_collect(struct gt__spool *spool, bool remove);

/* ---- spool_scan.c ---- */

/*
 * Finds the segments of dead processes, oldest first, and counts what waits in
 * them and what is damaged: 0 or a negative errno.
 */
int gt__spool_scan(struct gt__spool *spool);
uint64_t gt__spool_bytes(const struct gt__spool *spool);

#endif
