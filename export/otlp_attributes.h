/* SPDX-License-Identifier: MIT */
/*
 * Attributes of OTLP/JSON (opentelemetry/proto/common/v1/common.proto, KeyValue
 * and AnyValue in proto3's JSON form): 64-bit integers are strings, bytes are
 * base64. A u64 above INT64_MAX, which OTLP lacks, is a decimal stringValue.
 */
#ifndef GUESTTRACE_OTLP_ATTRIBUTES_H
#define GUESTTRACE_OTLP_ATTRIBUTES_H

#include "out.h"

/*
 * A list is begun by `"attributes":[`; each function here puts one member and
 * its comma in front unless it is the first.
 */
void gt__otlp_begin(struct gt__out *out, const char *key); /* "key":[ */
void gt__otlp_u64(struct gt__out *out, const char *key, uint64_t value);
void gt__otlp_word(struct gt__out *out, const char *key, const char *value);
void gt__otlp_text(struct gt__out *out, const char *key, struct gt_text value);
void gt__otlp_true(struct gt__out *out, const char *key);

/*
 * A guest's fields. Keys of an attribute list are unique: of equal ones the
 * last is put. A key of the host's is renamed (words.h).
 */
void gt__otlp_fields(struct gt__out *out, const struct gt_field *fields,
                     size_t count);
/* Where it was recorded: guesttrace.target and .level, code.file.path, ... */
void gt__otlp_site(struct gt__out *out, const struct gt_site_view *site);
void gt__otlp_flags(struct gt__out *out, unsigned flags);
/* How a run ended, its exits and what it lost. */
void gt__otlp_outcome(struct gt__out *out, const struct gt_summary *summary);
/*
 * "resource":{...} of a trace: what is given, and what follows from the trace
 * unless it is given. Nothing of it comes from inside a guest.
 */
void gt__otlp_resource(struct gt__out *out, const struct gt_trace *trace,
                       const struct gt_otlp_attribute *given, size_t count);

#endif
