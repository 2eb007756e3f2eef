/* SPDX-License-Identifier: MIT */
/*
 * Batches that a guest hands over by calls, with entries, exits and restores
 * between them, through the whole host: gt_host_batch() and what it leads to.
 * The input: u8, odd for 0.12; then steps of 20 bytes and what follows them:
 * u8 what, u8 by how much the clock goes on, u16 bytes of the batch, u64 TSC of
 * the guest, i64 offset (all ones: unknown). Seeds: seeds/batch.
 */
#include "host/decode/bytes.h"
#include "host/decode/utf8.h"

#include <guesttrace/host.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define STEP_BYTES 20u

static uint64_t now;
static uint64_t run_start_ns;

static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	(void)context;
	now++;
	*ret_reading = (struct gt_clock_reading){
		.tsc = now, .monotonic_ns = now, .realtime_ns = now};
}

static void check_text(struct gt_text text)
{
	if (!gt__utf8_is_valid((const uint8_t *)text.bytes, text.count))
		abort();
}

static void check_fields(const struct gt_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check_text(fields[i].key);
		check_text(fields[i].value.text);
	}
}

/* Nothing that a guest says leads out of the run. */
static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	run_start_ns = trace->start_ns;
	if (span->id == 0 || span->start_ns < run_start_ns ||
	    span->end_ns < span->start_ns || span->end_ns > now)
		abort();
	check_text(span->site->name);
	check_text(span->site->target);
	check_fields(span->fields, span->field_count);
	for (size_t i = 0; i < span->event_count; i++)
		check_fields(span->events[i].fields,
		             span->events[i].field_count);
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)sink;
	(void)trace;
	if (summary->end_ns > now)
		abort();
	return 0;
}

static void take_step(struct gt_host *host, const uint8_t *step,
                      const uint8_t *batch, size_t count)
{
	struct gt_exit exit = {.size = sizeof(exit),
	                       .reason = GT_EXIT_HALT,
	                       .tsc_offset = (int64_t)gt__load64(step + 12)};
	int r;

	if (exit.tsc_offset == -1)
		exit.tsc_offset = GT_TSC_OFFSET_UNKNOWN;
	now += step[1];
	switch (step[0] % 4) {
	case 0:
		r = gt_host_batch(host, 0, batch, count, gt__load64(step + 4),
		                  exit.tsc_offset);
		if (r != (count ? 0 : -GT_ERROR_EMPTY_BATCH))
			abort();
		break;
	case 1:
		gt_host_enter(host, 0, 0);
		break;
	case 2:
		gt_host_exit(host, 0, &exit);
		break;
	case 3:
		gt_host_resumed(host, 0, &exit, 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct gt_sink sink = {.close = on_close, .end = on_end};
	struct gt_sink *const sinks[] = {&sink};
	struct gt_host_options options = {
		.size = sizeof(options),
		.sinks = sinks,
		.sink_count = 1,
		.read_clock = read_clock,
		.limits = {.open_spans = 64, .span_bytes = 1 << 16},
	};
	struct gt_host *host;

	if (count == 0)
		return 0;
	options.wire = bytes[0] & 1 ? GT_WIRE_HYPERLIGHT_0_12
	                            : GT_WIRE_HYPERLIGHT_0_11;
	now = 1 << 20;
	if (gt_host_new(&options, &host) < 0)
		abort();
	for (bytes++, count--; count >= STEP_BYTES;) {
		const uint8_t *step = bytes;
		size_t batch = gt__load16(step + 2);

		bytes += STEP_BYTES;
		count -= STEP_BYTES;
		batch = batch < count ? batch : count;
		take_step(host, step, bytes, batch);
		bytes += batch;
		count -= batch;
	}
	if (gt_host_finish(host, GT_ENDING_HALTED, 0, NULL) < 0)
		abort();
	gt_host_free(host);
	return 0;
}
