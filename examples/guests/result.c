/* SPDX-License-Identifier: MIT */
/* Numbers on the console, and a checksum to compare runs by. */
#include "result.h"
#include "../runtime/runtime.h"

uint32_t checksum(uint32_t so_far, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < n; i++)
		so_far = (so_far ^ at[i]) * 16777619u;
	return so_far;
}

void decimal(char *to, uint64_t value)
{
	size_t digits = 1;

	for (uint64_t rest = value / 10; rest; rest /= 10)
		digits++;
	to[digits] = '\0';
	while (digits-- > 0) {
		to[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

static void print_name(const char *name)
{
	runtime_print(" ");
	runtime_print(name);
	runtime_print("=");
}

void result_u64(const char *name, uint64_t value)
{
	char text[DECIMAL_BYTES];

	decimal(text, value);
	print_name(name);
	runtime_print(text);
}

void result_hex(const char *name, uint64_t value)
{
	print_name(name);
	runtime_print_hex(value);
}
