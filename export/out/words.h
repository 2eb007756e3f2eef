/* SPDX-License-Identifier: MIT */
/* What the exporters call things, and small rules that all of them share. */
#ifndef GUESTTRACE_WORDS_H
#define GUESTTRACE_WORDS_H

#include <string.h>
#include <guesttrace/export.h>

struct gt__flag_word {
	unsigned flag; /* enum gt_span_flag, enum gt_clock_flag */
	const char *word;
};
#define GT__FLAG_WORDS 8u
extern const struct gt__flag_word gt__flag_words[GT__FLAG_WORDS];
#define GT__CLOCK_WORDS 6u
extern const struct gt__flag_word gt__clock_words[GT__CLOCK_WORDS];

struct gt__loss_word {
	size_t offset; /* in struct gt_losses */
	const char *word;
	const char *key; /* of an attribute */
	const char *prose;
};
#define GT__LOSS_WORDS 20u
extern const struct gt__loss_word gt__loss_words[GT__LOSS_WORDS];
uint64_t gt__loss(const struct gt_losses *losses, size_t word);
/* Records, spans or events are missing: what is summed up is too small. */
bool gt__is_partial(const struct gt_losses *losses);

const char *gt__level_word(enum gt_level level);
const char *gt__type_word(enum gt_type type);
const char *gt__status_word(enum gt_status status);
const char *gt__ending_word(enum gt_ending ending);
const char *gt__clock_source_word(enum gt_clock_source source);
const char *gt__exit_word(unsigned reason);

/*
 * Keys that the host alone may set: they begin with `guesttrace.` or one of a
 * short list of prefixes. A guest's own key of that form is shown behind
 * GT__GUEST, which is in the list as well, so that no two keys become one. So
 * is an empty one: OTLP forbids it.
 */
#define GT__GUEST "guest."
bool gt__is_host_key_slowly(struct gt_text key);

/* Asked for each field of each span: few keys begin as those do. */
static inline bool gt__is_host_key(struct gt_text key)
{
	const uint32_t first = 1u << 'c' % 32 | 1u << 'g' % 32 |
	                       1u << 'h' % 32 | 1u << 'o' % 32 |
	                       1u << 'p' % 32 | 1u << 's' % 32 | 1u << 't' % 32;

	if (key.count <= 4)
		return !key.count;
	return first >> (key.bytes[0] & 31) & 1 && gt__is_host_key_slowly(key);
}

/* CLOCK_MONOTONIC of a time of the trace. */
uint64_t gt__monotonic_ns(const struct gt_trace *trace, uint64_t time_ns);

/*
 * Process and thread ids for viewers. A process has room for all its vCPUs, and
 * for two threads more of each, numbered from GT_VCPUS_MAX, and behind these
 * for GT__LOSS_THREADS, so that no thread of one run has the id of another run.
 */
#define GT__THREADS_PER_VCPU 3u
#define GT__LOSS_THREADS     (GT_VCPUS_MAX - 2)
uint32_t gt__pid(const struct gt_trace *trace);
uint32_t gt__tid(const struct gt_trace *trace, uint32_t vcpu);

/* FNV-1a, to be chained; begin with GT__HASH. */
#define GT__HASH UINT64_C(0xcbf29ce484222325)
uint64_t gt__hash(uint64_t hash, const void *bytes, size_t count);

static inline bool gt__same_text(struct gt_text a, struct gt_text b)
{
	return a.count == b.count &&
	       (!a.count || (a.bytes[a.count - 1] == b.bytes[b.count - 1] &&
	                     !memcmp(a.bytes, b.bytes, a.count)));
}

/* Of equal keys the last one holds: whether fields[i] is that. */
bool gt__field_holds(const struct gt_field *fields, size_t count, size_t i);
/* The same of all fields at once, for many: to be freed; or NULL, no memory. */
bool *gt__fields_that_hold(const struct gt_field *fields, size_t count);
#define GT__FIELDS_FEW 64u /* up to so many the former is faster */

#endif
