/* SPDX-License-Identifier: MIT */
/*
 * The public face of the live side: VM exits in, frames out. A frame goes to
 * the capture and to the pipeline as the same bytes, so that what is made of
 * the capture later equals what is made of the run now. Here lies the lock.
 */
#include "host_inside.h"
#include "system.h"
#include "host/decode/w3c.h"

#include <guesttrace/host_completion.h>

#include <errno.h>
#include <stddef.h>

/* ---- Making and freeing -------------------------------------------------- */

static int set_memory(struct gt_host *host, const struct gt_memory_slot *slots,
                      uint32_t count)
{
	if (count > GT_MEMORY_SLOTS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		const struct gt_memory_slot *slot = &slots[i];

		if (slot->gpa % 8 != 0 || slot->bytes == 0 ||
		    slot->bytes - 1 > ~slot->gpa)
			return -EINVAL;
		if (slot->access
		            ? !slot->access->read || !slot->access->write
		            : !slot->host || (uintptr_t)slot->host % 8 != 0)
			return -EINVAL;
	}
	for (uint32_t i = 0; i < count; i++)
		host->memory.slots[i] = slots[i];
	host->memory.count = count;
	return 0;
}

static int check_options(struct gt_host_options *options)
{
	if (options->vcpus == 0)
		options->vcpus = 1;
	if (options->vcpus > GT_VCPUS_MAX)
		return -EINVAL;
	if (!options->read_clock)
		options->read_clock = gt__system_clock;
	if (!options->random)
		options->random = gt__system_random;
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	while (count && !bytes[count - 1])
		count--;
	return count == 0;
}

static void sample(struct gt_host *host)
{
	const struct gt_sampler *sampler = &host->options.sampler;
	struct gt_context *context = &host->context;

	if (context->parent_id && !sampler->ignores_parent)
		return;
	context->flags &= ~(uint32_t)GT_TRACE_SAMPLED;
	context->flags |= gt_sampled_by_id(sampler, context->trace_id);
}

static int set_context(struct gt_host *host)
{
	const char *traceparent = host->options.traceparent;
	struct gt_context *context = &host->context;

	host->options.random(host->options.random_context, &context->id_base,
	                     sizeof(context->id_base));
	if (traceparent && host->options.tracestate &&
	    gt_check_tracestate(host->options.tracestate) < 0)
		return -GT_ERROR_BAD_TRACESTATE;
	if (traceparent &&
	    !gt__traceparent_parse(
		    (struct gt_text){traceparent, strlen(traceparent)},
		    context->trace_id, &context->parent_id, &context->flags))
		return -GT_ERROR_BAD_TRACEPARENT;
	if (traceparent) {
		sample(host);
		return 0;
	}
	host->options.random(host->options.random_context, context->trace_id,
	                     sizeof(context->trace_id));
	if (is_zero(context->trace_id, sizeof(context->trace_id)))
		context->trace_id[15] = 1;
	context->flags = GT_TRACE_RANDOM;
	sample(host);
	return 0;
}

static int replace_filter(struct gt_host *host, const char *text)
{
	struct gt__filter *filter;
	int r = gt__filter_for(host->options.wire, text, &filter);

	if (r < 0)
		return r;
	free(host->filter);
	host->filter = filter;
	return 0;
}

/* Whoever decodes its batches, now or later, leaves out what it mutes. */
static int tell_filter(struct gt_host *host, const char *text)
{
	char *copy;

	if (host->options.wire == GT_WIRE_NATIVE)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(host->filter_text);
	host->filter_text = copy;
	gt__frame_begin(&host->frame);
	gt__frame_put(&host->frame, text, strlen(text));
	return gt__outbox_send(host, GT__FRAME_FILTER, 0);
}

static int copy_name(char **to, const char *name)
{
	*to = name ? strdup(name) : NULL;
	return name && !*to ? -ENOMEM : 0;
}

static int copy_names(struct gt_host *host)
{
	const struct gt_host_options *from = &host->options;
	int r = copy_name(&host->guest_name, from->guest_name);

	if (r == 0)
		r = copy_name(&host->vm_name, from->vm_name);
	if (r == 0)
		r = copy_name(&host->backend, from->backend);
	if (r == 0)
		r = copy_name(&host->guest_build_id, from->guest_build_id);
	if (r == 0)
		r = copy_name(&host->vm_id, from->vm_id);
	if (r == 0)
		r = copy_name(&host->host_name, from->host_name);
	if (r == 0 && from->traceparent)
		r = copy_name(&host->trace_state, from->tracestate);
	return r;
}

