/* SPDX-License-Identifier: MIT */
/* Batches of the Hyperlight wires, however they come, become frames. */
#include "host_inside.h"

#include <errno.h>

/* The batch lies in host->frame, behind room for its head. */
static int send(struct gt_host *host, uint32_t vcpu, uint64_t entered_tsc)
{
	uint8_t *head = host->frame.bytes + GT__FRAME_HEAD;

	gt__quota_spend(&host->quota, host->frame.count);
	gt__outbox_clock(host, head);
	gt__store64(head + 24, entered_tsc);
	gt__store32(head + 32, host->options.wire);
	gt__store32(head + 36, 0);
	return gt__outbox_send(host, GT__FRAME_BATCH, vcpu);
}

/* Another frame goes before the batch, whose own is being written. */
static void learn(struct gt_host *host, uint32_t vcpu, uint64_t guest_tsc,
                  uint64_t upper_tsc)
{
	struct gt__frame_buffer batch = host->frame;
	const size_t head = GT__FRAME_HEAD + GT__BATCH_HEAD;

	if (!host->vcpus[vcpu].guess.is_on)
		return;
	host->frame = (struct gt__frame_buffer){.seed = batch.seed};
	gt__offset_learn(host, vcpu, batch.bytes + head, batch.count - head,
	                 guest_tsc, upper_tsc);
	free(host->frame.bytes);
	host->frame = batch;
}

static int begin(struct gt_host *host)
{
	gt__outbox_exits(host);
	gt__frame_begin(&host->frame);
	return gt__frame_extend(&host->frame, GT__BATCH_HEAD) ? 0 : -ENOMEM;
}

/* What comes next is younger, but for what was carried over. */
static void looked(struct host_vcpu *vcpu, uint64_t tsc)
{
	vcpu->carry_tsc = vcpu->looked_tsc;
	vcpu->looked_tsc = tsc;
}

int gt__handover_exit(struct gt_host *host, uint32_t number,
                      const struct gt_exit *exit)
{
	struct host_vcpu *vcpu = &host->vcpus[number];
	int r = begin(host);

	if (r == 0)
		r = gt__mailbox_take(&host->mailbox, &host->memory,
		                     &vcpu->paging, exit,
		                     host->limits.batch_bytes, &host->frame);
	if (r <= 0)
		return r;
	learn(host, number, 0, vcpu->exit_tsc);
	r = send(host, number, 0);
	looked(vcpu, vcpu->exit_tsc);
	return r < 0 ? r : 1;
}

int gt__handover_bytes(struct gt_host *host, uint32_t number, const void *bytes,
                       size_t count, uint64_t guest_tsc)
{
	struct host_vcpu *vcpu = &host->vcpus[number];
	uint64_t now_tsc = host->reading.tsc;
	int r = begin(host);

	if (r == 0)
		r = gt__mailbox_put(bytes, count, host->limits.batch_bytes,
		                    &host->frame);
	if (r < 0)
		return r;
	learn(host, number, guest_tsc, now_tsc);
	r = send(host, number,
	         gt__outbox_is_inside(vcpu) ? vcpu->enter_tsc : 0);
	looked(vcpu, now_tsc);
	return r;
}
