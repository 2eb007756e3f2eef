/* SPDX-License-Identifier: MIT */
#include "pipeline_inside.h"
#include "host/decode/utf8.h"

#include <errno.h>

int gt__pipeline_new(struct gt_sink *const *sinks, size_t sink_count,
                     uint32_t index, const struct gt_limits *limits,
                     struct gt__pipeline **ret_pipeline)
{
	struct gt__pipeline *pipeline = calloc(1, sizeof(*pipeline));
	int r;

	if (!pipeline)
		return -ENOMEM;
	r = gt__fanout_init(&pipeline->fanout, sinks, sink_count);
	if (r < 0) {
		free(pipeline);
		return r;
	}
	pipeline->limits = gt__limits(limits);
	gt__foreign_init(&pipeline->foreign, pipeline->limits.name_bytes);
	pipeline->sieve.count_max = pipeline->limits.open_spans;
	pipeline->trace.index = index;
	*ret_pipeline = pipeline;
	return 0;
}

void gt__pipeline_free(struct gt__pipeline *pipeline)
{
	struct gt__sites *sites;

	if (!pipeline)
		return;
	for (uint32_t i = 0; pipeline->vcpus && i < pipeline->trace.vcpus;
	     i++) {
		gt__levels_fini(&pipeline->vcpus[i].levels);
		gt__trace_give(&pipeline->spans.traces,
		               pipeline->vcpus[i].parent_trace);
		gt__edges_fini(&pipeline->vcpus[i].timeline);
	}
	gt__clock_fini(&pipeline->clock);
	gt__spans_fini(&pipeline->spans);
	gt__foreign_fini(&pipeline->foreign);
	gt__sieve_fini(&pipeline->sieve);
	while ((sites = pipeline->sites)) {
		pipeline->sites = sites->before;
		gt__sites_free(sites);
	}
	gt__named_fini(pipeline);
	gt__turns_fini(&pipeline->turns);
	gt__turns_fini(&pipeline->oldest);
	free(pipeline->vcpus);
	free(pipeline->lost_records);
	free(pipeline->texts);
	free(pipeline->message);
	free(pipeline);
}

const struct gt__sites *gt__pipeline_sites(const struct gt__pipeline *pipeline)
{
	return pipeline->sites;
}

/* ---- Start --------------------------------------------------------------- */

/*
 * Exporters may repeat a name in all that they write: a short frame of spans
 * must not become a long one for each.
 */
#define NAME_BYTES_MAX ((size_t)4096)

/*
 * The names, copied into one piece of memory. What a capture does not say of
 * the last four is empty.
 */
static int read_names(struct gt__pipeline *pipeline, struct gt__cursor *cursor)
{
	struct gt_trace *trace = &pipeline->trace;
	struct gt_text *names[] = {
		&trace->guest_name,     &trace->vm_name, &trace->backend,
		&trace->guest_build_id, &trace->vm_id,   &trace->host_name,
		&trace->trace_state,
	};
	const size_t count = sizeof(names) / sizeof(names[0]);
	const size_t most = count * NAME_BYTES_MAX;
	char *to = malloc(3 * (cursor->left < most ? cursor->left : most) + 1);

	if (!to)
		return -ENOMEM;
	pipeline->texts = to;
	for (size_t i = 0; i < count; i++) {
		struct gt_text text = {"", 0};

		if (i < 3 || cursor->left > 0)
			text = gt__cursor_text(cursor);
		if (text.count > NAME_BYTES_MAX)
			text.count = NAME_BYTES_MAX;
		*names[i] = (struct gt_text){to, 0};
		names[i]->count = gt__utf8_repair(
			(uint8_t *)to, (const uint8_t *)text.bytes, text.count);
		to += names[i]->count;
	}
	return 0;
}

