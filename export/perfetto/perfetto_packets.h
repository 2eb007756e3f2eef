/* SPDX-License-Identifier: MIT */
/*
 * The packets of a Perfetto trace: what is put where, but not when.
 * perfetto_tracks.c describes a run's clocks and tracks, perfetto_packets.c
 * writes events, perfetto_notes.c what is annotated to them.
 */
#ifndef GUESTTRACE_PERFETTO_PACKETS_H
#define GUESTTRACE_PERFETTO_PACKETS_H

#include "export/run/gap_track.h"
#include "export/run/host_stack.h"
#include "export/out/intern.h"
#include "export/out/keys.h"
#include "export/run/lanes.h"
#include "export/run/run_sink.h"

/*
 * Field numbers are those of protos/perfetto/trace/ in Perfetto's own tree.
 * trace.proto, trace_packet.proto:
 */
enum {
	GT__PF_PACKET = 1,
	GT__PF_PACKET_CLOCK_SNAPSHOT = 6,
	GT__PF_PACKET_TIMESTAMP = 8,
	GT__PF_PACKET_SEQUENCE_ID = 10,
	GT__PF_PACKET_TRACK_EVENT = 11,
	GT__PF_PACKET_INTERNED_DATA = 12,
	GT__PF_PACKET_SEQUENCE_FLAGS = 13,
	GT__PF_PACKET_DEFAULTS = 59,
	GT__PF_PACKET_TRACK_DESCRIPTOR = 60,
	GT__PF_PACKET_FIRST_ON_SEQUENCE = 87,
	GT__PF_PACKET_MACHINE_ID = 98,
};

/* track_event.proto, which has the annotations of perfetto_notes.c as well */
enum {
	GT__PF_EVENT_CATEGORY_IIDS = 3,
	GT__PF_EVENT_ANNOTATIONS = 4,
	GT__PF_EVENT_TYPE = 9,
	GT__PF_EVENT_NAME_IID = 10,
	GT__PF_EVENT_TRACK_UUID = 11,
	GT__PF_EVENT_CATEGORIES = 22,
	GT__PF_EVENT_NAME = 23,
	GT__PF_EVENT_COUNTER = 30,
	GT__PF_EVENT_LOCATION_IID = 34,
	GT__PF_EVENT_COUNTER_F64 = 44,
	GT__PF_EVENT_FLOW_IDS = 47,
	GT__PF_EVENT_TERMINATING_FLOW_IDS = 48,
};

/* interned_data.proto and what it holds; line of source_location.proto */
enum {
	GT__PF_INTERNED_CATEGORIES = 1,
	GT__PF_INTERNED_NAMES = 2,
	GT__PF_INTERNED_KEYS = 3,
	GT__PF_INTERNED_LOCATIONS = 4,
	GT__PF_INTERNED_STRINGS = 29,
	GT__PF_INTERNED_IID = 1,
	GT__PF_INTERNED_TEXT = 2,
	GT__PF_LOCATION_FUNCTION = 3,
	GT__PF_LOCATION_LINE = 4,
};

/* The low 32 bits of a track's uuid; the others are the run's own. */
#define GT__PF_UUID_PROCESS 1u
#define GT__PF_UUID_TRACKS  2u          /* plus the index of the track */
#define GT__PF_UUID_HOST    0x40000000u /* plus 2 x vCPU, plus 1 for exits */
#define GT__PF_UUID_LOST    0x50000000u /* plus vCPU */
#define GT__PF_UUID_COUNTER                              \
	0x80000000u /* plus 16 x site number, plus field \
	             */

/* Notes of the exporter's own; each key stands behind `guesttrace.`. */
#define GT__PF_OWN_KEYS(X)                    \
	X(SPAN_ID, span_id)                   \
	X(PARENT_ID, parent_id)               \
	X(TRACE_ID, trace_id)                 \
	X(NESTING, nesting)                   \
	X(LEVEL, level)                       \
	X(CONTINUED, continued)               \
	X(STATUS, status)                     \
	X(STATUS_MESSAGE, status_message)     \
	X(LINK, link)                         \
	X(CLOSE_VCPU, close_vcpu)             \
	X(CLOSES, closes)                     \
	X(DROPPED_EVENTS, dropped_events)     \
	X(DROPPED_FIELDS, dropped_fields)     \
	X(ENDED_EARLIER_NS, ended_earlier_ns) \
	X(REASON, reason)                     \
	X(PORT, port)                         \
	X(TRACING, tracing)                   \
	X(WAITING_NS, waiting_ns)             \
	X(FLAGS, interrupted) /* and the other words of gt__flag_words */

enum gt__pf_key {
	GT__PF_KEY_NONE,
#define X(name, word) GT__PF_KEY_##name,
	GT__PF_OWN_KEYS(X)
#undef X
};

/* Interned numbers of keys: first the exporter's own, then the guest's. */
#define GT__PF_OWN_KEYS_COUNT 32u

/* What is kept of a site, so that a record costs no search. */
struct gt__pf_site {
	struct gt_text keys[GT_SITE_FIELDS_MAX]; /* as last seen, by field */
	uint32_t numbers[GT_SITE_FIELDS_MAX];    /* interned; 0: none */
	uint8_t bytes[24]; /* name, category, location and level, encoded */
	uint8_t count;
};

/* The host's own stretches of one vCPU; see perfetto_host.c. */
struct gt__pf_host {
	bool described[2]; /* guest runs, exits */
	struct gt__host_stack exits;
};

