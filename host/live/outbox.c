/* SPDX-License-Identifier: MIT */
#include "host_inside.h"
#include "system.h"

#include <errno.h>

/*
 * Times are placed on lines between readings; the shorter, the less the clocks
 * can bend in between: docs/clocks.md.
 */
#define SAMPLE_NS 5000000u

void gt__outbox_keep_error(struct gt_host *host, int r)
{
	if (r < 0 && host->error == 0)
		host->error = r;
}

void gt__outbox_read(struct gt_host *host)
{
	host->reading = (struct gt_clock_reading){0};
	host->options.read_clock(host->options.clock_context, &host->reading);
}

static void put_reading(struct gt_host *host, uint8_t *to)
{
	const struct gt__reading reading = {host->reading.tsc,
	                                    host->reading.monotonic_ns,
	                                    host->reading.gap_ns};

	memcpy(to, &reading, sizeof(reading));
	if (reading.monotonic_ns - host->sent_ns >= SAMPLE_NS)
		host->recent[host->recent_count++ % RECENT_MAX] = reading;
	host->sent_ns = reading.monotonic_ns;
	host->sent_tsc = reading.tsc;
}

void gt__outbox_clock(struct gt_host *host, uint8_t *to)
{
	gt__outbox_read(host);
	put_reading(host, to);
}

/* Until gt__held_release(). */
static int keep(struct gt_host *host)
{
	gt__frame_put(&host->held, host->frame.bytes, host->frame.count);
	if (!host->held.no_memory)
		return 0;
	host->held.no_memory = false;
	gt__outbox_keep_error(host, -ENOMEM);
	return -ENOMEM;
}

/*
 * Seals the frame in host->frame and sends it both ways. What the capture and
 * the sinks return is kept for the end and stops nothing: only -ENOMEM here,
 * kept as well, because not every caller has somebody to tell.
 */
int gt__outbox_send(struct gt_host *host, enum gt__frame_type type,
                    uint32_t vcpu)
{
	struct gt__frame_buffer *frame = &host->frame;

	if (frame->no_memory) {
		gt__outbox_keep_error(host, -ENOMEM);
		return -ENOMEM;
	}
	gt__frame_seal(frame, type, vcpu);
	if (host->is_holding)
		return keep(host);
	return gt__outbox_deliver(host, frame->bytes, frame->count, type, vcpu);
}

int gt__outbox_deliver(struct gt_host *host, const uint8_t *bytes, size_t count,
                       enum gt__frame_type type, uint32_t vcpu)
{
	int r;

	if (host->options.capture.write) {
		r = host->options.capture.write(host->options.capture.context,
		                                bytes, count);
		gt__outbox_keep_error(host, r);
		if (r < 0)
			host->options.capture.write = NULL;
	}
	r = gt__pipeline_frame(host->pipeline, type, vcpu,
	                       bytes + GT__FRAME_HEAD, count - GT__FRAME_HEAD);
	gt__outbox_keep_error(host, r);
	gt__outbox_keep_error(host, gt__pipeline_error(host->pipeline));
	return r;
}

void gt__outbox_sample(struct gt_host *host)
{
	uint8_t *head;

	gt__frame_begin(&host->frame);
	head = gt__frame_extend(&host->frame, GT__EXITS_HEAD);
	if (head)
		put_reading(host, head);
	gt__frame_put(&host->frame, host->exits, host->exits_bytes);
	host->exits_bytes = 0;
	gt__outbox_send(host, GT__FRAME_EXITS, 0);
	host->unmerged = true;
}

void gt__outbox_exits(struct gt_host *host)
{
	if (host->exits_bytes > 0)
		gt__outbox_sample(host);
}

uint64_t gt__outbox_waited(struct host_vcpu *vcpu, uint64_t total_ns)
{
	uint64_t before_ns = vcpu->waited_ns;

	vcpu->waited_ns = total_ns;
	return total_ns > before_ns ? total_ns - before_ns : 0;
}

