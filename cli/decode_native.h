/* SPDX-License-Identifier: MIT */
/*
 * A native capture as JSON objects, one per line. They are those of a
 * Hyperlight batch, with these differences: a capture has host time and no
 * guest TSC, so that "tsc" is "ns" (since 1970-01-01 UTC); "start" is the first
 * clock sample of the run; ids are the exported ones; fields have their types;
 * "vcpu" and the site's "level" are added, and there are objects of type
 * "counter". Late fields of a span are one "edit" right before its "close". A
 * "lost" says what was found to be missing by then, and "end", the last one,
 * how the run ended and all that it lost.
 */
#ifndef GT_CLI_DECODE_NATIVE_H
#define GT_CLI_DECODE_NATIVE_H

/* Prints what the open file holds; complains, and returns the exit status. */
int decode_native(int fd, const char *path);

#endif
