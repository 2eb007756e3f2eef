/* SPDX-License-Identifier: MIT */
/* What is missing of a run, and where, for the page. */
#include "html.h"
#include "export/out/losses.h"
#include "export/out/words.h"
#include <errno.h>

#define GAPS 10000u /* of a run; more are drawn as fewer */

/* Consecutive ones of one vCPU. */
struct group {
	struct gt_loss_view sum;
	uint32_t count;
};

static void put_group(struct gt__html_run *r, struct group *g, bool *first)
{
	struct gt__out *o = r->out;
	uint64_t start = gt__html_since(r, g->sum.from_ns);

	if (!g->count)
		return;
	gt__put(o, *first ? "\n[" : ",\n[");
	*first = false;
	gt__put_u64(o, start);
	gt__html_column(o, gt__html_since(r, g->sum.to_ns) - start);
	gt__html_column(o, g->sum.vcpu);
	gt__html_column(o, g->count);
	gt__put(o, ",\"");
	gt__put_gap(o, &g->sum);
	gt__put(o, "\"]");
	gt__out_record(o);
	g->count = 0;
}

static void extend(struct group *g, const struct gt_loss_view *gap)
{
	if (!g->count++) {
		g->sum = *gap;
		return;
	}
	if (gap->from_ns < g->sum.from_ns)
		g->sum.from_ns = gap->from_ns;
	if (gap->to_ns > g->sum.to_ns)
		g->sum.to_ns = gap->to_ns;
	g->sum.records += gap->records;
	g->sum.overwritten_bytes += gap->overwritten_bytes;
	g->sum.bad_records += gap->bad_records;
	g->sum.bad_bytes += gap->bad_bytes;
}

static void put_gaps(struct gt__html_run *r)
{
	const struct gt__collect *c = r->c;
	uint32_t i, size = c->gap_count / (GAPS + 1) + 1;
	struct group *groups = calloc(GT_VCPUS_MAX, sizeof *groups);
	bool first = true;

	if (!groups) {
		r->out->error = r->out->error ? r->out->error : -ENOMEM;
		return;
	}
	for (i = 0; i < c->gap_count; i++) {
		const struct gt_loss_view *gap = &c->gaps[i].view;
		struct group *g = &groups[gap->vcpu % GT_VCPUS_MAX];

		extend(g, gap);
		if (g->count == size)
			put_group(r, g, &first);
	}
	for (i = 0; i < GT_VCPUS_MAX; i++)
		put_group(r, &groups[i], &first);
	free(groups);
}

void gt__html_losses(struct gt__html_run *r)
{
	gt__html_key(r->out, "lost");
	gt__put_char(r->out, '"');
	gt__put_lost(r->out, r->summary);
	gt__put_char(r->out, '"');
	gt__html_key(r->out, "gaps");
	gt__put_char(r->out, '[');
	put_gaps(r);
	gt__put_char(r->out, ']');
}
