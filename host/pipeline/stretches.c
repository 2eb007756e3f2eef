/* SPDX-License-Identifier: MIT */
/*
 * The host's own stretches: frames of exits and of the VMM's work become edges,
 * and edges, when their turn comes, spans for the sinks.
 */
#include "pipeline_inside.h"
#include "host/decode/utf8.h"

#include <errno.h>

/* ---- Showing ------------------------------------------------------------- */

static uint64_t exported(const struct gt__pipeline *pipeline, uint64_t id)
{
	/* As it was at the start: a guest that starts anew changes its own. */
	const struct gt__names names = {.id_base = pipeline->id_base};

	return gt__exported(&names, id);
}

static uint64_t current_of(const struct gt__pipeline *pipeline, uint32_t vcpu,
                           struct gt__trace **ret_trace)
{
	uint64_t id = gt__spans_current(&pipeline->spans, vcpu, ret_trace);

	return id ? id : pipeline->trace.run_id;
}

/* Raises the flag where no reading is behind it, or before. */
static uint64_t time_of(struct gt__pipeline *pipeline, uint64_t tick,
                        unsigned *flags)
{
	uint64_t ns;

	if (!gt__pipeline_ns(pipeline, tick, &ns)) {
		pipeline->outside++;
		*flags |= GT_SPAN_ADJUSTED;
	}
	return ns;
}

static void show(struct gt__pipeline *pipeline, struct gt_host_span_view *view)
{
	if (!pipeline->fanout.wants_host_span)
		return;
	if (view->waiting_ns > view->end_ns - view->start_ns)
		view->waiting_ns = view->end_ns - view->start_ns;
	gt__fanout_host_span(&pipeline->fanout, &pipeline->trace, view);
}

/* The stretch that ends with this edge. */
static void show_stretch(struct gt__pipeline *pipeline, uint32_t vcpu,
                         const struct gt__edge *edge, uint64_t ns,
                         unsigned flags)
{
	const struct gt__edges *timeline = &pipeline->vcpus[vcpu].timeline;
	bool is_exit = edge->kind == GT__EDGE_ENTER;
	const struct gt__edge *why = is_exit ? &timeline->exit : edge;
	struct gt_host_span_view view = {
		.id = exported(pipeline,
	                       GT__HOST_SPAN_ID(++pipeline->stretches)),
		.parent_id =
			is_exit ? timeline->parent_id : pipeline->trace.run_id,
		.start_ns = timeline->since_ns,
		.end_ns = ns,
		.kind = is_exit ? GT_HOST_EXIT : GT_HOST_GUEST,
		.reason = (enum gt_exit_reason)why->reason,
		.vcpu = vcpu,
		.port = why->port,
		.tracing = why->tracing,
		.name = is_exit ? (struct gt_text){"exit", 4}
	                        : (struct gt_text){"guest", 5},
		.waiting_ns = edge->waited_ns,
		.flags = flags | timeline->since_flags,
		.trace = is_exit ? gt__trace_shown(
					   pipeline->vcpus[vcpu].parent_trace)
	                         : NULL,
	};

	if (!is_exit)
		pipeline->summary.guest_ns += ns - timeline->since_ns;
	if (is_exit && why->tracing)
		pipeline->summary.tracing_ns += ns - timeline->since_ns;
	show(pipeline, &view);
}

static void show_work(struct gt__pipeline *pipeline, uint32_t vcpu,
                      struct gt__work *work, uint64_t start_ns, unsigned flags)
{
	uint64_t end_ns = time_of(pipeline, work->end_tick, &flags);
	struct gt__trace *trace; /* the guest stands still: of all work */
	uint64_t current = current_of(pipeline, vcpu, &trace);
	struct gt_host_span_view view = {
		.id = exported(pipeline, GT__WORK_ID(work->number)),
		.parent_id = work->parent ? exported(pipeline,
	                                             GT__WORK_ID(work->parent))
	                                  : current,
		.start_ns = start_ns,
		.end_ns = end_ns > start_ns ? end_ns : start_ns,
		.kind = GT_HOST_WORK,
		.vcpu = vcpu,
		.name = {work->name, work->name_bytes},
		.flags = flags,
		.trace = gt__trace_shown(trace),
	};

	show(pipeline, &view);
	free(work);
}

void gt__pipeline_edge(struct gt__pipeline *pipeline, uint32_t vcpu)
{
	struct gt__edges *timeline = &pipeline->vcpus[vcpu].timeline;
	struct gt__trace **held = &pipeline->vcpus[vcpu].parent_trace;
	struct gt__edge edge = gt__edges_take(timeline);
	unsigned flags = 0;
	uint64_t ns = time_of(pipeline, edge.tick, &flags);

	if (ns < timeline->since_ns)
		ns = timeline->since_ns;
	if (edge.kind == GT__EDGE_WORK) {
		show_work(pipeline, vcpu, edge.work, ns, flags);
		return;
	}
	if (timeline->entered)
		show_stretch(pipeline, vcpu, &edge, ns, flags);
	timeline->entered = true;
	timeline->out = edge.kind == GT__EDGE_EXIT;
	timeline->since_tick = edge.tick;
	timeline->since_ns = ns;
	timeline->since_flags = flags;
	if (!timeline->out)
		return;
	timeline->exit = edge;
	gt__trace_give(&pipeline->spans.traces, *held);
	timeline->parent_id = current_of(pipeline, vcpu, held);
	gt__trace_take(*held);
}

