/* SPDX-License-Identifier: MIT */
#include "terminal.h"
#include "escape.h"

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
