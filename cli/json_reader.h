/* SPDX-License-Identifier: MIT */
/*
 * JSON in memory, read piece by piece by someone who knows what to expect.
 * After the first mistake `error` is set and every call returns false. Numbers
 * are whole and below 2^64, exactly: what general readers round.
 */
#ifndef GT_CLI_JSON_READER_H
#define GT_CLI_JSON_READER_H

#include <guesttrace/export.h>

#include <stdbool.h>

struct json_reader {
	char *at;
	char *end;
	const char *error; /* NULL: none yet */
};

/* Whether this character comes next; it is then passed over. */
bool json_take(struct json_reader *reader, char what);

/* The same, and a mistake if it does not. */
bool json_expect(struct json_reader *reader, char what);

/* A string, decoded in place: it lives in the memory that is read. */
bool json_read_text(struct json_reader *reader, struct gt_text *ret_text);

bool json_read_u64(struct json_reader *reader, uint64_t *ret_value);

/* Whether a null comes next; it is then passed over. */
bool json_take_null(struct json_reader *reader);

/* Whether nothing but blanks is left; anything else is a mistake. */
bool json_expect_end(struct json_reader *reader);

#endif
