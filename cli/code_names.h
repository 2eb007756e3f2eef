/* SPDX-License-Identifier: MIT */
/* What an address of the guest's code is called: function, file and line. */
#ifndef GT_CLI_CODE_NAMES_H
#define GT_CLI_CODE_NAMES_H

#include <stddef.h>

/* An image in memory; zeros: there is none, and nothing has a name. */
struct code_names {
	char *image;
	size_t bytes;
};

/* Reads the whole file. An image of over 64 MiB, or
 * one that cannot be read, gives no names. */
void code_names_open(struct code_names *names, const char *path);
void code_names_close(struct code_names *names);

/*
 * Puts behind each of the first numbers 0x... of `text` that lie in a function
 * ` (FUNCTION, FILE:LINE)`, as far as symbols and DWARF tell and `room` bytes,
 * with the NUL, are enough. The image is not trusted.
 */
void code_names_put(const struct code_names *names, char *text, size_t room);

#endif
