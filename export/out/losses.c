/* SPDX-License-Identifier: MIT */
#include "losses.h"
#include "words.h"

/* `2 bytes skipped`, from the noun in the singular and what is behind it. */
static void put_part(struct gt__out *o, const char **comma, uint64_t count,
                     const char *noun, const char *behind)
{
	if (!count)
		return;
	gt__put(o, *comma);
	gt__put_u64(o, count);
	gt__put_char(o, ' ');
	gt__put(o, noun);
	if (count != 1)
		gt__put_char(o, 's');
	gt__put(o, behind);
	*comma = ", ";
}

void gt__put_lost(struct gt__out *o, const struct gt_summary *summary)
{
	const struct gt_losses *l = &summary->losses;
	const char *comma = "LOST ";

	if (l->records) {
		gt__put(o, comma);
		gt__put_u64(o, l->records);
		gt__put(o, " of ");
		gt__put_u64(o, l->records + summary->records);
		gt__put(o, " records");
		comma = ", ";
	}
	put_part(o, &comma, l->overwritten_bytes, "byte", " overwritten");
	put_part(o, &comma, l->bad_records, "record", " that did not decode");
	put_part(o, &comma, l->bad_bytes, "byte", " skipped");
	put_part(o, &comma, l->bad_requests, "doorbell", " that could not be used");
	put_part(o, &comma, l->evicted_spans, "span", " ended early");
	put_part(o, &comma, l->dropped_events, "event", " over a quota");
	put_part(o, &comma, l->cut_bytes, "byte", " cut off the capture");
	put_part(o, &comma, l->unknown_kinds, "event", " of an unknown kind");
}

void gt__put_outcome(struct gt__out *o, const struct gt_summary *summary)
{
	gt__put(o, gt__ending_word(summary->ending));
	if (summary->ending == GT_ENDING_HALTED) {
		gt__put(o, " with status ");
		gt__put_u64(o, summary->status);
	}
	if (!gt__is_partial(&summary->losses))
		return;
	gt__put(o, ", ");
	gt__put_lost(o, summary);
}

void gt__put_gap(struct gt__out *o, const struct gt_loss_view *gap)
{
	const char *comma = "";

	put_part(o, &comma, gap->records, "record", "");
	put_part(o, &comma, gap->overwritten_bytes, "byte", " overwritten");
	put_part(o, &comma, gap->bad_records, "record", " that did not decode");
	put_part(o, &comma, gap->bad_bytes, "byte", " skipped");
}

void gt__put_losses_json(struct gt__out *o, const struct gt_losses *losses)
{
	size_t i;

	gt__put(o, gt__is_partial(losses) ? ",\"partial\":true"
	                                  : ",\"partial\":false");
	gt__put(o, ",\"losses\":{");
	for (i = 0; i < GT__LOSS_WORDS; i++) {
		gt__put(o, i ? ",\"" : "\"");
		gt__put(o, gt__loss_words[i].word);
		gt__put(o, "\":\"");
		gt__put_u64(o, gt__loss(losses, i));
		gt__put_char(o, '"');
	}
	gt__put_char(o, '}');
}
