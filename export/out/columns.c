/* SPDX-License-Identifier: MIT */
#include "columns.h"
#include "escape.h"
#include "numbers.h"
#include <string.h>

#define NAME_MIN 20u /* columns that a table leaves to names */

static unsigned width_of(const struct gt__column *columns, unsigned count,
                         unsigned shown)
{
	unsigned i, width = NAME_MIN;

	for (i = 0; i < count; i++)
		if (shown & 1u << i)
			width += columns[i].width;
	return width;
}

unsigned gt__fit_columns(const struct gt__out *o,
                         const struct gt__column *columns, unsigned count,
                         unsigned shown)
{
	unsigned drop, i;

	for (drop = 1; o->columns && drop <= count; drop++)
		for (i = 0; i < count; i++)
			if (columns[i].drops == drop &&
			    width_of(columns, count, shown) > o->columns)
				shown &= ~(1u << i);
	return shown;
}

void gt__put_column_heads(struct gt__out *o, const struct gt__column *columns,
                          unsigned count, unsigned shown)
{
	size_t from = o->used;
	unsigned i;

	gt__paint(o, GT__DIM);
	for (i = 0; i < count; i++) {
		struct gt_text head = {columns[i].head,
		                       strlen(columns[i].head)};

		if (!(shown & 1u << i))
			continue;
		gt__put_padding(o, gt__terminal_columns(head),
		                columns[i].width);
		gt__put(o, columns[i].head);
	}
	gt__put(o, "  name");
	gt__unpaint(o);
	gt__end_line(o, from);
}
