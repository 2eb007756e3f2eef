/* SPDX-License-Identifier: MIT */
#include "ascii.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 4096u

bool ascii_is_wanted(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return strcmp(value, "C") == 0 ||
			       strcmp(value, "POSIX") == 0;
	}
	return false;
}

static char likeness(uint32_t character)
{
	static const struct {
		uint16_t of;
		char is;
	} known[] = {
		{0x00b5, 'u'}, {0x00b7, '.'}, {0x00d7, 'x'}, {0x0394, 'd'},
		{0x2013, '-'}, {0x2026, '~'}, {0x2500, '-'}, {0x2502, '|'},
		{0x2514, '`'}, {0x251c, '|'}, {0x2588, '#'}, {0x2589, '#'},
		{0x258a, '#'}, {0x258b, '#'}, {0x258c, '='}, {0x258d, '='},
		{0x258e, '-'}, {0x258f, '-'}, {0x25c0, '<'}, {0x25cb, 'o'},
		{0x2713, '+'}, {0x2717, 'x'},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].of == character)
			return known[i].is;
	return '?';
}

static size_t length_of(unsigned char first)
{
	return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The character that is begun is whole. What the text writes is UTF-8. */
static char end_character(struct ascii *ascii)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t character = ascii->begun[0] & masks[ascii->count];

	for (size_t i = 1; i < ascii->count; i++)
		character = character << 6 | (ascii->begun[i] & 0x3f);
	ascii->count = 0;
	return character < 0x80 ? (char)character : likeness(character);
}

static int write_ascii(void *context, const void *bytes, size_t count)
{
	struct ascii *ascii = context;
	const unsigned char *from = bytes;
	char piece[PIECE_BYTES];
	int r = 0;

	while (r == 0 && count > 0) {
		size_t used = 0;

		for (; count > 0 && used < sizeof(piece); from++, count--) {
			ascii->begun[ascii->count++] = *from;
			if (ascii->count == length_of(ascii->begun[0]))
				piece[used++] = end_character(ascii);
		}
		if (used > 0)
			r = ascii->to.write(ascii->to.context, piece, used);
	}
	return r;
}

struct gt_output ascii_output(struct ascii *ascii, const struct gt_output *to)
{
	*ascii = (struct ascii){.to = *to};
	return (struct gt_output){write_ascii, ascii};
}
