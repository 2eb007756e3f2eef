/* SPDX-License-Identifier: MIT */
/*
 * A guest for the tests of the runner with several vCPUs. The first argument
 * says what they do; the others are started in every case.
 */
#include "../../examples/runtime/runtime.h"

#include <stdbool.h>

#define LINES 50u

static void (*other)(unsigned vcpu); /* what vCPUs from 1 on do */
static unsigned done;                /* vCPUs that have done it */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "d"(port) : "memory");
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1\n\tjmp 1f\n1:"
	                 :
	                 : "a"(value), "d"(port)
	                 : "memory");
}

static _Noreturn void spin(void)
{
	for (;;)
		__asm__ volatile("pause");
}

static void wait_for_all(void)
{
	while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) + 1 <
	       runtime_boot()->vcpus)
		__asm__ volatile("pause");
}

static void print_lines(unsigned vcpu)
{
	char line[] = "vcpu ?: the quick brown fox\n";

	line[5] = (char)('0' + vcpu);
	for (unsigned i = 0; i < LINES; i++)
		runtime_print(line);
}

/* Two aborts at a time: each vCPU sends letters of its own. */
static void abort_slowly(unsigned vcpu)
{
	for (unsigned i = 0; i < 100; i++)
		out32(GT_PORT_ABORT, 1 | ('a' + vcpu) << 8);
	if (vcpu == 1)
		out32(GT_PORT_ABORT, 1 | GT_ABORT_END << 8);
}

static void read_clock(unsigned vcpu)
{
	(void)vcpu;
	for (int i = 0; i < 20; i++) {
		register uint64_t r8 __asm__("r8");
		uint32_t low, high;

		__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
		r8 = (uint64_t)high << 32 | low;
		__asm__ volatile("outb %b0, %1"
		                 :
		                 : "a"(0), "d"((uint16_t)GT_PORT_TRACE), "r"(r8)
		                 : "memory");
	}
}

/* 200 doorbells of value 1, and one of 0 after each ten of them. */
static void ring_bells(unsigned vcpu)
{
	(void)vcpu;
	for (unsigned i = 1; i <= 200; i++) {
		out8(GT_PORT_TRACE, 1);
		if (i % 10 == 0)
			out8(GT_PORT_TRACE, 0);
	}
}

/* By CPUID, by boot information, and by GS. */
static void say_who(unsigned vcpu)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (b >> 24 != vcpu || runtime_vcpu_index() != vcpu)
		runtime_panic("taken for another");
	out8(0x300, (uint8_t)vcpu);
}

static void exit_with_7(unsigned vcpu)
{
	if (vcpu == 1)
		runtime_halt(7);
	spin();
}

static void fault(unsigned vcpu)
{
	volatile uint64_t *volatile nowhere = (uint64_t *)8;

	if (vcpu == 1)
		*nowhere = 1;
	spin();
}

static void triple(unsigned vcpu)
{
	static const uint16_t none[5];

	if (vcpu == 1)
		__asm__ volatile("lidt %0\n\tint3" : : "m"(none));
	spin();
}

__attribute__((noinline)) static uint64_t deeper(uint64_t n)
{
	volatile uint64_t room[64];

	room[n % 64] = n;
	if (n == UINT64_MAX)
		return n;
	return deeper(n + 1) + room[(n + 1) % 64];
}

static void overflow(unsigned vcpu)
{
	if (vcpu == 1)
		deeper(0);
	spin();
}

static void hlt(unsigned vcpu)
{
	(void)vcpu;
	for (;;)
		__asm__ volatile("hlt");
}

static void spin_forever(unsigned vcpu)
{
	(void)vcpu;
	spin();
}

/* One pass of a counter over all vCPUs, as often as there is time. */
static void count(unsigned vcpu)
{
	static uint64_t turn;
	uint64_t vcpus = runtime_boot()->vcpus;

	for (uint64_t at = vcpu; at < 200; at += vcpus) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != at)
			__asm__ volatile("pause");
		if (at % 7 == 0)
			out8(0x300, (uint8_t)at);
		__atomic_store_n(&turn, at + 1, __ATOMIC_RELEASE);
	}
}

/* All are inside before any of them may end it. */
static void gather(void)
{
	static unsigned here;

	__atomic_fetch_add(&here, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&here, __ATOMIC_ACQUIRE) < runtime_boot()->vcpus)
		__asm__ volatile("pause");
}

void guest_vcpu_main(unsigned vcpu)
{
	gather();
	other(vcpu);
	__atomic_fetch_add(&done, 1, __ATOMIC_RELEASE);
}

static const struct {
	const char *name;
	void (*run)(unsigned vcpu);
	bool all; /* vCPU 0 does it as well */
} behaviours[] = {
	{"bells", ring_bells, true},    {"print", print_lines, true},
	{"abort", abort_slowly, true},  {"clock", read_clock, true},
	{"who", say_who, true},         {"exit", exit_with_7, true},
	{"fault", fault, true},         {"triple", triple, true},
	{"overflow", overflow, true},   {"hlt", hlt, true},
	{"spin", spin_forever, true},   {"count", count, true},
	{"sleep", spin_forever, false},
};

int guest_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
		if (strcmp(name, behaviours[i].name) != 0)
			continue;
		other = behaviours[i].run;
		runtime_start_vcpus();
		gather();
		if (!behaviours[i].all)
			hlt(0);
		other(0);
		wait_for_all();
		return 0;
	}
	runtime_panic("no such behaviour");
}
