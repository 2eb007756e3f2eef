/* SPDX-License-Identifier: MIT */
/* Who ran and how it ended. */
#include "tree.h"
#include "export/out/escape.h"
#include "export/out/losses.h"
#include "export/out/words.h"

#define INDENT 2u /* where a line of the header goes on */

bool gt__lost_anything(const struct gt_losses *losses)
{
	size_t i;

	for (i = 0; i < GT__LOSS_WORDS; i++)
		if (gt__loss(losses, i))
			return true;
	return false;
}

static const char *outcome_colour(const struct gt_summary *summary)
{
	if (summary->ending == GT_ENDING_HALTED && !summary->status &&
	    !gt__is_partial(&summary->losses))
		return GT__GREEN;
	if (summary->ending == GT_ENDING_UNKNOWN ||
	    summary->ending == GT_ENDING_SNAPSHOT ||
	    (summary->ending == GT_ENDING_HALTED && !summary->status))
		return GT__YELLOW;
	return GT__ALARM;
}

static void put_outcome(struct gt__out *o, const struct gt_summary *summary)
{
	switch (summary->ending) {
	case GT_ENDING_HALTED:
		gt__put(o, "halted with status ");
		gt__put_u64(o, summary->status);
		break;
	case GT_ENDING_ABORTED:
		gt__put(o, "ABORTED");
		break;
	case GT_ENDING_SHUTDOWN:
		gt__put(o, "TRIPLE FAULT");
		break;
	case GT_ENDING_TIMEOUT:
		gt__put(o, "TIMED OUT");
		break;
	case GT_ENDING_INTERRUPTED:
		gt__put(o, "INTERRUPTED");
		break;
	case GT_ENDING_FAILED:
		gt__put(o, "THE HOST FAILED");
		break;
	case GT_ENDING_SNAPSHOT:
		gt__put(o, "snapshot, still running");
		break;
	case GT_ENDING_UNKNOWN:
		gt__put(o, "end not captured");
		break;
	}
}

static void put_counted(struct gt__out *o, uint64_t count, const char *word)
{
	gt__put_u64(o, count);
	gt__put_char(o, ' ');
	gt__put(o, word);
	if (count != 1)
		gt__put_char(o, 's');
}

uint64_t gt__elapsed_ns(const struct gt_trace *trace, uint64_t time_ns)
{
	return time_ns > trace->start_ns ? time_ns - trace->start_ns : 0;
}

static void put_left_out(struct gt__out *o, const struct gt__collect *c)
{
	size_t from = o->used;

	if (!(c->left_out_spans | c->left_out_events))
		return;
	gt__paint(o, GT__ALARM);
	gt__put(o, "NOT SHOWN: the oldest ");
	gt__put_u64(o, c->left_out_spans);
	gt__put(o, " spans, ");
	gt__put_u64(o, c->left_out_events);
	gt__put(o, " events and counters: all would take more than ");
	gt__put_u64(o, c->max_bytes);
	gt__put(o, " bytes of memory");
	gt__unpaint(o);
	gt__wrap_line(o, from, INDENT);
}

void gt__put_header(struct gt__out *o, const struct gt__collect *c,
                    const struct gt_summary *summary)
{
	const struct gt_trace *trace = c->head.trace;
	size_t from = o->used;

	if (gt__is_partial(&summary->losses)) { /* first: no terminal cuts it */
		gt__paint(o, GT__ALARM);
		gt__put_lost(o, summary);
		gt__unpaint(o);
		gt__put(o, "  ");
	}
	gt__put_bold(o, trace->guest_name);
	gt__put(o, "  ");
	gt__put_terminal(o, trace->backend);
	gt__put(o, "  ");
	gt__paint(o, outcome_colour(summary));
	put_outcome(o, summary);
	gt__unpaint(o);
	gt__put(o, " after ");
	gt__put_duration(o, gt__elapsed_ns(trace, summary->end_ns));
	gt__put(o, "  times within ");
	gt__put_duration(o, summary->clock.error_bound_ns);
	gt__wrap_line(o, from, INDENT);
	if (summary->message.count) {
		from = o->used;
		gt__paint(o, GT__RED);
		gt__put(o, "\u2717 ");
		gt__put_terminal(o, summary->message);
		gt__unpaint(o);
		gt__wrap_line(o, from, INDENT);
	}
	from = o->used;
	put_counted(o, summary->spans, "span");
	gt__put(o, ", ");
	put_counted(o, summary->events, "event");
	gt__put(o, ", ");
	put_counted(o, summary->counters, "counter");
	gt__put(o, ", ");
	put_counted(o, trace->vcpus, "vCPU");
	gt__put(o, "  trace ");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__wrap_line(o, from, INDENT);
	put_left_out(o, c);
}
