/* SPDX-License-Identifier: MIT */
/*
 * The functions of <string.h> that a compiler may call by itself, and a few
 * that guests want. Simple on purpose; compile with -fno-builtin, or a loop
 * becomes a call of the function it is in.
 */
#include "runtime.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *at = to;

	__asm__ volatile("rep movsb"
	                 : "+D"(at), "+S"(from), "+c"(n)
	                 :
	                 : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *a = to;
	const unsigned char *b = from;

	if ((uintptr_t)to - (uintptr_t)from >= n)
		return memcpy(to, from, n);
	while (n-- > 0)
		a[n] = b[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	void *at = to;

	__asm__ volatile("rep stosb"
	                 : "+D"(at), "+c"(n)
	                 : "a"(byte)
	                 : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] || !a[i])
			return (unsigned char)a[i] - (unsigned char)b[i];
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

uint64_t runtime_parse_u64(const char *digits)
{
	uint64_t value = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		value = value * 10 + (uint64_t)(*digits - '0');
	return value;
}