struct gt__pf_run {
	struct gt__run head;
	struct gt__lanes lanes;
	struct gt__intern sites;
	struct gt__intern counters;
	struct gt__keys keys;
	struct gt__pf_site *site; /* by number - 1 */
	uint32_t site_size;
	struct gt__pf_host *host;   /* by vCPU; NULL before the first stretch */
	struct gt__gap_track *gaps; /* by vCPU; NULL before the first loss */
	uint64_t uuid;              /* of its tracks; the low 32 bits are 0 */
	uint8_t prefix[24];         /* of every packet */
	uint8_t prefix_bytes;
};

/* TrackEvent.Type of track_event.proto */
enum gt__pf_type {
	GT__PF_BEGIN = 1,
	GT__PF_END = 2,
	GT__PF_INSTANT = 3,
	GT__PF_COUNTER = 4,
};

/* CLOCK_BOOTTIME, the trace's clock, of a time of the run. */
uint64_t gt__pf_boottime_ns(const struct gt_trace *trace, uint64_t time_ns);

/* ---- perfetto_tracks.c --------------------------------------------------- */

/* Fills in the run's numbers, and puts what has to come first. */
void gt__pf_start(struct gt__out *out, struct gt__pf_run *run);
/* The uuid of a track, which is described before its first event. */
uint64_t gt__pf_track_uuid(struct gt__out *out, struct gt__pf_run *run,
                           uint32_t index);
uint64_t gt__pf_host_uuid(struct gt__out *out, struct gt__pf_run *run,
                          uint32_t vcpu, bool exits);
uint64_t gt__pf_lost_uuid(struct gt__out *out, struct gt__pf_run *run,
                          uint32_t vcpu);
/* One value per numeric field, each on a track of its own. */
void gt__pf_put_counter(struct gt__out *out, const struct gt__pf_run *run,
                        uint32_t number, bool is_new,
                        const struct gt_event_view *event);

/* ---- perfetto_packets.c -------------------------------------------------- */

/* A packet up to its first field of interest; ended by gt__pb_end(). */
size_t gt__pf_begin_packet(struct gt__out *out, const struct gt__pf_run *run);

/*
 * An event is open between begin and end; only functions of this group and of
 * perfetto_notes.c may be called meanwhile. The end tells what the event used
 * first: the site's texts if it is new, and keys.
 */
struct gt__pf_event {
	size_t packet;
	size_t event;
	uint32_t keys; /* how many were known */
};

struct gt__pf_event gt__pf_begin_event(struct gt__out *out,
                                       const struct gt__pf_run *run,
                                       enum gt__pf_type type, uint64_t uuid,
                                       uint64_t time_ns);
void gt__pf_end_event(struct gt__out *out, struct gt__pf_run *run,
                      struct gt__pf_event event,
                      const struct gt_site_view *new_site, uint32_t number);

/* Interns the site; `number` 0: too many. 0 or -ENOMEM. */
int gt__pf_number(struct gt__pf_run *run, const struct gt_site_view *site,
                  uint32_t *ret_number, bool *ret_new);
/* Puts `site`'s names into the event, as numbers if it has some. */
void gt__pf_put_site(struct gt__out *out, const struct gt__pf_run *run,
                     const struct gt_site_view *site, uint32_t number);

/* ---- perfetto_notes.c ---------------------------------------------------- */

/* The exporter's own keys, and the words of levels. */
void gt__pf_put_own_keys(struct gt__out *out);
/* The level of a site: to `p`, at most GT__PF_LEVEL_BYTES; or into an event. */
#define GT__PF_LEVEL_BYTES 8u
uint8_t *gt__pf_raw_level(uint8_t *p, enum gt_level level);
void gt__pf_put_level(struct gt__out *out, enum gt_level level);
/* Fields from..count of a record at the site of that number. 0 or -ENOMEM. */
int gt__pf_put_fields(struct gt__out *out, struct gt__pf_run *run,
                      uint32_t site, const struct gt_field *fields, size_t from,
                      size_t count);
void gt__pf_put_flags(struct gt__out *out, unsigned flags);
void gt__pf_put_status(struct gt__out *out, const struct gt_span_view *span);
void gt__pf_put_flow(struct gt__out *out, bool terminates, uint64_t id);
/* With a flow to each: an arrow where the other end is in the file. */
void gt__pf_put_links(struct gt__out *out, const struct gt_trace *trace,
                      const struct gt_span_view *span);
void gt__pf_put_own_bool(struct gt__out *out, enum gt__pf_key key);
void gt__pf_put_own_u64(struct gt__out *out, enum gt__pf_key key,
                        uint64_t value);
void gt__pf_put_own_id(struct gt__out *out, enum gt__pf_key key, uint64_t id);
/* Whose trace is not the run's: its id. */
void gt__pf_put_trace(struct gt__out *out, const struct gt_span_trace *trace);
void gt__pf_put_own_word(struct gt__out *out, enum gt__pf_key key,
                         const char *word);

/* Those of few events, whose keys are spelled out. */
void gt__pf_put_spelled_u64(struct gt__out *out, const char *key,
                            uint64_t value);
void gt__pf_put_spelled_text(struct gt__out *out, const char *key,
                             struct gt_text text);

/* ---- perfetto_host.c ----------------------------------------------------- */

int gt__pf_put_host(struct gt__out *out, struct gt__pf_run *run,
                    const struct gt_host_span_view *span);
/* Ends what is still open of the host's stretches. */
void gt__pf_end_host(struct gt__out *out, struct gt__pf_run *run);

/* ---- perfetto_losses.c --------------------------------------------------- */

/* 0, -EINVAL for a vCPU that the run does not have, or -ENOMEM. */
int gt__pf_put_loss(struct gt__out *out, struct gt__pf_run *run,
                    const struct gt_loss_view *loss);
/* How the run ended, and all that was lost of it. */
void gt__pf_put_outcome(struct gt__out *out, struct gt__pf_run *run,
                        const struct gt_summary *summary);

#endif
