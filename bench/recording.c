/* SPDX-License-Identifier: MIT */
#define GT_TARGET "bench"
#include "recording.h"

#include <guesttrace/guest.h>

void record_event_0(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		GT_EVENT(GT_INFO, "tick");
}

void record_event_2u64(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		GT_EVENT(GT_INFO, "tick", gt_u64("count", i),
		         gt_u64("left", count - i));
}

void record_event_u64_str8(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		GT_EVENT(GT_INFO, "tick", gt_u64("count", 1000000 + i),
		         gt_str("label", "abcdefgh"));
}

void record_span_0(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		GT_SPAN(span, GT_INFO, "work_item");
	}
}

void record_span_2u64(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		GT_SPAN(span, GT_INFO, "work_item", gt_u64("count", i),
		        gt_u64("left", count - i));
	}
}

void record_span_u64_str8(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		GT_SPAN(span, GT_INFO, "work_item",
		        gt_u64("count", 1000000 + i),
		        gt_str("label", "abcdefgh"));
	}
}

void record_nothing(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		GT_EVENT(GT_DEBUG, "tick", gt_u64("count", i),
		         gt_u64("left", count - i));
}

#define WORK_WORDS 4096u

static uint64_t words[WORK_WORDS];

#define ROUND_WORDS 64u

/* A checksum over 512 bytes of a table that it changes as it goes. */
static inline uint64_t work(uint64_t round)
{
	uint64_t *at = &words[round * ROUND_WORDS % WORK_WORDS];
	uint64_t hash = round;

	for (unsigned i = 0; i < ROUND_WORDS; i++) {
		hash = (hash ^ at[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	at[hash % ROUND_WORDS] = hash;
	return hash;
}

void work_alone(uint64_t count)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < count; i++)
		sum += work(i);
	__asm__ volatile("" ::"r"(sum));
}

void work_and_record(uint64_t count)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t hash = work(i);

		sum += hash;
		GT_EVENT(GT_INFO, "done", gt_u64("round", i),
		         gt_u64("hash", hash));
	}
	__asm__ volatile("" ::"r"(sum));
}
