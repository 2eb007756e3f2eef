/* SPDX-License-Identifier: MIT */
/*
 * A capture as the input of a fuzz target. The CRC of each frame is made good
 * first, or hardly any change would come past it.
 */
#ifndef GT_FUZZ_CAPTURE_INPUT_H
#define GT_FUZZ_CAPTURE_INPUT_H

#include "host/frames/frame.h"

#include <guesttrace/host.h>
#include <stdlib.h>

struct capture_input {
	const uint8_t *at;
	size_t left;
};

static long read_capture(void *context, void *bytes, size_t count)
{
	struct capture_input *file = context;

	if (count > file->left)
		count = file->left;
	if (count)
		memcpy(bytes, file->at, count);
	file->at += count;
	file->left -= count;
	return (long)count;
}

static void mend_capture(uint8_t *bytes, size_t count)
{
	uint32_t seed = 0;

	for (size_t at = 0; count - at >= GT__FRAME_HEAD;) {
		uint8_t *head = bytes + at;
		uint32_t payload = gt__load32(head + 4);

		if (gt__load32(head) != GT__FRAME_MAGIC ||
		    payload > count - at - GT__FRAME_HEAD)
			return;
		gt__store32(head + 8,
		            gt__frame_crc(seed, head, head + GT__FRAME_HEAD,
		                          payload));
		if (at == 0 && payload >= GT__START_SEED_AT + 4)
			seed = gt__load32(head + GT__FRAME_HEAD +
			                  GT__START_SEED_AT);
		at += GT__FRAME_HEAD + payload;
	}
}

/* Shows a mended copy of the bytes to the sinks. */
static int replay_capture(const uint8_t *bytes, size_t count,
                          struct gt_sink *const *sinks, size_t sink_count)
{
	uint8_t *copy = malloc(count + !count);
	struct capture_input file = {copy, count};
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_capture,
		.context = &file,
		.sinks = sinks,
		.sink_count = sink_count,
		.limits = {.open_spans = 64,
	                   .span_bytes = 16384,
	                   .contexts = 16},
	};
	int r;

	if (!copy)
		abort();
	if (count)
		memcpy(copy, bytes, count);
	mend_capture(copy, count);
	r = gt_replay(&options);
	free(copy);
	return r;
}

#endif