/* ---- Frames -------------------------------------------------------------- */

/* Full: the oldest does not wait for its records any longer. */
static int add(struct gt__pipeline *pipeline, uint32_t vcpu,
               const struct gt__edge *edge)
{
	struct gt__edges *timeline = &pipeline->vcpus[vcpu].timeline;
	uint32_t max = 2 * pipeline->limits.exits;
	int r = gt__edges_add(timeline, edge, max);

	if (r != -ENOSPC)
		return r;
	gt__pipeline_edge(pipeline, vcpu);
	return gt__edges_add(timeline, edge, max);
}

int gt__pipeline_entered(struct gt__pipeline *pipeline, uint32_t vcpu,
                         uint64_t enter_tsc)
{
	struct gt__edge enter = {.kind = GT__EDGE_ENTER};
	int r;

	if (enter_tsc == 0)
		return 0;
	enter.tick = gt__pipeline_tick(pipeline, enter_tsc);
	r = add(pipeline, vcpu, &enter);
	return r == -EINVAL ? 0 : r; /* we knew */
}

static int take_exit(struct gt__pipeline *pipeline, const uint8_t *from)
{
	uint64_t enter_tsc = gt__load64(from);
	uint32_t reason = gt__load16(from + 16);
	uint32_t vcpu = gt__load16(from + 22);
	struct gt__edge enter = {
		.kind = GT__EDGE_ENTER,
		.waited_ns = gt__load64(from + 24),
	};
	struct gt__edge exit = {
		.kind = GT__EDGE_EXIT,
		.waited_ns = gt__load64(from + 32),
		.reason = (uint16_t)(reason < GT_EXIT_REASONS ? reason : 0),
		.port = gt__load16(from + 20),
		.tracing = gt__load16(from + 18) & GT__EXIT_TRACING,
	};
	int r = 0;

	pipeline->summary.exits[exit.reason]++;
	pipeline->summary.tracing_exits += exit.tracing;
	/* Without entries there are no stretches. */
	if (vcpu >= pipeline->trace.vcpus || enter_tsc == 0)
		return vcpu >= pipeline->trace.vcpus ? -EINVAL : 0;
	gt__pipeline_name(pipeline, vcpu);
	enter.tick = gt__pipeline_tick(pipeline, enter_tsc);
	exit.tick = gt__pipeline_tick(pipeline, gt__load64(from + 8));
	r = add(pipeline, vcpu, &enter);
	if (r == 0 || r == -EINVAL)
		r = add(pipeline, vcpu, &exit);
	return r;
}

int gt__pipeline_exits(struct gt__pipeline *pipeline, const uint8_t *payload,
                       size_t count)
{
	struct gt__cursor cursor = {payload, count, false};
	const uint8_t *at;
	int r, first_error;

	if (count < GT__EXITS_HEAD ||
	    (count - GT__EXITS_HEAD) % GT__EXIT_BYTES != 0)
		return -EINVAL;
	first_error = gt__pipeline_clock(pipeline, &cursor);
	while (cursor.left > 0) {
		at = gt__cursor_take(&cursor, GT__EXIT_BYTES);
		r = take_exit(pipeline, at);
		if (r == -ENOMEM)
			return r;
		if (first_error == 0)
			first_error = r;
	}
	return first_error;
}

int gt__pipeline_work(struct gt__pipeline *pipeline, uint32_t vcpu,
                      const uint8_t *payload, size_t count)
{
	struct gt__cursor cursor = {payload, count, false};
	uint64_t number = gt__cursor_u64(&cursor);
	uint64_t parent = gt__cursor_u64(&cursor);
	uint64_t start_tsc = gt__cursor_u64(&cursor);
	uint64_t end_tsc = gt__cursor_u64(&cursor);
	struct gt_text name = gt__cursor_text(&cursor);
	struct gt__edge edge = {.kind = GT__EDGE_WORK};
	int r;

	if (cursor.bad || name.count > GT__WORK_NAME_BYTES)
		return -EINVAL;
	edge.work = malloc(sizeof(*edge.work) + 3 * name.count);
	if (!edge.work)
		return -ENOMEM;
	edge.work->number = number;
	edge.work->parent = parent;
	edge.tick = gt__pipeline_tick(pipeline, start_tsc);
	edge.work->end_tick = gt__pipeline_tick(pipeline, end_tsc);
	edge.work->name_bytes =
		gt__utf8_repair((uint8_t *)edge.work->name,
	                        (const uint8_t *)name.bytes, name.count);
	r = add(pipeline, vcpu, &edge);
	if (r < 0)
		free(edge.work);
	return r;
}
