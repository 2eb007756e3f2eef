/* SPDX-License-Identifier: MIT */
/* Reads the guests of a VM that runs, until told to stop or the VM ends. */
#ifndef GT_CLI_ATTACHING_H
#define GT_CLI_ATTACHING_H

#include "attach_find.h"
#include "outputs.h"

struct attach_export {
	const char *format, *path; /* path NULL: standard output */
};

#define ATTACH_EXPORTS_MAX 8u

struct attaching_options {
	struct attach_memory *memory;
	struct attach_export exports[ATTACH_EXPORTS_MAX];
	size_t export_count;
	const char *capture;
	const char *filter, *filter_file, *traceparent;
	uint64_t interval_ns;
	uint64_t for_ns;    /* 0: until a signal */
	int64_t tsc_offset; /* GT_TSC_OFFSET_UNKNOWN: find out */
	bool takes_over;
	bool force; /* what is binary to a terminal */
	struct otlp_options otlp;
	const struct gt_report_options *look;
};

/* An exit status. */
int attaching_run(const struct attaching_options *options);

#endif