void gt__outbox_note_exit(struct gt_host *host, uint32_t vcpu,
                          const struct gt_exit *exit, bool tracing)
{
	struct host_vcpu *of = &host->vcpus[vcpu];
	uint8_t *to = host->exits + host->exits_bytes;
	uint64_t waited_ns = gt__outbox_waited(of, exit->waited_ns);

	gt__outbox_read(host);
	of->exit_tsc = host->reading.tsc;
	gt__store64(to, of->enter_tsc);
	gt__store64(to + 8, of->exit_tsc);
	gt__store16(to + 16, (uint16_t)exit->reason);
	gt__store16(to + 18, tracing ? GT__EXIT_TRACING : 0);
	gt__store16(to + 20, exit->port);
	gt__store16(to + 22, (uint16_t)vcpu);
	gt__store64(to + 24, of->enter_waited_ns);
	gt__store64(to + 32, waited_ns);
	host->exits_bytes += GT__EXIT_BYTES;
	if (host->exits_bytes == sizeof(host->exits) ||
	    host->reading.monotonic_ns - host->sent_ns >= SAMPLE_NS)
		gt__outbox_exits(host);
}

void gt__outbox_merge(struct gt_host *host, uint64_t tsc)
{
	if (!host->unmerged)
		return;
	/* Work has an end of which no frame has brought a reading. */
	if ((int64_t)(host->worked_tsc - host->sent_tsc) > 0)
		gt__outbox_sample(host);
	host->unmerged = false;
	gt__frame_begin(&host->frame);
	gt__frame_put64(&host->frame, tsc);
	gt__outbox_send(host, GT__FRAME_MERGE, 0);
}

void gt__outbox_put_tsc(const struct gt__tsc *tsc, uint64_t from_tsc,
                        int64_t doubt, struct gt__frame_buffer *frame)
{
	gt__frame_put64(frame, from_tsc);
	gt__frame_put64(frame, (uint64_t)tsc->offset);
	gt__frame_put64(frame, tsc->ratio);
	gt__frame_put32(frame, tsc->shift);
	gt__frame_put32(frame, doubt < 0 ? 0 : GT__TSC_ESTIMATED);
	if (doubt >= 0)
		gt__frame_put64(frame, (uint64_t)doubt);
}

void gt__outbox_tsc(struct gt_host *host, uint32_t vcpu, uint64_t from_tsc,
                    const struct gt__tsc *tsc, int64_t doubt)
{
	gt__frame_begin(&host->frame);
	gt__outbox_put_tsc(tsc, from_tsc, doubt, &host->frame);
	gt__outbox_send(host, GT__FRAME_TSC, vcpu);
}

void gt__outbox_new_ids(struct gt_host *host)
{
	host->context.id_base = gt__hash_word(&host->ids_key, ++host->id_bases);
}

/* To a reader it is a guest that has no rings. */
void gt__outbox_life(struct gt_host *host)
{
	gt__outbox_sample(host); /* what is still open ends by this */
	gt__outbox_new_ids(host);
	gt__frame_begin(&host->frame);
	gt__frame_put32(&host->frame, ++host->lives);
	gt__frame_put32(&host->frame, 0); /* vCPUs with rings */
	gt__frame_put64(&host->frame, 0); /* sites */
	gt__frame_put64(&host->frame, host->context.id_base);
	gt__outbox_send(host, GT__FRAME_GUEST, 0);
}

void gt__outbox_work(struct gt_host *host, const struct host_work *work)
{
	gt__outbox_exits(host); /* it began after one of them */
	gt__outbox_read(host);
	host->worked_tsc = host->reading.tsc;
	gt__frame_begin(&host->frame);
	gt__frame_put64(&host->frame, work->number);
	gt__frame_put64(&host->frame, work->parent);
	gt__frame_put64(&host->frame, work->start_tsc);
	gt__frame_put64(&host->frame, host->reading.tsc);
	gt__frame_put_text(&host->frame, work->name, strlen(work->name));
	gt__outbox_send(host, GT__FRAME_WORK, work->vcpu);
	host->unmerged = true;
}

static void put_name(struct gt__frame_buffer *frame, const char *name)
{
	gt__frame_put_text(frame, name ? name : "", name ? strlen(name) : 0);
}

void gt__outbox_put_start(const struct gt_host *host,
                          struct gt__frame_buffer *frame)
{
	const struct gt_clock_reading *reading = &host->first_reading;
	const struct gt_sampler *sampler = &host->options.sampler;

