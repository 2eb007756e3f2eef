/* SPDX-License-Identifier: MIT */
/*
 * The packets of a Perfetto trace. Field numbers are those of
 * protos/perfetto/trace/ in Perfetto's own tree; each group names its file.
 */
#include "perfetto_packets.h"
#include "escape.h"
#include "protobuf.h"
#include "words.h"

/* trace.proto, trace_packet.proto, trace_packet_defaults.proto */
enum {
	TRACE_PACKET = 1,
	PACKET_CLOCK_SNAPSHOT = 6,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE_ID = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_INTERNED_DATA = 12,
	PACKET_SEQUENCE_FLAGS = 13,
	PACKET_DEFAULTS = 59,
	PACKET_TRACK_DESCRIPTOR = 60,
	PACKET_FIRST_ON_SEQUENCE = 87,
	DEFAULTS_CLOCK_ID = 58,
	SEQUENCE_STATE_CLEARED = 1,
	SEQUENCE_NEEDS_STATE = 2,
};

/* clock_snapshot.proto, builtin_clock.proto */
enum {
	SNAPSHOT_CLOCKS = 1,
	SNAPSHOT_PRIMARY = 2,
	CLOCK_ID = 1,
	CLOCK_TIMESTAMP = 2,
	CLOCK_IS_REALTIME = 1,
	CLOCK_IS_MONOTONIC = 3,
};

/* track_event/track_descriptor.proto and the descriptors it holds */
enum {
	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PROCESS = 3,
	TRACK_THREAD = 4,
	TRACK_PARENT_UUID = 5,
	TRACK_COUNTER = 8,
	PROCESS_PID = 1,
	PROCESS_NAME = 6,
	THREAD_PID = 1,
	THREAD_TID = 2,
	THREAD_NAME = 5,
};

/* interned_data.proto, track_event.proto, source_location.proto */
enum {
	INTERNED_CATEGORIES = 1,
	INTERNED_NAMES = 2,
	INTERNED_LOCATIONS = 4,
	INTERNED_IID = 1,
	INTERNED_TEXT = 2,
	LOCATION_LINE = 4,
	EVENT_CATEGORY_IIDS = 3,
	EVENT_ANNOTATIONS = 4,
	EVENT_TYPE = 9,
	EVENT_NAME_IID = 10,
	EVENT_TRACK_UUID = 11,
	EVENT_CATEGORIES = 22,
	EVENT_NAME = 23,
	EVENT_COUNTER = 30,
	EVENT_LOCATION_IID = 34,
	EVENT_COUNTER_F64 = 44,
};

/* track_event/debug_annotation.proto */
enum {
	ANNOTATION_BOOL = 2,
	ANNOTATION_U64 = 3,
	ANNOTATION_I64 = 4,
	ANNOTATION_F64 = 5,
	ANNOTATION_STRING = 6,
	ANNOTATION_POINTER = 7,
	ANNOTATION_NAME = 10,
};

/* The low 32 bits of a track's uuid; the others are the run's own. */
#define UUID_PROCESS 1u
#define UUID_TRACKS  2u          /* plus the index of the track */
#define UUID_COUNTER 0x80000000u /* plus 16 x site number, plus field */

static size_t begin_packet(struct gt__out *o, const struct gt_trace *trace,
                           unsigned flags)
{
	size_t packet = gt__pb_begin(o, TRACE_PACKET);

	gt__pb_u64(o, PACKET_SEQUENCE_ID, (uint64_t)trace->index + 1);
	gt__pb_u64(o, PACKET_SEQUENCE_FLAGS, flags);
	return packet;
}

static void put_clock(struct gt__out *o, unsigned id, uint64_t time_ns)
{
	size_t clock = gt__pb_begin(o, SNAPSHOT_CLOCKS);

	gt__pb_u64(o, CLOCK_ID, id);
	gt__pb_u64(o, CLOCK_TIMESTAMP, time_ns);
	gt__pb_end(o, clock);
}

