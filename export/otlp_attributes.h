/* SPDX-License-Identifier: MIT */
/*
 * The attributes of OTLP that the host sets, as lists of fields. Names are
 * OpenTelemetry's where it has them, else begin with `guesttrace.`.
 */
#ifndef GUESTTRACE_OTLP_ATTRIBUTES_H
#define GUESTTRACE_OTLP_ATTRIBUTES_H

#include "words.h"

#define GT__OTLP_SITE_MAX 4u
#define GT__OTLP_OWN_MAX  (4u + GT__FLAG_WORDS)
#define GT__OTLP_RUN_MAX  (5u + GT_EXIT_REASONS + GT__LOSS_WORDS)

/*
 * Each puts its list at `to`, which has room for the count above, and returns
 * how many it put.
 */
/* Where it was recorded: guesttrace.target and .level, code.file.path, ... */
size_t gt__otlp_site(struct gt_field *to, const struct gt_site_view *site);
size_t gt__otlp_span(struct gt_field *to, const struct gt_span_view *span);
/* `hex` has room for 16 digits; with it, the event names its span. */
size_t gt__otlp_event(struct gt_field *to, const struct gt_event_view *event,
                      char *hex);
/* Of a span that no guest recorded; of a run, its outcome and losses. */
size_t gt__otlp_synthetic(struct gt_field *to,
                          const struct gt_summary *summary);

/* The resource: what is given, and of the defaults what is not. */
#define GT__OTLP_RESOURCE_MAX 10u /* beside those given */
size_t gt__otlp_resource(struct gt_field *to, const struct gt_trace *trace,
                         const struct gt_otlp_attribute *given, size_t count);

/*
 * Keys of an attribute list are unique: of a guest's equal ones the last
 * counts. Whether fields[i] is not that one.
 */
bool gt__otlp_comes_again(const struct gt_field *fields, size_t i,
                          size_t count);

#endif
