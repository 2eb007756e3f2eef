/* SPDX-License-Identifier: MIT */
/* One request body on its way from the encoder to the endpoint. */
#ifndef GUESTTRACE_OTLP_REQUEST_H
#define GUESTTRACE_OTLP_REQUEST_H

#include <guesttrace/export_otlp.h>

/* The collector takes no more (OTLP 1.11), and no frame of a spool has more. */
#define GT__REQUEST_BYTES_MAX (64u << 20)

struct gt__spool_segment;

struct gt__otlp_request {
	struct gt__otlp_request *next;
	uint64_t spans; /* or what its signal has instead */
	enum gt_otlp_signal signal;
	bool json; /* else protobuf */
	bool gzip;
	/* Where the spool has it; NULL: nowhere. */
	struct gt__spool_segment *segment;
	uint64_t offset;
	bool found;        /* was there before this process */
	uint64_t begun_ms; /* when it was sent, by CLOCK_MONOTONIC */
	/* What it is a part of, which ends when all its parts have; NULL. */
	struct gt__otlp_request *whole;
	uint64_t parts_left, spans_bad, spans_good; /* of a whole in parts */
	size_t count;
	unsigned char bytes[];
};

#endif
