/* SPDX-License-Identifier: MIT */
/*
 * A preemptive kernel: the timer takes the vCPU from a thread wherever it is,
 * but in the few instructions of a record, and gives it to the next in turn.
 *
 *   threads [ROUNDS [THREADS [PERIOD-US]]]
 *
 * A round is a span in a span, and an event in that: five records, each with
 * the thread's number. What could not be recorded is counted, and said at the
 * end. Records go to the rings alone: no wire but the native one.
 */
#define GT_TARGET "threads"
#include <guesttrace/guest.h>

#include "../runtime/runtime.h"
#include "result.h"

#if !defined(GT_ENTER) && !defined(GT_PREEMPTIBLE)
#error "threads are preempted here: GT_ENTER and GT_LEAVE, or GT_PREEMPTIBLE"
#endif

#define THREADS_MAX  16u
#define STACK_BYTES  16384u
#define TIMER_VECTOR 32u
#define RING_BYTES   (1u << 20)
#define CODE         8u /* selectors */
#define DATA         16u
#define INTERRUPTS   UINT64_C(0x202) /* rflags: on */

volatile uint64_t thread_holds;

/* What the timer's handler leaves on the stack of a thread, and IRETQ takes. */
struct frame {
	uint64_t registers[15];
	uint64_t rip, cs, rflags, rsp, ss;
};

/* 0: the one that starts the others and sleeps until they are done. */
static struct {
	uint64_t rsp, current;
	bool done;
} threads[THREADS_MAX + 1];
static unsigned thread_count, running;
static uint64_t rounds, turns, waits;
static volatile unsigned done_count;
static uint64_t ring[RING_BYTES / sizeof(uint64_t)];

/* Threads use no other registers: the guest is built for these alone. */
void threads_tick_entry(void);
__asm__(".text\n.globl threads_tick_entry\nthreads_tick_entry:\n"
        "push %rax; push %rcx; push %rdx; push %rbx; push %rbp\n"
        "push %rsi; push %rdi; push %r8; push %r9; push %r10\n"
        "push %r11; push %r12; push %r13; push %r14; push %r15\n"
        "cld; mov %rsp, %rdi; mov %rsp, %rbp; and $-16, %rsp\n"
        "call threads_tick\n"
        "mov %rax, %rsp\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %r11\n"
        "pop %r10; pop %r9; pop %r8; pop %rdi; pop %rsi\n"
        "pop %rbp; pop %rbx; pop %rdx; pop %rcx; pop %rax\n"
        "iretq");

/* The next in turn that has something to do. */
static unsigned pick(void)
{
	for (unsigned i = 1; i <= thread_count; i++) {
		unsigned next = (running + i - 1) % thread_count + 1;

		if (!threads[next].done)
			return next;
	}
	return 0;
}

uint64_t threads_tick(uint64_t rsp);

/* Interrupts are off. Returns the stack of who goes on. */
uint64_t threads_tick(uint64_t rsp)
{
	unsigned next = pick();

	if (thread_holds) {
		waits++;
		return rsp;
	}
	if (next == running)
		return rsp;
	turns++;
	threads[running].rsp = rsp;
	threads[running].current = gt_switch(next, threads[next].current);
	running = next;
	return threads[next].rsp;
}

static void round(uint64_t thread, uint64_t n)
{
	GT_SPAN(outer, GT_INFO, "outer", gt_u64("thread", thread),
	        gt_u64("n", n));
	GT_SPAN(inner, GT_INFO, "inner", gt_u64("thread", thread),
	        gt_u64("n", n));
	GT_EVENT(GT_INFO, "in", gt_u64("thread", thread), gt_u64("n", n));
}

static void work(void)
{
	unsigned self = running;

	for (uint64_t n = 0; n < rounds; n++)
		round(self, n);
	__asm__ volatile("cli" ::: "memory");
	threads[self].done = true;
	done_count++;
	for (;;)
		__asm__ volatile("sti\n\thlt");
}

/* As if it had been interrupted in front of its first instruction. */
static void prepare(unsigned thread)
{
	char *stack = runtime_alloc(STACK_BYTES, 16);
	struct frame *frame;

	if (!stack)
		runtime_panic("no memory for a thread");
	frame = (struct frame *)(void *)(stack + STACK_BYTES - 8) - 1;
	frame->rip = (uintptr_t)work;
	frame->cs = CODE;
	frame->ss = DATA;
	frame->rflags = INTERRUPTS;
	frame->rsp = (uintptr_t)(stack + STACK_BYTES - 8);
	threads[thread].rsp = (uintptr_t)frame;
}

static void set_timer(uint32_t period_us)
{
	__asm__ volatile("outl %0, %1"
	                 :
	                 : "a"(period_us), "d"((uint16_t)GT_PORT_TIMER)
	                 : "memory");
}

static void run_threads(uint32_t period_us)
{
	for (unsigned i = 1; i <= thread_count; i++)
		prepare(i);
	runtime_set_vector(TIMER_VECTOR, threads_tick_entry);
	set_timer(period_us);
	/* STI takes effect behind the next instruction: nothing is missed. */
	while (done_count < thread_count)
		__asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
	set_timer(0);
}

static uint64_t argument(int argc, char **argv, int i, uint64_t otherwise)
{
	return argc > i ? runtime_parse_u64(argv[i]) : otherwise;
}

int guest_main(int argc, char **argv)
{
	uint64_t lost, period_us = argument(argc, argv, 3, 1000);

	rounds = argument(argc, argv, 1, 100);
	thread_count = (unsigned)argument(argc, argv, 2, 4);
	if (thread_count < 1 || thread_count > THREADS_MAX || period_us < 1 ||
	    period_us > UINT32_MAX)
		runtime_panic("1 to 16 threads, a period of some us");
	gt_init(&(struct gt_options){
		.size = sizeof(struct gt_options),
		.ring = ring,
		.ring_bytes = sizeof(ring),
		.mode = (enum gt_ring_mode)runtime_boot()->ring_mode});
	run_threads((uint32_t)period_us);
	lost = gt_vcpu0.lost;
	for (unsigned i = 0; i < GT_LEVELS; i++)
		lost += gt_vcpu0.ring[i].lost;
	runtime_print("threads:");
	result_u64("records", 5 * rounds * thread_count);
	result_u64("lost", lost);
	result_u64("turns", turns);
	result_u64("waits", waits);
	runtime_print("\n");
	gt_flush();
	return 0;
}