static int init(struct gt_host *host)
{
	struct gt_host_options *options = &host->options;
	int r = check_options(options);

	if (r == 0)
		r = set_memory(host, options->memory, options->memory_slots);
	host->memory.has_holes = options->has_holes;
	if (r < 0)
		return r;
	host->limits = gt__limits(&options->limits);
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
	if (r == 0)
		r = gt__outbox_start(host);
	gt__quota_init(&host->quota, &host->limits, host->reading.monotonic_ns);
	if (r == 0 && options->filter)
		r = tell_filter(host, options->filter);
	return r;
}

int gt__host_make(const struct gt_host_options *options, bool is_holding,
                  struct gt_host **ret_host)
{
	struct gt_host *host;
	size_t bytes = options->size < sizeof(host->options)
	                       ? options->size
	                       : sizeof(host->options);
	int r;

	if (bytes < offsetof(struct gt_host_options, vcpus))
		return -EINVAL;
	host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	memcpy(&host->options, options, bytes);
	host->is_holding = is_holding;
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
	host->options.guest_build_id = host->options.vm_id = NULL;
	host->options.host_name = host->options.tracestate = NULL;
	*ret_host = host;
	return 0;
}

int gt_host_new(const struct gt_host_options *options,
                struct gt_host **ret_host)
{
	return gt__host_make(options, false, ret_host);
}

void gt_host_free(struct gt_host *host)
{
	if (!host)
		return;
	gt__pipeline_free(host->pipeline);
	gt__guest_fini(&host->guest);
	free(host->filter);
	free(host->guest_name);
	free(host->vm_name);
	free(host->backend);
	free(host->guest_build_id);
	free(host->vm_id);
	free(host->host_name);
	free(host->trace_state);
	free(host->filter_text);
	free(host->vcpus);
	free(host->work);
	free(host->frame.bytes);
	free(host->held.bytes);
	pthread_mutex_destroy(&host->lock);
	free(host);
}

/* ---- Public functions, in the order of host.h ---------------------------- */

int gt_host_enter(struct gt_host *host, uint32_t vcpu, uint64_t waited_ns)
{
	struct host_vcpu *of;
	uint64_t before_tsc;
	int r = -EINVAL;

	if (vcpu >= host->options.vcpus)
		return -GT_ERROR_BAD_VCPU;
	pthread_mutex_lock(&host->lock);
	if (!host->finished) {
		of = &host->vcpus[vcpu];
		before_tsc = host->reading.tsc;
		gt__outbox_read(host);
		gt__serve_check_warp(host, before_tsc);
		of->enter_tsc = host->reading.tsc;
		of->enter_waited_ns = gt__outbox_waited(of, waited_ns);
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
		r = gt__serve_exit(host, vcpu, &copy);
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_batch(struct gt_host *host, uint32_t vcpu, const void *bytes,
                  size_t count, uint64_t guest_tsc, int64_t tsc_offset)
{
	int r = -EINVAL;

	if (vcpu >= host->options.vcpus)
		return -GT_ERROR_BAD_VCPU;
	pthread_mutex_lock(&host->lock);
	if (!host->finished && host->options.wire != GT_WIRE_NATIVE)
		r = gt__serve_batch(host, vcpu, bytes, count, guest_tsc,
		                    tsc_offset);
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_set_memory(struct gt_host *host, const struct gt_memory_slot *slots,
                       uint32_t count)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished)
		r = set_memory(host, slots, count);
	if (r == 0)
		host->has_moved = true;
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_drain(struct gt_host *host)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished)
		r = gt__serve_drain(host);
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
		r = 0;
	}
	if (r == 0 && host->guest.vcpus > 0 && !gt__outbox_may_look(host))
		host->guest.owes = true;
	else if (r == 0)
		r = gt__guest_want(&host->guest, paging, want);
	if (r == 0 && want && gt__outbox_may_look(host))
		r = gt__guest_has_more(&host->guest, paging);
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_sample(struct gt_host *host)
{
	const struct gt__paging *paging;
	struct gt_clock_reading before;
	uint64_t pos;

	pthread_mutex_lock(&host->lock);
	if (!host->finished) {
		paging = &host->vcpus[host->last_vcpu].paging;
		before = host->reading;
		pos = gt__outbox_may_look(host)
		              ? gt__guest_positions(&host->guest, paging)
		              : host->sampled_pos;
		gt__outbox_read(host);
		/* The records lie between the last reading and this one. */
		if (pos != host->sampled_pos) {
			struct gt_clock_reading now = host->reading;

			host->reading = before;
			if (before.monotonic_ns > host->sent_ns)
				gt__outbox_sample(host);
			host->reading = now;
			gt__outbox_sample(host);
		}
		host->sampled_pos = pos;
	}
	pthread_mutex_unlock(&host->lock);
	return host->finished ? -EINVAL : 0;
}

