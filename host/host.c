/* SPDX-License-Identifier: MIT */
/*
 * The public face of the live side: VM exits in, frames out. A frame goes to
 * the capture and to the pipeline as the same bytes, so that what is made of
 * the capture later equals what is made of the run now.
 */
#include "pipeline.h"
#include "rings.h"
#include "system.h"
#include "views.h"

#include <errno.h>
#include <pthread.h>

#define EXITS_PER_FRAME 256u

struct host_vcpu {
	struct gt__paging paging; /* as of its last exit */
	int64_t tsc_offset;
	uint64_t enter_tsc;
	bool has_exited;
};

struct gt_host {
	pthread_mutex_t lock;
	struct gt_host_options options;
	struct gt_limits limits;
	struct gt__memory memory;
	struct gt__pipeline *pipeline;
	struct gt__guest guest; /* vcpus 0: not announced */
	struct gt_context context;
	char *filter_text;
	struct gt__filter filter;
	struct host_vcpu *vcpus;
	uint32_t last_vcpu; /* whose page tables are the newest */
	uint32_t announcements;
	uint64_t bad_requests;
	struct gt__frame_buffer frame;
	uint8_t exits[EXITS_PER_FRAME * GT__EXIT_BYTES];
	size_t exits_bytes;
	int error; /* the first of capture and sinks */
	bool finished;
};

/* ---- Frames -------------------------------------------------------------- */

static void keep_error(struct gt_host *host, int r)
{
	if (r < 0 && host->error == 0)
		host->error = r;
}

static void put_clock(struct gt_host *host, uint8_t *to)
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
static int send(struct gt_host *host, enum gt__frame_type type, uint32_t vcpu)
{
	struct gt__frame_buffer *frame = &host->frame;
	int r;

	if (frame->no_memory)
		return -ENOMEM;
	gt__frame_seal(frame, type, vcpu);
	if (host->options.capture.write) {
		r = host->options.capture.write(host->options.capture.context,
		                                frame->bytes, frame->count);
		keep_error(host, r);
		if (r < 0)
			host->options.capture.write = NULL;
	}
	r = gt__pipeline_frame(host->pipeline, type, vcpu,
	                       frame->bytes + GT__FRAME_HEAD,
	                       frame->count - GT__FRAME_HEAD);
	keep_error(host, r);
	keep_error(host, gt__pipeline_error(host->pipeline));
	return r;
}

static void send_exits(struct gt_host *host)
{
	if (host->exits_bytes == 0)
		return;
	gt__frame_begin(&host->frame);
	gt__frame_put(&host->frame, host->exits, host->exits_bytes);
	host->exits_bytes = 0;
	send(host, GT__FRAME_EXITS, 0);
}

static void note_exit(struct gt_host *host, uint32_t vcpu,
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
		send_exits(host);
}

static void put_name(struct gt_host *host, const char *name)
{
	gt__frame_put_text(&host->frame, name ? name : "",
	                   name ? strlen(name) : 0);
}

static int send_start(struct gt_host *host)
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
	gt__frame_put64(&host->frame, reading.tsc);
	gt__frame_put64(&host->frame, reading.monotonic_ns);
	gt__frame_put64(&host->frame, reading.gap_ns);
	put_name(host, host->options.guest_name);
	put_name(host, host->options.vm_name);
	put_name(host, host->options.backend);
	for (uint32_t i = 0; i < host->options.vcpus; i++)
		host->vcpus[i].enter_tsc = reading.tsc;
	send(host, GT__FRAME_START, 0);
	return host->error;
}

/* ---- Making and freeing -------------------------------------------------- */

static int check_options(struct gt_host_options *options)
{
	if (options->vcpus == 0)
		options->vcpus = 1;
	if (options->vcpus > GT_VCPUS_MAX || options->memory_slots == 0 ||
	    options->memory_slots > GT_MEMORY_SLOTS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < options->memory_slots; i++) {
		const struct gt_memory_slot *slot = &options->memory[i];

		if (!slot->host || (uintptr_t)slot->host % 8 != 0 ||
		    slot->gpa % 8 != 0 || slot->bytes == 0 ||
		    slot->bytes - 1 > ~slot->gpa)
			return -EINVAL;
	}
	if (!options->read_clock)
		options->read_clock = gt__system_clock;
	if (!options->random)
		options->random = gt__system_random;
	return 0;
}

static int set_context(struct gt_host *host)
{
	const char *traceparent = host->options.traceparent;
	struct gt_context *context = &host->context;

	host->options.random(host->options.random_context, &context->id_base,
	                     sizeof(context->id_base));
	context->flags = 1; /* sampled */
	if (traceparent)
		return gt__traceparent_parse(
			       (struct gt_text){traceparent,
		                                strlen(traceparent)},
			       context->trace_id, &context->parent_id,
			       &context->flags)
			       ? 0
			       : -GT_ERROR_BAD_TRACEPARENT;
	host->options.random(host->options.random_context, context->trace_id,
	                     sizeof(context->trace_id));
	context->trace_id[15] |= 1; /* never all zero */
	return 0;
}

