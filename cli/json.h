/* SPDX-License-Identifier: MIT */
/*
 * JSON on a stdio stream, which keeps the first error. A code point that a
 * terminal would act on or hide is written as an escape.
 */
#ifndef GT_CLI_JSON_H
#define GT_CLI_JSON_H

#include <guesttrace/export.h>
#include <stdio.h>

/* A string with its quotes. A byte that is no UTF-8 becomes U+FFFD. */
void json_text(FILE *to, struct gt_text text);

/* ,"KEY": and the value; `key` needs no escape. */
void json_member_text(FILE *to, const char *key, struct gt_text text);
void json_member_u64(FILE *to, const char *key, uint64_t value);
/* An id or a time, as a string: a reader's doubles would not hold it. */
void json_member_exact(FILE *to, const char *key, uint64_t value);

/*
 * In its type; bytes as an array; a pointer, what is no number, and an integer
 * beyond 2^53 as a string.
 */
void json_value(FILE *to, const struct gt_field *field);

#endif
