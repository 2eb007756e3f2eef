/* SPDX-License-Identifier: MIT */
/*
 * Clocks and tracks of a Perfetto trace: one process per run, one thread per
 * vCPU, and beside these lanes, counters, and what the host did.
 */
#include "export/out/escape.h"
#include "perfetto_packets.h"
#include "export/out/protobuf.h"
#include "export/out/protobuf_raw.h"
#include "export/out/unit.h"
#include "export/out/values.h"
#include "export/out/words.h"

/* trace_packet.proto, trace_packet_defaults.proto */
enum {
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
	CLOCK_IS_BOOTTIME = 6,
};

/* track_event/track_descriptor.proto and the descriptors it holds */
enum {
	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PROCESS = 3,
	TRACK_THREAD = 4,
	TRACK_PARENT_UUID = 5,
	TRACK_COUNTER = 8,
	COUNTER_UNIT_NAME = 6,
	PROCESS_PID = 1,
	PROCESS_NAME = 6,
	PROCESS_LABELS = 8,
	THREAD_PID = 1,
	THREAD_TID = 2,
	THREAD_NAME = 5,
};

static void put_clock(struct gt__out *o, unsigned id, uint64_t time_ns)
{
	size_t clock = gt__pb_begin(o, SNAPSHOT_CLOCKS);

	gt__pb_u64(o, CLOCK_ID, id);
	gt__pb_u64(o, CLOCK_TIMESTAMP, time_ns);
	gt__pb_end(o, clock);
}

/*
 * Files may be joined, with each other and with a host's own trace: the numbers
 * of two runs should differ. Machine 0 is the host, sequences have 32 bits.
 */
static void choose_numbers(struct gt__pf_run *run, uint32_t *ret_machine,
                           uint32_t *ret_sequence)
{
	const struct gt_trace *trace = run->head.trace;
	uint64_t hash = GT__HASH;

	hash = gt__hash(hash, trace->trace_id, sizeof trace->trace_id);
	hash = gt__hash(hash, &trace->index, sizeof trace->index);
	hash = gt__hash(hash, &trace->start_ns, sizeof trace->start_ns);
	run->uuid = hash & ~(uint64_t)UINT32_MAX;
	*ret_machine = (uint32_t)hash | 1;
	*ret_sequence = (uint32_t)(hash >> 32) | 0x10000000u;
}

/* What comes first: clocks, defaults, and the keys of the exporter's own. */
static void put_clocks(struct gt__out *o, const struct gt_trace *trace,
                       const struct gt__pf_run *run)
{
	size_t packet = gt__pb_begin(o, GT__PF_PACKET), inner;

	gt__put_bytes(o, run->prefix, run->prefix_bytes);
	gt__pb_u64(o, GT__PF_PACKET_SEQUENCE_FLAGS,
	           SEQUENCE_STATE_CLEARED | SEQUENCE_NEEDS_STATE);
	gt__pb_u64(o, GT__PF_PACKET_FIRST_ON_SEQUENCE, 1);
	inner = gt__pb_begin(o, GT__PF_PACKET_DEFAULTS);
	gt__pb_u64(o, DEFAULTS_CLOCK_ID, CLOCK_IS_BOOTTIME);
	gt__pb_end(o, inner);
	inner = gt__pb_begin(o, GT__PF_PACKET_CLOCK_SNAPSHOT);
	put_clock(o, CLOCK_IS_REALTIME, trace->start_ns);
	put_clock(o, CLOCK_IS_MONOTONIC,
	          gt__monotonic_ns(trace, trace->start_ns));
	put_clock(o, CLOCK_IS_BOOTTIME,
	          gt__pf_boottime_ns(trace, trace->start_ns));
	gt__pb_u64(o, SNAPSHOT_PRIMARY, CLOCK_IS_BOOTTIME);
	gt__pb_end(o, inner);
	inner = gt__pb_begin(o, GT__PF_PACKET_INTERNED_DATA);
	gt__pf_put_own_keys(o);
	gt__pb_end(o, inner);
	gt__pb_end(o, packet);
}

static void put_label(struct gt__out *o, const char *word, struct gt_text text)
{
	size_t label;

	if (!text.count)
		return;
	label = gt__pb_begin(o, PROCESS_LABELS);
	gt__put(o, word);
	gt__put_utf8(o, text);
	gt__pb_end(o, label);
}

