/* SPDX-License-Identifier: MIT */
#include "losses.h"
#include "escape.h"
#include "json_values.h"
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
	/* Nobody knows how many records a damaged stretch of a capture held. */
	put_part(o, &comma, l->bad_records, "piece", " that did not decode");
	put_part(o, &comma, l->bad_bytes, "byte", " skipped");
	put_part(o, &comma, l->bad_requests, "doorbell",
	         " that could not be used");
	put_part(o, &comma, l->evicted_spans, "span", " ended early");
	put_part(o, &comma, l->dropped_events, "event", " over a quota");
	put_part(o, &comma, l->cut_bytes, "byte", " cut off the capture");
	put_part(o, &comma, l->unknown_kinds, "event", " of an unknown kind");
	put_part(o, &comma, l->quota_requests, "doorbell", " over a quota");
	put_part(o, &comma, l->quota_exits, "exit", " over a quota");
}

void gt__put_ending(struct gt__out *o, const struct gt_summary *summary)
{
	gt__put(o, gt__ending_word(summary->ending));
	if (summary->ending != GT_ENDING_HALTED)
		return;
	gt__put(o, " with status ");
	gt__put_u64(o, summary->status);
}

void gt__put_outcome(struct gt__out *o, const struct gt_summary *summary)
{
	gt__put_ending(o, summary);
	if (!gt__is_partial(&summary->losses))
		return;
	gt__put(o, ", ");
	gt__put_lost(o, summary);
}

struct gt_losses gt__losses_of(const struct gt_loss_view *gap)
{
	return (struct gt_losses){
		.records = gap->records,
		.overwritten_bytes = gap->overwritten_bytes,
		.bad_records = gap->bad_records,
		.bad_bytes = gap->bad_bytes,
	};
}

void gt__put_gap(struct gt__out *o, const struct gt_loss_view *gap)
{
	const char *comma = "";

	put_part(o, &comma, gap->records, "record", "");
	put_part(o, &comma, gap->overwritten_bytes, "byte", " overwritten");
	put_part(o, &comma, gap->bad_records, "piece", " that did not decode");
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

static void put_count(struct gt__out *o, const char *key, uint64_t count)
{
	gt__put(o, ",\"");
	gt__put(o, key);
	gt__put(o, "\":");
	gt__put_json_u64(o, count);
}

static void put_counts(struct gt__out *o, const struct gt_losses *losses)
{
	size_t i;

	for (i = 0; i < GT__LOSS_WORDS; i++)
		if (gt__loss(losses, i))
			put_count(o, gt__loss_words[i].key,
			          gt__loss(losses, i));
}

void gt__put_gap_members(struct gt__out *o, const struct gt_loss_view *gap)
{
	const struct gt_losses losses = gt__losses_of(gap);

	gt__put(o, "\"guesttrace.vcpu\":");
	gt__put_u64(o, gap->vcpu);
	put_counts(o, &losses);
}

void gt__put_outcome_members(struct gt__out *o,
                             const struct gt_summary *summary)
{
	gt__put(o, "\"guesttrace.outcome\":\"");
	gt__put(o, gt__ending_word(summary->ending));
	gt__put_char(o, '"');
	if (summary->ending == GT_ENDING_HALTED)
		put_count(o, "guesttrace.exit_status", summary->status);
	if (summary->message.count) {
		gt__put(o, ",\"guesttrace.message\":");
		gt__put_json(o, summary->message);
	}
	put_count(o, "guesttrace.records", summary->records);
	put_counts(o, &summary->losses);
}