int gt_host_snapshot(struct gt_host *host, const struct gt_output *output)
{
	uint64_t sent_ns, sent_tsc;
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	sent_ns = host->sent_ns;
	sent_tsc = host->sent_tsc;
	if (!host->finished)
		r = host->is_holding ? -EAGAIN : gt__snapshot(host, output);
	/* Its readings are in no frame of the run. */
	host->sent_ns = sent_ns;
	host->sent_tsc = sent_tsc;
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_rotate(struct gt_host *host, const struct gt_output *next)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished)
		r = host->is_holding ? -EAGAIN : gt__rotate(host, next);
	pthread_mutex_unlock(&host->lock);
	return r;
}

int gt_host_resumed(struct gt_host *host, uint32_t vcpu,
                    const struct gt_exit *state, uint64_t control_gva)
{
	struct gt_exit copy = {.count = 0};
	int r = -EINVAL;

	if (vcpu >= host->options.vcpus)
		return -GT_ERROR_BAD_VCPU;
	memcpy(&copy, state,
	       state->size < sizeof(copy) ? state->size : sizeof(copy));
	pthread_mutex_lock(&host->lock);
	if (!host->finished)
		r = gt__serve_resume(host, vcpu, &copy, control_gva);
	pthread_mutex_unlock(&host->lock);
	return r;
}

void gt_host_losses(struct gt_host *host, struct gt_losses *ret_losses)
{
	pthread_mutex_lock(&host->lock);
	*ret_losses = gt__pipeline_losses(host->pipeline);
	ret_losses->bad_requests = host->bad_requests;
	ret_losses->repeated_batches = host->mailbox.repeated;
	ret_losses->quota_requests = host->quota.requests_over;
	ret_losses->quota_exits = host->quota.exits_over;
	pthread_mutex_unlock(&host->lock);
}

uint64_t gt_host_control(struct gt_host *host)
{
	uint64_t gva;

	pthread_mutex_lock(&host->lock);
	gva = host->guest.vcpus > 0 ? host->guest.control_gva : 0;
	pthread_mutex_unlock(&host->lock);
	return gva;
}

void gt_host_missing(struct gt_host *host, struct gt_missing *ret_missing)
{
	const struct gt__guest *guest = &host->guest;

	pthread_mutex_lock(&host->lock);
	*ret_missing = (struct gt_missing){guest->missing_bytes,
	                                   guest->missing_sites_bytes,
	                                   guest->missing_vcpus};
	pthread_mutex_unlock(&host->lock);
}

int gt_host_set_filter(struct gt_host *host, const char *filter)
{
	int r;

	pthread_mutex_lock(&host->lock);
	r = host->finished ? -EINVAL : replace_filter(host, filter);
	if (r == 0)
		r = tell_filter(host, filter);
	if (r == 0 && host->guest.vcpus > 0 && !gt__outbox_may_look(host))
		host->guest.owes = true;
	else if (r == 0 && host->guest.vcpus > 0)
		r = gt__guest_set_states(&host->guest,
		                         &host->vcpus[host->last_vcpu].paging,
		                         host->guest.sites, host->filter);
	pthread_mutex_unlock(&host->lock);
	return r;
}

/* It was left, or is gone: there is nothing to look at. */
static bool is_left(const struct gt_host *host)
{
	return host->guest.attached && host->guest.attached->over;
}

int gt_host_finish(struct gt_host *host, enum gt_ending ending, uint32_t status,
                   const char *message)
{
	int r = -EINVAL;

	pthread_mutex_lock(&host->lock);
	if (!host->finished) {
		host->quota.is_lifted = true;
		if (!is_left(host) && gt__serve_drain(host) < 0)
			host->bad_requests++;
		if (host->is_holding)
			gt__outbox_keep_error(host, gt__held_release(host));
		gt__outbox_end(host, ending, status, message);
		gt__outbox_keep_error(
			host, gt__pipeline_finish(host->pipeline, 0, 0, 0));
		host->finished = true;
		r = host->error;
	}
	pthread_mutex_unlock(&host->lock);
	return r;
}
