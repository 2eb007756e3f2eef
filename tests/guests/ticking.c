/* SPDX-License-Identifier: MIT */
/*
 * A guest with a timer: its first argument names what it does with it, the
 * second is the period in microseconds. Returns how many ticks it has counted.
 */
#include "../../examples/runtime/runtime.h"

#define TIMER_VECTOR 32u
#define ENOUGH       20u

static uint32_t period_us;

/* Named in assembler: visible, and kept. */
extern volatile unsigned ticking_count;
volatile unsigned ticking_count __attribute__((used));

__attribute__((naked)) static void on_tick(void)
{
	__asm__ volatile("incl ticking_count(%rip)\n\tiretq");
}

static void arm(uint32_t us)
{
	__asm__ volatile("outl %0, %1"
	                 :
	                 : "a"(us), "d"((uint16_t)GT_PORT_TIMER)
	                 : "memory");
}

static void wait_ticks(uint64_t ticks)
{
	uint64_t from = __builtin_ia32_rdtsc();

	while (__builtin_ia32_rdtsc() - from < ticks)
		__asm__ volatile("pause");
}

/* Sleeps between ticks. */
static void sleeping(void)
{
	arm(period_us);
	while (ticking_count < ENOUGH)
		__asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
}

/* Is busy meanwhile, with interrupts on. */
static void busy(void)
{
	arm(period_us);
	__asm__ volatile("sti");
	while (ticking_count < ENOUGH)
		__asm__ volatile("pause");
	__asm__ volatile("cli");
}

/* Two counts, of which the next block has the second. */
static void exact(void)
{
	uint64_t first = 0, second = 0;

	arm(period_us);
	__asm__ volatile("sti\n"
	                 "1: incq %0\n\tjmp 2f\n"
	                 "2: incq %1\n\tcmpl $500, ticking_count(%%rip)\n\t"
	                 "jb 1b\n\tcli"
	                 : "+m"(first), "+r"(second)
	                 :
	                 : "memory", "cc");
	if (first != second)
		runtime_panic("an instruction was executed twice, or not");
}

/* Has interrupts off for far longer than a period. */
static void held(void)
{
	arm(period_us);
	wait_ticks(UINT64_C(300000000));
	ticking_count *= 1000; /* there was none */
	__asm__ volatile("sti");
	while (!ticking_count)
		__asm__ volatile("pause");
	__asm__ volatile("cli");
}

static void halted_off(void)
{
	arm(period_us);
	__asm__ volatile("cli\n\thlt");
}

static void disarmed(void)
{
	arm(period_us);
	arm(0);
	__asm__ volatile("sti\n\thlt");
}

static void narrow(void)
{
	__asm__ volatile("outb %b0, %1\n\tsti\n\thlt"
	                 :
	                 : "a"(200), "d"((uint16_t)GT_PORT_TIMER));
}

/* Four bytes, but of a gate that is not there. */
static void no_gate(void)
{
	struct {
		uint16_t zero[3], limit;
		uint64_t base;
	} idt;

	__asm__ volatile("sidt %0" : "=m"(idt.limit));
	((volatile uint64_t *)(uintptr_t)idt.base)[2 * TIMER_VECTOR] = 0;
	busy();
}

static const struct {
	const char *name;
	void (*run)(void);
} behaviours[] = {
	{"sleeping", sleeping},     {"busy", busy},         {"held", held},
	{"halted_off", halted_off}, {"disarmed", disarmed}, {"narrow", narrow},
	{"no_gate", no_gate},
	{"exact", exact},
};

int guest_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	period_us = argc > 2 ? (uint32_t)runtime_parse_u64(argv[2]) : 1000;
	runtime_set_vector(TIMER_VECTOR, on_tick);
	for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
		if (strcmp(name, behaviours[i].name) == 0) {
			behaviours[i].run();
			arm(0);
			return (int)ticking_count;
		}
	}
	runtime_panic("no such behaviour");
}
