/* SPDX-License-Identifier: MIT */
#include "host_inside.h"

#include <errno.h>

void gt__outbox_keep_error(struct gt_host *host, int r)
{
	if (r < 0 && host->error == 0)
		host->error = r;
}

void gt__outbox_clock(struct gt_host *host, uint8_t *to)
{
	struct gt_clock_reading reading = {0};

	host->options.read_clock(host->options.clock_context, &reading);
	gt__store64(to, reading.tsc);
	gt__store64(to + 8, reading.monotonic_ns);
	gt__store64(to + 16, reading.gap_ns);
}

/*
 * Seals the frame in host->frame and sends it both ways. What the capture and
 * the sinks return is kept for the end and stops nothing: only -ENOMEM here.
 */
int gt__outbox_send(struct gt_host *host, enum gt__frame_type type,
                    uint32_t vcpu)
{
	struct gt__frame_buffer *frame = &host->frame;
	int r;

	if (frame->no_memory)
		return -ENOMEM;
	gt__frame_seal(frame, type, vcpu);
	if (host->options.capture.write) {
		r = host->options.capture.write(host->options.capture.context,
		                                frame->bytes, frame->count);
		gt__outbox_keep_error(host, r);
		if (r < 0)
			host->options.capture.write = NULL;
	}
	r = gt__pipeline_frame(host->pipeline, type, vcpu,
	                       frame->bytes + GT__FRAME_HEAD,
	                       frame->count - GT__FRAME_HEAD);
	gt__outbox_keep_error(host, r);
	gt__outbox_keep_error(host, gt__pipeline_error(host->pipeline));
	return r;
}

void gt__outbox_exits(struct gt_host *host)
{
	if (host->exits_bytes == 0)
		return;
	gt__frame_begin(&host->frame);
	gt__frame_put(&host->frame, host->exits, host->exits_bytes);
	host->exits_bytes = 0;
	gt__outbox_send(host, GT__FRAME_EXITS, 0);
}

void gt__outbox_note_exit(struct gt_host *host, uint32_t vcpu,
                          const struct gt_exit *exit)
{
	struct gt_clock_reading reading = {0};
	uint8_t *to = host->exits + host->exits_bytes;

	host->options.read_clock(host->options.clock_context, &reading);
	gt__store64(to, host->vcpus[vcpu].enter_tsc);
	gt__store64(to + 8, reading.tsc);
	gt__store32(to + 16, (uint32_t)exit->reason);
	gt__store16(to + 20, exit->port);
	gt__store16(to + 22, (uint16_t)vcpu);
	host->exits_bytes += GT__EXIT_BYTES;
	if (host->exits_bytes == sizeof(host->exits))
		gt__outbox_exits(host);
}

static void put_name(struct gt__frame_buffer *frame, const char *name)
{
	gt__frame_put_text(frame, name ? name : "", name ? strlen(name) : 0);
}

void gt__outbox_put_start(const struct gt_host *host,
                          struct gt__frame_buffer *frame)
{
	const struct gt_clock_reading *reading = &host->first_reading;

	gt__frame_put64(frame, GT__CAPTURE_MAGIC);
	gt__frame_put32(frame, GT_ABI_VERSION);
	gt__frame_put32(frame, host->options.vcpus);
	gt__frame_put(frame, host->context.trace_id, 16);
	gt__frame_put64(frame, host->context.parent_id);
	gt__frame_put64(frame, host->first_id_base);
	gt__frame_put32(frame, host->context.flags);
	gt__frame_put32(frame, 0);
	gt__frame_put64(frame, reading->realtime_ns - reading->monotonic_ns);
	gt__frame_put64(frame,
	                reading->boottime_ns
	                        ? reading->boottime_ns - reading->monotonic_ns
	                        : 0);
	gt__frame_put64(frame, reading->tsc);
	gt__frame_put64(frame, reading->monotonic_ns);
	gt__frame_put64(frame, reading->gap_ns);
	put_name(frame, host->guest_name);
	put_name(frame, host->vm_name);
	put_name(frame, host->backend);
}

int gt__outbox_start(struct gt_host *host)
{
	host->options.read_clock(host->options.clock_context,
	                         &host->first_reading);
	host->first_id_base = host->context.id_base;
	for (uint32_t i = 0; i < host->options.vcpus; i++)
		host->vcpus[i].enter_tsc = host->first_reading.tsc;
	gt__frame_begin(&host->frame);
	gt__outbox_put_start(host, &host->frame);
	gt__outbox_send(host, GT__FRAME_START, 0);
	return host->error;
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
	put_name(frame, message);
}

void gt__outbox_end(struct gt_host *host, enum gt_ending ending,
                    uint32_t status, const char *message)
{
	gt__frame_begin(&host->frame);
	gt__outbox_put_end(host, &host->frame, ending, status, message);
	gt__outbox_send(host, GT__FRAME_END, 0);
}

void gt__outbox_records_head(struct gt_host *host, uint32_t vcpu,
                             struct gt__frame_buffer *frame)
{
	gt__outbox_clock(host, frame->bytes + GT__FRAME_HEAD);
	gt__store64(frame->bytes + GT__FRAME_HEAD + 24,
	            (uint64_t)host->vcpus[vcpu].tsc_offset);
}