static void put_process(struct gt__out *o, const struct gt__pf_run *run)
{
	const struct gt_trace *trace = run->head.trace;
	size_t packet = gt__pf_begin_packet(o, run), track, process, label;

	track = gt__pb_begin(o, GT__PF_PACKET_TRACK_DESCRIPTOR);
	gt__pb_u64(o, TRACK_UUID, run->uuid | GT__PF_UUID_PROCESS);
	process = gt__pb_begin(o, TRACK_PROCESS);
	gt__pb_u64(o, PROCESS_PID, gt__pid(trace));
	gt__pb_text(o, PROCESS_NAME, trace->guest_name);
	put_label(o, "vm: ", trace->vm_name);
	put_label(o, "vm id: ", trace->vm_id);
	put_label(o, "host: ", trace->host_name);
	put_label(o, "build id: ", trace->guest_build_id);
	put_label(o, "backend: ", trace->backend);
	label = gt__pb_begin(o, PROCESS_LABELS);
	gt__put(o, "trace: ");
	gt__put_hex_bytes(o, trace->trace_id, sizeof trace->trace_id);
	gt__pb_end(o, label);
	gt__pb_end(o, process);
	gt__pb_end(o, track);
	gt__pb_end(o, packet);
}

void gt__pf_start(struct gt__out *o, struct gt__pf_run *run)
{
	uint32_t machine, sequence;
	uint8_t *p = run->prefix;

	choose_numbers(run, &machine, &sequence);
	p = gt__raw_u64(p, GT__PF_PACKET_MACHINE_ID, machine);
	p = gt__raw_u64(p, GT__PF_PACKET_SEQUENCE_ID, sequence);
	run->prefix_bytes = (uint8_t)(p - run->prefix);
	put_clocks(o, run->head.trace, run);
	p = gt__raw_u64(p, GT__PF_PACKET_SEQUENCE_FLAGS, SEQUENCE_NEEDS_STATE);
	run->prefix_bytes = (uint8_t)(p - run->prefix);
	put_process(o, run);
}

/* ---- Tracks of vCPUs ----------------------------------------------------- */

static void put_vcpu_name(struct gt__out *o, unsigned field, uint32_t vcpu,
                          const char *what, uint32_t number)
{
	size_t name = gt__pb_begin(o, field);

	gt__put(o, "vCPU ");
	gt__put_u64(o, vcpu);
	gt__put(o, what);
	if (number)
		gt__put_u64(o, number);
	gt__pb_end(o, name);
}

static void put_thread(struct gt__out *o, const struct gt_trace *trace,
                       uint32_t vcpu)
{
	size_t thread = gt__pb_begin(o, TRACK_THREAD);

	gt__pb_u64(o, THREAD_PID, gt__pid(trace));
	gt__pb_u64(o, THREAD_TID, gt__tid(trace, vcpu));
	put_vcpu_name(o, THREAD_NAME, vcpu, "", 0);
	gt__pb_end(o, thread);
}

uint64_t gt__pf_track_uuid(struct gt__out *o, struct gt__pf_run *run,
                           uint32_t index)
{
	struct gt__track *track = &run->lanes.tracks[index];
	uint64_t uuid = run->uuid | (GT__PF_UUID_TRACKS + index);
	size_t packet, descriptor;

	if (track->described)
		return uuid;
	track->described = true;
	packet = gt__pf_begin_packet(o, run);
	descriptor = gt__pb_begin(o, GT__PF_PACKET_TRACK_DESCRIPTOR);
	gt__pb_u64(o, TRACK_UUID, uuid);
	if (track->lane) { /* viewers show it beside the vCPU's thread */
		gt__pb_u64(o, TRACK_PARENT_UUID,
		           run->uuid | GT__PF_UUID_PROCESS);
		put_vcpu_name(o, TRACK_NAME, track->vcpu, " lane ",
		              track->lane);
	} else {
		put_thread(o, run->head.trace, track->vcpu);
	}
	gt__pb_end(o, descriptor);
	gt__pb_end(o, packet);
	return uuid;
}

/* What viewers show such a track below: its vCPU. Without memory: an error. */
static uint64_t parent_uuid(struct gt__out *o, struct gt__pf_run *run,
                            uint32_t vcpu)
{
	uint32_t thread;
	int r = gt__lanes_event(&run->lanes, vcpu, 0, &thread);

	if (r == 0)
		return gt__pf_track_uuid(o, run, thread);
	if (!o->error)
		o->error = r;
	return 0;
}

