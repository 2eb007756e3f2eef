/* SPDX-License-Identifier: MIT */
/* Captures, one after the other, into the outputs of a command. */
#ifndef GT_CLI_REPLAYER_H
#define GT_CLI_REPLAYER_H

#include "outputs.h"
#include "symbols.h"

#include <guesttrace/analysis.h>

/*
 * Opens the outputs, replays the captures ("-": standard input, once) into them
 * in their order and closes them. Shows progress where standard error is a
 * terminal. Complains about what fails. Returns the exit status.
 */
int replay_all(struct outputs *outputs, char *const *paths, int count);

/* The same of what `analysis` selects, which is learnt from each capture first.
 * NULL: of all. */
int replay_selected(struct outputs *outputs, char *const *paths, int count,
                    const struct gt_analysis *analysis);

/* All of it, with names that the symbols have for what the captures do not;
 * NULL: none. */
int replay_named(struct outputs *outputs, char *const *paths, int count,
                 const struct symbols *symbols);

#endif