static int init_spans(struct gt__pipeline *pipeline,
                      const struct gt__names *names)
{
	pipeline->vcpus =
		calloc(pipeline->trace.vcpus, sizeof(*pipeline->vcpus));
	pipeline->lost_records =
		calloc(pipeline->trace.vcpus, sizeof(*pipeline->lost_records));
	if (!pipeline->vcpus || !pipeline->lost_records)
		return -ENOMEM;
	if (gt__named_init(pipeline) < 0 ||
	    gt__turns_init(&pipeline->turns, pipeline->trace.vcpus, GT__NEVER) <
	            0 ||
	    gt__turns_init(&pipeline->oldest, pipeline->trace.vcpus, 0) < 0)
		return -ENOMEM;
	pipeline->summary.lost_records = pipeline->lost_records;
	pipeline->trace.so_far = &pipeline->summary;
	return gt__spans_init(&pipeline->spans, &pipeline->fanout,
	                      &pipeline->trace, &pipeline->summary, names,
	                      &pipeline->limits, gt__hash_key());
}

static int start(struct gt__pipeline *pipeline, const uint8_t *payload,
                 size_t count)
{
	struct gt__cursor cursor = {payload, count, false};
	uint64_t magic = gt__cursor_u64(&cursor);
	uint32_t version = gt__cursor_u32(&cursor);
	uint32_t vcpus = gt__cursor_u32(&cursor);
	const uint8_t *trace_id = gt__cursor_take(&cursor, 16);
	struct gt__names names = {.id_base = 0};
	uint32_t source;
	int r;

	if (magic != GT__CAPTURE_MAGIC || !trace_id)
		return -GT_ERROR_NOT_A_CAPTURE;
	if (version != GT_ABI_VERSION)
		return -GT_ERROR_BAD_VERSION;
	memcpy(pipeline->trace.trace_id, trace_id, 16);
	memcpy(names.trace_id, trace_id, 16);
	pipeline->trace.parent_id = gt__cursor_u64(&cursor);
	names.id_base = pipeline->id_base = gt__cursor_u64(&cursor);
	pipeline->trace.run_id = gt__exported(&names, GT__RUN_ID);
	names.run_id = pipeline->trace.run_id;
	pipeline->trace.flags = gt__cursor_u32(&cursor);
	names.flags = (uint8_t)pipeline->trace.flags;
	gt__cursor_u32(&cursor);
	pipeline->trace.monotonic_offset_ns = (int64_t)gt__cursor_u64(&cursor);
	pipeline->trace.boottime_offset_ns = (int64_t)gt__cursor_u64(&cursor);
	pipeline->clock_hz = gt__cursor_u64(&cursor);
	source = gt__cursor_u32(&cursor);
	pipeline->clock_flags = gt__cursor_u32(&cursor);
	if (cursor.left >= 8)
		pipeline->base_tsc = gt__load64(cursor.at);
	pipeline->clock.hz = pipeline->clock_hz;
	r = gt__pipeline_clock(pipeline, &cursor);
	if (r == 0)
		r = read_names(pipeline, &cursor);
	names.sampler = gt__cursor_sampler(&cursor);
	if (cursor.bad || vcpus < 1 || vcpus > GT_VCPUS_MAX ||
	    source > GT_CLOCK_KERNEL || r == -EINVAL ||
	    gt__pipeline_now(pipeline) > INT64_MAX)
		return -GT_ERROR_NOT_A_CAPTURE;
	if (r < 0)
		return r;
	pipeline->clock_source = (enum gt_clock_source)source;
	pipeline->trace.vcpus = vcpus;
	pipeline->trace.start_ns = gt__pipeline_now(pipeline);
	r = init_spans(pipeline, &names);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < vcpus; i++)
		pipeline->vcpus[i].last_ns = pipeline->trace.start_ns;
	pipeline->life.start_ns = pipeline->trace.start_ns;
	pipeline->life.is_fresh = true;
	pipeline->started = true;
	gt__fanout_begin(&pipeline->fanout, &pipeline->trace);
	return 0;
}

