/* SPDX-License-Identifier: MIT */
/*
 * Capture files (threat F9). The CRC of each frame is made good first, or
 * hardly any change would come past it. Everything that a sink is shown is
 * looked at.
 */
#include "host/frames/frame.h"
#include "host/decode/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

struct file {
	const uint8_t *at;
	size_t left;
};

static long read_file(void *context, void *bytes, size_t count)
{
	struct file *file = context;

	if (count > file->left)
		count = file->left;
	if (count)
		memcpy(bytes, file->at, count);
	file->at += count;
	file->left -= count;
	return (long)count;
}

static void mend(uint8_t *bytes, size_t count)
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

/* ---- A sink that believes nothing ---------------------------------------- */

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_text(struct gt_text text)
{
	check(gt__utf8_is_valid((const uint8_t *)text.bytes, text.count));
}

static void check_fields(const struct gt_field *fields, size_t count)
{
	volatile char touched;

	for (size_t i = 0; i < count; i++) {
		const struct gt_text *text = &fields[i].value.text;

		check_text(fields[i].key);
		if (fields[i].type == GT_TYPE_STRING)
			check_text(*text);
		if (fields[i].type == GT_TYPE_BYTES)
			for (size_t j = 0; j < text->count; j++)
				touched = text->bytes[j];
	}
	(void)touched;
}

static int on_begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	(void)sink;
	check(trace->vcpus >= 1 && trace->vcpus <= GT_VCPUS_MAX);
	check_text(trace->guest_name);
	check_text(trace->vm_name);
	check_text(trace->backend);
	return 0;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	check(event->vcpu < trace->vcpus && event->level < GT_LEVELS);
	check(event->sequence > 0);
	check_text(event->site->name);
	check_fields(event->fields, event->field_count);
	return 0;
}

static int on_span(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_span_view *span)
{
	check(span->id != 0 && span->end_ns >= span->start_ns);
	check(span->vcpu < trace->vcpus && span->close_vcpu < trace->vcpus);
	check(span->level < GT_LEVELS && span->sequence > 0);
	check_text(span->site->name);
	check_text(span->site->target);
	check_text(span->site->file);
	check_text(span->status_text);
	check_fields(span->fields, span->field_count);
	for (size_t i = 0; i < span->event_count; i++)
		on_event(sink, trace, &span->events[i]);
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)sink;
	(void)trace;
	check(summary->ending <= GT_ENDING_SNAPSHOT);
	check_text(summary->message);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct gt_sink sink = {.begin = on_begin,
	                       .open = on_span,
	                       .close = on_span,
	                       .event = on_event,
	                       .counter = on_event,
	                       .end = on_end};
	struct gt_sink *const sinks[] = {&sink};
	uint8_t *copy = malloc(count + !count);
	struct file file = {copy, count};
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_file,
		.context = &file,
		.sinks = sinks,
		.sink_count = 1,
		.limits = {.open_spans = 64,
	                   .span_bytes = 16384,
	                   .contexts = 16},
	};

	if (!copy)
		abort();
	if (count)
		memcpy(copy, bytes, count);
	mend(copy, count);
	gt_replay(&options);
	free(copy);
	return 0;
}
