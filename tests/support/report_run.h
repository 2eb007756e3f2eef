/* SPDX-License-Identifier: MIT */
/* What the tests of texts for people print: a run, and two that differ. */
#ifndef REPORT_RUN_H
#define REPORT_RUN_H

#include "synthetic.h"
#include "export/out/out.h"

/* INFO, of target `t`, named as they are here. */
extern const struct gt_site_view outer, inner, leaf, note;

typedef int new_fn(const struct gt_output *output,
                   const struct gt_report_options *options,
                   struct gt_sink **ret_sink);

/* Of a struct gt_output whose context is a struct gt__out. */
int write_all(void *context, const void *bytes, size_t count);

/*
 * What `new_sink` prints of a run, NUL-terminated; free() it:
 *
 * outer 0..10000 [note, inner 1000..5000 [leaf 2000..2500, note]],
 * leaf 20000..20100; the vCPU was out of the guest from 4000 to 5000.
 */
char *printed(new_fn *new_sink, struct gt_report_options options);

/* A run of 6 us: `site` takes `duration_ns`, `other` 10 ns. */
void traced(struct syn *s, uint32_t index, const struct gt_site_view *site,
            uint64_t duration_ns, const struct gt_site_view *other);

#define SHOWS(text, what)                                        \
	do {                                                     \
		if (!strstr(text, what))                         \
			fail_msg("no '%s' in:\n%s", what, text); \
	} while (0)
#define SHOWS_NOT(text, what)                                    \
	do {                                                     \
		if (strstr(text, what))                          \
			fail_msg("'%s' is in:\n%s", what, text); \
	} while (0)

#endif
