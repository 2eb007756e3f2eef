/* SPDX-License-Identifier: MIT */
#include "terminal.h"
#include "escape.h"
#include <string.h>

#define WRAPPED_MIN 8u /* columns that a wrapped line has for its text */

__extension__ typedef unsigned __int128 u128;

void gt__paint(struct gt__out *o, const char *sgr)
{
	if (!o->colours)
		return;
	gt__put(o, "\033[");
	gt__put(o, sgr);
	gt__put_char(o, 'm');
}

void gt__unpaint(struct gt__out *o)
{
	gt__paint(o, "0");
}

void gt__put_painted(struct gt__out *o, const char *sgr, const char *text)
{
	gt__paint(o, sgr);
	gt__put(o, text);
	gt__unpaint(o);
}

void gt__put_bold(struct gt__out *out, struct gt_text text)
{
	gt__paint(out, GT__BOLD);
	gt__put_terminal(out, text);
	gt__unpaint(out);
}

void gt__put_title(struct gt__out *o, const char *text)
{
	size_t from;

	gt__put_char(o, '\n');
	from = o->used;
	gt__put_painted(o, GT__BOLD, text);
	gt__end_line(o, from);
}

/* The next code point, or an SGR sequence of ours, which takes no column. */
static size_t step(const struct gt_text *line, size_t *at)
{
	uint32_t c = gt__next_code_point(line, at);

	if (c != 0x1b)
		return gt__columns_of(c);
	while (*at < line->count && line->bytes[*at - 1] != 'm')
		++*at;
	return 0;
}

void gt__end_line(struct gt__out *o, size_t from)
{
	size_t at = 0, columns = 0, cut = 0;
	struct gt_text line;

	if (o->columns && !o->error && o->bytes) {
		line = (struct gt_text){o->bytes + from, o->used - from};
		while (at < line.count && columns <= o->columns) {
			columns += step(&line, &at);
			if (columns < o->columns)
				cut = at;
		}
		if (columns > o->columns) {
			o->used = from + cut;
			gt__unpaint(o);
			gt__put(o, "\u2026");
		}
	}
	gt__put_char(o, '\n');
}

/* Where a line may go on below: spaces in it, or a place where nothing is. */
struct gap {
	size_t at;
	size_t count; /* of spaces */
};

/*
 * The last gap at which what is before it fits `columns`, the line beginning
 * `column` columns in; rather one of several spaces, which lie between parts of
 * a line, than one of a single space, and rather that than inside a word. Gaps
 * up to column `indent` are none. False: all of it fits.
 */
static bool find_gap(const struct gt_text *line, size_t column, size_t indent,
                     size_t columns, struct gap *ret_gap)
{
	struct gap gaps[3] = {{0, 0}, {0, 0}, {0, 0}}; /* 0, 1, 2 spaces */
	size_t at = 0;

	while (at < line->count && column <= columns) {
		size_t start = at, width, spaces = 0;

		while (at < line->count && line->bytes[at] == ' ')
			at++, spaces++;
		if (spaces) {
			if (column > indent)
				gaps[spaces > 1 ? 2 : 1] =
					(struct gap){start, spaces};
			column += spaces;
			continue;
		}
		width = step(line, &at);
		if (column > indent && column + width > columns)
			gaps[0] = (struct gap){start, 0};
		column += width;
	}
	*ret_gap = gaps[2].at ? gaps[2] : gaps[1].at ? gaps[1] : gaps[0];
	return column > columns && ret_gap->at;
}

/* Breaks the line at `at`, whose `spaces` go: a new one begins `indent` in. */
static bool break_line(struct gt__out *o, size_t at, size_t spaces,
                       size_t indent)
{
	char *room = gt__out_room(o, indent + 1);

	if (!room)
		return false;
	room = o->bytes + at;
	memmove(room + 1 + indent, room + spaces, o->used - at - spaces);
	room[0] = '\n';
	memset(room + 1, ' ', indent);
	o->used += 1 + indent - spaces;
	return true;
}

void gt__wrap_line(struct gt__out *o, size_t from, unsigned indent)
{
	size_t column = 0;
	struct gap gap;

	while (o->columns >= indent + WRAPPED_MIN && !o->error && o->bytes) {
		struct gt_text line = {o->bytes + from, o->used - from};

		if (!find_gap(&line, column, indent, o->columns, &gap) ||
		    !break_line(o, from + gap.at, gap.count, indent))
			break;
		from += gap.at + 1 + indent;
		column = indent;
	}
	gt__end_line(o, from);
}

static unsigned put_filled(struct gt__out *o, uint64_t value, uint64_t of,
                           unsigned cells)
{
	static const char *const eighths[] = {
		"\u258f", "\u258e", "\u258d", "\u258c",
		"\u258b", "\u258a", "\u2589", "\u2588",
	};
	unsigned i, rest, all = cells * 8;

	if (value < of)
		all = (unsigned)(((u128)value * all + of / 2) / of);
	if (!of)
		all = 0;
	gt__paint(o, GT__CYAN);
	for (i = all; i >= 8; i -= 8)
		gt__put(o, eighths[7]);
	rest = i;
	if (rest)
		gt__put(o, eighths[rest - 1]);
	gt__unpaint(o);
	return (all + 7) / 8;
}

void gt__put_bar(struct gt__out *o, uint64_t value, uint64_t of, unsigned cells)
{
	unsigned filled = put_filled(o, value, of, cells);

	while (filled++ < cells)
		gt__put_char(o, ' ');
}

void gt__put_bar_only(struct gt__out *o, uint64_t value, uint64_t of,
                      unsigned cells)
{
	put_filled(o, value, of, cells);
}
