/* SPDX-License-Identifier: MIT */
/*
 * A guest with nothing below it: no runtime, no libc, entered at its first
 * byte. Adds up numbers, and tells how. For embed_kvm.
 */
#include <guesttrace/guest.h>

static uint64_t ring[GT_RING_BYTES_MIN / 8];

/* All that the library needs of a libc. */
void *memcpy(void *restrict to, const void *restrict from, size_t count);

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
	void *start = to;

	__asm__ volatile("rep movsb"
	                 : "+D"(to), "+S"(from), "+c"(count)::"memory");
	return start;
}

void *memset(void *to, int byte, size_t count);

void *memset(void *to, int byte, size_t count)
{
	void *start = to;

	__asm__ volatile("rep stosb"
	                 : "+D"(to), "+c"(count)
	                 : "a"(byte)
	                 : "memory");
	return start;
}

static uint64_t sum_to(uint64_t n)
{
	GT_SPAN(span, GT_INFO, "sum", gt_u64("n", n));
	uint64_t sum = 0;

	for (uint64_t i = 1; i <= n; i++) {
		sum += i;
		GT_EVENT(GT_DEBUG, "step", gt_u64("i", i), gt_u64("sum", sum));
	}
	GT_RECORD(span, gt_u64("result", sum), gt_ok());
	return sum;
}

__attribute__((section(".text.start"), noreturn, used)) void start(void);

void start(void)
{
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = sizeof(ring)});
	for (uint64_t n = 1; n <= 1000; n *= 10)
		sum_to(n);
	for (;;)
		__asm__ volatile("hlt");
}
