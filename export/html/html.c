/* SPDX-License-Identifier: MIT */
/* The html format: the page around the data, and each run's head. */
#include "html.h"
#include "export/out/escape.h"
#include "export/out/words.h"
#include <errno.h>
#include <stdlib.h>

/* Of one page. A run gets at most half of what the runs before it have left. */
#define PAGE_SPANS 400000u
#define RUN_SPANS  100000u
#define RUN_EVENTS 100000u

static void put_word(struct gt__out *o, const char *key, const char *word)
{
	gt__html_key(o, key);
	gt__put_char(o, '"');
	gt__put(o, word);
	gt__put_char(o, '"');
}

static void put_big(struct gt__out *o, const char *key, uint64_t value)
{
	gt__html_key(o, key);
	gt__put_char(o, '"');
	gt__put_u64(o, value);
	gt__put_char(o, '"');
}

static void put_names(struct gt__html_run *r)
{
	struct gt__out *o = r->out;
	uint32_t i;

	gt__html_number(o, "name_count", r->c->name_count);
	gt__html_key(o, "names");
	gt__put_char(o, '[');
	for (i = 0; i < r->c->name_count && i < GT__HTML_NAMES; i++) {
		const struct gt__name *n = &r->c->names[i];

		gt__put(o, i ? ",\n[" : "\n[");
		gt__html_text(o, n->name);
		gt__put_char(o, ',');
		gt__html_text(o, n->target);
		gt__html_column(o, n->count);
		gt__html_column(o, n->total_ns);
		gt__html_column(o, n->self_ns);
		if (gt__has_percentiles(n)) {
			gt__html_column(o, n->p50_ns);
			gt__html_column(o, n->p99_ns);
			gt__html_column(o, n->max_ns);
		} else {
			gt__put(o, ",null,null,null");
		}
		gt__html_column(o, n->unfinished);
		gt__put_char(o, ']');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
}

/* By which colours are dealt out. */
static void put_totals(struct gt__html_run *r, const char *key, bool target)
{
	struct gt__out *o = r->out;
	uint32_t i, count;
	struct gt__total *totals = gt__collect_totals(r->c, target, &count);

	if (!totals && !o->error)
		o->error = -ENOMEM;
	gt__html_key(o, key);
	gt__put_char(o, '[');
	for (i = 0; totals && i < count && i < GT__HTML_NAMES; i++) {
		gt__put(o, i ? ",\n[" : "\n[");
		gt__html_text(o, totals[i].text);
		gt__html_column(o, totals[i].ns);
		gt__put_char(o, ']');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
	free(totals);
}

static void put_losses(struct gt__html_run *r)
{
	const char *comma = "";
	size_t i;

	gt__html_key(r->out, "losses");
	gt__put_char(r->out, '[');
	for (i = 0; i < GT__LOSS_WORDS; i++) {
		uint64_t count = gt__loss(&r->summary->losses, i);

		if (!count)
			continue;
		gt__put(r->out, comma);
		gt__put(r->out, "[\"");
		gt__put(r->out, gt__loss_words[i].word);
		gt__put(r->out, "\",\"");
		gt__put(r->out, gt__loss_words[i].prose);
		gt__put(r->out, "\",\"");
		gt__put_u64(r->out, count);
		gt__put(r->out, "\"]");
		comma = ",";
	}
	gt__put_char(r->out, ']');
}

static void put_exits(struct gt__html_run *r)
{
	const char *comma = "";
	unsigned i;

	gt__html_key(r->out, "exits");
	gt__put_char(r->out, '[');
	for (i = 0; i < GT_EXIT_REASONS; i++) {
		if (!r->summary->exits[i])
			continue;
		gt__put(r->out, comma);
		gt__put(r->out, "[\"");
		gt__put(r->out, gt__exit_word(i));
		gt__put(r->out, "\",\"");
		gt__put_u64(r->out, r->summary->exits[i]);
		gt__put(r->out, "\"]");
		comma = ",";
	}
	gt__put_char(r->out, ']');
}

/* Where it was when the guest ended: the last span that was still open. */
static void put_last(struct gt__html_run *r)
{
	const struct gt__collect *c = r->c;
	uint64_t latest = 0;
	uint32_t i, last = GT__ROOT;

	for (i = 0; i < c->span_count; i++) {
		const struct gt_span_view *s = &c->spans[i].view;

		if (!(s->flags & GT_SPAN_INTERRUPTED) || s->sequence < latest)
			continue;
		latest = s->sequence;
		last = r->excerpt.place[i];
	}
	gt__html_key(r->out, "last_span");
	gt__put_i64(r->out, last == GT__ROOT ? -1 : (int64_t)last);
}

static void put_counts(struct gt__html_run *r)
{
	const struct gt__collect *c = r->c;
	uint32_t i, counters = 0;

	for (i = 0; i < c->event_count; i++)
		counters += c->events[i].counter;
	gt__html_number(r->out, "span_count", c->span_count);
	gt__html_number(r->out, "event_count", c->event_count - counters);
	gt__html_number(r->out, "counter_count", counters);
	gt__html_number(r->out, "hidden_spans", r->excerpt.hidden_count);
	gt__html_number(r->out, "hidden_events", r->hidden_events);
	put_big(r->out, "records", r->summary->records);
	put_big(r->out, "record_bytes", r->summary->record_bytes);
}

static void put_head(struct gt__html_run *r)
{
	const struct gt_trace *t = r->c->head.trace;
	const struct gt_summary *summary = r->summary;
	struct gt__out *o = r->out;

	gt__put(o, "{\"trace_id\":\"");
	gt__put_hex_bytes(o, t->trace_id, sizeof t->trace_id);
	gt__put_char(o, '"');
	gt__html_key(o, "guest");
	gt__html_text(o, t->guest_name);
	gt__html_key(o, "vm");
	gt__html_text(o, t->vm_name);
	gt__html_key(o, "vm_id");
	gt__html_text(o, t->vm_id);
	gt__html_key(o, "guest_build_id");
	gt__html_text(o, t->guest_build_id);
	gt__html_key(o, "host_name");
	gt__html_text(o, t->host_name);
	gt__html_key(o, "backend");
	gt__html_text(o, t->backend);
	put_word(o, "outcome", gt__ending_word(summary->ending));
	gt__html_number(o, "status", summary->status);
	gt__html_key(o, "message");
	gt__html_text(o, gt__html_shorten(summary->message));
	put_big(o, "start_ns", t->start_ns);
	gt__html_number(o, "duration_ns", gt__html_since(r, summary->end_ns));
	put_big(o, "error_bound_ns", summary->clock.error_bound_ns);
	gt__html_number(o, "vcpus", t->vcpus);
}

static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	struct gt__html_run r = {
		.out = &x->head.out, .c = c, .summary = summary};
	uint32_t limit = (PAGE_SPANS - x->spans_shown) / 2;
	int rc;

	if (limit > RUN_SPANS)
		limit = RUN_SPANS;
	rc = gt__excerpt_make(&r.excerpt, c, limit);
	if (!rc)
		rc = gt__html_choose_events(&r, RUN_EVENTS);
	if (rc) {
		gt__excerpt_fini(&r.excerpt);
		if (!x->head.out.error)
			x->head.out.error = rc;
		return;
	}
	x->spans_shown += r.excerpt.shown_count;
	if (!x->printed)
		gt__put_bytes(r.out, gt__html_before, gt__html_before_bytes);
	gt__put(r.out, x->printed ? ",\n" : "{\"traces\":[\n");
	put_head(&r);
	put_counts(&r);
	put_last(&r);
	put_losses(&r);
	gt__html_losses(&r);
	put_exits(&r);
	put_names(&r);
	put_totals(&r, "name_totals", false);
	put_totals(&r, "target_totals", true);
	gt__html_sums(&r);
	gt__html_parts(&r);
	gt__html_run_split(&r);
	gt__html_host(&r);
	gt__html_sites(&r);
	gt__html_spans(&r);
	gt__html_blocks(&r);
	gt__html_events(&r);
	gt__put_char(r.out, '}');
	gt__intern_fini(&r.sites);
	gt__excerpt_fini(&r.excerpt);
	free(r.event_shown);
}

static void conclude(struct gt__collect_sink *x)
{
	if (!x->printed) {
		gt__put_bytes(&x->head.out, gt__html_before,
		              gt__html_before_bytes);
		gt__put(&x->head.out, "{\"traces\":[");
	}
	gt__put(&x->head.out, "\n]}");
	gt__put_bytes(&x->head.out, gt__html_behind, gt__html_behind_bytes);
}
int gt_html_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt__collect_sink_new(output, print, conclude, ret_sink);
}
