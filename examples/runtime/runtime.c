/* SPDX-License-Identifier: MIT */
/*
 * Start, console, memory and end of an example guest.
 */
#include "runtime.h"
#include "runtime_cpu.h"

#include <stdbool.h>

#define ARGS_MAX 256u

static const struct gt_boot *boot;
static char *args[ARGS_MAX + 1];
static uint64_t heap_used;
static struct runtime_vcpu vcpu0;
static struct runtime_vcpu *others; /* of vCPU 1 onwards; set: they may go */

static void out32(uint16_t port, uint32_t value)
{
	/* The jump ends an emulator's block: the exit is exact. */
	__asm__ volatile("outl %0, %1\n\tjmp 1f\n1:"
	                 :
	                 : "a"(value), "d"(port)
	                 : "memory");
}

const struct gt_boot *runtime_boot(void)
{
	return boot;
}

void runtime_print_bytes(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (runtime_is_elsewhere)
			runtime_pvh_print(bytes[i]);
		else
			__asm__ volatile("outb %0, %1"
			                 :
			                 : "a"(bytes[i]),
			                   "d"((uint16_t)GT_PORT_PRINT));
}

void runtime_print(const char *text)
{
	runtime_print_bytes(text, strlen(text));
}

char *runtime_hex(char *to, uint64_t value)
{
	unsigned shift = 60;

	while (shift > 0 && value >> shift == 0)
		shift -= 4;
	*to++ = '0';
	*to++ = 'x';
	for (unsigned left = shift / 4 + 1; left-- > 0;)
		*to++ = "0123456789abcdef"[value >> 4 * left & 15];
	*to = '\0';
	return to;
}

void runtime_print_hex(uint64_t value)
{
	char text[RUNTIME_HEX_BYTES];

	runtime_hex(text, value);
	runtime_print(text);
}

void *runtime_alloc(size_t n, size_t align)
{
	uint64_t used = __atomic_load_n(&heap_used, __ATOMIC_RELAXED), from;
	void *at;

	do {
		from = (used + align - 1) & ~((uint64_t)align - 1);
		if (from > boot->heap_bytes || boot->heap_bytes - from < n)
			return NULL;
	} while (!__atomic_compare_exchange_n(&heap_used, &used, from + n,
	                                      false, __ATOMIC_RELAXED,
	                                      __ATOMIC_RELAXED));
	at = (void *)(uintptr_t)(boot->heap_gva + from);
	return runtime_is_elsewhere ? memset(at, 0, n) : at;
}

/* Nobody there takes a status: the console tells it unless all went well. */
static _Noreturn void halt_elsewhere(uint32_t status)
{
	if (status) {
		runtime_print("halted with status ");
		runtime_print_hex(status);
		runtime_print("\n");
	}
	runtime_pvh_end();
}

_Noreturn void runtime_halt(uint32_t status)
{
	if (runtime_is_elsewhere)
		halt_elsewhere(status);
	out32(GT_PORT_HALT, status);
	for (;;)
		__asm__ volatile("hlt");
}

__attribute__((weak)) void runtime_before_death(void)
{
}

/* With where the vCPU died: the host asks for callers there. */
static void out_abort(const struct runtime_vcpu *vcpu, uint32_t value)
{
	register uint64_t frame_pointer __asm__("r8") = vcpu->frame_pointer;
	register uint64_t rip __asm__("r9") = vcpu->rip;
	register uint64_t stack_pointer __asm__("r10") = vcpu->stack_pointer;

	__asm__ volatile("outl %0, %1\n\tjmp 1f\n1:"
	                 :
	                 : "a"(value), "d"((uint16_t)GT_PORT_ABORT),
	                   "r"(frame_pointer), "r"(rip), "r"(stack_pointer)
	                 : "memory");
}

