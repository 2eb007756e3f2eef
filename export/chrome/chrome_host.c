/* SPDX-License-Identifier: MIT */
/*
 * What the host did, on two threads per vCPU: its time in the guest, and its
 * exits with the VMM's own work inside. No complete events ("X"): among those
 * Perfetto takes lines of one time out of their order.
 */
#include "chrome_lines.h"
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "export/out/words.h"
#include <errno.h>

/* Behind the threads of the guest's vCPUs, and below the next run's pid. */
static uint32_t host_tid(const struct gt__chrome_run *run, uint32_t vcpu,
                         bool exits)
{
	return gt__tid(run->head.trace, GT_VCPUS_MAX + 2 * vcpu + exits);
}

static void name_thread(struct gt__chrome *x, struct gt__chrome_run *run,
                        uint32_t vcpu, bool exits)
{
	struct gt__out *o = &x->head.out;

	if (run->host[vcpu].named[exits])
		return;
	run->host[vcpu].named[exits] = true;
	gt__chrome_next_line(x);
	gt__put(o, "{\"ph\":\"M\",\"name\":\"thread_name\",");
	gt__chrome_put_ids(o, run, host_tid(run, vcpu, exits));
	gt__put(o, ",\"args\":{\"name\":\"vCPU ");
	gt__put_u64(o, vcpu);
	gt__put(o, exits ? " exits\"}}" : " guest runs\"}}");
}

static void put_name(struct gt__out *o, const struct gt_host_span_view *span)
{
	gt__put(o, ",\"cat\":\"guesttrace.host\",\"name\":");
	if (span->kind == GT_HOST_WORK) {
		gt__put_json(o, span->name);
		return;
	}
	gt__put(o, span->kind == GT_HOST_EXIT ? "\"exit " : "\"guest\"");
	if (span->kind == GT_HOST_EXIT) {
		gt__put(o, gt__exit_word((unsigned)span->reason));
		gt__put_char(o, '"');
	}
}

static void put_notes(struct gt__out *o, const struct gt_host_span_view *span)
{
	gt__put(o, ",\"args\":{\"guesttrace.span_id\":\"");
	gt__put_hex(o, span->id, 16);
	if (span->parent_id) {
		gt__put(o, "\",\"guesttrace.parent_id\":\"");
		gt__put_hex(o, span->parent_id, 16);
	}
	if (span->kind != GT_HOST_WORK) {
		gt__put(o, "\",\"guesttrace.reason\":\"");
		gt__put(o, gt__exit_word((unsigned)span->reason));
	}
	gt__put(o, "\",\"guesttrace.waiting_ns\":");
	gt__put_json_u64(o, span->waiting_ns);
	if (span->kind == GT_HOST_EXIT && span->reason == GT_EXIT_IO) {
		gt__put(o, ",\"guesttrace.port\":");
		gt__put_u64(o, span->port);
	}
	if (span->tracing)
		gt__put(o, ",\"guesttrace.tracing\":true");
	gt__chrome_put_flags(o, span->flags);
	gt__put_char(o, '}');
}

/* What the end of a stretch says, kept until it is due. NULL: no memory. */
static char *keep_tail(struct gt__out *o, const struct gt_host_span_view *span,
                       size_t *ret_bytes)
{
	size_t from = o->used;
	char *tail = NULL;

	put_name(o, span);
	put_notes(o, span);
	if (!o->error)
		tail = malloc(o->used - from);
	if (tail)
		memcpy(tail, o->bytes + from, o->used - from);
	*ret_bytes = o->used - from;
	o->used = from;
	return tail;
}

/* Ends what `next` is not inside of; all of it if that is NULL. */
static void end_before(struct gt__chrome *x, struct gt__chrome_run *run,
                       uint32_t vcpu, const struct gt_host_span_view *next)
{
	struct gt__chrome_host *host = &run->host[vcpu];
	uint64_t end_ns;

	while (gt__host_stack_pop(&host->exits, next, &end_ns)) {
		struct gt__chrome_tail *tail = &host->tails[host->exits.depth];

		gt__chrome_begin_tid(x, run, host_tid(run, vcpu, true), 'E',
		                     end_ns);
		gt__put_bytes(&x->head.out, tail->text, tail->bytes);
		gt__put_char(&x->head.out, '}');
		free(tail->text);
	}
}

/* Arguments as with a guest's spans. */
static void put_begin(struct gt__chrome *x, const struct gt__chrome_run *run,
                      const struct gt_host_span_view *span, uint32_t tid)
{
	gt__chrome_begin_tid(x, run, tid, 'B', span->start_ns);
	put_name(&x->head.out, span);
	if (span->start_ns == span->end_ns)
		put_notes(&x->head.out, span);
	gt__put_char(&x->head.out, '}');
}

int gt__chrome_put_host(struct gt__chrome *x, struct gt__chrome_run *run,
                        const struct gt_host_span_view *span)
{
	bool exits = span->kind != GT_HOST_GUEST;
	uint32_t tid, vcpus = run->head.vcpus;
	struct gt__chrome_host *host;
	struct gt__chrome_tail tail;

	if (span->vcpu >= vcpus || span->vcpu >= GT_VCPUS_MAX)
		return -EINVAL;
	if (!run->host)
		run->host = calloc(vcpus, sizeof *run->host);
	if (!run->host)
		return -ENOMEM;
	host = &run->host[span->vcpu];
	tid = host_tid(run, span->vcpu, exits);
	name_thread(x, run, span->vcpu, exits);
	end_before(x, run, span->vcpu, span);
	put_begin(x, run, span, tid);
	tail.text = keep_tail(&x->head.out, span, &tail.bytes);
	if (!tail.text)
		return -ENOMEM;
	if (gt__host_stack_push(&host->exits, span)) {
		host->tails[host->exits.depth - 1] = tail;
		return 0;
	}
	gt__chrome_begin_tid(x, run, tid, 'E', span->end_ns);
	gt__put_bytes(&x->head.out, tail.text, tail.bytes);
	gt__put_char(&x->head.out, '}');
	free(tail.text);
	return 0;
}

void gt__chrome_end_host(struct gt__chrome *x, struct gt__chrome_run *run)
{
	uint32_t i;

	for (i = 0; run->host && i < run->head.vcpus; i++)
		end_before(x, run, i, NULL);
}

void gt__chrome_free_host(struct gt__chrome_run *run)
{
	uint32_t i;

	for (i = 0; run->host && i < run->head.vcpus; i++)
		while (run->host[i].exits.depth)
			free(run->host[i]
			             .tails[--run->host[i].exits.depth]
			             .text);
	free(run->host);
}
