/* SPDX-License-Identifier: MIT */
/*
 * A Linux program inside a VM, traced from outside of it: `guesttrace attach`
 * and `guesttrace salvage` find the recorder in the VM's memory, as they find
 * that of a guest without an operating system. The kernel knows nothing of it.
 *
 *   linux_program [JOBS [SECONDS [PAUSE]]]
 *
 * 100 jobs with a pause of so many ms after each, none by default; then it
 * stays for 10 seconds.
 *
 * What a program under Linux does that another guest does not:
 *   - GT_DOORBELL names a function that does nothing: a program may not leave
 * the VM. A full ring overwrites its oldest block, or drops.
 *   - Its memory stays where it is: all of it is locked.
 *   - It is gone when the program ends, and says so before: else whoever reads
 *     along would find a dead recorder until the memory is reused.
 *   - A thread is a vCPU: with several, GT_THIS_VCPU() is a thread's own.
 *   - After fork() the child calls gt_init() before it records.
 */
#define GT_TARGET "linux_program"
#include <guesttrace/guest.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_BYTES (256u << 10)

static uint64_t spans, events;

void no_doorbell(uint64_t operation, uint64_t control_gva);

void no_doorbell(uint64_t operation, uint64_t control_gva)
{
	(void)operation;
	(void)control_gva;
}

static void trace_stop(void)
{
	__atomic_store_n(&gt_control.magic, 0, __ATOMIC_RELEASE);
}

/*
 * By gt_init() each page with sites has been written to: it is the program's
 * own then, no longer the page cache's, which all programs of this file share.
 */
static int trace_start(void)
{
	void *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ring == MAP_FAILED || mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return -errno;
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = ring,
		.ring_bytes = RING_BYTES,
		.mode = GT_RING_OVERWRITE,
		.level = GT_INFO,
	});
	atexit(trace_stop);
	return 0;
}

static uint64_t primes_below(uint64_t limit)
{
	uint64_t found = 0;

	for (uint64_t n = 2, i; n < limit; n++) {
		for (i = 2; i * i <= n && n % i != 0; i++)
			;
		found += i * i > n;
	}
	return found;
}

static void job(uint64_t number)
{
	GT_SPAN(span, GT_INFO, "job", gt_u64("number", spans++),
	        gt_u64("pid", (uint64_t)getpid()));
	uint64_t found = primes_below(100 + number % 1000);

	if (found % 10 == 0)
		GT_EVENT(GT_INFO, "round_number", gt_u64("n", events++));
	GT_RECORD(span, gt_u64("primes", found), gt_ok());
}

int main(int argc, char **argv)
{
	uint64_t jobs = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;
	unsigned seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	useconds_t pause_us = argc > 3 ? (useconds_t)atoi(argv[3]) * 1000 : 0;
	int r = trace_start();

	if (r < 0) {
		fprintf(stderr, "linux_program: no memory to lock: %s\n",
		        strerror(-r));
		return 1;
	}
	for (uint64_t i = 0; i < jobs; i++) {
		job(i);
		usleep(pause_us);
	}
	printf("linux_program: pid=%d spans=%" PRIu64 " events=%" PRIu64 "\n",
	       (int)getpid(), spans, events);
	fflush(stdout);
	sleep(seconds);
	return 0;
}
