/* SPDX-License-Identifier: MIT */
/* What is missing of a run, in words and in JSON. */
#ifndef GUESTTRACE_LOSSES_H
#define GUESTTRACE_LOSSES_H

#include "out.h"

/* `LOST 5 of 47 records, 4096 bytes overwritten`: nothing if all is there. */
void gt__put_lost(struct gt__out *out, const struct gt_summary *summary);
/* `halted with status 0`, `aborted, LOST 5 of 47 records`. */
void gt__put_outcome(struct gt__out *out, const struct gt_summary *summary);
/* `5 records`, and whatever else a gap lacks. */
void gt__put_gap(struct gt__out *out, const struct gt_loss_view *gap);
/* Two members, each behind a comma: whether something is missing, and all the
 * losses, also those that are 0. */
void gt__put_losses_json(struct gt__out *out, const struct gt_losses *losses);

#endif
