/* SPDX-License-Identifier: MIT */
/* For formats that show all runs on one clock, from the first run on. */
#ifndef GT_CLI_EARLIEST_H
#define GT_CLI_EARLIEST_H

/*
 * Puts the captures into the order in which their runs began. Where one is no
 * file, and so cannot be read twice, the order stays.
 */
void earliest_first(char **paths, int count);

#endif
