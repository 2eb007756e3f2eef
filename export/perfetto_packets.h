/* SPDX-License-Identifier: MIT */
/* The packets of a Perfetto trace: what is put where, but not when. */
#ifndef GUESTTRACE_PERFETTO_PACKETS_H
#define GUESTTRACE_PERFETTO_PACKETS_H

#include "intern.h"
#include "lanes.h"
#include "out.h"
#include "runs.h"

struct gt__pf_run {
	struct gt__run head;
	struct gt__lanes lanes;
	struct gt__intern sites;
	struct gt__intern counters;
	uint64_t uuid; /* of its tracks; the low 32 bits are 0 */
};

/* TrackEvent.Type of track_event.proto */
enum gt__pf_type {
	GT__PF_BEGIN = 1,
	GT__PF_END = 2,
	GT__PF_INSTANT = 3,
	GT__PF_COUNTER = 4,
};

void gt__pf_put_clocks(struct gt__out *out, const struct gt_trace *trace);
void gt__pf_put_process(struct gt__out *out, const struct gt__pf_run *run);

/* The uuid of a track, which is described before its first event. */
uint64_t gt__pf_track_uuid(struct gt__out *out, struct gt__pf_run *run,
                           uint32_t index);

/*
 * An event is open between begin and end; only the functions of the next group
 * may be called meanwhile. `number` is that of the site, 0 = none; if it is
 * new, the end tells the site's texts.
 */
struct gt__pf_event {
	size_t packet;
	size_t event;
};

struct gt__pf_event gt__pf_begin_event(struct gt__out *out,
                                       const struct gt__pf_run *run,
                                       enum gt__pf_type type, uint64_t uuid,
                                       uint64_t time_ns);
void gt__pf_end_event(struct gt__out *out, struct gt__pf_event event,
                      const struct gt_site_view *site, uint32_t number,
                      bool is_new);

void gt__pf_put_site(struct gt__out *out, const struct gt_site_view *site,
                     uint32_t number);
void gt__pf_put_fields(struct gt__out *out, const struct gt_field *fields,
                       size_t from, size_t count);
void gt__pf_put_flags(struct gt__out *out, unsigned flags);
void gt__pf_put_status(struct gt__out *out, const struct gt_span_view *span);
void gt__pf_put_links(struct gt__out *out, const struct gt_span_view *span);
/* Annotations of the host's own: the key is put behind `guesttrace.`. */
void gt__pf_put_own_bool(struct gt__out *out, const char *key);
void gt__pf_put_own_u64(struct gt__out *out, const char *key, uint64_t value);
void gt__pf_put_own_id(struct gt__out *out, const char *key, uint64_t id);

/* One value per numeric field, each on a track of its own. */
void gt__pf_put_counter(struct gt__out *out, const struct gt__pf_run *run,
                        uint32_t number, bool is_new,
                        const struct gt_event_view *event);

#endif
