/* SPDX-License-Identifier: MIT */
/* What an address of the guest's code is called: function, file and line. */
#ifndef GT_CLI_CODE_NAMES_H
#define GT_CLI_CODE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
 * Puts behind `text`, as far as there is room, where it had been called from:
 * addresses behind calls, each with what there is of the call's function, file
 * and line. Without an image it has the addresses alone.
 */
void code_names_put_callers(const struct code_names *names,
                            const uint64_t *callers, size_t count, char *text,
                            size_t room);

/* Whether symbols say that a function begins at `start`, which the address is
 * in. */
bool code_names_is_in(const struct code_names *names, uint64_t start,
                      uint64_t address);

/*
 * Puts behind each of the first numbers 0x... of `text` that lie in a function
 * ` (FUNCTION, FILE:LINE)`, as far as symbols and DWARF tell and `room` bytes,
 * with the NUL, are enough. The image is not trusted.
 */
void code_names_put(const struct code_names *names, char *text, size_t room);

/* The same of a text that may have callers, as code_names_put_callers() puts
 * them, and names: those stay as they are. */
void code_names_complete(const struct code_names *names, char *text,
                         size_t room);

#define CODE_BUILD_ID_MAX  64u /* bytes */
#define CODE_BUILD_ID_ROOM (2 * CODE_BUILD_ID_MAX + 1)

/* Stores its build id in hex, as far as it has one: else an empty text. False:
 * it is no ELF. */
bool code_names_build_id(const struct code_names *names,
                         char to[CODE_BUILD_ID_ROOM]);

#endif