/* ---- Guest, sites, exits, end -------------------------------------------- */

/* Adds what the guest itself has counted since it announced itself. */
static void sum_losses(struct gt__pipeline *pipeline)
{
	const struct gt__named *named = &pipeline->named[GT__SINCE_GUEST];
	struct gt_losses *losses = &pipeline->summary.losses;

	for (uint32_t i = 0; i < named->count; i++) {
		struct gt__pipeline_vcpu *vcpu =
			&pipeline->vcpus[named->numbers[i]];

		losses->records += vcpu->lost;
		pipeline->lost_records[named->numbers[i]] += vcpu->lost;
		losses->strings_cut += vcpu->cut;
		vcpu->lost = vcpu->cut = 0;
	}
}

/* What it says of all vCPUs, each hears when a frame names it: named.c. */
static void begin_life(struct gt__pipeline *pipeline, uint32_t generation)
{
	const struct gt__clock *clock = &pipeline->clock;
	struct gt__life *life = &pipeline->life;

	gt__named_forget(pipeline, GT__SINCE_GUEST);
	life->start_ns = gt__pipeline_now(pipeline);
	life->is_fresh = generation <= 1;
	if (generation == 0)
		return;
	/* From a snapshot: what it records now is younger than the restore. */
	life->restores++;
	if (clock->samples[clock->count - 1].tick > life->restored_tick)
		life->restored_tick = clock->samples[clock->count - 1].tick;
}

/* Positions are 0 again, and blocks as long as the payload says: or 0. */
static void empty_rings(struct gt__pipeline *pipeline, uint32_t vcpus,
                        struct gt__cursor *cursor)
{
	const struct gt__named *named = &pipeline->named[GT__SINCE_GUEST];

	for (uint32_t i = 0; i < named->count; i++)
		gt__levels_fini(&pipeline->vcpus[named->numbers[i]].levels);
	for (uint32_t i = 0; i < vcpus || i < pipeline->announced_vcpus; i++) {
		struct gt__levels *levels = &pipeline->vcpus[i].levels;

		gt__levels_fini(levels);
		for (unsigned j = 0; i < vcpus && j < GT_LEVELS; j++)
			levels->level[j].block_bytes = gt__cursor_u64(cursor);
	}
	pipeline->announced_vcpus = vcpus;
}

/* A guest that announces itself again starts anew: its positions are 0. */
static int announce(struct gt__pipeline *pipeline, const uint8_t *payload,
                    size_t count)
{
	struct gt__cursor cursor = {payload, count, false};
	uint64_t sites_gva, id_base;
	uint32_t generation = gt__cursor_u32(&cursor), vcpus;

	vcpus = gt__cursor_u32(&cursor);
	sites_gva = gt__cursor_u64(&cursor);
	id_base = gt__cursor_u64(&cursor);
	if (cursor.bad || vcpus > pipeline->trace.vcpus ||
	    cursor.left != (size_t)vcpus * GT_LEVELS * 8)
		return -EINVAL;
	gt__pipeline_merge_all(pipeline);
	gt__missing_end(pipeline);
	gt__sieve_forget(&pipeline->sieve);
	gt__spans_restart(&pipeline->spans, id_base, gt__pipeline_now(pipeline),
	                  pipeline->named[GT__SINCE_GUEST].numbers,
	                  pipeline->named[GT__SINCE_GUEST].count);
	sum_losses(pipeline);
	empty_rings(pipeline, vcpus, &cursor);
	begin_life(pipeline, generation);
	pipeline->announced_sites_gva = sites_gva;
	pipeline->announced = true;
	return 0;
}

