/* SPDX-License-Identifier: MIT */
/*
 * Batches of the Hyperlight wires -> records for the spans: names become sites,
 * texts stay texts, and the parents are what the guest says.
 */
#ifndef GT_HOST_FOREIGN_H
#define GT_HOST_FOREIGN_H

#include "interned.h"
#include "native.h"

struct gt__foreign {
	struct gt__interned interned;
	uint8_t *body; /* of the record being shown */
	size_t body_room;
};

/* One event as a record; `span_id` is that of the span it opens. */
struct gt__foreign_record {
	struct gt__record record;
	uint64_t span_id;
};

void gt__foreign_init(struct gt__foreign *foreign, size_t name_bytes_max);
void gt__foreign_fini(struct gt__foreign *foreign);

/*
 * Turns an event into a record, borrowed until the next call. False: it has
 * nothing for the spans (GT_HYPERLIGHT_START, a span without an id), or there
 * is no memory. Counts names over the limit, spans without an id, and what its
 * guest has cut.
 */
bool gt__foreign_read(struct gt__foreign *foreign,
                      const struct gt_hyperlight_event *event,
                      struct gt_losses *losses,
                      struct gt__foreign_record *ret_record);

/* Reads one pair of a record whose site has pairs; 0: there is none. */
size_t gt__pair_read(const uint8_t *body, size_t count, struct gt_text *ret_key,
                     struct gt_text *ret_value);

#endif