	gt__frame_put64(frame, GT__CAPTURE_MAGIC);
	gt__frame_put32(frame, GT_ABI_VERSION);
	gt__frame_put32(frame, host->options.vcpus);
	gt__frame_put(frame, host->context.trace_id, 16);
	gt__frame_put64(frame, host->context.parent_id);
	gt__frame_put64(frame, host->first_id_base);
	gt__frame_put32(frame, host->context.flags);
	gt__frame_put32(frame, host->capture_seed);
	gt__frame_put64(frame, reading->realtime_ns - reading->monotonic_ns);
	gt__frame_put64(frame,
	                reading->boottime_ns
	                        ? reading->boottime_ns - reading->monotonic_ns
	                        : 0);
	gt__frame_put64(frame, host->options.tsc_hz);
	gt__frame_put32(frame, host->options.tsc_source);
	gt__frame_put32(frame, host->clock_flags);
	gt__frame_put64(frame, reading->tsc);
	gt__frame_put64(frame, reading->monotonic_ns);
	gt__frame_put64(frame, reading->gap_ns);
	put_name(frame, host->guest_name);
	put_name(frame, host->vm_name);
	put_name(frame, host->backend);
	put_name(frame, host->guest_build_id);
	put_name(frame, host->vm_id);
	put_name(frame, host->host_name);
	if (sampler->dropped || sampler->ignores_parent) {
		put_name(frame, host->trace_state);
		gt__frame_put64(frame, sampler->dropped);
		gt__frame_put32(frame, sampler->ignores_parent);
	} else if (host->trace_state && *host->trace_state) {
		put_name(frame, host->trace_state);
	}
}

int gt__outbox_start(struct gt_host *host)
{
	host->options.read_clock(host->options.clock_context,
	                         &host->first_reading);
	host->first_id_base = host->context.id_base;
	host->options.random(host->options.random_context, &host->capture_seed,
	                     sizeof(host->capture_seed));
	host->options.random(host->options.random_context, &host->ids_key,
	                     sizeof(host->ids_key));
	gt__system_rate(&host->options, &host->clock_flags);
	host->sent_ns = host->first_reading.monotonic_ns;
	host->sent_tsc = host->worked_tsc = host->first_reading.tsc;
	if (!host->is_holding)
		gt__outbox_begin(host);
	host->frame.seed = host->capture_seed;
	return host->error;
}

void gt__outbox_begin(struct gt_host *host)
{
	host->frame.seed = 0;
	gt__frame_begin(&host->frame);
	gt__outbox_put_start(host, &host->frame);
	gt__outbox_send(host, GT__FRAME_START, 0);
	host->frame.seed = host->capture_seed;
}

void gt__outbox_put_end(struct gt_host *host, struct gt__frame_buffer *frame,
                        enum gt_ending ending, uint32_t status,
                        const char *message)
{
	uint8_t clock[24];

	gt__outbox_clock(host, clock);
	gt__frame_put32(frame, ending);
	gt__frame_put32(frame, status);
	gt__frame_put(frame, clock, sizeof(clock));
	gt__frame_put64(frame, host->bad_requests);
	gt__frame_put64(frame, host->mailbox.repeated);
	gt__frame_put32(frame, host->clock_flags);
	gt__frame_put32(frame, 0);
	put_name(frame, message);
	if (host->quota.requests_over | host->quota.exits_over) {
		gt__frame_put64(frame, host->quota.requests_over);
		gt__frame_put64(frame, host->quota.exits_over);
	}
}

void gt__outbox_end(struct gt_host *host, enum gt_ending ending,
                    uint32_t status, const char *message)
{
	gt__frame_begin(&host->frame);
	gt__outbox_put_end(host, &host->frame, ending, status, message);
	gt__outbox_send(host, GT__FRAME_END, 0);
}

bool gt__outbox_may_look(const struct gt_host *host)
{
	return host->memory.count > 0 && !host->has_moved;
}

bool gt__outbox_is_inside(const struct host_vcpu *vcpu)
{
	return vcpu->enter_tsc != 0 &&
	       (!vcpu->has_exited ||
	        (int64_t)(vcpu->enter_tsc - vcpu->exit_tsc) > 0);
}

void gt__outbox_records_head(struct gt_host *host, uint32_t vcpu,
                             struct gt__frame_buffer *frame)
{
	const struct host_vcpu *of = &host->vcpus[vcpu];

	gt__outbox_clock(host, frame->bytes + GT__FRAME_HEAD);
	gt__store64(frame->bytes + GT__FRAME_HEAD + 24,
	            gt__outbox_is_inside(of) ? of->enter_tsc : 0);
}
