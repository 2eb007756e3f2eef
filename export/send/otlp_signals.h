/* SPDX-License-Identifier: MIT */
/* What the protocol calls things, signal by signal (OTLP 1.11). */
#ifndef GUESTTRACE_OTLP_SIGNALS_H
#define GUESTTRACE_OTLP_SIGNALS_H

#include <guesttrace/export_otlp.h>

struct gt__otlp_signal {
	const char *http_path;
	const char *grpc_path;
	const char *folder; /* of a spool; NULL: the spool itself */
	const char *rejected, *rejected_other; /* keys of a partial success */
	/* Which array has what a request counts, and how deep in it. */
	const char *items;
	unsigned items_depth;
	uint32_t delay_ms, spool_delay_ms;
};

/* NULL: there is no such signal. */
const struct gt__otlp_signal *gt__otlp_signal(enum gt_otlp_signal signal);

#endif
