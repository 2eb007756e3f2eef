/* SPDX-License-Identifier: MIT */
/*
 * A whole trace in memory, for the formats that need all of it before their
 * first line: tree, report, report_json, folded. This is the only part of the
 * exporters whose memory grows with the trace. It keeps closed spans, events
 * and counters with their texts in chunks, and builds the tree at the end.
 *
 * A parent that is missing, is the span itself or closes a cycle makes the span
 * a root. Nothing here recurses: a chain of a million spans is as good as any.
 */
#ifndef GUESTTRACE_COLLECT_H
#define GUESTTRACE_COLLECT_H

#include <guesttrace/analysis.h>
#include "choice.h"
#include "collect_split.h"
#include "kept_keys.h"
#include "export/out/out.h"
#include "run_sink.h"
#include "shelf.h"

#define GT__ROOT UINT32_MAX

struct gt__span {
	struct gt_span_view view; /* its events are not kept: see below */
	uint64_t self_ns;         /* no child was open */
	uint64_t *split;     /* of the timeline: a row, then that of self */
	uint32_t parent;     /* index, or GT__ROOT */
	uint32_t first_item; /* its children and events */
	uint32_t item_count;
	uint32_t cursor;   /* of a walk */
	uint32_t group;    /* number of its name and target, from 0 */
	struct gt_text by; /* its value; no bytes: it has no such field */
	bool chosen;       /* it is what is looked for, but perhaps for when */
	bool in_range;     /* it was open then */
};

/* An event or a counter, of whichever span it names, kept by it or not. */
struct gt__event {
	struct gt_event_view view;
	uint32_t parent; /* span index, or GT__ROOT */
	bool counter;
};

/* What is missing, where in the tree it was noticed. */
struct gt__gap {
	struct gt_loss_view view;
	uint32_t parent; /* span index, or GT__ROOT */
};

enum gt__item_kind {
	GT__SPAN_ITEM,
	GT__EVENT_ITEM,
	GT__HOST_ITEM, /* only if shows_exits */
	GT__GAP_ITEM,
};

struct gt__item {
	uint64_t sequence;
	uint32_t parent;
	uint32_t index;
	enum gt__item_kind kind;
};

/* A span that was not seen from its opening to its close. */
#define GT__UNFINISHED                                                \
	(GT_SPAN_INTERRUPTED | GT_SPAN_CLOSE_LOST | GT_SPAN_EVICTED | \
	 GT_SPAN_REPLACED | GT_SPAN_OPEN_LOST)
/* Nor is it known that it was open for as long as it is shown. */
#define GT__END_UNKNOWN (GT_SPAN_CLOSE_LOST | GT_SPAN_REPLACED)

/* Whether it counts. */
static inline bool gt__counts(const struct gt__span *span)
{
	return span->chosen && span->in_range;
}

static inline uint64_t gt__span_ns(const struct gt__span *span)
{
	return span->view.end_ns - span->view.start_ns;
}

/*
 * Spans of one name and target; see collect_names.c for what is counted of
 * which. Percentiles are exact: nearest rank.
 */
struct gt__name {
	struct gt_text name;
	struct gt_text target;
	struct gt_text by; /* as of its spans */
	uint32_t group;    /* the same */
	uint64_t weight;   /* what names are sorted by */
	uint64_t count;
	uint64_t unfinished;  /* of `count`; all of them: the next are 0 */
	uint64_t end_unknown; /* of `unfinished`: total and self lack these */
	uint64_t avg_ns;
	uint64_t p50_ns;
	uint64_t p99_ns;
	uint64_t max_ns;
	uint64_t total_ns; /* in which at least one was open */
	uint64_t self_ns;  /* of each of them */
	uint64_t *split;   /* as of a span: of total and self */
};

static inline bool gt__has_percentiles(const struct gt__name *name)
{
	return name->unfinished < name->count;
}

/* Total and self of a name without any are 0, which says nothing. */
static inline bool gt__has_times(const struct gt__name *name)
{
	return name->end_unknown < name->count;
}

struct gt__chunk;

/* What there was at some moment: `chunk` and those behind it hold its texts. */
struct gt__collect_mark {
	uint32_t spans, events, host_spans, gaps;
	struct gt__chunk *chunk;
	size_t bytes;
};

struct gt__collect {
	struct gt__run head;
	struct gt__chunk *chunks;
	struct gt__kept_keys keys; /* their texts are in the chunks */
	const struct gt_span_trace *last_trace; /* that was kept */
	struct gt__span *spans;
	uint32_t span_count, span_size;
	struct gt__event *events;
	uint32_t event_count, event_size;
	struct gt__host_span *host_spans;
	uint32_t host_span_count, host_span_size;
	struct gt__gap *gaps; /* in the order in which they were noticed */
	uint32_t gap_count, gap_size;
	bool shows_exits; /* exits and the VMM's own spans are items, too */
	const struct gt__choice *choice; /* which spans count; NULL: all */
	/* No names, and times of a span only where gt__collect_time() is asked
	 * for them: of a few of many. */
	bool times_on_demand;
	enum gt_sort sort; /* of names and paths */
	const char *by;    /* key of a field that tells names apart, or NULL */
	bool no_times;     /* neither names nor where the time went */
	bool no_items;     /* no walk, and nothing that is one item's */
	/* Nor parents, self times and what of a split is a span's own. */
	bool no_self;
	/* Of spans no fields, links and words of a status, and no events. */
	bool spans_only;
	/* Where spans and events wait until the slowest are known, if only those
	 * are shown; NULL: they are kept as they come. */
	struct gt__shelf *shelf;
	bool shelved;
	size_t max_bytes;  /* of all that; 0: any */
	size_t chunk_bytes;
	struct gt__collect_mark mark; /* what is left out next */
	uint64_t left_out_spans, left_out_events;
	/* From gt__collect_build(): by parent, then by sequence. */
	struct gt__item *items;
	uint32_t item_count;
	uint32_t first_root_item;
	struct gt__name *names; /* as `sort` says, the largest first */
	uint32_t name_count;
	struct gt__timeline timeline;
	uint64_t *splits; /* what those of spans and names point into */
};

