/* SPDX-License-Identifier: MIT */
/*
 * What the host did, on two tracks per vCPU: its time in the guest, and its
 * exits with the VMM's own work inside.
 */
#include "export/out/escape.h"
#include "perfetto_packets.h"
#include "export/out/protobuf.h"
#include "export/out/words.h"
#include <errno.h>

static void put_end(struct gt__out *o, struct gt__pf_run *run, uint32_t vcpu,
                    bool exits, uint64_t end_ns)
{
	struct gt__pf_event e = gt__pf_begin_event(
		o, run, GT__PF_END, gt__pf_host_uuid(o, run, vcpu, exits),
		end_ns);

	gt__pf_end_event(o, run, e, NULL, 0);
}

/* Ends what `next` is not inside of; all of it if that is NULL. */
static void end_before(struct gt__out *o, struct gt__pf_run *run, uint32_t vcpu,
                       const struct gt_host_span_view *next)
{
	uint64_t end_ns;

	while (gt__host_stack_pop(&run->host[vcpu].exits, next, &end_ns))
		put_end(o, run, vcpu, true, end_ns);
}

/* Of an exit's name, so that exits to different ports do not look alike. */
static void put_port(struct gt__out *o, uint16_t port)
{
	unsigned digits = 1;

	while (digits < 4 && port >> (4 * digits))
		digits++;
	gt__put(o, " 0x");
	gt__put_hex(o, port, digits);
}

static void put_name(struct gt__out *o, const struct gt_host_span_view *span)
{
	size_t name = gt__pb_begin(o, GT__PF_EVENT_NAME);

	if (span->kind == GT_HOST_EXIT) {
		gt__put(o, "exit ");
		gt__put(o, gt__exit_word((unsigned)span->reason));
		if (span->reason == GT_EXIT_IO)
			put_port(o, span->port);
	} else if (span->kind == GT_HOST_GUEST) {
		gt__put(o, "guest");
	} else {
		gt__put_utf8(o, span->name);
	}
	gt__pb_end(o, name);
	gt__pb_string(o, GT__PF_EVENT_CATEGORIES, "guesttrace.host");
}

static void put_notes(struct gt__out *o, const struct gt_host_span_view *span)
{
	gt__pf_put_own_id(o, GT__PF_KEY_SPAN_ID, span->id);
	if (span->parent_id)
		gt__pf_put_own_id(o, GT__PF_KEY_PARENT_ID, span->parent_id);
	if (span->kind != GT_HOST_WORK)
		gt__pf_put_own_word(o, GT__PF_KEY_REASON,
		                    gt__exit_word((unsigned)span->reason));
	if (span->reason == GT_EXIT_IO && span->kind == GT_HOST_EXIT)
		gt__pf_put_own_u64(o, GT__PF_KEY_PORT, span->port);
	if (span->tracing)
		gt__pf_put_own_bool(o, GT__PF_KEY_TRACING);
	gt__pf_put_own_u64(o, GT__PF_KEY_WAITING_NS, span->waiting_ns);
	gt__pf_put_flags(o, span->flags);
}

int gt__pf_put_host(struct gt__out *o, struct gt__pf_run *run,
                    const struct gt_host_span_view *span)
{
	bool exits = span->kind != GT_HOST_GUEST;
	struct gt__pf_event e;
	uint64_t uuid;

	if (span->vcpu >= run->head.vcpus)
		return -EINVAL;
	if (!run->host)
		run->host = calloc(run->head.vcpus, sizeof *run->host);
	if (!run->host)
		return -ENOMEM;
	end_before(o, run, span->vcpu, span);
	uuid = gt__pf_host_uuid(o, run, span->vcpu, exits);
	e = gt__pf_begin_event(o, run, GT__PF_BEGIN, uuid, span->start_ns);
	put_name(o, span);
	put_notes(o, span);
	gt__pf_end_event(o, run, e, NULL, 0);
	if (!gt__host_stack_push(&run->host[span->vcpu].exits, span))
		put_end(o, run, span->vcpu, exits, span->end_ns);
	return 0;
}

void gt__pf_end_host(struct gt__out *o, struct gt__pf_run *run)
{
	uint32_t i;

	for (i = 0; run->host && i < run->head.vcpus; i++)
		end_before(o, run, i, NULL);
}
