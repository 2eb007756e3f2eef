/* SPDX-License-Identifier: MIT */
#include "quota.h"
#include "host/time/bend.h"

#define NS_PER_S    UINT64_C(1000000000)
/* So that what is due is below 2^62. */
#define PER_S_MAX   (UINT64_C(1) << 52)
#define IDLE_NS_MAX (1000 * NS_PER_S)

void gt__bucket_init(struct gt__bucket *bucket, uint64_t per_s, uint64_t now_ns)
{
	*bucket = (struct gt__bucket){
		.per_s = per_s < PER_S_MAX ? per_s : PER_S_MAX,
		.at_ns = now_ns,
	};
	bucket->left = (int64_t)bucket->per_s;
}

bool gt__bucket_has(struct gt__bucket *bucket, uint64_t now_ns)
{
	uint64_t idle_ns, due, room;

	if (bucket->per_s == 0)
		return true;
	idle_ns = now_ns > bucket->at_ns ? now_ns - bucket->at_ns : 0;
	if (idle_ns > IDLE_NS_MAX)
		idle_ns = IDLE_NS_MAX;
	due = gt__scale(bucket->per_s, idle_ns, NS_PER_S);
	room = bucket->per_s - (uint64_t)bucket->left;
	bucket->left += (int64_t)(due < room ? due : room);
	/* What is less than one is not lost: it is due with the next. */
	if (due > 0)
		bucket->at_ns = now_ns;
	return bucket->left > 0;
}

void gt__bucket_spend(struct gt__bucket *bucket, uint64_t amount)
{
	if (bucket->per_s == 0)
		return;
	if (amount > INT64_MAX / 2 || bucket->left < INT64_MIN / 2)
		bucket->left = INT64_MIN / 2;
	else
		bucket->left -= (int64_t)amount;
}

static uint64_t or_any(uint64_t limit)
{
	return limit ? limit : UINT64_MAX;
}

void gt__quota_init(struct gt__quota *quota, const struct gt_limits *limits,
                    uint64_t now_ns)
{
	*quota = (struct gt__quota){
		.bytes_left = or_any(limits->record_bytes),
		.records_left = or_any(limits->records),
		.exits_left = or_any(limits->exits_in_all),
	};
	gt__bucket_init(&quota->bytes, limits->record_bytes_per_s, now_ns);
	gt__bucket_init(&quota->records, limits->records_per_s, now_ns);
	gt__bucket_init(&quota->exits, limits->exits_per_s, now_ns);
}

bool gt__quota_takes(struct gt__quota *quota, uint64_t now_ns)
{
	return quota->is_lifted ||
	       (quota->bytes_left > 0 && quota->records_left > 0 &&
	        gt__bucket_has(&quota->bytes, now_ns) &&
	        gt__bucket_has(&quota->records, now_ns));
}

bool gt__quota_serves(struct gt__quota *quota, uint64_t now_ns)
{
	bool serves = gt__quota_takes(quota, now_ns);

	quota->requests_over += !serves;
	return serves;
}

static void spend(uint64_t *left, uint64_t amount)
{
	if (*left != UINT64_MAX)
		*left -= amount < *left ? amount : *left;
}

void gt__quota_spend(struct gt__quota *quota, uint64_t bytes)
{
	gt__bucket_spend(&quota->bytes, bytes);
	spend(&quota->bytes_left, bytes);
}

void gt__quota_records(struct gt__quota *quota, uint64_t count)
{
	gt__bucket_spend(&quota->records, count - quota->records_spent);
	spend(&quota->records_left, count - quota->records_spent);
	quota->records_spent = count;
}

bool gt__quota_exit(struct gt__quota *quota, uint64_t now_ns)
{
	if (quota->exits_left > 0 && gt__bucket_has(&quota->exits, now_ns)) {
		gt__bucket_spend(&quota->exits, 1);
		spend(&quota->exits_left, 1);
		return true;
	}
	quota->exits_over++;
	return false;
}
