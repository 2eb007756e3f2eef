/* SPDX-License-Identifier: MIT */
/*
 * What the rings hold right now, as a capture of its own. Nothing counts as
 * taken: the run and its own capture go on as if nobody had looked.
 */
#include "host_inside.h"

#include <errno.h>

static int put_frame(const struct gt_output *to, struct gt__frame_buffer *frame,
                     enum gt__frame_type type, uint32_t vcpu)
{
	if (frame->no_memory)
		return -ENOMEM;
	gt__frame_seal(frame, type, vcpu);
	return to->write(to->context, frame->bytes, frame->count);
}

/*
 * The guest as if nothing had been taken yet. What lies below the tail of any
 * ring is still there until the guest comes round to it, as in overwrite mode.
 */
static int copy_guest(const struct gt__guest *guest, struct gt__guest *ret_copy)
{
	struct gt__guest copy = *guest;

	copy.attached = NULL; /* which stays with it */
	copy.rings = calloc(copy.vcpus, sizeof(*copy.rings));
	copy.lost = calloc(copy.vcpus, sizeof(*copy.lost));
	copy.lost_before = calloc(copy.vcpus, sizeof(*copy.lost_before));
	if (!copy.rings || !copy.lost || !copy.lost_before) {
		gt__guest_fini(&copy);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < copy.vcpus; i++)
		for (unsigned level = 0; level < GT_LEVELS; level++) {
			copy.rings[i][level] = guest->rings[i][level];
			copy.rings[i][level].tail = 0;
			copy.rings[i][level].overwrite = true;
		}
	*ret_copy = copy;
	return 0;
}

static int put_guest(struct gt_host *host, const struct gt__paging *paging,
                     struct gt__frame_buffer *frame, const struct gt_output *to)
{
	int r;

	gt__frame_begin(frame);
	gt__guest_put(&host->guest, frame);
	r = put_frame(to, frame, GT__FRAME_GUEST, 0);
	if (r < 0)
		return r;
	gt__frame_begin(frame);
	r = gt__guest_put_sites(&host->guest, paging, frame);
	return r < 0 ? r : put_frame(to, frame, GT__FRAME_SITES, 0);
}

/* The readings of late, so that the lines end near the records. */
static int put_readings(const struct gt_host *host,
                        struct gt__frame_buffer *frame,
                        const struct gt_output *to)
{
	uint64_t i = host->recent_count < RECENT_MAX
	                     ? 0
	                     : host->recent_count - RECENT_MAX;
	int r = 0;

	for (; r == 0 && i < host->recent_count; i++) {
		gt__frame_begin(frame);
		gt__frame_put(frame, &host->recent[i % RECENT_MAX],
		              sizeof(host->recent[0]));
		r = put_frame(to, frame, GT__FRAME_EXITS, 0);
	}
	return r;
}

/* A record may be older than the latest move of its vCPU's TSC. */
static int put_tsc(const struct gt_host *host, struct gt__frame_buffer *frame,
                   const struct gt_output *to, uint32_t vcpu)
{
	const struct gt__tsc_map *map =
		gt__pipeline_tsc_map(host->pipeline, vcpu);
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < map->count; i++) {
		uint64_t from = map->from_tick[i];

		gt__frame_begin(frame);
		gt__outbox_put_tsc(&map->tsc[i],
		                   from ? from + host->first_reading.tsc : 0,
		                   -1, frame);
		r = put_frame(to, frame, GT__FRAME_TSC, vcpu);
	}
	return r;
}

static int put_tscs(const struct gt_host *host, struct gt__frame_buffer *frame,
                    const struct gt_output *to)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < host->options.vcpus; i++)
		r = put_tsc(host, frame, to, i);
	return r;
}

static int put_records(struct gt_host *host, const struct gt__paging *paging,
                       struct gt__frame_buffer *frame,
                       const struct gt_output *to)
{
	struct gt__guest copy = {.vcpus = 0}; /* as it stays without memory */
	int r = copy_guest(&host->guest, &copy), ignored;

	for (uint32_t i = 0; r >= 0 && i < copy.vcpus; i++) {
		gt__frame_begin(frame);
		r = gt__guest_read(&copy, paging, i, frame, &ignored);
		if (r <= 0)
			continue;
		gt__outbox_records_head(host, i, frame);
		r = put_frame(to, frame, GT__FRAME_RECORDS, i);
	}
	gt__guest_fini(&copy);
	return r;
}