static void abort_byte(const struct runtime_vcpu *vcpu, uint32_t *word,
                       unsigned char byte)
{
	unsigned n = *word & 0xff;

	*word = (*word & ~0xffu) | (n + 1) | (uint32_t)byte << 8 * (n + 1);
	if (n + 1 < 3 && byte != GT_ABORT_END)
		return;
	out_abort(vcpu, *word);
	*word = 0;
}

_Noreturn void runtime_abort_at(const struct runtime_frame *frame, uint8_t code,
                                int vector, const char *message)
{
	struct runtime_vcpu *vcpu = runtime_vcpu();
	uint32_t word = 0;

	if (!vcpu->dying) { /* what kills the hook shall not hide the reason */
		size_t n = strlen(message);

		vcpu->dying = true;
		n = n < sizeof(vcpu->text) ? n : sizeof(vcpu->text) - 1;
		memcpy(vcpu->text, message, n);
		vcpu->code = code;
		vcpu->vector = vector;
		vcpu->frame_pointer = frame ? frame->rbp : 0;
		vcpu->rip = frame ? frame->rip : 0;
		vcpu->stack_pointer = frame ? frame->rsp : 0;
		runtime_before_death();
	}
	if (runtime_is_elsewhere) {
		runtime_print("ABORTED: ");
		runtime_print(vcpu->text);
		runtime_print("\n");
		runtime_pvh_end();
	}
	abort_byte(vcpu, &word, vcpu->code);
	if (vcpu->vector >= 0)
		abort_byte(vcpu, &word, (unsigned char)vcpu->vector);
	for (const char *c = vcpu->text; *c; c++)
		abort_byte(vcpu, &word,
		           *c == (char)GT_ABORT_END ? '?' : (unsigned char)*c);
	abort_byte(vcpu, &word, GT_ABORT_END);
	for (;;)
		__asm__ volatile("hlt");
}

_Noreturn void runtime_abort(uint8_t code, int vector, const char *message)
{
	runtime_abort_at(NULL, code, vector, message);
}

_Noreturn void runtime_panic(const char *message)
{
	runtime_abort(RUNTIME_ABORT_PANIC, -1, message);
}

/* Strings of the host, one behind the other, become argv. */
static int find_args(void)
{
	char *text = (char *)(uintptr_t)boot->args_gva;
	uint32_t n = 0;

	if (boot->args_count > ARGS_MAX)
		runtime_panic("too many arguments");
	while (n < boot->args_count) {
		args[n++] = text;
		text += strlen(text) + 1;
	}
	args[n] = NULL;
	return (int)n;
}

unsigned runtime_vcpu_index(void)
{
	return runtime_vcpu()->index;
}

void runtime_set_local(void *local)
{
	runtime_vcpu()->local = local;
}

__attribute__((weak)) void guest_vcpu_main(unsigned vcpu)
{
	(void)vcpu;
}

void runtime_start_vcpus(void)
{
	size_t n = boot->vcpus - 1;
	struct runtime_vcpu *all = NULL;

	if (n == 0)
		return;
	all = runtime_alloc(n * sizeof(*all), _Alignof(struct runtime_vcpu));
	if (!all)
		runtime_panic("no memory for the other vCPUs");
	__atomic_store_n(&others, all, __ATOMIC_RELEASE);
}

static _Noreturn void start_other(unsigned index)
{
	struct runtime_vcpu *all;

	while (!(all = __atomic_load_n(&others, __ATOMIC_ACQUIRE)))
		__asm__ volatile("pause");
	runtime_cpu_init(&all[index - 1], index);
	guest_vcpu_main(index);
	for (;;)
		__asm__ volatile("hlt");
}

_Noreturn void runtime_start(const struct gt_boot *from_host)
{
	if (from_host->vcpu > 0)
		start_other(from_host->vcpu);
	boot = from_host;
	runtime_cpu_init(&vcpu0, 0);
	if (boot->magic != GT_BOOT_MAGIC || boot->size < sizeof *boot)
		runtime_panic("boot information of another version");
	runtime_halt((uint32_t)guest_main(find_args(), args));
}
