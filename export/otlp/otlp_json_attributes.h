/* SPDX-License-Identifier: MIT */
/* Attributes, numbers and ids in OTLP/JSON, shared by all signals. */
#ifndef GUESTTRACE_OTLP_JSON_ATTRIBUTES_H
#define GUESTTRACE_OTLP_JSON_ATTRIBUTES_H

#include "otlp.h"

/* Objects of an array, `first` without a comma; keys stand as they are. */
void gt__json_host(struct gt__out *out, const struct gt_field *fields,
                   size_t count, bool first);
/* Those that a list has, up to its `]`. */
void gt__json_attributes(struct gt__out *out,
                         const struct gt__otlp_attributes *attributes);

/* `key` with its quotes, its colon and what goes before; 64 bits in quotes. */
void gt__json_u64(struct gt__out *out, const char *key, uint64_t value);
/* "dropped" WHAT "Count", where there is any. */
void gt__json_dropped(struct gt__out *out, const char *what, uint32_t count);
void gt__json_u32(struct gt__out *out, const char *key, uint32_t value);
void gt__json_id(struct gt__out *out, const char *key, uint64_t id);
void gt__json_trace_id(struct gt__out *out, const char *key,
                       const uint8_t *trace_id);

#endif
