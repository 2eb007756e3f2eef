/* SPDX-License-Identifier: MIT */
/*
 * Symbols and DWARF of a guest's image, whatever they are: a text in which
 * addresses are named stays what it was but for what is put in, and fits. The
 * same bytes as a stack with frames, and code with calls: callers are few.
 */
#include "cli/code_names.h"
#include "vmm/callers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define BASE    UINT64_C(0x401000)
#define CALLERS 16u

struct stack {
	const uint8_t *bytes;
	size_t count;
};

static bool read_stack(void *context, uint64_t gva, void *to, size_t count)
{
	const struct stack *stack = context;

	if (gva < BASE || gva - BASE > stack->count ||
	    stack->count - (gva - BASE) < count)
		return false;
	memcpy(to, stack->bytes + (gva - BASE), count);
	return true;
}

static void put_callers(const struct code_names *names, const uint8_t *bytes,
                        size_t count)
{
	struct stack stack = {bytes, count};
	uint64_t callers[CALLERS], address = 0, pointers[2] = {BASE, BASE};
	char text[200] = "died";
	size_t found;

	memcpy(pointers, bytes, count < 16 ? count : 16);
	for (unsigned i = 0; i < 2; i++)
		pointers[i] = BASE + pointers[i] % (count + 8) / 8 * 8;
	found = vm__find_callers(read_stack, &stack, pointers[0], callers,
	                         CALLERS);
	if (found > CALLERS)
		abort();
	if (vm__find_leaf(read_stack, &stack, pointers[0], pointers[1],
	                  &address))
		code_names_is_in(names, address, pointers[0]);
	callers[0] = found ? callers[0] : pointers[0];
	code_names_put_callers(names, callers, found + !found, text,
	                       count % 2 ? sizeof(text) : 40);
	if (strlen(text) >= (count % 2 ? sizeof(text) : 40) ||
	    strncmp(text, "died", 4) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static const char said[] = "fault at 0x401000, by 0x401008 from "
				   "0x40100f and 0x401020, 0x401030";
	struct code_names names = {malloc(count + !count), count};
	char *text = malloc(256);

	if (!names.image || !text)
		abort();
	memcpy(names.image, bytes, count);
	memcpy(text, said, sizeof(said));
	code_names_put(&names, text, count % 2 ? 256 : sizeof(said) + 20);
	if (strlen(text) >= (count % 2 ? 256 : sizeof(said) + 20))
		abort();
	if (strncmp(text, said, strlen("fault at 0x401000")) != 0)
		abort();
	free(text);
	put_callers(&names, bytes, count);
	code_names_close(&names);
	return 0;
}
