/* SPDX-License-Identifier: MIT */
/* The slowest spans, each beside the median one of its name. */
#include "analysis_views.h"
#include "export/out/escape.h"
#include "export/out/numbers.h"
#include "export/out/values.h"
#include "export/out/words.h"
#include "export/run/slowest.h"
#include "export/run/split_words.h"
#include "tree.h"
#include <errno.h>

#define LINES_MAX 40u /* of a tree */
#define BELOW_MAX 5u  /* names */
#define WIDTH     12u

struct pair {
	const struct gt__collect *c;
	const struct gt__span *slow, *median;
};

/* "  +1.2 ms  what", unless it is less than a hundredth of what there is. */
static void put_difference(struct gt__out *o, const struct pair *p, uint64_t ns,
                           uint64_t median_ns, const char *what,
                           struct gt_text name)
{
	uint64_t more = ns > median_ns ? ns - median_ns : median_ns - ns;
	size_t from = o->used;

	if (more < gt__span_ns(p->slow) / 100 + 1)
		return;
	gt__put_padding(o, gt__duration_columns(o, more) + 1, WIDTH + 2);
	gt__paint(o, ns > median_ns ? GT__RED : GT__GREEN);
	gt__put_char(o, ns > median_ns ? '+' : '-');
	gt__put_duration(o, more);
	gt__unpaint(o);
	gt__put(o, "  ");
	gt__put(o, what);
	gt__put_terminal(o, name);
	gt__wrap_line(o, from, WIDTH + 4);
}

static void put_parts(struct gt__out *o, const struct pair *p)
{
	static const struct gt_text none = {"", 0};
	const struct gt__timeline *t = &p->c->timeline;
	const uint64_t *slow = p->slow->split, *median = p->median->split;

	put_difference(o, p, p->slow->self_ns, p->median->self_ns,
	               "itself, outside of what is below", none);
	if (!t->moment_count)
		return;
	put_difference(o, p, gt__split_part_ns(t, slow, GT__PART_GUEST),
	               gt__split_part_ns(t, median, GT__PART_GUEST),
	               "in the guest, with what is below", none);
	put_difference(o, p, gt__split_exits_ns(t, slow),
	               gt__split_exits_ns(t, median), "in exits", none);
	put_difference(o, p, gt__split_part_ns(t, slow, GT__PART_TRACING),
	               gt__split_part_ns(t, median, GT__PART_TRACING),
	               "in exits for tracing", none);
	put_difference(o, p, gt__split_part_ns(t, slow, GT__PART_WAITING),
	               gt__split_part_ns(t, median, GT__PART_WAITING),
	               "waiting for a CPU of the host (estimated)", none);
}

static void put_below(struct gt__out *o, const struct pair *p)
{
	uint32_t i, count;
	struct gt__below *below =
		gt__find_below(p->c, (uint32_t)(p->slow - p->c->spans),
	                       (uint32_t)(p->median - p->c->spans), &count);

	if (!below) {
		o->error = o->error ? o->error : -ENOMEM;
		return;
	}
	for (i = 0; i < count && i < BELOW_MAX; i++)
		put_difference(o, p, below[i].ns[0], below[i].ns[1], "in ",
		               below[i].site->name);
	free(below);
}

static void put_count(struct gt__out *o, uint64_t count, uint64_t median)
{
	size_t from = o->used;
	uint64_t more = count > median ? count - median : median - count;

	if (!more)
		return;
	gt__put_padding(o, gt__digits(more) + 1, WIDTH + 2);
	gt__put_char(o, count > median ? '+' : '-');
	gt__put_u64(o, more);
	gt__put(o, more == 1 ? "  exit" : "  exits");
	gt__wrap_line(o, from, WIDTH + 4);
}

/* ---- Fields -------------------------------------------------------------- */

const struct gt_field *gt__other_field(const struct gt_span_view *other,
                                       const struct gt_field *f)
{
	size_t i = other->field_count;

	while (i--)
		if (gt__same_text(other->fields[i].key, f->key))
			return &other->fields[i];
	return NULL;
}