static int replace_filter(struct gt_host *host, const char *text)
{
	char *copy = strdup(text);
	struct gt__filter filter;
	int r = copy ? gt__filter_parse(copy, &filter) : -ENOMEM;

	if (r < 0) {
		free(copy);
		return r;
	}
	free(host->filter_text);
	host->filter_text = copy;
	host->filter = filter;
	return 0;
}

static int init(struct gt_host *host)
{
	struct gt_host_options *options = &host->options;
	int r = check_options(options);

	if (r < 0)
		return r;
	host->limits = gt__limits(&options->limits);
	host->memory.count = options->memory_slots;
	memcpy(host->memory.slots, options->memory, sizeof(options->memory));
	host->vcpus = calloc(options->vcpus, sizeof(*host->vcpus));
	if (!host->vcpus)
		return -ENOMEM;
	r = replace_filter(host, options->filter ? options->filter : "trace");
	if (r == 0)
		r = set_context(host);
	if (r == 0)
		r = gt__pipeline_new(options->sinks, options->sink_count, 0,
		                     &options->limits, &host->pipeline);
	return r < 0 ? r : send_start(host);
}

int gt_host_new(const struct gt_host_options *options,
                struct gt_host **ret_host)
{
	struct gt_host *host = calloc(1, sizeof(*host));
	size_t bytes = options->size < sizeof(host->options)
			       ? options->size
			       : sizeof(host->options);
	int r;

	if (!host)
		return -ENOMEM;
	memcpy(&host->options, options, bytes);
	pthread_mutex_init(&host->lock, NULL);
	r = init(host);
	if (r < 0) {
		gt_host_free(host);
		return r;
	}
	/* The caller's strings were copied or used. */
	host->options.filter = host->options.traceparent = NULL;
	host->options.guest_name = host->options.vm_name = NULL;
	host->options.backend = NULL;
	*ret_host = host;
	return 0;
}

void gt_host_free(struct gt_host *host)
{
	if (!host)
		return;
	gt__pipeline_free(host->pipeline);
	gt__guest_fini(&host->guest);
	free(host->filter_text);
	free(host->vcpus);
	free(host->frame.bytes);
	pthread_mutex_destroy(&host->lock);
	free(host);
}

/* ---- What a guest asks for ----------------------------------------------- */

static int drain_vcpu(struct gt_host *host, const struct gt__paging *paging,
                      uint32_t vcpu)
{
	struct gt__frame_buffer *frame = &host->frame;
	int r, read_error, sent;

	gt__frame_begin(frame);
	r = gt__guest_read(&host->guest, paging, vcpu, frame, &read_error);
	if (r <= 0)
		return r;
	/* Read last: no record of the frame is younger. */
	put_clock(host, frame->bytes + GT__FRAME_HEAD);
	gt__store64(frame->bytes + GT__FRAME_HEAD + 24,
	            (uint64_t)host->vcpus[vcpu].tsc_offset);
	sent = send(host, GT__FRAME_RECORDS, vcpu);
	/* Taken in any case: a second time would be worse than a loss. */
	r = gt__guest_taken(&host->guest, paging, vcpu, frame);
	if (r == 0)
		r = sent;
	return r < 0 ? r : read_error;
}

static int drain(struct gt_host *host, const struct gt__paging *paging)
{
	int first_error = 0;

	send_exits(host);
	for (uint32_t i = 0; i < host->guest.vcpus; i++) {
		int r = drain_vcpu(host, paging, i);

		if (first_error == 0)
			first_error = r;
	}
	return first_error;
}

static int announce(struct gt_host *host, const struct gt__paging *paging,
                    uint64_t control_gva)
{
	int r;

	if (host->announcements == host->limits.announcements)
		return -GT_ERROR_BAD_REQUEST;
	r = gt__guest_announce(&host->guest, &host->memory, paging, control_gva,
	                       host->options.vcpus, &host->limits);
	if (r < 0)
		return r;
	if (host->announcements++ > 0)
		host->options.random(host->options.random_context,
		                     &host->context.id_base,
		                     sizeof(host->context.id_base));
	host->guest.id_base = host->context.id_base;
	gt__frame_begin(&host->frame);
	gt__guest_put(&host->guest, &host->frame);
	r = send(host, GT__FRAME_GUEST, 0);
	gt__frame_begin(&host->frame);
	if (r == 0)
		r = gt__guest_put_sites(&host->guest, paging, &host->frame);
	if (r == 0)
		r = send(host, GT__FRAME_SITES, 0);
	if (r < 0) {
		gt__guest_fini(&host->guest);
		return r;
	}
	/* Without these its records can still be taken. */
	r = gt__guest_set_context(&host->guest, paging, &host->context);
	if (r == 0)
		r = gt__guest_set_states(&host->guest, paging,
		                         gt__pipeline_sites(host->pipeline),
		                         &host->filter);
	return r;
}

