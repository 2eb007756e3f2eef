/* SPDX-License-Identifier: MIT */
#include "otlp_sites.h"
#include "otlp_attributes.h"
#include <errno.h>
#include <stdlib.h>

void gt__otlp_sites_fini(struct gt__otlp_sites *sites)
{
	gt__intern_fini(&sites->numbers);
	free(sites->openings);
	gt__out_fini(&sites->encoded);
	gt__out_fini(&sites->single);
}

static int grow(struct gt__otlp_sites *s)
{
	uint32_t size = s->opening_size ? s->opening_size * 2 : 64;
	struct gt__otlp_opening *openings;

	if (s->opening_count < s->opening_size)
		return 0;
	openings = realloc(s->openings, size * sizeof *openings);
	if (!openings)
		return -ENOMEM;
	s->openings = openings;
	s->opening_size = size;
	return 0;
}

static int put(struct gt__out *to, const struct gt__otlp_encoding *encoding,
               enum gt__otlp_item item, const struct gt_site_view *site)
{
	struct gt_field host[GT__OTLP_SITE_MAX];

	encoding->open(to, item, site->name, host, gt__otlp_site(host, site));
	return to->error;
}

/* Encodes a site that has a number; where it is kept, it is the next one. */
static int keep(struct gt__otlp_sites *s,
                const struct gt__otlp_encoding *encoding,
                enum gt__otlp_item item, const struct gt_site_view *site)
{
	size_t from = s->encoded.used;
	int rc = grow(s);

	if (!rc)
		rc = put(&s->encoded, encoding, item, site);
	if (!rc)
		s->openings[s->opening_count++] = (struct gt__otlp_opening){
			(uint32_t)from, (uint32_t)(s->encoded.used - from)};
	return rc;
}

static struct gt_text find(struct gt__otlp_sites *s,
                           const struct gt__otlp_encoding *encoding,
                           enum gt__otlp_item item,
                           const struct gt_site_view *site)
{
	struct gt__otlp_opening *opening;
	uint32_t number = 0;
	bool is_new;

	s->error = gt__intern(&s->numbers, site, &number, &is_new);
	if (!s->error && is_new && s->encoded.used < GT__OTLP_SITES_BYTES)
		s->error = keep(s, encoding, item, site);
	if (s->error)
		return (struct gt_text){NULL, 0};
	if (number - 1 < s->opening_count) { /* no number: 0 - 1 */
		opening = &s->openings[number - 1];
		return (struct gt_text){s->encoded.bytes + opening->at,
		                        opening->count};
	}
	s->single.used = 0;
	s->error = put(&s->single, encoding, item, site);
	return (struct gt_text){s->single.bytes, s->single.used};
}

struct gt_text gt__otlp_opening(struct gt__otlp_sites *s,
                                const struct gt__otlp_encoding *encoding,
                                enum gt__otlp_item item,
                                const struct gt_site_view *site)
{
	if (s->last != site || s->error) {
		s->last_opening = find(s, encoding, item, site);
		s->last = site;
	}
	return s->last_opening;
}