/* All that a reader needs to know of the guest before its records. */
static int put_head(struct gt_host *host, const struct gt__paging *paging,
                    struct gt__frame_buffer *frame, const struct gt_output *to)
{
	int r;

	gt__frame_begin(frame);
	gt__outbox_put_start(host, frame);
	r = put_frame(to, frame, GT__FRAME_START, 0);
	frame->seed = host->capture_seed;
	if (r == 0 && host->filter_text) {
		gt__frame_begin(frame);
		gt__frame_put(frame, host->filter_text,
		              strlen(host->filter_text));
		r = put_frame(to, frame, GT__FRAME_FILTER, 0);
	}
	if (r < 0 || host->guest.vcpus == 0 || !gt__outbox_may_look(host))
		return r;
	r = put_guest(host, paging, frame, to);
	if (r == 0)
		r = put_readings(host, frame, to);
	if (r == 0)
		r = put_tscs(host, frame, to);
	return r;
}

static int put_end(struct gt_host *host, struct gt__frame_buffer *frame,
                   const struct gt_output *to)
{
	gt__frame_begin(frame);
	gt__outbox_put_end(host, frame, GT_ENDING_SNAPSHOT, 0, NULL);
	return put_frame(to, frame, GT__FRAME_END, 0);
}

int gt__snapshot(struct gt_host *host, const struct gt_output *to)
{
	const struct gt__paging *paging = &host->vcpus[host->last_vcpu].paging;
	struct gt__frame_buffer frame = {.count = 0};
	int r = put_head(host, paging, &frame, to);

	if (r == 0 && host->guest.vcpus > 0 && gt__outbox_may_look(host))
		r = put_records(host, paging, &frame, to);
	if (r >= 0)
		r = put_end(host, &frame, to);
	free(frame.bytes);
	return r;
}

/* Where the records of the next capture begin: those of the one before end. */
static int put_position(struct gt_host *host, struct gt__frame_buffer *frame,
                        const struct gt_output *to, uint32_t vcpu)
{
	const struct gt__guest *guest = &host->guest;
	uint8_t *payload;

	gt__frame_begin(frame);
	if (!gt__frame_extend(frame, GT__RECORDS_HEAD))
		return -ENOMEM;
	gt__outbox_records_head(host, vcpu, frame);
	payload = frame->bytes + GT__FRAME_HEAD;
	gt__store64(payload + 32, guest->lost[vcpu][0]);
	gt__store64(payload + 40, guest->lost[vcpu][1]);
	gt__store64(payload + 48, gt__inside_word(0, 0, guest->preemptible));
	for (unsigned i = 0; i < GT_LEVELS; i++) {
		gt__store64(payload + 56 + 16 * i, guest->rings[vcpu][i].tail);
		gt__store64(payload + 64 + 16 * i, 0);
	}
	return put_frame(to, frame, GT__FRAME_RECORDS, vcpu);
}

static int put_positions(struct gt_host *host, struct gt__frame_buffer *frame,
                         const struct gt_output *to)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < host->guest.vcpus; i++)
		r = put_position(host, frame, to, i);
	return r;
}

int gt__rotate(struct gt_host *host, const struct gt_output *next)
{
	const struct gt__paging *paging = &host->vcpus[host->last_vcpu].paging;
	struct gt_output *capture = &host->options.capture;
	struct gt_output to = next ? *next : (struct gt_output){.write = NULL};
	struct gt__frame_buffer frame = {.count = 0};
	int r = to.write ? put_head(host, paging, &frame, &to) : 0;

	if (r == 0 && to.write && gt__outbox_may_look(host))
		r = put_positions(host, &frame, &to);
	/* Whoever is killed in between leaves one that can be completed. */
	if (r == 0) {
		gt__outbox_exits(host);
		frame.seed = host->capture_seed;
		/* One that has failed is not written on. */
		if (capture->write && host->error == 0)
			r = put_end(host, &frame, capture);
		*capture = to;
	}
	free(frame.bytes);
	return r;
}
