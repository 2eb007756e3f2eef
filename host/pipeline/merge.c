/* SPDX-License-Identifier: MIT */
/*
 * All vCPUs' records and edges in the order of time, each placed where it can
 * have happened: docs/clocks.md, "Causality".
 */
#include "pipeline_inside.h"

/*
 * When a record was made. It cannot be older than the look before the one that
 * brought it, nor younger than that one, nor come before what its vCPU recorded
 * earlier. A guest that says otherwise moves nobody's times but its own.
 */
static struct gt__place place(struct gt__pipeline *pipeline,
                              const struct gt__pipeline_vcpu *vcpu,
                              uint64_t guest_tsc)
{
	const struct gt__tsc_window window = {
		pipeline->base_tsc, vcpu->lower_tick, vcpu->upper_tick};
	struct gt__place at = {.adjusted = false};
	struct gt__tsc_ticks ticks;

	at.adjusted = !gt__tsc_map_tick(&vcpu->tsc, &window, guest_tsc, &ticks);
	at.tick = ticks.tick;
	if (ticks.other != ticks.tick)
		gt__clock_doubt(&pipeline->clock, ticks.tick, ticks.other);
	if ((int64_t)at.tick < 0 || at.tick < vcpu->lower_tick)
		at.tick = vcpu->lower_tick;
	else if (at.tick > vcpu->upper_tick)
		at.tick = vcpu->upper_tick;
	if (at.tick < vcpu->last_tick) {
		/* An estimate that has grown better puts what follows earlier.
		 */
		at.late = vcpu->last_tick - at.tick > vcpu->doubt_ticks;
		at.tick = vcpu->last_tick;
	}
	return at;
}

/*
 * While the vCPU was out of the guest it recorded nothing. Readings around the
 * exit may be gone, but its time is known.
 */
static uint64_t time_of(struct gt__pipeline *pipeline,
                        const struct gt__pipeline_vcpu *vcpu,
                        struct gt__place *at)
{
	const struct gt__edges *timeline = &vcpu->timeline;
	uint64_t ns;

	if (timeline->out && at->tick > timeline->since_tick) {
		at->adjusted |=
			at->tick - timeline->since_tick > vcpu->doubt_ticks;
		at->tick = timeline->since_tick;
		return timeline->since_ns;
	}
	if (!gt__pipeline_ns(pipeline, at->tick, &ns)) {
		at->adjusted = true;
		pipeline->outside++;
	}
	return ns;
}

static void settle(struct gt__pipeline *pipeline, uint32_t number,
                   struct gt__place at, struct gt__when *when)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];

	when->vcpu = number;
	when->ns = time_of(pipeline, vcpu, &at);
	when->adjusted = at.adjusted || at.late;
	if (when->ns < vcpu->last_ns)
		when->ns = vcpu->last_ns;
	pipeline->summary.losses.adjusted_records += at.adjusted;
	pipeline->summary.losses.late_records += at.late;
	if (at.tick > vcpu->last_tick)
		vcpu->last_tick = at.tick;
	vcpu->last_ns = when->ns;
}

/* Leaving at the moment of a record comes after it, entering before it. */
static bool edge_is_first(const struct gt__edge *edge, uint64_t tick)
{
	return edge->tick < tick ||
	       (edge->tick == tick && edge->kind == GT__EDGE_ENTER);
}

void gt__pipeline_place(struct gt__pipeline *pipeline, uint32_t number,
                        uint64_t guest_tsc, struct gt__when *when)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	struct gt__place at = place(pipeline, vcpu, guest_tsc);
	const struct gt__edge *edge;

	while ((edge = gt__edges_peek(&vcpu->timeline)) &&
	       edge_is_first(edge, at.tick))
		gt__pipeline_edge(pipeline, number);
	settle(pipeline, number, at, when);
}

/* What did not decode is missing as what was overwritten is. */
static void tell_bad(struct gt__pipeline *pipeline, uint32_t number)
{
	struct gt__level *levels = pipeline->vcpus[number].levels.level;

	for (unsigned i = 0; i < GT_LEVELS; i++) {
		if (levels[i].bad_from == levels[i].bad_to)
			continue;
		gt__spans_gap(&pipeline->spans, number, i, levels[i].bad_from,
		              levels[i].bad_to);
		levels[i].bad_from = levels[i].bad_to = 0;
	}
}

