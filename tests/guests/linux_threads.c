/* SPDX-License-Identifier: MIT */
/*
 * A Linux program whose threads record at the same time, each into rings of its
 * own: linux_threads JOBS SECONDS PAUSE. Each says what it has counted, after
 * which the program stays for some seconds. For the rest see
 * examples/linux_program.c.
 */
#define GT_TARGET "linux_threads"
#include <guesttrace/guest.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS    4u
#define RING_BYTES (1u << 20) /* of all of them */

_Thread_local struct gt_vcpu *linux_threads_vcpu;

static struct gt_vcpu vcpus[THREADS];
static unsigned char ring[RING_BYTES] __attribute__((aligned(4096)));
static uint64_t jobs;
static useconds_t pause_us;

struct worker {
	pthread_t thread;
	unsigned vcpu;
	uint64_t spans, events;
};

void no_doorbell(uint64_t operation, uint64_t control_gva);

void no_doorbell(uint64_t operation, uint64_t control_gva)
{
	(void)operation;
	(void)control_gva;
}

static uint64_t tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static void job(struct worker *worker, uint64_t number)
{
	uint64_t pid = (uint64_t)getpid();

	GT_SPAN(span, GT_INFO, "job", gt_u64("pid", pid), gt_u64("n", number),
	        gt_u64("tsc", tsc()));
	worker->spans++;
	for (volatile unsigned i = 0; i < 1000 * (worker->vcpu + 1); i++)
		;
	GT_SPAN(step, GT_INFO, "step", gt_u64("pid", pid), gt_u64("n", number),
	        gt_u64("tsc", tsc()));
	worker->spans++;
	GT_EVENT(GT_INFO, "done", gt_u64("n", worker->events++));
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	linux_threads_vcpu = &vcpus[worker->vcpu];
	for (uint64_t i = 0; i < jobs; i++) {
		job(worker, i);
		usleep(pause_us);
	}
	return NULL;
}

static void begin(void)
{
	linux_threads_vcpu = &vcpus[0];
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		exit(1);
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = ring,
		.ring_bytes = sizeof(ring),
		.mode = GT_RING_OVERWRITE,
		.vcpus = vcpus,
		.vcpu_count = THREADS,
		.level = GT_INFO,
	});
}

int main(int argc, char **argv)
{
	struct worker workers[THREADS] = {0};

	if (argc != 4)
		return 2;
	jobs = strtoull(argv[1], NULL, 10);
	pause_us = (useconds_t)atoi(argv[3]) * 1000;
	begin();
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].vcpu = i;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 1;
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		printf("linux_threads: pid=%d vcpu=%u spans=%" PRIu64
		       " events=%" PRIu64 "\n",
		       (int)getpid(), i, workers[i].spans, workers[i].events);
	}
	fflush(stdout);
	sleep((unsigned)atoi(argv[2]));
	__atomic_store_n(&gt_control.magic, 0, __ATOMIC_RELEASE);
	return 0;
}
