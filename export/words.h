/* SPDX-License-Identifier: MIT */
/* What the exporters call things, and small rules that all of them share. */
#ifndef GUESTTRACE_WORDS_H
#define GUESTTRACE_WORDS_H

#include <guesttrace/export.h>

struct gt__flag_word {
	unsigned flag; /* enum gt_span_flag, enum gt_clock_flag */
	const char *word;
};
#define GT__FLAG_WORDS 7u
extern const struct gt__flag_word gt__flag_words[GT__FLAG_WORDS];
#define GT__CLOCK_WORDS 4u
extern const struct gt__flag_word gt__clock_words[GT__CLOCK_WORDS];

struct gt__loss_word {
	size_t offset; /* in struct gt_losses */
	const char *word;
	const char *prose;
};
#define GT__LOSS_WORDS 17u
extern const struct gt__loss_word gt__loss_words[GT__LOSS_WORDS];
uint64_t gt__loss(const struct gt_losses *losses, size_t word);

const char *gt__level_word(enum gt_level level);
const char *gt__type_word(enum gt_type type);
const char *gt__status_word(enum gt_status status);
const char *gt__ending_word(enum gt_ending ending);
const char *gt__clock_source_word(enum gt_clock_source source);
const char *gt__exit_word(unsigned reason);

/*
 * Keys that the host alone may set on a span: they begin with `guesttrace.` or
 * are in a short list. A guest's own key of that form is shown behind
 * GT__GUEST.
 */
#define GT__GUEST "guest."
bool gt__is_host_key(struct gt_text key);

/* CLOCK_MONOTONIC of a time of the trace. */
uint64_t gt__monotonic_ns(const struct gt_trace *trace, uint64_t time_ns);

/*
 * Process and thread ids for viewers. A process has room for all its vCPUs, so
 * that no thread of one run has the id of another run.
 */
uint32_t gt__pid(const struct gt_trace *trace);
uint32_t gt__tid(const struct gt_trace *trace, uint32_t vcpu);

/* FNV-1a, to be chained; begin with GT__HASH. */
#define GT__HASH UINT64_C(0xcbf29ce484222325)
uint64_t gt__hash(uint64_t hash, const void *bytes, size_t count);

bool gt__same_text(struct gt_text a, struct gt_text b);

#endif
