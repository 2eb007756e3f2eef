/* SPDX-License-Identifier: MIT */
/*
 * What the files of the spans share: spans.c takes records, entered.c keeps the
 * stacks of entered spans by them, ending.c ends spans. Each calls those behind
 * it alone.
 */
#ifndef GT_HOST_SPANS_INSIDE_H
#define GT_HOST_SPANS_INSIDE_H

#include "spans.h"

/* ---- ending.c ------------------------------------------------------------ */

/* `flags` are added to the span's. A time before its start is moved there. */
void gt__spans_end(struct gt__spans *spans, struct gt__open_span *span,
                   uint64_t ns, uint32_t vcpu, unsigned flags);

/* ---- entered.c ----------------------------------------------------------- */

/* What the guest numbers the innermost entered span; 0: none. */
uint64_t gt__spans_top(const struct gt__spans *spans, uint32_t vcpu);
/* Whether that is what the guest's word led to, after a loss. */
bool gt__spans_top_is_guessed(const struct gt__spans *spans, uint32_t vcpu);
enum gt__seen_state gt__spans_seen(const struct gt__spans *spans, uint64_t id);

/* Something is entered in it that nobody can show. */
void gt__spans_doubt(struct gt__context *context);
void gt__spans_set_context(struct gt__spans *spans, uint32_t vcpu,
                           uint64_t context);
struct gt__entry *gt__spans_enter(struct gt__spans *spans,
                                  const struct gt__when *when,
                                  struct gt__open_span *span);
void gt__spans_leave(struct gt__spans *spans, const struct gt__when *when,
                     struct gt__open_span *span);
void gt__spans_sync(struct gt__spans *spans, const struct gt__when *when,
                    const struct gt__record *record);
void gt__spans_switch(struct gt__spans *spans, const struct gt__when *when,
                      const struct gt__record *record);
void gt__spans_abandon(struct gt__spans *spans, const struct gt__when *when);
/*
 * Records are missing. Who records here has not been interrupted any more: what
 * handlers had entered is left, if it was their leaving that was lost.
 */
void gt__spans_returned(struct gt__spans *spans, const struct gt__when *when);

#endif
