/* SPDX-License-Identifier: MIT */
/*
 * A guest that misbehaves as told: its first argument names what to do, the
 * second may be a number. tests/vmm/test_vm.c says what the host must make of
 * it.
 */
#include "../../examples/runtime/runtime.h"

#define MMIO_GVA      UINT64_C(0x600000000000)
#define NON_CANONICAL UINT64_C(0x1234000000000000)

static uint64_t number;
static int fault_while_dying;
static volatile uint64_t zero;
static const uint64_t constant = 1;
static unsigned char code_in_data[] = {0xc3}; /* ret */

/* Named in assembler: visible, and kept. */
extern volatile int behave_interrupts;
volatile int behave_interrupts __attribute__((used));

__attribute__((naked)) static void on_interrupt(void)
{
	__asm__ volatile("incl behave_interrupts(%rip)\n\tiretq");
}

/* Drops the error code and tries again. */
__attribute__((naked)) static void on_page_fault(void)
{
	__asm__ volatile("addq $8, %rsp\n\tiretq");
}

void runtime_before_death(void)
{
	runtime_print("last words\n");
	if (fault_while_dying)
		__asm__ volatile("ud2");
}

static volatile uint64_t *at(uint64_t gva)
{
	__asm__("" : "+r"(gva)); /* no compiler shall know where this is */
	return (volatile uint64_t *)(uintptr_t)gva;
}

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1\n\tjmp 1f\n1:" : : "a"(value), "d"(port));
}

static uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "d"(port));
	return value;
}

static int echo(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		runtime_print(argv[i]);
		runtime_print(i + 1 < argc ? "|" : "\n");
	}
	return argv[argc] == NULL ? argc : -1;
}

static int spin(void)
{
	__asm__ volatile("1: jmp 1b");
	return 1;
}

static int spin_pause(void)
{
	__asm__ volatile("1: pause\n\tjmp 1b");
	return 1;
}

static int plain_hlt(void)
{
	__asm__ volatile("cli\n\thlt");
	return 1;
}

static int storm(void)
{
	while (zero == 0)
		out8((uint16_t)number, '.');
	return 1;
}

static int fault_storm(void)
{
	__asm__ volatile("1: int $0x21\n\tjmp 1b");
	return 1;
}

static int null_write(void)
{
	*at(0) = 1;
	return 0;
}

static int fault_forever(void)
{
	runtime_set_vector(14, on_page_fault);
	return null_write();
}

static int null_read(void)
{
	return (int)*at(16);
}

static int across_pages(void)
{
	/* The last four bytes of the stack and four behind it. */
	return (int)*at(UINT64_C(0x7d000002fffc));
}

static int write_constant(void)
{
	*at((uintptr_t)&constant) = 2;
	return 0;
}

static int write_code(void)
{
	*at((uintptr_t)&guest_main) = 2;
	return 0;
}

static int run_data(void)
{
	((void (*)(void))(uintptr_t)code_in_data)();
	return 0;
}

static int run_null(void)
{
	((void (*)(void))(uintptr_t)zero)();
	return 0;
}

static int non_canonical(void)
{
	return (int)*at(NON_CANONICAL);
}

static int undefined(void)
{
	__asm__ volatile("ud2");
	return 0;
}

static int divide(void)
{
	return (int)(number / zero);
}

static int breakpoint(void)
{
	__asm__ volatile("int3");
	return 0;
}

static int system_call(void)
{
	__asm__ volatile("syscall" : : : "rcx", "r11", "memory");
	return 0;
}

static int missing_gate(void)
{
	__asm__ volatile("int $0x40");
	return 0;
}

static int overflow(uint64_t depth);
static int (*volatile deeper)(uint64_t) = overflow; /* no compiler sees it */

static int overflow(uint64_t depth)
{
	volatile unsigned char room[512];

	room[0] = (unsigned char)depth;
	return deeper(depth + 1) + room[0];
}

static int overflow_stack(void)
{
	return overflow(0);
}

