/* SPDX-License-Identifier: MIT */
/*
 * What a confined thread may not do itself, such as opening a file: a thread
 * that may does it, while the one that asked waits.
 */
#ifndef GT_CLI_ERRANDS_H
#define GT_CLI_ERRANDS_H

/* Before threads are confined. 0 or a negative errno. */
int errands_start(void);
/* Harmless if it was not started. */
void errands_stop(void);

/* What `work` returns; where the caller may do it, it is the caller who does. */
int errand(int (*work)(void *context), void *context);

#endif
