/* SPDX-License-Identifier: MIT */
/*
 * The attributes of OTLP that the host sets, as lists of fields. Names are
 * OpenTelemetry's where it has them, else begin with `guesttrace.`.
 */
#ifndef GUESTTRACE_OTLP_ATTRIBUTES_H
#define GUESTTRACE_OTLP_ATTRIBUTES_H

#include "export/out/words.h"
#include <guesttrace/export_otlp.h>

#define GT__OTLP_SITE_MAX  5u
#define GT__OTLP_PLACE_MAX (3u + GT__FLAG_WORDS)
#define GT__OTLP_HOST_MAX  (6u + GT__OTLP_PLACE_MAX)
#define GT__OTLP_RUN_MAX   (7u + GT_EXIT_REASONS + GT__LOSS_WORDS)
#define GT__OTLP_LOSS_MAX  5u

/* The one that every span has and that differs for each. */
#define GT__OTLP_GUEST_ID "guesttrace.guest_id"

struct gt__otlp_place {
	uint32_t vcpu;
	uint32_t close_vcpu;
	uint32_t level;
	unsigned flags;
};

/*
 * Each puts its list at `to`, which has room for the count above, and returns
 * how many it put.
 */
/* Where it was recorded: guesttrace.target and .level, code.file.path, ... */
size_t gt__otlp_site(struct gt_field *to, const struct gt_site_view *site);
/* Whose and how: the vCPUs that began and ended it, nesting, flags. */
size_t gt__otlp_place(struct gt_field *to, const struct gt__otlp_place *place);
/*
 * An event's span, and its trace unless that is NULL, the run's; in hex, for
 * which there is room at `hex`. Puts one field or two.
 */
#define GT__OTLP_SPAN_ID_MAX 2u
#define GT__OTLP_SPAN_ID_HEX 48u
size_t gt__otlp_span_id(struct gt_field *to, uint64_t id,
                        const struct gt_span_trace *trace, char *hex);
/*
 * How a run failed, if it did: a word for `error.type`, a text for people.
 * Both point into it or to what the summary points to.
 */
struct gt__otlp_failure {
	struct gt_text type, message;
	char status[11], words[32];
};

/* Of an ending that is not known yet, NULL, nothing is said. */
bool gt__otlp_failure(const struct gt_summary *summary,
                      struct gt__otlp_failure *failure);
void gt__otlp_error_type(struct gt_field *to,
                         const struct gt__otlp_failure *failure);
/* Whether the guest says by itself of what kind an error was. */
bool gt__otlp_has_error_type(const struct gt_field *fields, size_t count);

/*
 * Of a span that no guest recorded; of a run, its outcome and losses, and its
 * failure unless that is NULL.
 */
size_t gt__otlp_synthetic(struct gt_field *to, const struct gt_summary *summary,
                          const struct gt__otlp_failure *failure);

/* Of a loss: since when, and how much of what. */
size_t gt__otlp_loss(struct gt_field *to, const struct gt_loss_view *loss);

/* Of what the host did: which of it, why, whose. */
size_t gt__otlp_stretch(struct gt_field *to,
                        const struct gt_host_span_view *span);

/* The resource: what is given, and of the defaults what is not. */
#define GT__OTLP_RESOURCE_MAX 15u /* beside those given */
size_t gt__otlp_resource(struct gt_field *to, const struct gt_trace *trace,
                         const struct gt_otlp_attribute *given, size_t count);

/*
 * Looking for equal keys is quadratic: of a larger list gt__otlp_last_of_each()
 * takes them out before.
 */
#define GT__OTLP_UNIQUE_MAX 256u

/*
 * Stores a list, to be freed, of those whose key does not come again; in their
 * order. Beyond GT__KEYS_MAX different keys equal ones may stay. 0 or -ENOMEM.
 */
int gt__otlp_last_of_each(const struct gt_field *fields, size_t count,
                          struct gt_field **ret_list, size_t *ret_from);

/* Room for fields, which is used again; zeroed there is none. */
struct gt__otlp_fields {
	struct gt_field *at; /* for free() */
	size_t room;
};

/* 0, or -ENOMEM: then it is as it was. */
int gt__otlp_fields_room(struct gt__otlp_fields *fields, size_t count);

/*
 * Keys of an attribute list are unique: of a guest's equal ones the last
 * counts. Whether fields[i] is not that one.
 */
static inline bool gt__otlp_comes_again(const struct gt_field *fields, size_t i,
                                        size_t count)
{
	size_t j;

	if (count > GT__OTLP_UNIQUE_MAX)
		return false;
	for (j = i + 1; j < count; j++)
		if (gt__same_text(fields[i].key, fields[j].key))
			return true;
	return false;
}

#endif
