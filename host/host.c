/* SPDX-License-Identifier: MIT */
/*
 * The public face of the live side: VM exits in, frames out. A frame goes to
 * the capture and to the pipeline as the same bytes, so that what is made of
 * the capture later equals what is made of the run now.
 */
#include "host_inside.h"
#include "system.h"
#include "views.h"

#include <errno.h>

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

static int copy_name(char **to, const char *name)
{
	*to = name ? strdup(name) : NULL;
	return name && !*to ? -ENOMEM : 0;
}

static int copy_names(struct gt_host *host)
{
	int r = copy_name(&host->guest_name, host->options.guest_name);

	if (r == 0)
		r = copy_name(&host->vm_name, host->options.vm_name);
	if (r == 0)
		r = copy_name(&host->backend, host->options.backend);
	return r;
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
		r = copy_names(host);
	if (r == 0)
		r = gt__pipeline_new(options->sinks, options->sink_count, 0,
		                     &options->limits, &host->pipeline);
	return r < 0 ? r : gt__outbox_start(host);
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
	gt__mailbox_fini(&host->mailbox);
	free(host->filter_text);
	free(host->guest_name);
	free(host->vm_name);
	free(host->backend);
	free(host->vcpus);
	free(host->frame.bytes);
	pthread_mutex_destroy(&host->lock);
	free(host);
}

/* ---- What a guest asks for ----------------------------------------------- */

/* 1: there was something to take. */
static int drain_vcpu(struct gt_host *host, const struct gt__paging *paging,
                      uint32_t vcpu)
{
	struct gt__frame_buffer *frame = &host->frame;
	int r, read_error, sent;

	gt__frame_begin(frame);
	r = gt__guest_read(&host->guest, paging, vcpu, frame, &read_error);
	if (r <= 0)
		return r;
	gt__outbox_records_head(host, vcpu, frame);
	sent = gt__outbox_send(host, GT__FRAME_RECORDS, vcpu);
	/* Taken in any case: a second time would be worse than a loss. */
	r = gt__guest_taken(&host->guest, paging, vcpu, frame);
	if (r == 0)
		r = sent;
	if (r == 0)
		r = read_error;
	return r < 0 ? r : 1;
}

/* The first error; else 1 if anything was taken. */
static int drain(struct gt_host *host, const struct gt__paging *paging)
{
	int result = 0;

	gt__outbox_exits(host);
	for (uint32_t i = 0; i < host->guest.vcpus; i++) {
		int r = drain_vcpu(host, paging, i);

		if (r < 0 && result >= 0)
			result = r;
		else if (result == 0)
			result = r;
	}
	return result;
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
	r = gt__outbox_send(host, GT__FRAME_GUEST, 0);
	gt__frame_begin(&host->frame);
	if (r == 0)
		r = gt__guest_put_sites(&host->guest, paging, &host->frame);
	if (r == 0)
		r = gt__outbox_send(host, GT__FRAME_SITES, 0);
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
	if (r == 0 && host->wanted)
		r = gt__guest_want(&host->guest, paging, true);
	return r < 0 ? r : GT_ANSWER_TAKEN;
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
	uint32_t request = (uint32_t)exit->r10;
	int r;

	if (request == GT_DOORBELL_ANNOUNCE)
		return announce(host, paging, exit->r9);
	if (request != GT_DOORBELL_FLUSH && request != GT_DOORBELL_WAKE)
		return -GT_ERROR_BAD_REQUEST;
	if (host->guest.vcpus == 0)
		return -GT_ERROR_NOT_ANNOUNCED;
	if (exit->r9 != host->guest.control_gva)
		return -GT_ERROR_BAD_CONTROL;
	if (request == GT_DOORBELL_WAKE)
		return GT_ANSWER_WAKE;
	r = drain(host, paging);
	return r < 0 ? r : GT_ANSWER_TAKEN;
}

static int take_batch(struct gt_host *host, uint32_t vcpu,
                      const struct gt_exit *exit)
{
	struct gt__frame_buffer *frame = &host->frame;
	uint8_t *head;
	int r;

	gt__outbox_exits(host);
	gt__frame_begin(frame);
	head = gt__frame_extend(frame, GT__BATCH_HEAD);
	if (!head)
		return -ENOMEM;
	r = gt__mailbox_take(&host->mailbox, &host->memory,
	                     &host->vcpus[vcpu].paging, exit,
	                     host->limits.batch_bytes, frame);
	if (r <= 0)
		return r;
	head = frame->bytes + GT__FRAME_HEAD;
	gt__outbox_clock(host, head);
	gt__store64(head + 24, (uint64_t)exit->tsc_offset);
	gt__store32(head + 32, host->options.wire);
	gt__store32(head + 36, 0);
	return gt__outbox_send(host, GT__FRAME_BATCH, vcpu);
}

/* As gt_host_exit(). */
static int answer(struct gt_host *host, uint32_t vcpu,
                  const struct gt_exit *exit)
{
	int r;

	if (host->options.wire == GT_WIRE_NATIVE)
		return is_doorbell(exit)
		               ? serve(host, &host->vcpus[vcpu].paging, exit)
		               : GT_ANSWER_NONE;
	if (!gt__mailbox_is_named(exit, !host->options.no_piggyback))
		return GT_ANSWER_NONE;
	r = take_batch(host, vcpu, exit);
	if (r < 0)
		return r;
	return exit->reason == GT_EXIT_IO && exit->port == GT_PORT_TRACE
	               ? GT_ANSWER_TAKEN
	               : GT_ANSWER_NONE;
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
	gt__outbox_note_exit(host, number, exit);
	r = answer(host, number, exit);
	if (r < 0)
		host->bad_requests++;
	return r;
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

int gt_host_want_wake(struct gt_host *host, bool want)
{
	const struct gt__paging *paging;
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	paging = &host->vcpus[host->last_vcpu].paging;
	if (!host->finished) {
		host->wanted = want;
		r = gt__guest_want(&host->guest, paging, want);
	}
	if (r == 0 && want)
		r = gt__guest_has_more(&host->guest, paging);
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_snapshot(struct gt_host *host, const struct gt_output *output)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished)
		r = gt__snapshot(host, output);
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

int gt_host_finish(struct gt_host *host, enum gt_ending ending, uint32_t status,
                   const char *message)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished) {
		if (drain(host, &host->vcpus[host->last_vcpu].paging) < 0)
			host->bad_requests++;
		gt__outbox_end(host, ending, status, message);
		gt__outbox_keep_error(
			host, gt__pipeline_finish(host->pipeline, 0, 0));
		host->finished = true;
		r = host->error;
	}
	pthread_mutex_unlock(&host->lock);
	return r;
}