static bool is_doorbell(const struct gt_exit *exit)
{
	return exit->reason == GT_EXIT_IO && exit->port == GT_PORT_TRACE &&
	       exit->out && exit->width_bytes == 1 && exit->count == 1 &&
	       exit->r8 == GT_DOORBELL_MAGIC;
}

static int serve(struct gt_host *host, const struct gt__paging *paging,
                 const struct gt_exit *exit)
{
	switch ((uint32_t)exit->r10) {
	case GT_DOORBELL_ANNOUNCE:
		return announce(host, paging, exit->r9);
	case GT_DOORBELL_FLUSH:
		if (host->guest.vcpus == 0)
			return -GT_ERROR_NOT_ANNOUNCED;
		if (exit->r9 != host->guest.control_gva)
			return -GT_ERROR_BAD_CONTROL;
		return drain(host, paging);
	default:
		return -GT_ERROR_BAD_REQUEST;
	}
}

static int take_exit(struct gt_host *host, uint32_t number,
                     const struct gt_exit *exit)
{
	struct host_vcpu *vcpu = &host->vcpus[number];
	int r;

	/* A dead vCPU may have lost its registers: the last good ones stay. */
	if (exit->cr3 != 0 || !vcpu->has_exited)
		vcpu->paging = (struct gt__paging){exit->cr0, exit->cr3,
		                                   exit->cr4, exit->efer};
	vcpu->tsc_offset = exit->tsc_offset;
	vcpu->has_exited = true;
	host->last_vcpu = number;
	note_exit(host, number, exit);
	if (!is_doorbell(exit))
		return 0;
	r = serve(host, &vcpu->paging, exit);
	if (r < 0)
		host->bad_requests++;
	return r < 0 ? r : 1;
}

/* ---- Public functions, in the order of host.h ---------------------------- */

int gt_host_enter(struct gt_host *host, uint32_t vcpu)
{
	struct gt_clock_reading reading = {0};
	int r = -EINVAL;

	if (vcpu >= host->options.vcpus)
		return -GT_ERROR_BAD_VCPU;
	pthread_mutex_lock(&host->lock);
	if (!host->finished) {
		host->options.read_clock(host->options.clock_context, &reading);
		host->vcpus[vcpu].enter_tsc = reading.tsc;
		r = 0;
	}
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_exit(struct gt_host *host, uint32_t vcpu,
                 const struct gt_exit *exit)
{
	struct gt_exit copy = {.count = 0};
	int r = -EINVAL;

	if (vcpu >= host->options.vcpus)
		return -GT_ERROR_BAD_VCPU;
	memcpy(&copy, exit,
	       exit->size < sizeof(copy) ? exit->size : sizeof(copy));
	pthread_mutex_lock(&host->lock);
	if (!host->finished)
		r = take_exit(host, vcpu, &copy);
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_drain(struct gt_host *host)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished)
		r = drain(host, &host->vcpus[host->last_vcpu].paging);
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_set_filter(struct gt_host *host, const char *filter)
{
	int r;

	pthread_mutex_lock(&host->lock);
	r = host->finished ? -EINVAL : replace_filter(host, filter);
	if (r == 0 && host->guest.vcpus > 0)
		r = gt__guest_set_states(
			&host->guest, &host->vcpus[host->last_vcpu].paging,
			gt__pipeline_sites(host->pipeline), &host->filter);
	pthread_mutex_unlock(&host->lock);
	return r;
}

static void send_end(struct gt_host *host, enum gt_ending ending,
                     uint32_t status, const char *message)
{
	uint8_t clock[24];

	put_clock(host, clock);
	gt__frame_begin(&host->frame);
	gt__frame_put32(&host->frame, ending);
	gt__frame_put32(&host->frame, status);
	gt__frame_put(&host->frame, clock, sizeof(clock));
	gt__frame_put64(&host->frame, host->bad_requests);
	put_name(host, message);
	send(host, GT__FRAME_END, 0);
}

int gt_host_finish(struct gt_host *host, enum gt_ending ending,
                   uint32_t status, const char *message)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished) {
		if (drain(host, &host->vcpus[host->last_vcpu].paging) < 0)
			host->bad_requests++;
		send_end(host, ending, status, message);
		keep_error(host, gt__pipeline_finish(host->pipeline, 0, 0));
		host->finished = true;
		r = host->error;
	}
	pthread_mutex_unlock(&host->lock);
	return r;
}
