/* SPDX-License-Identifier: MIT */
/* What was lost, by kind; at the end of what is printed of a run. */
#include "export/out/numbers.h"
#include "export/out/terminal.h"
#include "export/out/words.h"
#include "tree.h"

void gt__put_counted(struct gt__out *o, uint64_t count, const char *what)
{
	size_t from = o->used;

	gt__put_count(o, count, GT__COUNT_COLUMNS);
	gt__put(o, "  ");
	gt__put(o, what);
	gt__wrap_line(o, from, GT__COUNT_COLUMNS + 2);
}

void gt__put_losses(struct gt__out *o, const struct gt_losses *losses)
{
	size_t i;

	if (!gt__lost_anything(losses)) {
		gt__put_char(o, '\n');
		gt__put_painted(o, GT__GREEN, "nothing lost");
		gt__put_char(o, '\n');
		return;
	}
	gt__put_title(o, "lost");
	for (i = 0; i < GT__LOSS_WORDS; i++) {
		if (!gt__loss(losses, i))
			continue;
		gt__put_counted(o, gt__loss(losses, i),
		                gt__loss_words[i].prose);
	}
}