int gt__collect_span(struct gt__collect *c, const struct gt_span_view *span);
int gt__collect_event(struct gt__collect *c, const struct gt_event_view *event,
                      bool counter);
int gt__collect_host_span(struct gt__collect *c,
                          const struct gt_host_span_view *view);
int gt__collect_gap(struct gt__collect *c, const struct gt_loss_view *view);
/* Whether an event is in the range, and its span is looked for. */
bool gt__event_counts(const struct gt__collect *c, const struct gt__event *e);
/* Leaves out the older half if there is more than `max_bytes`: 0 or -ENOMEM.
 * What it has of a text is gone then. */
int gt__collect_bound(struct gt__collect *c);
/* For collect_bound.c: a chunk in front of all others. */
bool gt__collect_begin_chunk(struct gt__collect *c);
/* And frees that one and those behind it. */
void gt__collect_free_chunks(struct gt__collect *c, struct gt__chunk *from);
/* Once, when all is there. */
int gt__collect_build(struct gt__collect *c);
bool gt__collect_times(struct gt__collect *c); /* its second half */
bool gt__collect_names(struct gt__collect *c); /* and its last part */
/* The split and the self time of a span, if it has none yet. False: out of
 * memory. */
bool gt__collect_time(struct gt__collect *c, struct gt__span *span);
/* Room that is freed with the collector; NULL: out of memory. */
void *gt__collect_take(struct gt__collect *c, size_t count, size_t alignment);
/* Sorts c->items, and tells spans which are theirs. False: out of memory. */
bool gt__collect_index_items(struct gt__collect *c);
/* Gives each host span the sequence of the record of its vCPU before it. */
bool gt__collect_place_host_spans(struct gt__collect *c);
void gt__collect_free(struct gt__collect *c);

/*
 * A walk in the order of the tree, each item before its children. Begin with a
 * zeroed walk; NULL at the end. `last`: no item of the same parent follows.
 */
struct gt__walk {
	uint32_t under; /* 1 + index of the span to begin with; 0: all roots */
	const struct gt__item *item; /* last returned */
	uint32_t parent;
	uint32_t depth; /* of the item last returned, roots 0 */
	uint32_t root_cursor;
	bool begun;
	bool last;
};
const struct gt__item *gt__collect_next(struct gt__collect *c,
                                        struct gt__walk *walk);

/*
 * The same total of all spans of a name, or of a target, whatever their target
 * or name; the largest first. To be freed; NULL: out of memory.
 */
struct gt__total {
	struct gt_text text;
	uint64_t ns;
};
struct gt__total *gt__collect_totals(const struct gt__collect *c, bool target,
                                     uint32_t *ret_count);

/* Rounded, of at least one. */
uint64_t gt__average(const uint64_t *times, uint32_t count);
/* What names are sorted by. */
uint64_t gt__weight_of(const struct gt__name *name, enum gt_sort sort);

/* The sample of rank ceil(percent / 100 * count) of `count` sorted ones. */
uint64_t gt__nearest_rank(uint64_t count, unsigned percent);

/*
 * A sink on a collector: `print` writes one trace, whose collector is built, at
 * its end; `conclude` (may be NULL) writes what follows the last one.
 */
struct gt__collect_sink;
typedef void gt__print_fn(struct gt__collect_sink *x, struct gt__collect *c,
                          const struct gt_summary *summary);

struct gt__collect_sink {
	struct gt__run_sink head;
	struct gt_report_options options;
	struct gt_analysis analysis; /* as the options name it */
	struct gt__choice choice;    /* what that selects */
	uint32_t printed;            /* traces so far */
	uint32_t spans_shown;        /* the printer's own */
	bool no_times;               /* as of struct gt__collect */
	bool spans_only;             /* likewise */
	bool no_items;               /* likewise */
	bool no_self;                /* likewise, with no_items alone */
	bool slowest_only;           /* that is what `print` shows */
	gt__print_fn *print;
	void (*conclude)(struct gt__collect_sink *x);
	void *kept; /* of print and conclude */
	void (*free_kept)(void *kept);
};

/* Copies what is given, if it is; `out` gets what is the terminal's. */
void gt__take_report_options(const struct gt_report_options *given,
                             struct gt_report_options *to, struct gt__out *out);
/* What it names; zeros of what is not there. */
struct gt_analysis gt__analysis_of(const struct gt_report_options *options);

int gt__collect_sink_with(const struct gt_output *output,
                          const struct gt_report_options *options,
                          gt__print_fn *print,
                          void (*conclude)(struct gt__collect_sink *x),
                          struct gt_sink **ret_sink);
int gt__collect_sink_new(const struct gt_output *output, gt__print_fn *print,
                         void (*conclude)(struct gt__collect_sink *x),
                         struct gt_sink **ret_sink);

#endif
