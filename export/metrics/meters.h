/* SPDX-License-Identifier: MIT */
/*
 * The meters of one run and their series, found by content. A guest chooses the
 * names and attributes of its own: beyond GT__SERIES_MAX of them, or their
 * bytes, all together or of one, there is no series for it. Those of the host
 * are few and always there.
 */
#ifndef GUESTTRACE_METERS_H
#define GUESTTRACE_METERS_H

#include "export/out/keys.h"
#include "metric.h"

#define GT__SERIES_MAX       2000u /* OpenTelemetry's cardinality limit */
#define GT__SERIES_BYTES_MAX (1u << 20)
#define GT__SERIES_BYTES_ONE 4096u
#define GT__METER_NAME_MAX   255u /* OpenTelemetry's, "Instrument name" */
#define GT__METER_UNIT_MAX   63u

struct gt__meters { /* zeroed, but for `start_ns` and `json`, to begin with */
	uint64_t start_ns; /* of a new series */
	bool json;
	struct gt__keys meter_keys, series_keys;
	struct gt__meter **meters; /* by number - 1 */
	struct gt__series **series;
	uint32_t meter_count, meter_room;
	uint32_t series_count, series_room;
	uint32_t guest_series; /* of these: the guest's */
	size_t guest_bytes;    /* of their identities, as protobuf has them */
	struct gt__out scratch, json_scratch; /* buffers only */
	int error; /* -ENOMEM: then nothing is found any more */
};

struct gt__meter_kind {
	struct gt_text name, unit;
	const char *description; /* stays */
	enum gt__metric_kind kind;
};

void gt__meters_fini(struct gt__meters *meters);

/*
 * The series of those attributes, made if it is not there; NULL: it would be
 * one too many of the guest's, or after an error. Of `guest`, keys are renamed
 * that are the host's, and the last of equal ones counts.
 */
struct gt__series *gt__meters_series(struct gt__meters *meters,
                                     const struct gt__meter_kind *kind,
                                     const struct gt_field *host,
                                     size_t host_count,
                                     const struct gt_field *guest,
                                     size_t guest_count, bool is_guests);

#endif