void gt__pf_put_clocks(struct gt__out *o, const struct gt_trace *trace)
{
	size_t packet = gt__pb_begin(o, TRACE_PACKET), snapshot, defaults;

	gt__pb_u64(o, PACKET_SEQUENCE_ID, (uint64_t)trace->index + 1);
	gt__pb_u64(o, PACKET_SEQUENCE_FLAGS,
	           SEQUENCE_STATE_CLEARED | SEQUENCE_NEEDS_STATE);
	gt__pb_u64(o, PACKET_FIRST_ON_SEQUENCE, 1);
	defaults = gt__pb_begin(o, PACKET_DEFAULTS);
	gt__pb_u64(o, DEFAULTS_CLOCK_ID, CLOCK_IS_MONOTONIC);
	gt__pb_end(o, defaults);
	snapshot = gt__pb_begin(o, PACKET_CLOCK_SNAPSHOT);
	put_clock(o, CLOCK_IS_REALTIME, trace->start_ns);
	put_clock(o, CLOCK_IS_MONOTONIC,
	          gt__monotonic_ns(trace, trace->start_ns));
	gt__pb_u64(o, SNAPSHOT_PRIMARY, CLOCK_IS_MONOTONIC);
	gt__pb_end(o, snapshot);
	gt__pb_end(o, packet);
}

void gt__pf_put_process(struct gt__out *o, const struct gt__pf_run *run)
{
	const struct gt_trace *trace = run->head.trace;
	size_t packet = begin_packet(o, trace, SEQUENCE_NEEDS_STATE);
	size_t track = gt__pb_begin(o, PACKET_TRACK_DESCRIPTOR), process;

	gt__pb_u64(o, TRACK_UUID, run->uuid | UUID_PROCESS);
	process = gt__pb_begin(o, TRACK_PROCESS);
	gt__pb_u64(o, PROCESS_PID, gt__pid(trace));
	gt__pb_text(o, PROCESS_NAME, trace->guest_name);
	gt__pb_end(o, process);
	gt__pb_end(o, track);
	gt__pb_end(o, packet);
}

static void put_thread(struct gt__out *o, const struct gt_trace *trace,
                       uint32_t vcpu)
{
	size_t thread = gt__pb_begin(o, TRACK_THREAD), name;

	gt__pb_u64(o, THREAD_PID, gt__pid(trace));
	gt__pb_u64(o, THREAD_TID, gt__tid(trace, vcpu));
	name = gt__pb_begin(o, THREAD_NAME);
	gt__put(o, "vCPU ");
	gt__put_u64(o, vcpu);
	gt__pb_end(o, name);
	gt__pb_end(o, thread);
}

/* A lane hangs below the process: viewers show it beside the vCPU's thread. */
static void put_lane(struct gt__out *o, const struct gt__pf_run *run,
                     const struct gt__track *track)
{
	size_t name;

	gt__pb_u64(o, TRACK_PARENT_UUID, run->uuid | UUID_PROCESS);
	name = gt__pb_begin(o, TRACK_NAME);
	gt__put(o, "vCPU ");
	gt__put_u64(o, track->vcpu);
	gt__put(o, " lane ");
	gt__put_u64(o, track->lane);
	gt__pb_end(o, name);
}

/* The uuid of a track, which is described before its first event. */
uint64_t gt__pf_track_uuid(struct gt__out *o, struct gt__pf_run *run,
                           uint32_t index)
{
	struct gt__track *track = &run->lanes.tracks[index];
	uint64_t uuid = run->uuid | (UUID_TRACKS + index);
	size_t packet, descriptor;

	if (track->described)
		return uuid;
	track->described = true;
	packet = begin_packet(o, run->head.trace, SEQUENCE_NEEDS_STATE);
	descriptor = gt__pb_begin(o, PACKET_TRACK_DESCRIPTOR);
	gt__pb_u64(o, TRACK_UUID, uuid);
	if (track->lane)
		put_lane(o, run, track);
	else
		put_thread(o, run->head.trace, track->vcpu);
	gt__pb_end(o, descriptor);
	gt__pb_end(o, packet);
	return uuid;
}

static size_t begin_annotation(struct gt__out *o, struct gt_text key)
{
	size_t annotation = gt__pb_begin(o, EVENT_ANNOTATIONS);
	size_t name = gt__pb_begin(o, ANNOTATION_NAME);

	if (gt__is_host_key(key))
		gt__put(o, GT__GUEST);
	gt__put_utf8(o, key);
	gt__pb_end(o, name);
	return annotation;
}