bool gt__same_value(const struct gt_field *a, const struct gt_field *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == GT_TYPE_STRING || a->type == GT_TYPE_BYTES)
		return gt__same_text(a->value.text, b->value.text);
	if (a->type == GT_TYPE_BOOL)
		return a->value.boolean == b->value.boolean;
	return a->value.u64 == b->value.u64; /* words, all of them */
}

static void put_value(struct gt__out *o, const struct gt_field *f)
{
	if (!f)
		gt__put(o, "none");
	else if (f->type == GT_TYPE_BYTES)
		gt__put_hex_bytes(o, f->value.text.bytes, f->value.text.count);
	else if (!gt__put_plain(o, f))
		gt__put_logfmt(o, f->value.text);
}

static void put_fields(struct gt__out *o, const struct gt_span_view *slow,
                       const struct gt_span_view *median)
{
	size_t i, from;

	for (i = 0; i < slow->field_count; i++) {
		const struct gt_field *f = &slow->fields[i];
		const struct gt_field *other = gt__other_field(median, f);

		if (other && gt__same_value(f, other))
			continue;
		from = o->used;
		gt__put_spaces(o, WIDTH + 4);
		gt__put_logfmt(o, f->key);
		gt__put_char(o, '=');
		put_value(o, f);
		gt__put(o, "  the median one: ");
		put_value(o, other);
		gt__wrap_line(o, from, WIDTH + 6);
	}
}

/* The median of the one before is that of all of its name. */
bool gt__find_beside(struct gt__out *o, struct gt__collect *c,
                     const uint32_t *spans, uint32_t i, uint32_t *median)
{
	bool done = true;

	if (!i || c->spans[spans[i]].group != c->spans[spans[i - 1]].group)
		done = gt__find_median(c, spans[i], median);
	done = done && gt__collect_time(c, &c->spans[spans[i]]) &&
	       gt__collect_time(c, &c->spans[*median]);
	if (!done && !o->error)
		o->error = -ENOMEM;
	return done;
}

/* ---- One of them --------------------------------------------------------- */

static void put_head(struct gt__out *o, const struct pair *p, uint32_t rank)
{
	const struct gt_span_view *v = &p->slow->view;
	uint64_t ns = gt__span_ns(p->slow), median_ns = gt__span_ns(p->median);
	size_t from;

	gt__put_char(o, '\n');
	from = o->used;
	gt__put_char(o, '#');
	gt__put_u64(o, rank);
	gt__put(o, "  ");
	gt__put_bold(o, v->site->name);
	gt__put(o, "  ");
	gt__put_duration(o, ns);
	gt__put(o, " at +");
	gt__put_duration(o, gt__elapsed_ns(p->c->head.trace, v->start_ns));
	if (p->slow == p->median) {
		gt__put(o, ", the median of its name");
	} else {
		gt__put(o, ", ");
		gt__put_percent(o, ns, median_ns * 100, 0);
		gt__put(o, " times the median of ");
		gt__put_duration(o, median_ns);
	}
	gt__wrap_line(o, from, 4);
}

void gt__put_slowest(struct gt__out *o, struct gt__collect *c,
                     const struct gt_summary *summary,
                     const struct gt_report_options *options,
                     const struct gt_analysis *analysis)
{
	uint32_t *spans = malloc(GT__SLOWEST_MAX * sizeof *spans);
	uint32_t i, count, median = 0;

	if (!spans) {
		o->error = o->error ? o->error : -ENOMEM;
		return;
	}
	count = gt__find_slowest(c, options->name, analysis->slowest, spans);
	if (!count)
		gt__put(o, "\nno span of that kind\n");
	for (i = 0; i < count; i++) {
		struct pair p = {.c = c, .slow = &c->spans[spans[i]]};
		uint64_t hidden;

		if (!gt__find_beside(o, c, spans, i, &median))
			break;
		p.median = &c->spans[median];
		put_head(o, &p, i + 1);
		put_fields(o, &p.slow->view, &p.median->view);
		put_below(o, &p);
		put_parts(o, &p);
		put_count(o, gt__count_exits(c, p.slow),
		          gt__count_exits(c, p.median));
		hidden = gt__put_subtree(o, c, summary, spans[i],
		                         options->depth, LINES_MAX);
		if (!hidden)
			continue;
		gt__put_u64(o, hidden);
		gt__put(o, " more below\n");
	}
	free(spans);
}