static int take_sites(struct gt__pipeline *pipeline, const uint8_t *payload,
                      size_t count)
{
	struct gt__sites *sites;
	int r;

	if (!pipeline->announced || count > pipeline->limits.sites_bytes)
		return -EINVAL;
	r = gt__sites_new(payload, count, pipeline->announced_sites_gva,
	                  &sites);
	if (r < 0)
		return r;
	/* A guest that is restored again and again brings the same each time.
	 */
	if (pipeline->sites && gt__sites_equal(pipeline->sites, sites)) {
		gt__sites_free(sites);
		return 0;
	}
	if (pipeline->site_tables == GT__SITE_TABLES_MAX ||
	    (pipeline->sites &&
	     sites->bytes >
	             SITE_TABLES_BYTES_MAX - pipeline->site_tables_bytes)) {
		gt__sites_free(sites);
		return -EINVAL;
	}
	if (pipeline->sites)
		pipeline->site_tables_bytes += sites->bytes;
	sites->before = pipeline->sites;
	pipeline->sites = sites;
	pipeline->site_tables++;
	return 0;
}

static int take_end(struct gt__pipeline *pipeline, const uint8_t *payload,
                    size_t count)
{
	struct gt__cursor cursor = {payload, count, false};
	uint32_t ending = gt__cursor_u32(&cursor);
	uint32_t status = gt__cursor_u32(&cursor);
	struct gt_losses *losses = &pipeline->summary.losses;
	uint64_t bad_requests, repeated_batches;
	uint32_t clock_flags;
	struct gt_text message;
	int r = gt__pipeline_clock(pipeline, &cursor);

	if (r < 0)
		return r;
	bad_requests = gt__cursor_u64(&cursor);
	repeated_batches = gt__cursor_u64(&cursor);
	clock_flags = gt__cursor_u32(&cursor);
	gt__cursor_u32(&cursor);
	message = gt__cursor_text(&cursor);
	if (cursor.bad || ending > GT_ENDING_SNAPSHOT)
		return -EINVAL;
	if (cursor.left >= 16) {
		losses->quota_requests = gt__cursor_u64(&cursor);
		losses->quota_exits = gt__cursor_u64(&cursor);
	}
	pipeline->message = malloc(3 * message.count + 1);
	if (!pipeline->message)
		return -ENOMEM;
	pipeline->summary.message = (struct gt_text){
		pipeline->message,
		gt__utf8_repair((uint8_t *)pipeline->message,
	                        (const uint8_t *)message.bytes, message.count)};
	pipeline->summary.ending = (enum gt_ending)ending;
	pipeline->summary.status = status;
	pipeline->trace.summary = &pipeline->summary;
	pipeline->clock_flags |= clock_flags;
	losses->bad_requests = bad_requests;
	losses->repeated_batches = repeated_batches;
	pipeline->ended = true;
	return 0;
}

static int dispatch(struct gt__pipeline *pipeline, enum gt__frame_type type,
                    uint32_t vcpu, const uint8_t *payload, size_t count)
{
	if (vcpu >= pipeline->trace.vcpus)
		return -EINVAL;
	switch (type) {
	case GT__FRAME_START:
		return -EINVAL; /* a second one */
	case GT__FRAME_GUEST:
		return announce(pipeline, payload, count);
	case GT__FRAME_SITES:
		return take_sites(pipeline, payload, count);
	case GT__FRAME_RECORDS:
		gt__pipeline_name(pipeline, vcpu);
		return gt__pipeline_records(pipeline, vcpu, payload, count);
	case GT__FRAME_EXITS:
		return gt__pipeline_exits(pipeline, payload, count);
	case GT__FRAME_BATCH:
		gt__pipeline_name(pipeline, vcpu);
		return gt__pipeline_batch(pipeline, vcpu, payload, count);
	case GT__FRAME_FILTER:
		return gt__pipeline_filter(pipeline, payload, count);
	case GT__FRAME_MERGE:
		return gt__pipeline_merge_frame(pipeline, payload, count);
	case GT__FRAME_TSC:
		gt__pipeline_name(pipeline, vcpu);
		return gt__pipeline_tsc(pipeline, vcpu, payload, count);
	case GT__FRAME_WORK:
		gt__pipeline_name(pipeline, vcpu);
		return gt__pipeline_work(pipeline, vcpu, payload, count);
	case GT__FRAME_END:
		return take_end(pipeline, payload, count);
	}
	return -EINVAL;
}