static void put_field(struct gt__out *o, const struct gt_field *f)
{
	size_t annotation = begin_annotation(o, f->key), text;

	switch (f->type) {
	case GT_TYPE_U64:
		gt__pb_u64(o, ANNOTATION_U64, f->value.u64);
		break;
	case GT_TYPE_I64:
		gt__pb_i64(o, ANNOTATION_I64, f->value.i64);
		break;
	case GT_TYPE_F64:
		gt__pb_f64(o, ANNOTATION_F64, f->value.f64);
		break;
	case GT_TYPE_BOOL:
		gt__pb_u64(o, ANNOTATION_BOOL, f->value.boolean);
		break;
	case GT_TYPE_STRING:
		gt__pb_text(o, ANNOTATION_STRING, f->value.text);
		break;
	case GT_TYPE_BYTES: /* the proto has no type for them: hex */
		text = gt__pb_begin(o, ANNOTATION_STRING);
		gt__put_hex_bytes(o, f->value.text.bytes, f->value.text.count);
		gt__pb_end(o, text);
		break;
	case GT_TYPE_POINTER:
		gt__pb_u64(o, ANNOTATION_POINTER, f->value.u64);
		break;
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* never among a view's fields */
	}
	gt__pb_end(o, annotation);
}

void gt__pf_put_fields(struct gt__out *o, const struct gt_field *fields,
                       size_t from, size_t count)
{
	size_t i;

	for (i = from; i < count; i++)
		put_field(o, &fields[i]);
}

static size_t begin_own(struct gt__out *o, const char *key)
{
	size_t annotation = gt__pb_begin(o, EVENT_ANNOTATIONS), name;

	name = gt__pb_begin(o, ANNOTATION_NAME);
	gt__put(o, "guesttrace.");
	gt__put(o, key);
	gt__pb_end(o, name);
	return annotation;
}

void gt__pf_put_own_bool(struct gt__out *o, const char *key)
{
	size_t annotation = begin_own(o, key);

	gt__pb_u64(o, ANNOTATION_BOOL, 1);
	gt__pb_end(o, annotation);
}

void gt__pf_put_own_u64(struct gt__out *o, const char *key, uint64_t value)
{
	size_t annotation = begin_own(o, key);

	gt__pb_u64(o, ANNOTATION_U64, value);
	gt__pb_end(o, annotation);
}

void gt__pf_put_own_id(struct gt__out *o, const char *key, uint64_t id)
{
	size_t annotation = begin_own(o, key), text;

	text = gt__pb_begin(o, ANNOTATION_STRING);
	gt__put_hex(o, id, 16);
	gt__pb_end(o, text);
	gt__pb_end(o, annotation);
}

void gt__pf_put_flags(struct gt__out *o, unsigned flags)
{
	size_t i;

	for (i = 0; i < GT__FLAG_WORDS; i++)
		if (flags & gt__flag_words[i].flag)
			gt__pf_put_own_bool(o, gt__flag_words[i].word);
}

void gt__pf_put_status(struct gt__out *o, const struct gt_span_view *span)
{
	size_t annotation;

	if (span->status == GT_STATUS_UNSET)
		return;
	annotation = begin_own(o, "status");
	gt__pb_string(o, ANNOTATION_STRING, gt__status_word(span->status));
	gt__pb_end(o, annotation);
	if (!span->status_text.count)
		return;
	annotation = begin_own(o, "status_message");
	gt__pb_text(o, ANNOTATION_STRING, span->status_text);
	gt__pb_end(o, annotation);
}

void gt__pf_put_links(struct gt__out *o, const struct gt_span_view *span)
{
	size_t annotation, text, i;

	for (i = 0; i < span->link_count; i++) {
		annotation = begin_own(o, "link");
		text = gt__pb_begin(o, ANNOTATION_STRING);
		gt__put_hex_bytes(o, span->links[i].trace_id, 16);
		gt__put_char(o, '-');
		gt__put_hex(o, span->links[i].span_id, 16);
		gt__pb_end(o, text);
		gt__pb_end(o, annotation);
	}
}

static void put_interned(struct gt__out *o, unsigned field, uint32_t number,
                         struct gt_text text, uint32_t line)
{
	size_t entry = gt__pb_begin(o, field);

	gt__pb_u64(o, INTERNED_IID, number);
	gt__pb_text(o, INTERNED_TEXT, text);
	if (field == INTERNED_LOCATIONS)
		gt__pb_u64(o, LOCATION_LINE, line);
	gt__pb_end(o, entry);
}

struct gt__pf_event gt__pf_begin_event(struct gt__out *o,
                                       const struct gt__pf_run *run,
                                       enum gt__pf_type type, uint64_t uuid,
                                       uint64_t time_ns)
{
	struct gt__pf_event e;

	e.packet = begin_packet(o, run->head.trace, SEQUENCE_NEEDS_STATE);
	gt__pb_u64(o, PACKET_TIMESTAMP,
	           gt__monotonic_ns(run->head.trace, time_ns));
	e.event = gt__pb_begin(o, PACKET_TRACK_EVENT);
	gt__pb_u64(o, EVENT_TYPE, (uint64_t)type);
	gt__pb_u64(o, EVENT_TRACK_UUID, uuid);
	return e;
}

