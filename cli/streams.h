/* SPDX-License-Identifier: MIT */
/*
 * Standard input, output and error of a command: what is done about them when
 * it begins and when it ends.
 *
 * Writing to a pipe that nobody reads any more is an error like a full disk:
 * EPIPE, never a signal, so that it costs no other output. A command that has
 * no other dies of it in the end, by SIGPIPE and without a word, as others do.
 */
#ifndef GT_CLI_STREAMS_H
#define GT_CLI_STREAMS_H

#include <stdbool.h>
#include <stdio.h>

/* `many`: the command may have outputs beside standard output. */
void streams_begin(bool many);

/*
 * Complains that a file, or with NULL standard output, cannot be written; of
 * standard output once, and not of a pipe where streams_end() dies of it.
 */
void complain_of_writing(const char *path, int code);

/* What writing to a stdio stream has failed with so far: an errno, or 0. */
int stream_error(FILE *stream);

/* Ends standard output. The exit status: `status`, or `failed` if it was 0. */
int streams_end(int status, int failed);

/*
 * Whether who reads may have a writer wait, as of a pipe, a socket or a terminal;
 * files and other devices take what they get. Asked once, before it is written
 * to.
 */
bool stream_may_wait(int fd);

/*
 * Writes all of it, also where that would block: for ever. 0 or a negative
 * errno.
 */
int write_whole(int fd, bool may_wait, const void *bytes, size_t count);

#endif
