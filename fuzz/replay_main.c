/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target once over each file named on the command line, for
 * compilers without libFuzzer: the seeds are tests too. With --expand every
 * byte of each file is also changed and the file cut there; with --random=N there
 * are N inputs more, each a file with some changes of any kind, the same in each
 * run.
 */
#include "tests/support/random64.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define FILE_MAX ((size_t)1 << 20)

struct seed {
	uint8_t *bytes;
	size_t count;
};

static uint8_t bytes[FILE_MAX];
static unsigned long inputs;

/* A copy of its own size, so that a sanitizer sees what is read behind it. */
static void run(size_t count)
{
	uint8_t *copy = malloc(count + !count);

	if (!copy)
		abort();
	memcpy(copy, bytes, count);
	LLVMFuzzerTestOneInput(copy, count);
	free(copy);
	inputs++;
}

static void expand(size_t count)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	for (size_t at = 0; at < count; at++) {
		uint8_t before = bytes[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			bytes[at] = values[i];
			run(count);
		}
		bytes[at] = before;
		run(at);
	}
}

/* ---- Changes of any kind ------------------------------------------------- */

static size_t below(size_t bound)
{
	return bound ? (size_t)(random64() % bound) : 0;
}

/* One change of `count` bytes; returns how many there are then. */
static size_t change(size_t count, const struct seed *other)
{
	static const uint64_t words[] = {0,
	                                 1,
	                                 0x7f,
	                                 0xff,
	                                 0x1000,
	                                 0xffff,
	                                 INT32_MAX,
	                                 UINT32_MAX,
	                                 INT64_MAX,
	                                 UINT64_MAX};
	size_t at = below(count), left = count - at, length = 1 + below(8);
	uint64_t word = words[below(sizeof(words) / sizeof(words[0]))];

	if (length > left)
		length = left;
	switch (below(6)) {
	case 0:
		if (count)
			bytes[at] ^= (uint8_t)(1u << below(8));
		return count;
	case 1:
		if (count)
			bytes[at] = (uint8_t)random64();
		return count;
	case 2: /* a number of any width */
		memcpy(bytes + at, &word, length);
		return count;
	case 3: /* less */
		memmove(bytes + at, bytes + at + length, left - length);
		return count - length;
	case 4: /* twice */
		if (count + length > FILE_MAX)
			return count;
		memmove(bytes + at + length, bytes + at, left);
		return count + length;
	default: /* a piece of another one */
		length = below(other->count < left ? other->count : left);
		memcpy(bytes + at,
		       other->bytes + below(other->count - length + 1), length);
		return count;
	}
}

static void run_changed(const struct seed *seeds, size_t seed_count,
                        unsigned long runs)
{
	for (unsigned long i = 0; i < runs; i++) {
		const struct seed *seed = &seeds[i % seed_count];
		size_t count = seed->count;

		memcpy(bytes, seed->bytes, count);
		for (size_t changes = 1 + below(4); changes > 0; changes--)
			count = change(count, &seeds[below(seed_count)]);
		run(count);
	}
}

/* ---- Files --------------------------------------------------------------- */

static struct seed read_seed(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct seed seed;

	if (!file) {
		perror(path);
		exit(1);
	}
	seed.count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	seed.bytes = malloc(seed.count + !seed.count);
	if (!seed.bytes)
		abort();
	memcpy(seed.bytes, bytes, seed.count);
	return seed;
}

int main(int argc, char **argv)
{
	struct seed *seeds = calloc((size_t)argc, sizeof(*seeds));
	bool all = false;
	unsigned long runs = 0;
	size_t count = 0;

	if (!seeds)
		abort();
	for (argv++; *argv && **argv == '-'; argv++) {
		all |= strcmp(*argv, "--expand") == 0;
		if (strncmp(*argv, "--random=", 9) == 0)
			runs = strtoul(*argv + 9, NULL, 10);
	}
	for (; *argv; argv++) {
		seeds[count] = read_seed(*argv);
		run(seeds[count].count);
		if (all)
			expand(seeds[count].count);
		count++;
	}
	if (count)
		run_changed(seeds, count, runs);
	for (size_t i = 0; i < count; i++)
		free(seeds[i].bytes);
	free(seeds);
	printf("%lu inputs\n", inputs);
	return 0;
}
