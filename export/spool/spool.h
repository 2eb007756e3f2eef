/* SPDX-License-Identifier: MIT */
/*
 * Requests on disk: a directory of segments, docs/otlp.md. Every process
 * appends to segments of its own; one at a time, who holds the lock, also reads
 * those of processes that are gone. A spool is used by one thread, but for
 * gt__spool_ledger().
 */
#ifndef GUESTTRACE_SPOOL_H
#define GUESTTRACE_SPOOL_H

#include "otlp_request.h"

struct gt__spool;

/*
 * What became of a process's spans, in a file that is mapped: it stays right
 * when the process is killed: between any two stores its figures agree. Spans
 * seen and neither settled nor appended are lost with the process.
 */
struct gt__spool_ledger {
	uint64_t magic;   /* and the CRC-32 of the file's name */
	uint64_t seen;    /* spans, in a request or not yet */
	uint64_t settled; /* taken, refused or dropped without the segments */
	uint64_t turn;    /* the last one's lowest bit says which is right: */
	struct gt__spool_appends {
		uint64_t spans;   /* in the segments, ever */
		uint64_t segment; /* of the last append, and where it ended */
		uint64_t segment_end;
	} appends[2];
};

struct gt__spool_counts {
	uint64_t own_waiting;   /* spans */
	uint64_t found_waiting; /* spans */
	uint64_t found_lost;
	uint64_t own_damaged; /* spans */
	uint64_t damaged_spans;
	uint64_t damaged_bytes;
	/* Files that were found and stay: they cannot be opened or read to
	 * their end, or hold nothing that this version has written. */
	uint64_t unreadable_files;
	uint64_t refused_kept; /* spans in the folder of what was refused */
};

/* Two places to read from, each in the order of writing. */
enum gt__spool_cursor {
	GT__SPOOL_OLD, /* everything that waits */
	GT__SPOOL_NEW, /* what was appended since gt__spool_skip() */
	GT__SPOOL_CURSORS,
};

/*
 * The directory, or that folder of it unless it is NULL. Made if it is missing,
 * unless `must_drain`. 0, -ENOMEM, -EPERM if it belongs to another user or others
 * may write to it, -EBUSY if `must_drain` and another process drains it, or a
 * negative errno.
 */
int gt__spool_open(const char *directory, const char *folder,
                   uint64_t bytes_max, bool must_drain,
                   struct gt__spool **ret_spool);

/* From now on it appends no more than that of its own: 0: all of the cap. */
void gt__spool_set_share(struct gt__spool *spool, uint64_t own_bytes_max);

/*
 * Removes what is settled. `complete`: the ledger's figures have been told to
 * somebody and need not outlive the process, nor need damage that was found;
 * with `must_drain` the ledgers of dead processes as well, if nothing is left.
 */
void gt__spool_close(struct gt__spool *spool, bool complete);

struct gt__spool_ledger *gt__spool_ledger(struct gt__spool *spool);

/* 0, -EDQUOT over the cap or its share, or a negative errno; then nothing is
 * appended. */
int gt__spool_append(struct gt__spool *spool,
                     const struct gt__otlp_request *request);

/* Whether with `count` bytes more it has at most half of what it may have. */
bool gt__spool_is_roomy(const struct gt__spool *spool, size_t count);

/*
 * What has been appended will soon survive a power failure; it does not wait
 * for the disk. 0, 1 if the disk is not done with what came before: to be asked
 * again, or the negative errno of a former one that failed.
 */
int gt__spool_sync(struct gt__spool *spool);

/*
 * The next request that waits and is not out already, or NULL; also with
 * GT__SPOOL_OUT_MAX of them out. It is out, and the caller's to free(), until
 * it is settled or given back.
 */
#define GT__SPOOL_OUT_MAX 64u
struct gt__otlp_request *gt__spool_next(struct gt__spool *spool,
                                        enum gt__spool_cursor cursor);

/* It waits again, and will be the next; frees it. */
void gt__spool_give_back(struct gt__spool *spool,
                         struct gt__otlp_request *request);

/* It was taken or refused and is not read again. */
void gt__spool_settle(struct gt__spool *spool,
                      const struct gt__otlp_request *request);

/*
 * The endpoint wants none of it, whatever is done: its body goes to a file of
 * its own in the folder `refused`, which holds an eighth of what the spool may,
 * in 4,096 files. Over that, or where the disk fails, it is not kept. Settles
 * nothing.
 */
void gt__spool_keep_refused(struct gt__spool *spool,
                            const struct gt__otlp_request *request);

/* GT__SPOOL_NEW begins behind what is there now. */
void gt__spool_skip(struct gt__spool *spool);

struct gt__spool_counts gt__spool_counts(const struct gt__spool *spool);

#endif
