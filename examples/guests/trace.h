/* SPDX-License-Identifier: MIT */
/*
 * The one place where an example guest meets the recorder's set-up. Spans and
 * events come from <guesttrace/guest.h> itself.
 */
#ifndef GUESTS_TRACE_H
#define GUESTS_TRACE_H

/* Before the first span: sets the recorder up as the boot information asks. */
void trace_start(void);

/* When the last span is closed: hands what the host has not yet to the host. */
void trace_stop(void);

#endif
