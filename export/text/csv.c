/* SPDX-License-Identifier: MIT */
/*
 * One line per span, RFC 4180, in the order in which spans end; one per loss
 * when it is noticed, and one per run at its end: the last column says which it
 * is. Ids are hex as elsewhere, guest_id is decimal; control characters in text
 * are escaped (escape.h), so that every record is one line, and a text that a
 * spreadsheet would take for a formula has a mark in front.
 */
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "export/out/losses.h"
#include "export/run/run_sink.h"
#include "export/out/words.h"

struct csv {
	struct gt__run_sink head;
	bool begun;
};

static void put_header(struct csv *x)
{
	if (!x->begun)
		gt__put(&x->head.out,
		        "trace_id,span_id,parent_id,guest_id,vcpu,name,target,"
		        "level,start_ns,end_ns,duration_ns,status,flags,"
		        "fields,kind\r\n");
	x->begun = true;
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	struct csv *x = (struct csv *)sink;

	(void)trace;
	put_header(x);
	return gt__out_record(&x->head.out);
}

static void put_cell(struct gt__out *o, uint64_t value)
{
	gt__put_u64(o, value);
	gt__put_char(o, ',');
}

/* Words with a space between. */
static void put_flags(struct gt__out *o, unsigned flags)
{
	const char *space = "";
	size_t i;

	for (i = 0; i < GT__FLAG_WORDS; i++) {
		if (!(flags & gt__flag_words[i].flag))
			continue;
		gt__put(o, space);
		gt__put(o, gt__flag_words[i].word);
		space = " ";
	}
	gt__put_char(o, ',');
}

static void put_fields(struct gt__out *o, const struct gt_span_view *span)
{
	size_t from = o->used;

	gt__put_char(o, '{');
	gt__put_json_members(o, span->fields, span->field_count, false);
	gt__put_char(o, '}');
	gt__quote_csv(o, from);
	gt__put(o, ",span\r\n");
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct gt__out *o = &((struct csv *)sink)->head.out;

	gt__put_hex_bytes(
		o, span->trace ? span->trace->trace_id : trace->trace_id, 16);
	gt__put_char(o, ',');
	gt__put_hex(o, span->id, 16);
	gt__put_char(o, ',');
	if (span->parent_id)
		gt__put_hex(o, span->parent_id, 16);
	gt__put_char(o, ',');
	put_cell(o, span->guest_id);
	put_cell(o, span->vcpu);
	gt__put_csv(o, span->site->name);
	gt__put_char(o, ',');
	gt__put_csv(o, span->site->target);
	gt__put_char(o, ',');
	gt__put(o, gt__level_word(span->site->level));
	gt__put_char(o, ',');
	put_cell(o, span->start_ns);
	put_cell(o, span->end_ns);
	put_cell(o, span->end_ns - span->start_ns);
	gt__put(o, gt__status_word(span->status));
	gt__put_char(o, ',');
	put_flags(o, span->flags);
	put_fields(o, span);
	return gt__out_record(o);
}

/* Of a line that is no span's: what is before its name. Lines that begin with
 * an id without quotes are spans, for who counts these with a line editor. */
static void put_origin(struct gt__out *o, const struct gt_trace *trace,
                       uint64_t id, uint64_t parent_id)
{
	gt__put_char(o, '"');
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__put(o, "\",");
	if (id)
		gt__put_hex(o, id, 16);
	gt__put_char(o, ',');
	if (parent_id)
		gt__put_hex(o, parent_id, 16);
	gt__put(o, ",,"); /* no guest_id */
}

/* What is behind its name, up to its fields. */
static void put_times(struct gt__out *o, uint64_t start_ns, uint64_t end_ns)
{
	gt__put(o, ",guesttrace,,");
	put_cell(o, start_ns);
	put_cell(o, end_ns);
	put_cell(o, end_ns > start_ns ? end_ns - start_ns : 0);
	gt__put(o, ",,"); /* no status, no flags */
}

static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	struct gt__out *o = &((struct csv *)sink)->head.out;
	size_t from;

	put_origin(o, trace, 0, loss->span_id);
	put_cell(o, loss->vcpu);
	from = o->used;
	gt__put(o, "LOST ");
	gt__put_gap(o, loss);
	gt__quote_csv(o, from);
	put_times(o, loss->from_ns, loss->to_ns);
	from = o->used;
	gt__put_char(o, '{');
	gt__put_gap_members(o, loss);
	gt__put_char(o, '}');
	gt__quote_csv(o, from);
	gt__put(o, ",lost\r\n");
	return gt__out_record(o);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct gt__out *o = &((struct csv *)sink)->head.out;
	size_t from;

	put_origin(o, trace, trace->run_id, trace->parent_id);
	gt__put_char(o, ','); /* of no vCPU */
	from = o->used;
	gt__put(o, "run ");
	gt__put_outcome(o, summary);
	gt__quote_csv(o, from);
	put_times(o, trace->start_ns, summary->end_ns);
	from = o->used;
	gt__put_char(o, '{');
	gt__put_outcome_members(o, summary);
	gt__put_char(o, '}');
	gt__quote_csv(o, from);
	gt__put(o, ",run\r\n");
	return gt__out_flush(o);
}

static int finish(struct gt_sink *sink)
{
	struct csv *x = (struct csv *)sink;

	put_header(x);
	return gt__out_flush(&x->head.out);
}

int gt_csv_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	static const struct gt_sink calls = {
		.begin = begin,
		.close = close_span,
		.loss = put_loss,
		.end = end,
		.finish = finish,
	};

	return gt__run_sink_new(sizeof(struct csv), &calls, NULL, output,
	                        ret_sink);
}