static int triple(void)
{
	struct {
		uint16_t zero[3], limit;
		uint64_t base;
	} none = {.limit = 0};

	__asm__ volatile("lidt %0\n\tud2" : : "m"(none.limit));
	return 0;
}

static int die_twice(void)
{
	fault_while_dying = 1;
	return null_write();
}

static int panic(void)
{
	runtime_panic("out of cheese");
}

static int raw_abort(void)
{
	for (uint64_t i = 0; i < number; i++)
		out32(GT_PORT_ABORT, 0x41414103);
	out32(GT_PORT_ABORT, 0xff01);
	return 0;
}

static int exit_status(void)
{
	runtime_halt((uint32_t)number);
}

static int read_msr(void)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"((uint32_t)number));
	return 0;
}

/* Back what is there: nothing changes. */
static int write_msr(void)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr\n\twrmsr"
	                 : "=a"(low), "=d"(high)
	                 : "c"((uint32_t)number));
	return 0;
}

/* Bits 33:32 of the number say which register of the leaf. */
static int cpuid(void)
{
	uint32_t leaf[4] = {(uint32_t)number, 0, 0, 0};

	__asm__ volatile("cpuid"
	                 : "+a"(leaf[0]), "=b"(leaf[1]), "+c"(leaf[2]),
	                   "=d"(leaf[3]));
	runtime_halt(leaf[number >> 32 & 3]);
}

static int sweep(void)
{
	uint64_t bad = 0;

	for (uint32_t port = 0; port < 65536; port += (uint32_t)number) {
		if (port >= 99 && port <= 108)
			continue;
		out8((uint16_t)port, 1);
		out32((uint16_t)port, 1);
		bad += in32((uint16_t)port) != UINT32_MAX;
	}
	return bad ? 1 : 0;
}

static int rep_out(void)
{
	static const char text[] = "one\ntwo\n";
	const char *from = text;
	uint64_t n = sizeof text - 1;

	__asm__ volatile("rep outsb"
	                 : "+S"(from), "+c"(n)
	                 : "d"((uint16_t)GT_PORT_PRINT)
	                 : "memory");
	return (int)n;
}

static int rep_in(void)
{
	static unsigned char room[65536 + 8];
	void *to = room;
	uint64_t n = number, bad = 0;

	__asm__ volatile("rep insb"
	                 : "+D"(to), "+c"(n)
	                 : "d"((uint16_t)0x300)
	                 : "memory");
	for (uint64_t i = 0; i < number; i++)
		bad += room[i] != 0xff;
	return bad || room[number] ? 1 : 0;
}

static int mmio(void)
{
	uint64_t read = *at(MMIO_GVA + 8);

	*at(MMIO_GVA + 16) = 0x1122334455667788;
	return read == UINT64_MAX ? 0 : 1;
}

/* The first and the last word of each page of the heap, twice. */
static int heap(void)
{
	const struct gt_boot *boot = runtime_boot();
	uint64_t end = boot->heap_gva + boot->heap_bytes, bad = 0;

	for (uint64_t gva = boot->heap_gva; gva < end; gva += 4096) {
		bad += *at(gva) != 0 || *at(gva + 4088) != 0;
		*at(gva) = gva;
		*at(gva + 4088) = ~gva;
	}
	for (uint64_t gva = boot->heap_gva; gva < end; gva += 4096)
		bad += *at(gva) != gva || *at(gva + 4088) != ~gva;
	return bad || boot->heap_bytes == 0 ? 1 : 0;
}

static int doorbell(void)
{
	register uint64_t r8 __asm__("r8") = GT_DOORBELL_MAGIC;
	register uint64_t r9 __asm__("r9") = 0x1111222233334444;
	register uint64_t r10 __asm__("r10") = 0x5555666677778888;

	__asm__ volatile("outb %b0, %1"
	                 :
	                 : "a"(0), "d"((uint16_t)GT_PORT_TRACE), "r"(r8),
	                   "r"(r9), "r"(r10)
	                 : "memory");
	return 0;
}

