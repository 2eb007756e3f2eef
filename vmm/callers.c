/* SPDX-License-Identifier: MIT */
#include "callers.h"

#include <string.h>

#define FRAME_BYTES_MAX (UINT64_C(1) << 20)
#define CALL_BYTES_MAX  7u

/* CALL rel32, or CALL of a register or memory with what that takes. */
static bool is_call(const unsigned char *end)
{
	if (end[-5] == 0xe8)
		return true;
	for (unsigned size = 2; size <= CALL_BYTES_MAX; size++) {
		const unsigned char *at = end - size;

		if (at[0] == 0xff && (at[1] >> 3 & 7) == 2)
			return true;
	}
	return false;
}

static bool is_behind_call(vm__read_fn *read, void *context, uint64_t address)
{
	unsigned char code[CALL_BYTES_MAX];

	return address >= sizeof code &&
	       read(context, address - sizeof code, code, sizeof code) &&
	       is_call(code + sizeof code);
}

/* Of a CALL rel32 in front of the address; 0: it is none. */
static uint64_t target_of(vm__read_fn *read, void *context, uint64_t address)
{
	unsigned char code[5];
	int32_t distance;

	if (address < sizeof code ||
	    !read(context, address - sizeof code, code, sizeof code) ||
	    code[0] != 0xe8)
		return 0;
	memcpy(&distance, code + 1, sizeof distance);
	return address + (uint64_t)(int64_t)distance;
}

uint64_t vm__find_leaf(vm__read_fn *read, void *context, uint64_t stack_pointer,
                       uint64_t frame_pointer, uint64_t *ret_address)
{
	uint64_t address, target, caller;

	if (stack_pointer % 8 != 0 ||
	    !read(context, stack_pointer, &address, sizeof address))
		return 0;
	target = target_of(read, context, address);
	if (target &&
	    read(context, frame_pointer + 8, &caller, sizeof caller) &&
	    target_of(read, context, caller) == target)
		return 0;
	*ret_address = address;
	return target;
}

size_t vm__find_callers(vm__read_fn *read, void *context,
                        uint64_t frame_pointer, uint64_t *ret_addresses,
                        size_t most)
{
	uint64_t frame[2]; /* that of the caller, where to return to */
	size_t count = 0;

	while (count < most && frame_pointer % 8 == 0 &&
	       read(context, frame_pointer, frame, sizeof frame) &&
	       is_behind_call(read, context, frame[1])) {
		ret_addresses[count++] = frame[1];
		if (frame[0] <= frame_pointer + 8 ||
		    frame[0] - frame_pointer > FRAME_BYTES_MAX)
			break;
		frame_pointer = frame[0];
	}
	return count;
}
