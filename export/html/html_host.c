/* SPDX-License-Identifier: MIT */
/* What the host did meanwhile, for the page, and what spans are split into. */
#include "html.h"
#include "export/out/words.h"
#include <errno.h>

#define STRETCHES 100000u /* of a run; more are drawn as fewer */
#define MERGED    4       /* in place of a kind: guest runs and exits in turn */

/* Consecutive stretches of one vCPU. */
struct group {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t waiting_ns;
	uint32_t count;
};

static void begin(struct gt__html_run *r, bool *first)
{
	gt__put(r->out, *first ? "\n[" : ",\n[");
	*first = false;
}

static void put_times(struct gt__html_run *r, uint64_t start_ns,
                      uint64_t end_ns)
{
	gt__html_column(r->out, gt__html_since(r, start_ns));
	gt__html_column(r->out, end_ns - start_ns);
}

static void put_stretch(struct gt__html_run *r, const struct gt__host_span *h)
{
	struct gt__out *o = r->out;

	gt__put_u64(o, h->kind);
	gt__put(o, ",\"");
	gt__put(o, gt__exit_word(h->reason));
	gt__put_char(o, '"');
	put_times(r, h->start_ns, h->end_ns);
	gt__html_column(o, h->vcpu);
	gt__html_column(o, h->port);
	gt__html_column(o, h->tracing);
	gt__html_column(o, h->waiting_ns);
	gt__html_column(o, h->flags);
	gt__put_char(o, ',');
	if (h->kind == GT_HOST_WORK)
		gt__html_text(o, h->name);
	else
		gt__put_char(o, '1');
	gt__put_char(o, ']');
	gt__out_record(o);
}

static void put_group(struct gt__html_run *r, uint32_t vcpu, struct group *g,
                      bool *first)
{
	struct gt__out *o = r->out;

	if (!g->count)
		return;
	begin(r, first);
	gt__put_u64(o, MERGED);
	gt__put(o, ",\"\"");
	put_times(r, g->start_ns, g->end_ns);
	gt__html_column(o, vcpu);
	gt__html_column(o, 0);
	gt__html_column(o, 0);
	gt__html_column(o, g->waiting_ns);
	gt__html_column(o, 0);
	gt__html_column(o, g->count);
	gt__put_char(o, ']');
	gt__out_record(o);
	g->count = 0;
}

static void extend(struct group *g, const struct gt__host_span *h)
{
	if (!g->count)
		*g = (struct group){.start_ns = h->start_ns};
	g->end_ns = h->end_ns > g->start_ns ? h->end_ns : g->start_ns;
	g->waiting_ns += h->waiting_ns;
	g->count++;
}

/* Too many to draw: so many neighbours in one. The VMM's own work is left out.
 */
static void put_groups(struct gt__html_run *r)
{
	const struct gt__collect *c = r->c;
	uint32_t i, size = (c->host_span_count - 1) / STRETCHES + 1;
	struct group *groups = calloc(GT_VCPUS_MAX, sizeof *groups);
	bool first = true;

	if (!groups) {
		r->out->error = r->out->error ? r->out->error : -ENOMEM;
		return;
	}
	for (i = 0; i < c->host_span_count; i++) {
		const struct gt__host_span *h = &c->host_spans[i];
		struct group *g = &groups[h->vcpu % GT_VCPUS_MAX];

		if (h->kind == GT_HOST_WORK)
			continue;
		extend(g, h);
		if (g->count == size)
			put_group(r, h->vcpu, g, &first);
	}
	for (i = 0; i < GT_VCPUS_MAX; i++)
		put_group(r, i, &groups[i], &first);
	free(groups);
}

void gt__html_host(struct gt__html_run *r)
{
	const struct gt__collect *c = r->c;
	bool first = true, many = c->host_span_count > STRETCHES;
	uint32_t i;

	gt__html_number(r->out, "merged_stretches",
	                many ? c->host_span_count : 0);
	gt__html_key(r->out, "host");
	gt__put_char(r->out, '[');
	if (many)
		put_groups(r);
	for (i = 0; !many && i < c->host_span_count; i++) {
		begin(r, &first);
		put_stretch(r, &c->host_spans[i]);
	}
	gt__put_char(r->out, ']');
}

/* ---- Splits -------------------------------------------------------------- */

static void put_part(struct gt__out *o, enum gt__part part)
{
	switch (part) {
	case GT__PART_GUEST:
		gt__put(o, "guest");
		break;
	case GT__PART_WAITING:
		gt__put(o, "waiting");
		break;
	case GT__PART_UNKNOWN:
		gt__put(o, "unknown");
		break;
	case GT__PART_TRACING:
		gt__put(o, "tracing");
		break;
	default:
		gt__put(o, "exit ");
		gt__put(o, gt__exit_word(part - GT__PART_EXIT));
		break;
	}
}

void gt__html_parts(struct gt__html_run *r)
{
	const struct gt__timeline *t = &r->c->timeline;
	uint32_t i;

	gt__html_key(r->out, "parts");
	gt__put_char(r->out, '[');
	for (i = 0; i < t->columns; i++) {
		gt__put(r->out, i ? ",\"" : "\"");
		put_part(r->out, t->parts[i]);
		gt__put_char(r->out, '"');
	}
	gt__put_char(r->out, ']');
}

void gt__html_run_split(struct gt__html_run *r)
{
	const struct gt_trace *trace = r->c->head.trace;
	uint64_t row[GT__PARTS] = {0};

	gt__timeline_sum(&r->c->timeline, trace->vcpus, trace->start_ns,
	                 r->summary->end_ns, row);
	gt__html_key(r->out, "split");
	gt__html_split(r, row);
}
