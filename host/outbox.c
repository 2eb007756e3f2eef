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

static void put_name(struct gt_host *host, const char *name)
{
	gt__frame_put_text(&host->frame, name ? name : "",
	                   name ? strlen(name) : 0);
}

int gt__outbox_start(struct gt_host *host)
{
	struct gt_clock_reading reading = {0};

	host->options.read_clock(host->options.clock_context, &reading);
	gt__frame_begin(&host->frame);
	gt__frame_put64(&host->frame, GT__CAPTURE_MAGIC);
	gt__frame_put32(&host->frame, GT_ABI_VERSION);
	gt__frame_put32(&host->frame, host->options.vcpus);
	gt__frame_put(&host->frame, host->context.trace_id, 16);
	gt__frame_put64(&host->frame, host->context.parent_id);
	gt__frame_put64(&host->frame, host->context.id_base);
	gt__frame_put32(&host->frame, host->context.flags);
	gt__frame_put32(&host->frame, 0);
	gt__frame_put64(&host->frame,
	                reading.realtime_ns - reading.monotonic_ns);
	gt__frame_put64(&host->frame,
	                reading.boottime_ns
	                        ? reading.boottime_ns - reading.monotonic_ns
	                        : 0);
	gt__frame_put64(&host->frame, reading.tsc);
	gt__frame_put64(&host->frame, reading.monotonic_ns);
	gt__frame_put64(&host->frame, reading.gap_ns);
	put_name(host, host->options.guest_name);
	put_name(host, host->options.vm_name);
	put_name(host, host->options.backend);
	for (uint32_t i = 0; i < host->options.vcpus; i++)
		host->vcpus[i].enter_tsc = reading.tsc;
	gt__outbox_send(host, GT__FRAME_START, 0);
	return host->error;
}

void gt__outbox_end(struct gt_host *host, enum gt_ending ending,
                    uint32_t status, const char *message)
{
	uint8_t clock[24];

	gt__outbox_clock(host, clock);
	gt__frame_begin(&host->frame);
	gt__frame_put32(&host->frame, ending);
	gt__frame_put32(&host->frame, status);
	gt__frame_put(&host->frame, clock, sizeof(clock));
	gt__frame_put64(&host->frame, host->bad_requests);
	gt__frame_put64(&host->frame, host->mailbox.repeated);
	put_name(host, message);
	gt__outbox_send(host, GT__FRAME_END, 0);
}