/* What this vCPU shows next, and when that was. False: no record. */
static bool look(struct gt__pipeline *pipeline, uint32_t number, bool all)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	const struct gt__edge *edge = gt__edges_peek(&vcpu->timeline);
	bool has_record =
		gt__levels_peek(&vcpu->levels, pipeline->sites, all,
	                        &pipeline->summary.losses, &vcpu->next);

	if (pipeline->summary.losses.bad_records !=
	    pipeline->bad_records_told) {
		tell_bad(pipeline, number);
		gt__missing_bad(
			pipeline, number,
			gt__pipeline_ns_counted(pipeline, vcpu->upper_tick));
	}
	vcpu->has_next = has_record || edge;
	vcpu->next_is_edge = edge != NULL;
	if (has_record) {
		vcpu->next_place =
			place(pipeline, vcpu, vcpu->next.record->tsc);
		vcpu->next_is_edge =
			edge && edge_is_first(edge, vcpu->next_place.tick);
	}
	if (vcpu->next_is_edge)
		vcpu->next_place = (struct gt__place){.tick = edge->tick};
	return has_record;
}

static void show(struct gt__pipeline *pipeline, uint32_t number)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	struct gt__when when = {.level = vcpu->next.level, .native = true};

	if (vcpu->next_is_edge) {
		gt__pipeline_edge(pipeline, number);
		return;
	}
	when.id = vcpu->next.pos + GT_ID_BASE(number, vcpu->next.level);
	settle(pipeline, number, vcpu->next_place, &when);
	pipeline->summary.records++;
	if (vcpu->missing.pending || vcpu->next.record->kind == GT_RECORD_SYNC)
		gt__missing_before(pipeline, &when, vcpu->next.record);
	gt__spans_record(&pipeline->spans, &when, vcpu->next.record);
	gt__levels_take(&vcpu->levels, &vcpu->next);
}

/* For what look() has seen. */
static void wait_turn(struct gt__pipeline *pipeline, uint32_t number)
{
	const struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	uint64_t tick = GT__NEVER;

	if (vcpu->has_next)
		tick = vcpu->next_place.tick < GT__NEVER ? vcpu->next_place.tick
		                                         : GT__NEVER - 1;
	gt__turns_set(&pipeline->turns, number, tick);
}

/* Its turn is until another has something that is older, and until `until`. */
static void show_turn(struct gt__pipeline *pipeline, uint32_t number,
                      uint64_t until, bool all)
{
	const struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	uint64_t after = gt__turns_after(&pipeline->turns, number);

	if (after < until)
		until = after;
	gt__pipeline_name(pipeline, number);
	do {
		show(pipeline, number);
		look(pipeline, number, all);
	} while (vcpu->has_next && vcpu->next_place.tick <= until);
	wait_turn(pipeline, number);
}

/*
 * Of a vCPU that no frame has named since the last merge the same is next. With
 * `all` also what waits is, of any that frames have named in this life.
 */
void gt__pipeline_merge(struct gt__pipeline *pipeline, uint64_t until, bool all)
{
	const struct gt__named *named =
		&pipeline->named[all ? GT__SINCE_GUEST : GT__SINCE_MERGE];

	for (uint32_t i = 0; i < named->count; i++) {
		look(pipeline, named->numbers[i], all);
		wait_turn(pipeline, named->numbers[i]);
	}
	if (until == GT__NEVER)
		until--;
	while (gt__turns_least(&pipeline->turns) <= until)
		show_turn(pipeline, gt__turns_first(&pipeline->turns), until,
		          all);
}

void gt__pipeline_show(struct gt__pipeline *pipeline, uint32_t number)
{
	while (look(pipeline, number, true))
		show(pipeline, number);
}

void gt__pipeline_merge_all(struct gt__pipeline *pipeline)
{
	gt__pipeline_merge(pipeline, UINT64_MAX, true);
}
