/* SPDX-License-Identifier: MIT */
/* How a run ended, for the trace, for people and for the shell. */
#ifndef GT_CLI_RUN_OUTCOME_H
#define GT_CLI_RUN_OUTCOME_H

#include "code_names.h"
#include "session.h"

enum gt_ending ending_of(enum vm_end end);

/* Of a guest that died: what addresses in its message are called, and behind
 * it where that had been called from. As an errand: what reads DWARF may look
 * for further files. */
void outcome_name_code(const struct code_names *names, const struct vm *vm,
                       struct vm_outcome *outcome);

/* The exit status; complains of what that alone does not say. */
int outcome_status(const struct session_options *options,
                   const struct vm_outcome *outcome);

#endif
