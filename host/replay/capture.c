/* SPDX-License-Identifier: MIT */
/*
 * Reads captures. A file is hostile: frames are bounded, checked by their CRC,
 * and looked for again behind a damaged stretch; memory follows what was really
 * read, never a length that a file claims.
 */
#include "host/frames/functions.h"
#include "host/pipeline/pipeline.h"

#include <errno.h>

#define READ_BYTES ((size_t)1 << 16)
/*
 * Damage makes a few false frames. A file made of them, each as long as the
 * rest, would take forever: CRCs are tried on this many bytes in vain, and on
 * eight for each byte that the reader has got past.
 */
#define WASTE_MAX  ((uint64_t)4 << 30)

struct reader {
	long (*read)(void *context, void *bytes, size_t count);
	void *context;
	uint8_t *bytes; /* [done, count) is not consumed */
	size_t done, count, room;
	bool ended;
	uint64_t total;         /* bytes consumed */
	uint64_t skipped;       /* since the last good frame */
	uint64_t damaged;       /* stretches skipped */
	uint64_t damaged_bytes; /* in them */
	uint64_t cut_bytes;     /* behind the last good frame */
	uint64_t wasted;        /* bytes of frames whose CRC was wrong */
	uint32_t seed;          /* of the CRC, behind START */
};

struct frame {
	enum gt__frame_type type;
	uint32_t vcpu;
	const uint8_t *payload;
	size_t count;
};

static int make_room(struct reader *reader)
{
	size_t left = reader->count - reader->done;
	size_t room = reader->room ? 2 * reader->room : READ_BYTES;
	uint8_t *grown;

	if (reader->done > 0)
		memmove(reader->bytes, reader->bytes + reader->done, left);
	reader->done = 0;
	reader->count = left;
	if (left < reader->room)
		return 0;
	grown = realloc(reader->bytes, room);
	if (!grown)
		return -ENOMEM;
	reader->bytes = grown;
	reader->room = room;
	return 0;
}

/* Tries to have `count` bytes at `done`. 1: they are there; 0: the end. */
static int want(struct reader *reader, size_t count)
{
	while (reader->count - reader->done < count && !reader->ended) {
		long got;
		int r = 0;

		if (reader->count == reader->room)
			r = make_room(reader);
		if (r < 0)
			return r;
		got = reader->read(reader->context,
		                   reader->bytes + reader->count,
		                   reader->room - reader->count);
		if (got < 0)
			return (int)got;
		reader->ended = got == 0;
		reader->count += (size_t)got;
	}
	return reader->count - reader->done >= count;
}

static void consume(struct reader *reader, size_t count)
{
	reader->done += count;
	reader->total += count;
}

/* To the next place that may be a frame's start, at least one byte on. */
static void skip(struct reader *reader)
{
	const uint8_t *from = reader->bytes + reader->done + 1;
	size_t left = reader->count - reader->done - 1;
	const uint8_t *hit = memchr(from, GT__FRAME_MAGIC & 0xff, left);
	size_t count = 1 + (hit ? (size_t)(hit - from) : left);

	reader->skipped += count;
	consume(reader, count);
}

static bool has_wasted_all(const struct reader *reader)
{
	return reader->wasted / 8 > WASTE_MAX / 8 + reader->total;
}

/* 1: a frame is at `done`; 0: none is. */
static int parse(struct reader *reader, struct frame *ret_frame)
{
	const uint8_t *head = reader->bytes + reader->done;
	uint32_t count = gt__load32(head + 4);
	int r;

	if (gt__load32(head) != GT__FRAME_MAGIC ||
	    count > GT__FRAME_BYTES_MAX || has_wasted_all(reader))
		return 0;
	r = want(reader, GT__FRAME_HEAD + count);
	if (r <= 0)
		return r;
	head = reader->bytes + reader->done;
	if (gt__load32(head + 8) !=
	    gt__frame_crc(reader->seed, head, head + GT__FRAME_HEAD, count)) {
		reader->wasted += count;
		return 0;
	}
	ret_frame->type = (enum gt__frame_type)gt__load16(head + 12);
	ret_frame->vcpu = gt__load16(head + 14);
	ret_frame->payload = head + GT__FRAME_HEAD;
	ret_frame->count = count;
	return 1;
}

/* What is no START, or too short for one, is refused later. */
static uint32_t seed_of(const struct frame *first)
{
	return first->count < GT__START_SEED_AT + 4
	               ? 0
	               : gt__load32(first->payload + GT__START_SEED_AT);
}

/* 1: the next whole frame; 0: there is none. */
static int next(struct reader *reader, struct frame *ret_frame)
{
	for (;;) {
		int r = want(reader, GT__FRAME_HEAD);

		if (r > 0)
			r = parse(reader, ret_frame);
		else if (r == 0)
			break;
		if (r < 0)
			return r;
		if (r > 0) {
			reader->damaged += reader->skipped > 0;
			reader->damaged_bytes += reader->skipped;
			reader->skipped = 0;
			if (reader->total == 0)
				reader->seed = seed_of(ret_frame);
			consume(reader, GT__FRAME_HEAD + ret_frame->count);
			return 1;
		}
		if (reader->total == 0)
			break; /* a capture begins with a frame */
		skip(reader);
	}
	if (reader->total == 0)
		return -GT_ERROR_NOT_A_CAPTURE;
	reader->cut_bytes = reader->skipped + reader->count - reader->done;
	return 0;
}

static int replay(struct reader *reader, struct gt__pipeline *pipeline,
                  const struct gt_replay_options *options)
{
	struct frame frame;
	int r;

	for (;;) {
		r = next(reader, &frame);
		if (r <= 0)
			break;
		r = gt__pipeline_frame(pipeline, frame.type, frame.vcpu,
		                       frame.payload, frame.count);
		if (r == 0)
			r = gt__pipeline_error(pipeline);
		if (r < 0)
			return r;
		if (options->progress)
			options->progress(options->context, reader->total);
		if (options->stops_at_end && frame.type == GT__FRAME_END)
			break;
	}
	return r < 0 ? r
	             : gt__pipeline_finish(pipeline, reader->cut_bytes,
	                                   reader->damaged,
	                                   reader->damaged_bytes);
}

int gt_replay(const struct gt_replay_options *given)
{
	struct gt_replay_options options = {0};
	struct gt__pipeline *pipeline;
	struct reader reader = {0};
	int r;

	memcpy(&options, given,
	       given->size < sizeof(options) ? given->size : sizeof(options));
	reader.read = options.read;
	reader.context = options.context;
	r = gt__pipeline_new(options.sinks, options.sink_count, options.index,
	                     &options.limits, &pipeline);
	if (r < 0)
		return r;
	r = replay(&reader, pipeline, &options);
	gt__pipeline_free(pipeline);
	free(reader.bytes);
	return r;
}

int gt_capture_sites(long (*read)(void *context, void *bytes, size_t count),
                     void *read_context, gt_site_fn *show, void *show_context)
{
	struct reader reader = {.read = read, .context = read_context};
	struct frame frame;
	int r;

	for (bool first = true;; first = false) {
		r = next(&reader, &frame);
		if (first && r >= 0 &&
		    (r == 0 || frame.type != GT__FRAME_START))
			r = -GT_ERROR_NOT_A_CAPTURE;
		if (r <= 0)
			break;
		if (frame.type == GT__FRAME_SITES)
			r = gt__sites_show(frame.payload, frame.count, show,
			                   show_context);
		if (r < 0)
			break;
	}
	free(reader.bytes);
	return r;
}