/* Puts `site`'s names into the event, as numbers if it has some. */
void gt__pf_put_site(struct gt__out *o, const struct gt_site_view *site,
                     uint32_t number)
{
	if (!number) {
		gt__pb_text(o, EVENT_NAME, site->name);
		gt__pb_text(o, EVENT_CATEGORIES, site->target);
		return;
	}
	gt__pb_u64(o, EVENT_NAME_IID, number);
	gt__pb_u64(o, EVENT_CATEGORY_IIDS, number);
	gt__pb_u64(o, EVENT_LOCATION_IID, number);
}

/* Interned data stands in the packet, behind the event that needs it. */
void gt__pf_end_event(struct gt__out *o, struct gt__pf_event e,
                      const struct gt_site_view *site, uint32_t number,
                      bool is_new)
{
	size_t data;

	gt__pb_end(o, e.event);
	if (is_new) {
		data = gt__pb_begin(o, PACKET_INTERNED_DATA);
		put_interned(o, INTERNED_CATEGORIES, number, site->target, 0);
		put_interned(o, INTERNED_NAMES, number, site->name, 0);
		put_interned(o, INTERNED_LOCATIONS, number, site->file,
		             site->line);
		gt__pb_end(o, data);
	}
	gt__pb_end(o, e.packet);
}

/* counter_descriptor.proto: an empty descriptor makes it a counter track. */
static void describe_counter(struct gt__out *o, const struct gt__pf_run *run,
                             uint64_t uuid, const struct gt_event_view *event,
                             size_t field)
{
	size_t packet, track, name;

	packet = begin_packet(o, run->head.trace, SEQUENCE_NEEDS_STATE);
	track = gt__pb_begin(o, PACKET_TRACK_DESCRIPTOR);
	gt__pb_u64(o, TRACK_UUID, uuid);
	gt__pb_u64(o, TRACK_PARENT_UUID, run->uuid | UUID_PROCESS);
	name = gt__pb_begin(o, TRACK_NAME);
	gt__put_utf8(o, event->site->name);
	if (event->field_count > 1) {
		gt__put_char(o, '.');
		gt__put_utf8(o, event->fields[field].key);
	}
	gt__pb_end(o, name);
	gt__pb_end(o, gt__pb_begin(o, TRACK_COUNTER));
	gt__pb_end(o, track);
	gt__pb_end(o, packet);
}

static void put_counter_value(struct gt__out *o, const struct gt_field *f)
{
	switch (f->type) {
	case GT_TYPE_U64:
	case GT_TYPE_POINTER:
		if (f->value.u64 <= INT64_MAX)
			gt__pb_u64(o, EVENT_COUNTER, f->value.u64);
		else
			gt__pb_f64(o, EVENT_COUNTER_F64, (double)f->value.u64);
		break;
	case GT_TYPE_I64:
		gt__pb_i64(o, EVENT_COUNTER, f->value.i64);
		break;
	case GT_TYPE_F64:
		gt__pb_f64(o, EVENT_COUNTER_F64, f->value.f64);
		break;
	case GT_TYPE_BOOL:
		gt__pb_u64(o, EVENT_COUNTER, f->value.boolean);
		break;
	case GT_TYPE_STRING:
	case GT_TYPE_BYTES:
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* not shown: see gt__pf_put_counter */
	}
}

void gt__pf_put_counter(struct gt__out *o, const struct gt__pf_run *run,
                        uint32_t number, bool is_new,
                        const struct gt_event_view *event)
{
	size_t i;

	for (i = 0; i < event->field_count && i < GT_SITE_FIELDS_MAX; i++) {
		uint64_t uuid = run->uuid | UUID_COUNTER | number * 16 | i;
		struct gt__pf_event e;

		if (event->fields[i].type == GT_TYPE_STRING ||
		    event->fields[i].type == GT_TYPE_BYTES)
			continue;
		if (is_new)
			describe_counter(o, run, uuid, event, i);
		e = gt__pf_begin_event(o, run, GT__PF_COUNTER, uuid,
		                       event->time_ns);
		put_counter_value(o, &event->fields[i]);
		gt__pf_end_event(o, e, event->site, 0, false);
	}
}