static void describe(struct gt__out *o, struct gt__pf_run *run, uint64_t uuid,
                     uint32_t vcpu, const char *what)
{
	uint64_t parent = parent_uuid(o, run, vcpu);
	size_t packet, descriptor;

	packet = gt__pf_begin_packet(o, run);
	descriptor = gt__pb_begin(o, GT__PF_PACKET_TRACK_DESCRIPTOR);
	gt__pb_u64(o, TRACK_UUID, uuid);
	gt__pb_u64(o, TRACK_PARENT_UUID, parent);
	put_vcpu_name(o, TRACK_NAME, vcpu, what, 0);
	gt__pb_end(o, descriptor);
	gt__pb_end(o, packet);
}

uint64_t gt__pf_host_uuid(struct gt__out *o, struct gt__pf_run *run,
                          uint32_t vcpu, bool exits)
{
	uint64_t uuid = run->uuid | (GT__PF_UUID_HOST + vcpu * 2 + exits);

	if (!run->host[vcpu].described[exits])
		describe(o, run, uuid, vcpu, exits ? " exits" : " guest runs");
	run->host[vcpu].described[exits] = true;
	return uuid;
}

uint64_t gt__pf_lost_uuid(struct gt__out *o, struct gt__pf_run *run,
                          uint32_t vcpu)
{
	uint64_t uuid = run->uuid | (GT__PF_UUID_LOST + vcpu);

	if (!run->gaps[vcpu].described)
		describe(o, run, uuid, vcpu, " lost");
	run->gaps[vcpu].described = true;
	return uuid;
}

/* ---- Counters ------------------------------------------------------------ */

/* Without the signs that say how the values add up. */
static void put_unit(struct gt__out *o, struct gt_text key)
{
	struct gt_text unit;
	size_t name;

	if (!gt__cut_unit(&key, &unit))
		return;
	for (; unit.count && strchr("+-", *unit.bytes); unit.bytes++)
		unit.count--;
	if (!unit.count)
		return;
	name = gt__pb_begin(o, COUNTER_UNIT_NAME);
	gt__put_utf8(o, unit);
	gt__pb_end(o, name);
}

/* counter_descriptor.proto: an empty descriptor makes it a counter track. */
static void describe_counter(struct gt__out *o, const struct gt__pf_run *run,
                             uint64_t uuid, const struct gt_event_view *event,
                             size_t field)
{
	size_t packet, track, name;

	packet = gt__pf_begin_packet(o, run);
	track = gt__pb_begin(o, GT__PF_PACKET_TRACK_DESCRIPTOR);
	gt__pb_u64(o, TRACK_UUID, uuid);
	gt__pb_u64(o, TRACK_PARENT_UUID, run->uuid | GT__PF_UUID_PROCESS);
	name = gt__pb_begin(o, TRACK_NAME);
	gt__put_utf8(o, event->site->name);
	if (event->field_count > 1) {
		gt__put_char(o, '.');
		gt__put_utf8(o, event->fields[field].key);
	}
	gt__pb_end(o, name);
	name = gt__pb_begin(o, TRACK_COUNTER);
	put_unit(o, event->fields[field].key);
	gt__pb_end(o, name);
	gt__pb_end(o, track);
	gt__pb_end(o, packet);
}

void gt__pf_put_counter(struct gt__out *o, const struct gt__pf_run *run,
                        uint32_t number, bool is_new,
                        const struct gt_event_view *event)
{
	size_t i;

	for (i = 0; i < event->field_count && i < GT_SITE_FIELDS_MAX; i++) {
		uint64_t uuid =
			run->uuid | GT__PF_UUID_COUNTER | number * 16 | i;
		struct gt__number n = gt__number_of(&event->fields[i]);
		struct gt__pf_event e;

		if (n.kind == GT__NO_NUMBER ||
		    !gt__field_holds(event->fields, event->field_count, i))
			continue;
		if (is_new)
			describe_counter(o, run, uuid, event, i);
		e = gt__pf_begin_event(o, run, GT__PF_COUNTER, uuid,
		                       event->time_ns);
		if (n.kind == GT__WHOLE)
			gt__pb_i64(o, GT__PF_EVENT_COUNTER, n.whole);
		else
			gt__pb_f64(o, GT__PF_EVENT_COUNTER_F64, n.real);
		gt__pb_end(o, e.event);
		gt__pb_end(o, e.packet);
	}
}
