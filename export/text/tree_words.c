/* SPDX-License-Identifier: MIT */
/* Of a line of the tree what stands behind its times. */
#include "tree_words.h"
#include "export/out/escape.h"
#include "export/out/terminal.h"
#include "export/out/values.h"
#include "export/out/words.h"

static void put_value(struct gt__out *o, const struct gt_field *f)
{
	if (f->type == GT_TYPE_STRING)
		gt__put_logfmt(o, f->value.text);
	else if (f->type == GT_TYPE_BYTES)
		gt__put_hex_bytes(o, f->value.text.bytes, f->value.text.count);
	else
		gt__put_plain(o, f);
}

/* A string's value ends in an ellipsis where it was cut. */
static bool is_cut(const struct gt_field *f)
{
	return (f->type == GT_TYPE_STRING || f->type == GT_TYPE_BYTES) &&
	       f->full_bytes > f->value.text.count;
}

void gt__tree_fields(struct gt__out *o, const struct gt_field *fields,
                     size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		gt__put_char(o, ' ');
		gt__paint(o, GT__DIM);
		gt__put_logfmt(o, fields[i].key);
		gt__put_char(o, '=');
		gt__unpaint(o);
		put_value(o, &fields[i]);
		if (is_cut(&fields[i]))
			gt__put(o, "\u2026");
	}
}

void gt__tree_flags(struct gt__out *o, unsigned flags)
{
	const char *before = "  (";
	size_t i;

	/* Interruption has a mark of its own; a cut shows in its field. */
	flags &= ~(unsigned)(GT_SPAN_INTERRUPTED | GT_SPAN_CUT);
	for (i = 0; i < GT__FLAG_WORDS; i++) {
		if (!(flags & gt__flag_words[i].flag))
			continue;
		gt__put(o, before);
		gt__put(o, gt__flag_words[i].word);
		before = ", ";
	}
	if (before[0] == ',')
		gt__put_char(o, ')');
}

void gt__tree_status(struct gt__out *o, const struct gt_span_view *span)
{
	switch (span->status) {
	case GT_STATUS_UNSET:
		return;
	case GT_STATUS_OK:
		gt__put_painted(o, GT__GREEN, "  \u2713 ok");
		return;
	case GT_STATUS_ERROR:
		gt__paint(o, GT__RED);
		gt__put(o, "  \u2717 error");
		break;
	}
	if (span->status_text.count) {
		gt__put(o, ": ");
		gt__put_terminal(o, span->status_text);
	}
	gt__unpaint(o);
}

/* Where a part of another trace begins: below it all are of that one. */
void gt__tree_trace(struct gt__out *o, const struct gt_span_view *s)
{
	if (!s->trace || (s->parent_id && !s->parent_remote))
		return;
	gt__paint(o, GT__DIM);
	gt__put(o, "  trace ");
	gt__put_hex_bytes(o, s->trace->trace_id, 16);
	if (s->parent_id) {
		gt__put(o, " below ");
		gt__put_hex(o, s->parent_id, 16);
	}
	gt__unpaint(o);
}
