/* SPDX-License-Identifier: MIT */
/* What is missing of a run, in words and in JSON. */
#ifndef GUESTTRACE_LOSSES_H
#define GUESTTRACE_LOSSES_H

#include "out.h"

/* `LOST 5 of 47 records, 4096 bytes overwritten`: nothing if all is there. */
void gt__put_lost(struct gt__out *out, const struct gt_summary *summary);
/* `halted with status 0`, `aborted`. */
void gt__put_ending(struct gt__out *out, const struct gt_summary *summary);
/* `halted with status 0`, `aborted, LOST 5 of 47 records`. */
void gt__put_outcome(struct gt__out *out, const struct gt_summary *summary);
/* `5 records`, and whatever else a gap lacks. */
void gt__put_gap(struct gt__out *out, const struct gt_loss_view *gap);
/* What a gap lacks, as a run's losses. */
struct gt_losses gt__losses_of(const struct gt_loss_view *gap);

/* Two members, each behind a comma: whether something is missing, and all the
 * losses, also those that are 0. */
void gt__put_losses_json(struct gt__out *out, const struct gt_losses *losses);

/*
 * Members of an object, the first without a comma, under keys that no guest
 * has: what a gap lacks; how a run ended, with its message and all its losses.
 */
void gt__put_gap_members(struct gt__out *out, const struct gt_loss_view *gap);
void gt__put_outcome_members(struct gt__out *out,
                             const struct gt_summary *summary);

#endif
