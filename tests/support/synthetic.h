/* SPDX-License-Identifier: MIT */
/*
 * Runs that no VM ever made: calls sinks as the host library does, and keeps
 * what it told them, for tests of the exporters. One trace at a time.
 */
#ifndef GUESTTRACE_SYNTHETIC_H
#define GUESTTRACE_SYNTHETIC_H

#include <guesttrace/export.h>

#define SYN_FORMATS 10
#define SYN_SINKS   13
#define SYN_EVENTS  16 /* kept per span */
#define SYN_FIELDS  24

struct syn_span {
	struct gt_span_view view;
	struct gt_field fields[SYN_FIELDS];
	struct gt_event_view events[SYN_EVENTS];
	struct gt_field event_fields[SYN_EVENTS][4];
	struct gt_link links[2];
	size_t opening_fields;
	bool open;
};

struct syn {
	struct gt_sink *sinks[SYN_SINKS];
	size_t sink_count;
	struct gt_trace trace;
	struct gt_summary summary;
	struct syn_span **spans; /* all of the trace */
	size_t span_count;
	uint64_t sequence;
	uint64_t host_ids;
	uint64_t lost[2]; /* records, by vCPU; in the summary if that says so */
	int error;        /* first that a sink returned */
};

/* Of nesting, for what is opened next. */
extern uint32_t syn_level;

struct gt_text syn_text(const char *text);

void syn_begin(struct syn *s, uint32_t index, const char *guest);
/* The span stays until syn_end(); parent may be NULL. Times are since start. */
struct syn_span *syn_open(struct syn *s, const struct gt_site_view *site,
                          const struct syn_span *parent, uint32_t vcpu,
                          uint64_t at_ns, bool entered);
/* The same with fields, at most SYN_FIELDS. */
struct syn_span *syn_open_with(struct syn *s, const struct gt_site_view *site,
                               const struct syn_span *parent, uint32_t vcpu,
                               uint64_t at_ns, bool entered,
                               const struct gt_field *fields, size_t count);
void syn_late(struct syn_span *span, struct gt_field field);
void syn_event(struct syn *s, const struct gt_site_view *site,
               struct syn_span *span, uint32_t vcpu, uint64_t at_ns,
               const struct gt_field *fields, size_t count);
void syn_counter(struct syn *s, const struct gt_site_view *site,
                 const struct syn_span *span, uint32_t vcpu, uint64_t at_ns,
                 const struct gt_field *fields, size_t count);
void syn_close(struct syn *s, struct syn_span *span, uint32_t vcpu,
               uint64_t at_ns);
/* So many records were lost then; their sums are the caller's. */
void syn_loss(struct syn *s, uint32_t vcpu, uint64_t from_ns, uint64_t to_ns,
              uint64_t records, const struct syn_span *inside);
/* A stretch of the host; its id is returned. Times are since the start. */
uint64_t syn_host(struct syn *s, struct gt_host_span_view stretch);
void syn_end(struct syn *s, uint64_t at_ns);
int syn_finish(struct syn *s);
void syn_free(struct syn *s); /* the sinks as well */

/* For a sink of the test's own that keeps nothing. */
int syn_finish_nothing(struct gt_sink *sink);
void syn_free_nothing(struct gt_sink *sink);

/* One constructor per format, in one table; first the binary ones. */
#define SYN_BINARY 2
struct syn_format {
	const char *name; /* of the file */
	int (*make)(const struct gt_output *, struct gt_sink **);
};
extern const struct syn_format syn_formats[SYN_FORMATS];

/* A run with one of everything, and one of `count` random operations. */
void syn_everything(struct syn *s, uint32_t index);
void syn_random(struct syn *s, uint32_t index, uint32_t seed, unsigned count);
/* Random names, keys and values of all types, with bad UTF-8 among them. */
void syn_wild(struct syn *s, uint32_t index, uint32_t seed, unsigned count);
/* Keys that formats may confuse, in all pairs; names like formulas. */
void syn_keys(struct syn *s, uint32_t index);
/* Every code point there is, and each kind of bad byte. */
void syn_unicode(struct syn *s, uint32_t index);

#endif
