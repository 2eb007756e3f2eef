/* SPDX-License-Identifier: MIT */
/* The slowest spans as JSON: docs/report.md. */
#include "analysis_views.h"
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "export/run/slowest.h"
#include "export/run/split_words.h"
#include "json_members.h"
#include <errno.h>

static void put_side(struct gt__out *o, const char *comma, const char *key,
                     const struct gt__collect *c, const struct gt__span *s)
{
	gt__member_key(o, comma, key);
	gt__put_char(o, '{');
	gt__member_id(o, "", "id", s->view.id);
	gt__member_u64(o, "start_ns", s->view.start_ns);
	gt__member_u64(o, "duration_ns", gt__span_ns(s));
	gt__member_u64(o, "self_ns", s->self_ns);
	gt__member_u64(o, "exits", gt__count_exits(c, s));
	gt__put(o, ",\"split\":");
	gt__put_split_json(o, &c->timeline, s->split);
	gt__put_char(o, '}');
}

static void put_value(struct gt__out *o, const struct gt_field *f)
{
	if (f)
		gt__put_json_value(o, f, true);
	else
		gt__put(o, "null");
}

static void put_fields(struct gt__out *o, const struct gt_span_view *slow,
                       const struct gt_span_view *median)
{
	const char *comma = "";
	size_t i;

	gt__put(o, ",\"fields\":[");
	for (i = 0; i < slow->field_count; i++) {
		const struct gt_field *f = &slow->fields[i];
		const struct gt_field *other = gt__other_field(median, f);

		if (other && gt__same_value(f, other))
			continue;
		gt__put(o, comma);
		gt__put_char(o, '[');
		gt__put_json(o, f->key);
		gt__put_char(o, ',');
		put_value(o, f);
		gt__put_char(o, ',');
		put_value(o, other);
		gt__put_char(o, ']');
		comma = ",";
	}
	gt__put_char(o, ']');
}

static void put_below(struct gt__out *o, const struct gt__collect *c,
                      uint32_t span, uint32_t median)
{
	uint32_t i, count;
	struct gt__below *rows = gt__find_below(c, span, median, &count);

	gt__put(o, ",\"below\":[");
	if (!rows)
		o->error = o->error ? o->error : -ENOMEM;
	for (i = 0; i < count; i++) {
		gt__put(o, i ? ",{\"name\":" : "{\"name\":");
		gt__put_json(o, rows[i].site->name);
		gt__member_text(o, "target", rows[i].site->target);
		gt__member_u64(o, "count", rows[i].count[0]);
		gt__member_u64(o, "median_count", rows[i].count[1]);
		gt__member_u64(o, "ns", rows[i].ns[0]);
		gt__member_u64(o, "median_ns", rows[i].ns[1]);
		gt__put_char(o, '}');
	}
	gt__put_char(o, ']');
	free(rows);
}

void gt__put_slowest_json(struct gt__out *o, struct gt__collect *c,
                          const struct gt_report_options *options,
                          const struct gt_analysis *analysis)
{
	uint32_t *spans = malloc(GT__SLOWEST_MAX * sizeof *spans);
	uint32_t i, count = 0, median = 0;

	gt__put(o, ",\n\"slowest\":[");
	if (spans)
		count = gt__find_slowest(c, options->name, analysis->slowest,
		                         spans);
	else
		o->error = o->error ? o->error : -ENOMEM;
	for (i = 0; i < count; i++) {
		const struct gt__span *s = &c->spans[spans[i]];

		if (!gt__find_beside(o, c, spans, i, &median))
			break;
		gt__put(o, i ? ",\n{\"name\":" : "\n{\"name\":");
		gt__put_json(o, s->view.site->name);
		gt__member_text(o, "target", s->view.site->target);
		put_side(o, ",", "span", c, s);
		put_side(o, ",", "median", c, &c->spans[median]);
		put_fields(o, &s->view, &c->spans[median].view);
		put_below(o, c, spans[i], median);
		gt__put_char(o, '}');
		gt__out_record(o);
	}
	gt__put_char(o, ']');
	free(spans);
}
