/* SPDX-License-Identifier: MIT */
/*
 * Lines for a terminal: colours, bars, and an end where the terminal's is. All
 * of it does nothing unless `colours` and `columns` of the writer are set.
 */
#ifndef GUESTTRACE_TERMINAL_H
#define GUESTTRACE_TERMINAL_H

#include "out.h"

/* Parameters of ECMA-48's SGR. */
#define GT__BOLD   "1"
#define GT__DIM    "2"
#define GT__RED    "31"
#define GT__GREEN  "32"
#define GT__YELLOW "33"
#define GT__CYAN   "36"
#define GT__ALARM  "1;31"

void gt__paint(struct gt__out *out, const char *sgr);
void gt__unpaint(struct gt__out *out);
/* `text` (never a guest's) in one colour. */
void gt__put_painted(struct gt__out *out, const char *sgr, const char *text);
/* A guest's text, bold. */
void gt__put_bold(struct gt__out *out, struct gt_text text);
void gt__put_title(struct gt__out *out, const char *text);

/*
 * Ends the line that began when `used` was `from`, in the same record. One that
 * is wider than the terminal is cut and ends in an ellipsis.
 */
void gt__end_line(struct gt__out *out, size_t from);

/*
 * The same, but one that is wider goes on in further lines, `indent` columns
 * in: it breaks between words, and at two spaces rather than at one.
 */
void gt__wrap_line(struct gt__out *out, size_t from, unsigned indent);

/* `cells` columns, of which value / of are filled, to an eighth of a column. */
void gt__put_bar(struct gt__out *out, uint64_t value, uint64_t of,
                 unsigned cells);
/* The same without the blank rest. */
void gt__put_bar_only(struct gt__out *out, uint64_t value, uint64_t of,
                      unsigned cells);

#endif
