/* SPDX-License-Identifier: MIT */
/*
 * What every span or event of a site has in common, encoded once: it is most
 * of a span's bytes. Of one run, as sites are.
 */
#ifndef GUESTTRACE_OTLP_SITES_H
#define GUESTTRACE_OTLP_SITES_H

#include "export/out/intern.h"
#include "otlp.h"

/* Beyond that a site is encoded each time. */
#define GT__OTLP_SITES_BYTES (4u << 20)

struct gt__otlp_opening {
	uint32_t at; /* in `encoded` */
	uint32_t count;
};

struct gt__otlp_sites { /* zeroed is a valid beginning */
	struct gt__intern numbers;
	struct gt__otlp_opening *openings; /* by number - 1 */
	uint32_t opening_count, opening_size;
	struct gt__out encoded;
	struct gt__out single;           /* of a site beyond the bounds */
	const struct gt_site_view *last; /* and its opening */
	struct gt_text last_opening;
	int error;
};

void gt__otlp_sites_fini(struct gt__otlp_sites *sites);

/* Borrowed until the next call; empty with `error` set when out of memory. */
struct gt_text gt__otlp_opening(struct gt__otlp_sites *sites,
                                const struct gt__otlp_encoding *encoding,
                                enum gt__otlp_item item,
                                const struct gt_site_view *site);

#endif
