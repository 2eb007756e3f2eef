/* SPDX-License-Identifier: MIT */
/*
 * What one guest may cost over time: bytes of records, records and exits, per
 * second and in all. A bucket holds a second's worth; what is asked for is
 * given as long as something is left in it, and may leave it in debt, so that a
 * ring is taken as a whole or not at all.
 */
#ifndef GT_HOST_QUOTA_H
#define GT_HOST_QUOTA_H

#include <guesttrace/host.h>

struct gt__bucket {
	uint64_t per_s; /* 0: any */
	uint64_t at_ns; /* CLOCK_MONOTONIC: it was filled up until then */
	int64_t left;
};

void gt__bucket_init(struct gt__bucket *bucket, uint64_t per_s,
                     uint64_t now_ns);
/* Whether something is left in it by now. */
bool gt__bucket_has(struct gt__bucket *bucket, uint64_t now_ns);
void gt__bucket_spend(struct gt__bucket *bucket, uint64_t amount);

struct gt__quota {
	struct gt__bucket bytes, records, exits;
	uint64_t bytes_left, records_left, exits_left; /* in all */
	uint64_t records_spent;
	bool is_lifted; /* for the last look, when the guest is gone */
	/* Over it, for the losses. */
	uint64_t requests_over, exits_over;
};

void gt__quota_init(struct gt__quota *quota, const struct gt_limits *limits,
                    uint64_t now_ns);

/* Whether records may be taken: what stays in a ring is not lost by that. */
bool gt__quota_takes(struct gt__quota *quota, uint64_t now_ns);
/* The same of a doorbell or a batch: if not, that is counted. */
bool gt__quota_serves(struct gt__quota *quota, uint64_t now_ns);
/* So many bytes of them were. */
void gt__quota_spend(struct gt__quota *quota, uint64_t bytes);
/* So many records there were, since the beginning. */
void gt__quota_records(struct gt__quota *quota, uint64_t count);
/* Whether an exit may be noted and served; it is, or that is counted. */
bool gt__quota_exit(struct gt__quota *quota, uint64_t now_ns);

#endif