static int clock_read(void)
{
	uint32_t low, high;

	for (int i = 0; i < 100; i++) {
		register uint64_t r8 __asm__("r8");

		__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
		r8 = (uint64_t)high << 32 | low;
		__asm__ volatile("outb %b0, %1"
		                 :
		                 : "a"(0), "d"((uint16_t)GT_PORT_TRACE), "r"(r8)
		                 : "memory");
	}
	return 0;
}

/* With a value on the x87 stack, where no compiler has to leave it. */
static void ring_with(long double *value)
{
	register uint64_t r8 __asm__("r8") = GT_DOORBELL_MAGIC;

	__asm__ volatile("outb %b1, %2"
	                 : "+t"(*value)
	                 : "a"(0), "d"((uint16_t)GT_PORT_TRACE), "r"(r8)
	                 : "memory");
}

/* Everything that a snapshot has to keep, in use while it rings. */
static int work(void)
{
	static uint64_t words[4096];
	volatile double sum = 0;
	long double deep = 1;
	uint64_t mix = 1;

	runtime_set_vector(0x20, on_interrupt);
	for (uint64_t i = 0; i < 100; i++) {
		char letter = (char)(i % 10 == 9 ? '\n' : 'a' + i % 10);

		mix = mix * 6364136223846793005 + i;
		words[mix >> 52] ^= mix;
		sum = sum * 0.5 + (double)i;
		__asm__ volatile("fadd %%st, %0" : "+t"(deep));
		deep = deep > 1000 ? 1 : deep;
		runtime_print_bytes(&letter, 1);
		ring_with(&deep);
		__asm__ volatile("int $0x20" : : : "memory");
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		mix = mix * 31 + words[i];
	mix += (uint64_t)(sum * 1000) + (uint64_t)deep +
	       (uint64_t)behave_interrupts;
	if (number == 1)
		null_write();
	return (int)(mix & 0x7fffffff);
}

static int interrupt(void)
{
	runtime_set_vector(0x20, on_interrupt);
	for (int i = 0; i < 3; i++)
		__asm__ volatile("int $0x20" : : : "memory");
	return behave_interrupts;
}

static int floats(void)
{
	volatile double a = 1.5, b = 2.5;

	return (int)(a * b * 4); /* 15 */
}

static const struct {
	const char *name;
	int (*run)(void);
} behaviours[] = {
	{"spin", spin},
	{"spin_pause", spin_pause},
	{"plain_hlt", plain_hlt},
	{"storm", storm},
	{"fault_storm", fault_storm},
	{"fault_forever", fault_forever},
	{"null_write", null_write},
	{"null_read", null_read},
	{"across_pages", across_pages},
	{"write_constant", write_constant},
	{"write_code", write_code},
	{"run_data", run_data},
	{"run_null", run_null},
	{"non_canonical", non_canonical},
	{"undefined", undefined},
	{"divide", divide},
	{"breakpoint", breakpoint},
	{"system_call", system_call},
	{"missing_gate", missing_gate},
	{"overflow", overflow_stack},
	{"triple", triple},
	{"die_twice", die_twice},
	{"panic", panic},
	{"raw_abort", raw_abort},
	{"exit", exit_status},
	{"read_msr", read_msr},
	{"write_msr", write_msr},
	{"cpuid", cpuid},
	{"sweep", sweep},
	{"rep_out", rep_out},
	{"rep_in", rep_in},
	{"mmio", mmio},
	{"heap", heap},
	{"doorbell", doorbell},
	{"clock", clock_read},
	{"interrupt", interrupt},
	{"floats", floats},
	{"work", work},
};

int guest_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	number = argc > 2 ? runtime_parse_u64(argv[2]) : 0;
	runtime_set_vector(0x21, on_interrupt);
	if (strcmp(name, "echo") == 0)
		return echo(argc, argv);
	for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++)
		if (strcmp(name, behaviours[i].name) == 0)
			return behaviours[i].run();
	runtime_panic("no such behaviour");
}