int gt__pipeline_frame(struct gt__pipeline *pipeline, enum gt__frame_type type,
                       uint32_t vcpu, const uint8_t *payload, size_t count)
{
	int r;

	if (!pipeline->started)
		return type == GT__FRAME_START ? start(pipeline, payload, count)
		                               : -GT_ERROR_NOT_A_CAPTURE;
	r = pipeline->ended ? -EINVAL
	                    : dispatch(pipeline, type, vcpu, payload, count);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		pipeline->summary.losses.bad_records++;
	if (pipeline->summary.losses.bad_records !=
	    pipeline->bad_records_told) {
		vcpu = vcpu < pipeline->trace.vcpus ? vcpu : 0;
		gt__pipeline_name(pipeline, vcpu);
		gt__missing_bad(pipeline, vcpu, gt__pipeline_now(pipeline));
	}
	return 0;
}

int gt__pipeline_error(const struct gt__pipeline *pipeline)
{
	return pipeline->fanout.error;
}

static void sum_clock(struct gt__pipeline *pipeline)
{
	struct gt_clock_summary *clock = &pipeline->summary.clock;

	clock->error_bound_ns = gt__clock_error(&pipeline->clock);
	clock->outside = pipeline->outside;
	clock->pieces = pipeline->clock.pieces;
	clock->source = pipeline->clock_source;
	clock->frequency_hz = pipeline->clock_hz;
	clock->flags = pipeline->clock_flags;
	if (pipeline->outside)
		clock->flags |= GT_CLOCK_OUTSIDE;
	if (clock->frequency_hz == 0)
		clock->frequency_hz = gt__clock_rate_hz(&pipeline->clock);
	else if (gt__clock_contradicts(&pipeline->clock, clock->frequency_hz))
		clock->flags |= GT_CLOCK_RATE_DIFFERS;
}

/*
 * When the guest ran last: behind the last exit of all vCPUs the host alone
 * takes its time. Until now where a vCPU is inside, or nobody told of entries.
 */
static uint64_t stopped_ns(const struct gt__pipeline *pipeline)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < pipeline->trace.vcpus; i++) {
		const struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[i];
		const struct gt__edges *timeline = &vcpu->timeline;

		if (timeline->entered && !timeline->out)
			return pipeline->summary.end_ns;
		if (timeline->entered && timeline->since_ns > ns)
			ns = timeline->since_ns;
	}
	for (uint32_t i = 0; ns && i < pipeline->trace.vcpus; i++)
		if (pipeline->vcpus[i].last_ns > ns)
			ns = pipeline->vcpus[i].last_ns;
	return ns ? ns : pipeline->summary.end_ns;
}

int gt__pipeline_finish(struct gt__pipeline *pipeline, uint64_t cut_bytes,
                        uint64_t damaged, uint64_t damaged_bytes)
{
	if (!pipeline->started)
		return -GT_ERROR_NOT_A_CAPTURE;
	gt__pipeline_merge_all(pipeline);
	pipeline->summary.end_ns = gt__pipeline_now(pipeline);
	gt__missing_end(pipeline);
	gt__spans_interrupt(&pipeline->spans, stopped_ns(pipeline));
	for (uint32_t i = 0; i < pipeline->trace.vcpus; i++)
		gt__pipeline_doubts(pipeline, i);
	sum_clock(pipeline);
	pipeline->summary.losses.cut_bytes = cut_bytes;
	pipeline->summary.losses.bad_records += damaged;
	pipeline->summary.losses.bad_bytes += damaged_bytes;
	sum_losses(pipeline);
	gt__fanout_end(&pipeline->fanout, &pipeline->trace, &pipeline->summary);
	return pipeline->fanout.error;
}
