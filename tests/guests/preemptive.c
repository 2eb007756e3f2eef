/* SPDX-License-Identifier: MIT */
/*
 * Threads that a timer takes turns with, in the middle of whatever they do: for
 * machines with an interrupt controller and a timer of the PC, entered by PVH.
 *
 *   preemptive ROUNDS [THREADS [RING-MIB]]
 *
 * A thread's round is a span in a span and an event in that: five records, each
 * with the thread's number. What could not be recorded is counted at the end.
 * Built with held.h nobody loses a turn inside of a record; with
 * -DGT_PREEMPTIBLE anybody may.
 */
#define GT_TARGET "preemptive"
#include <guesttrace/guest.h>

#include "../../examples/runtime/runtime.h"

#if !defined(GT_ENTER) && !defined(GT_PREEMPTIBLE)
#error "threads are preempted here: GT_ENTER and GT_LEAVE, or GT_PREEMPTIBLE"
#endif

#define THREADS_MAX 16u
#define STACK_BYTES 16384u
#define TIMER       32u /* its vector */
#define TIMER_HZ    5000u
#define PIT_HZ      1193182u

volatile uint64_t held;

static struct {
	uint64_t rsp, current;
	bool done;
} threads[THREADS_MAX + 1]; /* 0: the one that starts and waits */
static unsigned thread_count, running;
static uint64_t rounds, turns, waits;
static volatile unsigned done_count;

static void out8(uint16_t port, unsigned value)
{
	__asm__ volatile("outb %0, %1" ::"a"((uint8_t)value), "d"(port));
}

/* What the timer's handler leaves on the stack of a thread, and IRETQ takes. */
struct frame {
	uint64_t registers[15];
	uint64_t rip, cs, rflags, rsp, ss;
};

void tick_entry(void);
__asm__(".text\n.globl tick_entry\ntick_entry:\n"
        "push %rax; push %rcx; push %rdx; push %rbx; push %rbp\n"
        "push %rsi; push %rdi; push %r8; push %r9; push %r10\n"
        "push %r11; push %r12; push %r13; push %r14; push %r15\n"
        "cld; mov %rsp, %rdi; mov %rsp, %rbp; and $-16, %rsp\n"
        "call tick\n"
        "mov %rax, %rsp\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %r11\n"
        "pop %r10; pop %r9; pop %r8; pop %rdi; pop %rsi\n"
        "pop %rbp; pop %rbx; pop %rdx; pop %rcx; pop %rax\n"
        "iretq");

uint64_t tick(uint64_t rsp);

/* The next one in turn; returns its stack. */
uint64_t tick(uint64_t rsp)
{
	unsigned next = running;

	out8(0x20, 0x20);
	if (held) {
		waits++;
		return rsp;
	}
	do
		next = (next + 1) % (thread_count + 1);
	while (threads[next].done);
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
	__asm__ volatile("cli");
	threads[self].done = true;
	done_count++;
	__asm__ volatile("sti");
	for (;;)
		__asm__ volatile("pause");
}

static void prepare(unsigned thread)
{
	char *stack = runtime_alloc(STACK_BYTES, 16);
	struct frame *frame;

	if (!stack)
		runtime_panic("no memory for a thread");
	frame = (struct frame *)(void *)(stack + STACK_BYTES - 8) - 1;
	frame->rip = (uintptr_t)work;
	frame->cs = 8;
	frame->ss = 16;
	frame->rflags = 0x202;
	frame->rsp = (uintptr_t)(stack + STACK_BYTES - 8);
	threads[thread].rsp = (uintptr_t)frame;
}

static void start_timer(void)
{
	static const uint8_t set_up[][2] = {
		{0x20, 0x11}, {0xa0, 0x11}, {0x21, TIMER}, {0xa1, TIMER + 8},
		{0x21, 4},    {0xa1, 2},    {0x21, 1},     {0xa1, 1},
		{0x21, 0xfe}, {0xa1, 0xff}, {0x43, 0x34}};

	for (unsigned i = 0; i < sizeof(set_up) / 2; i++)
		out8(set_up[i][0], set_up[i][1]);
	out8(0x40, PIT_HZ / TIMER_HZ & 0xff);
	out8(0x40, PIT_HZ / TIMER_HZ >> 8);
	runtime_set_vector(TIMER, tick_entry);
	__asm__ volatile("sti");
}

static void put(const char *name, uint64_t value)
{
	runtime_print(" ");
	runtime_print(name);
	runtime_print("=");
	runtime_print_hex(value);
}

int guest_main(int argc, char **argv)
{
	uint64_t ring_bytes, lost;
	void *ring;

	rounds = argc > 1 ? runtime_parse_u64(argv[1]) : 1000;
	thread_count = argc > 2 ? (unsigned)runtime_parse_u64(argv[2]) : 8;
	ring_bytes = (argc > 3 ? runtime_parse_u64(argv[3]) : 8) << 20;
	ring = runtime_alloc(ring_bytes, 4096);
	if (!ring || thread_count < 1 || thread_count > THREADS_MAX)
		runtime_panic("no memory for the ring, or too many threads");
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = ring_bytes,
	                             .mode = GT_RING_DROP,
	                             .level = GT_TRACE});
	for (unsigned i = 1; i <= thread_count; i++)
		prepare(i);
	start_timer();
	while (done_count < thread_count)
		__asm__ volatile("pause");
	__asm__ volatile("cli");
	lost = gt_vcpu0.lost;
	for (unsigned i = 0; i < GT_LEVELS; i++)
		lost += gt_vcpu0.ring[i].lost;
	runtime_print("preemptive:");
	put("records", 5 * rounds * thread_count);
	put("lost", lost);
	put("no_level", gt_vcpu0.lost);
	put("turns", turns);
	put("waits", waits);
	runtime_print("\n");
	return 0;
}
