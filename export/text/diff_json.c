/* SPDX-License-Identifier: MIT */
/* A difference as one JSON object: docs/report.md. */
#include "diff.h"
#include "export/out/escape.h"
#include "export/out/losses.h"
#include "export/out/words.h"
#include "json_members.h"
#include "tree.h"
#include <string.h>

static void put_percentiles(struct gt__out *o, const struct gt__kept *kept)
{
	const struct gt__durations *guests = &kept->guests;

	if (!kept->spans.count) {
		gt__put(o, ",\"avg_ns\":null,\"p50_ns\":null,\"p99_ns\":null,"
		           "\"max_ns\":null,\"guest_p50_ns\":null");
		return;
	}
	gt__member_u64(o, "avg_ns", kept->name.avg_ns);
	gt__member_u64(o, "p50_ns", kept->name.p50_ns);
	gt__member_u64(o, "p99_ns", kept->name.p99_ns);
	gt__member_u64(o, "max_ns", kept->name.max_ns);
	gt__member_u64(o, "guest_p50_ns",
	               guests->ns[gt__nearest_rank(guests->count, 50) - 1]);
}

static void put_side(struct gt__out *o, const char *key,
                     const struct gt__kept *kept)
{
	gt__member_key(o, ",", key);
	if (!kept) {
		gt__put(o, "null");
		return;
	}
	gt__put(o, "{\"count\":\"");
	gt__put_u64(o, kept->name.count);
	gt__put_char(o, '"');
	gt__member_u64(o, "unfinished", kept->name.unfinished);
	gt__member_u64(o, "total_ns", kept->name.total_ns);
	gt__member_u64(o, "self_ns", kept->name.self_ns);
	gt__member_u64(o, "guest_ns", kept->guest_ns);
	gt__member_u64(o, "exits_ns", kept->exits_ns);
	put_percentiles(o, kept);
	gt__put_char(o, '}');
}

static void put_i64(struct gt__out *o, const char *key, int64_t value)
{
	gt__member_key(o, ",", key);
	gt__put_char(o, '"');
	gt__put_i64(o, value);
	gt__put_char(o, '"');
}

static void put_ranks(struct gt__out *o, const char *key,
                      const struct gt__ranks *ranks)
{
	gt__member_key(o, ",", key);
	gt__put(o, "{\"p\":");
	gt__put_f64(o, ranks->p);
	gt__put(o, ",\"delta\":");
	gt__put_f64(o, ranks->delta);
	put_i64(o, "shift_ns", ranks->shift_ns);
	put_i64(o, "low_ns", ranks->low_ns);
	put_i64(o, "high_ns", ranks->high_ns);
	gt__put_char(o, '}');
}

static void put_test(struct gt__out *o, const struct gt__change *change)
{
	if (change->verdict == GT__NOT_TESTED) {
		gt__put(o, ",\"change\":null");
		return;
	}
	gt__put(o, ",\"change\":{\"verdict\":\"");
	gt__put(o, gt__verdict_word(change->verdict));
	gt__put(o, "\",\"of\":\"");
	gt__put(o, change->by_traces ? "runs" : "spans");
	gt__put_char(o, '"');
	put_ranks(o, "wall", &change->ranks);
	put_ranks(o, "guest", &change->guests);
	gt__put_char(o, '}');
}

static void put_traced(struct gt__collect_sink *x, const struct gt_trace *trace,
                       const struct gt_summary *summary)
{
	struct gt__out *o = &x->head.out;
	const struct gt_analysis *analysis = &x->analysis;
	const char *label =
		analysis->labels && trace->index < analysis->label_count
			? analysis->labels[trace->index]
			: NULL;

	gt__put(o, "{\"trace_id\":\"");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__put_char(o, '"');
	gt__put_losses_json(o, &summary->losses);
	if (label)
		gt__member_text(o, "file",
		                (struct gt_text){label, strlen(label)});
	gt__member_text(o, "guest", trace->guest_name);
	gt__member_word(o, "outcome", gt__ending_word(summary->ending));
	gt__member_u64(o, "duration_ns",
	               gt__elapsed_ns(trace, summary->end_ns));
	gt__member_u64(o, "guest_ns", summary->guest_ns);
	gt__member_u64(o, "spans", summary->spans);
	gt__member_number(o, "status", summary->status);
	gt__member_text(o, "message", summary->message);
	gt__put_char(o, '}');
}

/* One object, or with `before` of the analysis an array of them. */
static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	struct gt__out *o = &x->head.out;
	uint32_t before = x->analysis.before;

	if (!gt__is_of_diff(x))
		return;
	if (x->printed == 0)
		gt__put(o, before ? "{\"before\":[" : "{\"before\":");
	else if (x->printed == (before ? before : 1))
		gt__put(o, before ? "],\n\"after\":[" : ",\n\"after\":");
	else
		gt__put(o, ",\n");
	put_traced(x, c->head.trace, summary);
	gt__diff_keep(x, c, summary);
}

static void put_by(struct gt__out *o, const struct gt__name *n)
{
	gt__put(o, ",\"by\":");
	if (n->by.bytes)
		gt__put_json(o, n->by);
	else
		gt__put(o, "null");
}

static void put_fails(struct gt__collect_sink *x,
                      const struct gt__change *change)
{
	struct gt__fail_if bound;
	const char *why;

	if (x->analysis.fail_if &&
	    !gt__fail_if_read(x->analysis.fail_if, &bound, &why))
		gt__member_bool(&x->head.out, "fails",
		                gt__change_fails(x, &bound, change));
}

static void conclude(struct gt__collect_sink *x)
{
	struct gt__out *o = &x->head.out;
	struct gt__change *changes;
	uint32_t i, count;

	changes = gt__diff_changes(x, &count);
	if (!changes)
		return;
	gt__put(o, x->analysis.before ? "],\n\"names\":[" : ",\n\"names\":[");
	for (i = 0; i < count; i++) {
		const struct gt__name *name = gt__changed_name(&changes[i]);

		gt__put(o, i ? ",\n{\"name\":" : "\n{\"name\":");
		gt__put_json(o, name->name);
		gt__member_text(o, "target", name->target);
		if (x->analysis.by)
			put_by(o, name);
		put_side(o, "before", changes[i].before);
		put_side(o, "after", changes[i].after);
		put_test(o, &changes[i]);
		put_fails(x, &changes[i]);
		gt__put_char(o, '}');
		gt__out_record(o);
	}
	gt__put(o, "\n]}\n");
	free(changes);
}

int gt_diff_json_with(const struct gt_output *output,
                      const struct gt_report_options *options,
                      struct gt_sink **ret_sink)
{
	const struct gt_report_options plain = {
		.size = sizeof plain,
		.analysis = options ? options->analysis : NULL,
	};

	return gt__diff_new(output, &plain, true, print, conclude, ret_sink);
}

int gt_diff_json_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_diff_json_with(output, NULL, ret_sink);
}
