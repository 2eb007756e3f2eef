/* SPDX-License-Identifier: MIT */
/* Who ran and how it ended; durations. */
#include "tree.h"
#include "escape.h"
#include "words.h"

#define INDENT 2u /* where a line of the header goes on */

void gt__put_spaces(struct gt__out *out, size_t count)
{
	while (count--)
		gt__put_char(out, ' ');
}

struct unit {
	uint64_t ns;
	const char *word;
};

static struct unit unit_of(uint64_t ns)
{
	static const struct unit units[] = {{1000000000, "s"},
	                                    {1000000, "ms"},
	                                    {1000, "\u00b5s"},
	                                    {1, "ns"}};
	size_t i = 0;

	while (ns < units[i].ns && units[i].ns > 1)
		i++;
	return units[i];
}

void gt__put_duration(struct gt__out *out, uint64_t ns)
{
	struct unit unit = unit_of(ns);
	uint64_t rest = ns % unit.ns;

	gt__put_u64(out, ns / unit.ns);
	if (unit.ns > 1) {
		rest = rest / (unit.ns / 1000);
		gt__put_char(out, '.');
		gt__put_char(out, (char)('0' + rest / 100));
		gt__put_char(out, (char)('0' + rest / 10 % 10));
		gt__put_char(out, (char)('0' + rest % 10));
	}
	gt__put_char(out, ' ');
	gt__put(out, unit.word);
}

size_t gt__duration_columns(uint64_t ns)
{
	struct unit unit = unit_of(ns);
	size_t columns = unit.ns == 1000000000 ? 3 : 4; /* "0 s", "0 ms" */
	uint64_t whole = ns / unit.ns;

	if (unit.ns > 1)
		columns += 4; /* ".123" */
	for (; whole >= 10; whole /= 10)
		columns++;
	return columns;
}

bool gt__lost_anything(const struct gt_losses *losses)
{
	size_t i;

	for (i = 0; i < GT__LOSS_WORDS; i++)
		if (gt__loss(losses, i))
			return true;
	return false;
}

void gt__put_duration_in(struct gt__out *out, uint64_t ns, size_t width)
{
	size_t columns = gt__duration_columns(ns);

	if (columns < width)
		gt__put_spaces(out, width - columns);
	gt__put_duration(out, ns);
}

static const char *outcome_colour(const struct gt_summary *summary)
{
	if (summary->ending == GT_ENDING_HALTED && !summary->status)
		return GT__GREEN;
	if (summary->ending == GT_ENDING_UNKNOWN ||
	    summary->ending == GT_ENDING_SNAPSHOT)
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

void gt__put_header(struct gt__out *o, const struct gt__collect *c,
                    const struct gt_summary *summary)
{
	const struct gt_trace *trace = c->head.trace;
	size_t from = o->used;

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
}
