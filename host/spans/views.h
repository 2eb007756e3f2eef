/* SPDX-License-Identifier: MIT */
/*
 * What sinks are shown, made from what records say. The memory is reused from
 * one view to the next and grows to the largest, so nothing is allocated per
 * record. Texts of a guest become valid UTF-8 here.
 */
#ifndef GT_HOST_VIEWS_H
#define GT_HOST_VIEWS_H

#include "host/decode/native.h"
#include "opentable.h"
#include "traces.h"

/* Exported ids and the run's own trace, which links refer to. */
struct gt__names {
	uint8_t trace_id[16];
	uint8_t flags; /* W3C trace flags */
	struct gt_sampler sampler;
	uint64_t id_base;
	uint64_t run_id; /* exported */
	/* Where links find spans of other traces; NULL: there are none. */
	const struct gt__open_table *open;
	const struct gt__traces *traces;
};

/* Of the span the guest numbers so; NULL: the run's. */
struct gt__trace *gt__names_trace(const struct gt__names *names, uint64_t id);

static inline uint64_t gt__exported(const struct gt__names *names, uint64_t id)
{
	uint64_t exported = names->id_base + id;

	if (id == 0)
		return 0;
	return exported ? exported : 1; /* 0 would mean "none" */
}

/*
 * Ids of the host's own spans. Those of the native wire have other low bits,
 * and no Hyperlight guest counts this far.
 */
#define GT__RUN_ID (UINT64_C(1) << 63 | 2)
#define GT__HOST_SPAN_ID(number) \
	(UINT64_C(1) << 63 | (uint64_t)(number) << 3 | 1)
#define GT__WORK_ID(number) (UINT64_C(1) << 63 | (uint64_t)(number) << 3 | 3)

struct gt__text_block;

struct gt__views {
	/* What was shown last: built in place, as copies take time. */
	struct gt_event_view event;
	struct gt_span_view span;
	struct gt_field *fields;
	size_t field_count, field_room;
	struct gt_event_view *events;
	size_t *event_fields; /* where the fields of each event begin */
	size_t event_count, event_room;
	struct gt_link *links;
	size_t link_count, link_room;
	enum gt_status status;
	struct gt_text status_text;
	struct gt__text_block *texts; /* repaired ones */
	uint8_t *items;               /* a span's, when in several pieces */
	size_t items_bytes;
	/* For want of memory, of what is shown now; items that cannot be read
	 * at all are one. Counted in `losses`, too. */
	uint64_t missing_fields, missing_events;
	struct gt_losses *losses;
	size_t value_bytes_max; /* of a text; 0: any */
};

/* There is no memory for it. A link or a status is one of the fields. */
static inline void gt__views_miss_field(struct gt__views *views)
{
	views->missing_fields++;
	views->losses->dropped_fields++;
}

static inline void gt__views_miss_event(struct gt__views *views)
{
	views->missing_events++;
	views->losses->dropped_events++;
}

void gt__views_fini(struct gt__views *views);

/*
 * Both return a view within `views`, until the next one is made.
 * An event or counter record as it is, outside any span's items.
 */
const struct gt_event_view *
gt__view_event(struct gt__views *views, const struct gt__names *names,
               const struct gt__item *item, const uint8_t *body,
               uint64_t span_id, const struct gt__trace *trace);

/*
 * The span with all that it has said; `end_ns` and the closing vCPU are the
 * caller's to set.
 */
struct gt_span_view *gt__view_span(struct gt__views *views,
                                   const struct gt__names *names,
                                   const struct gt__open_span *span);

#endif
