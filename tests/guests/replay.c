/* SPDX-License-Identifier: MIT */
/*
 * Sends golden Hyperlight batches as real guests do: its first argument says
 * on what they ride. Each must arrive exactly once.
 */
#include "../../examples/guests/embed.h"
#include "../../examples/runtime/runtime.h"

EMBED(nested11, "hyperlight-0.11/nested.bin");
EMBED(mix11, "hyperlight-0.11/mix30.bin");
EMBED(log11, "hyperlight-0.11/log_fields_2.bin");
EMBED(nested12, "hyperlight-0.12/nested.bin");
EMBED(mix12, "hyperlight-0.12/mix_all_kinds.bin");
EMBED(log12, "hyperlight-0.12/log_fields_2.bin");

#define BATCHES 3u

struct batch {
	const char *start, *end;
};

static const struct batch batches[2][BATCHES] = {
	{{nested11, nested11_end}, {mix11, mix11_end}, {log11, log11_end}},
	{{nested12, nested12_end}, {mix12, mix12_end}, {log12, log12_end}},
};

/* `out dx, eax` with the batch in r8 to r10; r8 is 0 afterwards if `clear`. */
static void out(uint16_t port, uint32_t value, const struct batch *batch,
                int times, int clear)
{
	uint64_t bytes = (uint64_t)(batch->end - batch->start);

	for (int i = 0; i < times; i++) {
		register uint64_t r8 __asm__("r8") = GT_BATCH_MAGIC;
		register uint64_t r9 __asm__("r9") = (uintptr_t)batch->start;
		register uint64_t r10 __asm__("r10") = bytes;

		if (port == GT_PORT_TRACE)
			__asm__ volatile("outb %%al, %%dx" ::"a"(value),
			                 "d"(port), "r"(r8), "r"(r9), "r"(r10)
			                 : "memory");
		else
			__asm__ volatile("outl %%eax, %%dx" ::"a"(value),
			                 "d"(port), "r"(r8), "r"(r9), "r"(r10)
			                 : "memory");
	}
	if (clear)
		__asm__ volatile("xorl %%r8d, %%r8d" ::: "r8");
}

static void halt_with(const struct batch *batch)
{
	register uint64_t r8 __asm__("r8") = GT_BATCH_MAGIC;
	register uint64_t r9 __asm__("r9") = (uintptr_t)batch->start;
	register uint64_t r10 __asm__("r10") =
		(uint64_t)(batch->end - batch->start);

	__asm__ volatile("jmp 1f\n1:\thlt" ::"r"(r8), "r"(r9), "r"(r10)
	                 : "memory");
}

int guest_main(int argc, char **argv)
{
	const struct batch *set =
		batches[runtime_boot()->wire == GT_WIRE_HYPERLIGHT_0_12];
	char how = argc > 1 ? argv[1][0] : 't';

	for (unsigned i = 0; i < BATCHES; i++)
		switch (how) {
		case 't': /* port 104 */
			out(GT_PORT_TRACE, 0, &set[i], 1, 1);
			break;
		case 's': /* r8 stays, and exits follow each other */
			out(GT_PORT_TRACE, 0, &set[i], 1, 0);
			out(GT_PORT_PRINT, '.', &set[i], 3, 0);
			break;
		case 'p': /* on the back of other exits */
			out(i == 0   ? GT_PORT_LOG
			    : i == 1 ? GT_PORT_CALL
			             : GT_PORT_PRINT,
			    '.', &set[i], 1, 1);
			break;
		default: /* the last on hlt */
			if (i == BATCHES - 1)
				halt_with(&set[i]);
			out(GT_PORT_TRACE, 0, &set[i], 1, 1);
		}
	return 0;
}
