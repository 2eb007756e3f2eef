/* SPDX-License-Identifier: MIT */
/*
 * How guest text becomes harmless: one function per kind of sink. All of them
 * write a code point that a terminal would act on or hide (C0, C1, DEL, bidi
 * controls, line separators, zero width, BOM, tags) as an escape, and replace a
 * byte that is no UTF-8 by U+FFFD.
 */
#ifndef GUESTTRACE_ESCAPE_H
#define GUESTTRACE_ESCAPE_H

#include "out.h"

/* Takes one code point from text[*at..count); U+FFFD for one bad byte. */
uint32_t gt__next_code_point(const struct gt_text *text, size_t *at);
bool gt__is_hidden(uint32_t code_point);

/* A JSON string with its quotes, and what stands between them. */
void gt__put_json(struct gt__out *out, struct gt_text text);
void gt__put_json_inner(struct gt__out *out, struct gt_text text);
/*
 * Columns of a terminal that a visible code point takes: 2 if it is wide, 0 if
 * it combines with the one before it (Unicode, UAX #11), else 1.
 */
size_t gt__columns_of(uint32_t code_point);
/* Text for people; returns the columns it takes. */
size_t gt__put_terminal(struct gt__out *out, struct gt_text text);
size_t gt__terminal_columns(struct gt_text text);
/* The same, in quotes if a reader of `key=value` could misread it. */
void gt__put_logfmt(struct gt__out *out, struct gt_text text);
/* One frame of a folded stack. */
void gt__put_folded(struct gt__out *out, struct gt_text text);
/*
 * One CSV cell of text (RFC 4180), always quoted; with a mark in front where a
 * spreadsheet would compute it.
 */
#define GT__CSV_MARK '\''
void gt__put_csv(struct gt__out *out, struct gt_text text);
/* Makes one CSV cell of what was put since `used` was `from`. */
void gt__quote_csv(struct gt__out *out, size_t from);
/* UTF-8 as it is, bad bytes replaced: protobuf refuses invalid strings. */
void gt__put_utf8(struct gt__out *out, struct gt_text text);

#endif
