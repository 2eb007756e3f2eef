/* SPDX-License-Identifier: MIT */
/* Strings and bytes: measured and cut before the ring is taken, then copied. */
#include "doorbell.h"

#ifdef GT_MEMCPY
void *GT_MEMCPY(void *to, const void *from, size_t count);
#else
#define GT_MEMCPY __builtin_memcpy
#endif

/* Not in each of its callers: gcc 14 makes 60 bytes of it. */
__attribute__((noinline)) struct gt__text gt__text(const void *bytes,
                                                   size_t count)
{
	uint32_t length = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;

	return (struct gt__text){bytes, bytes ? length : 0, length};
}

struct gt__text gt__string(const char *string)
{
	size_t length = 0;

	if (!string)
		string = "(null)";
	/* A compiler may turn this into strlen, which a guest may not have. */
	while (string[length]) {
		length++;
		__asm__("" : "+r"(length));
	}
	return gt__text(string, length);
}

/* Cuts the text to what the record still has room for. */
struct gt__text gt__fit(struct gt__text text, struct gt__room *room,
                        struct gt_vcpu *vcpu)
{
	if (text.stored_bytes > room->left_bytes)
		text.stored_bytes = room->left_bytes;
	if (text.stored_bytes < text.full_bytes) {
		room->cut = GT_RECORD_CUT;
		gt__count(&vcpu->cut);
	}
	/* left_bytes is a multiple of 8, and so is what is stored with pad. */
	room->left_bytes -= (text.stored_bytes + 7) & ~7u;
	return text;
}

volatile uint64_t *gt__put_text(volatile uint64_t *at, struct gt__text text)
{
	uint64_t words = ((uint64_t)text.stored_bytes + 7) / 8;

	at[0] = text.stored_bytes | (uint64_t)text.full_bytes << 32;
	if (words) {
		at[words] = 0; /* the padding of the last word */
		GT_MEMCPY((void *)(uintptr_t)(at + 1), text.bytes,
		          text.stored_bytes);
	}
	return at + 1 + words;
}
