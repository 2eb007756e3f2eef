/* SPDX-License-Identifier: MIT */
/* Long texts on a terminal, page by page. */
#ifndef GT_CLI_PAGER_H
#define GT_CLI_PAGER_H

/* --no-pager. */
void pager_never(void);

/*
 * If standard output is a terminal, what goes there from here on goes through
 * $GUESTTRACE_PAGER, $PAGER or less, by the shell; not if that is empty or cat,
 * if TERM is missing or dumb, or if there is no less. It returns in another
 * process, which may be confined: the one that called waits for both, and ends
 * with the status of that. Before there are threads, and behind screen_look().
 */
void pager_begin(void);

#endif
