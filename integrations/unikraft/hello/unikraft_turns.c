/* SPDX-License-Identifier: MIT */
/* Two threads that take turns within their spans, and count what they record.
 */
#define GT_TARGET "hello"
#include <guesttrace/guest.h>

#include <stdio.h>
#include <uk/essentials.h>
#include <uk/sched.h>
#include <uk/thread.h>

static uint64_t spans;

static void work(uint64_t thread, uint64_t round)
{
	GT_SPAN(span, GT_INFO, "work", gt_u64("thread", thread),
	        gt_u64("round", round), gt_u64("n", spans++));

	uk_sched_yield(); /* the other one opens its own here */
	GT_EVENT(GT_INFO, "back", gt_u64("thread", thread));
	GT_RECORD(span, gt_ok());
}

static __noreturn void other(void)
{
	for (uint64_t round = 0;; round++)
		work(2, round);
}

int main(int argc __unused, char *argv[] __unused)
{
	uk_sched_thread_create_fn0(uk_sched_current(), other, 0x0, 0x0, false,
	                           false, "other", 0x0, 0x0);
	for (uint64_t round = 0; round < 100; round++)
		work(1, round);
	printf("hello: spans=%lu\n", (unsigned long)spans);
	for (;;)
		work(1, 0);
	return 0;
}
