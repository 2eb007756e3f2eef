/* SPDX-License-Identifier: MIT */
#include "inproc.h"
#include "guest_settings.h"
#include "process_memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t inproc_now = 1000;
struct gt_host *inproc_host;
unsigned inproc_doorbells;
void (*inproc_on_doorbell)(void);
struct gt_summary inproc_summary;

void inproc_doorbell(uint64_t operation, uint64_t control_gva);

uint64_t inproc_tsc(void)
{
	return ++inproc_now;
}

int inproc_teardown(void **unused)
{
	(void)unused;
	gt_host_free(inproc_host);
	inproc_host = NULL;
	inproc_on_doorbell = NULL;
	inproc_clear();
	return 0;
}

/* ---- Options ------------------------------------------------------------- */

static void read_clock(void *context, struct gt_clock_reading *ret_reading)
{
	(void)context;
	inproc_now++;
	*ret_reading = (struct gt_clock_reading){
		.tsc = inproc_now,
		.monotonic_ns = inproc_now,
		.realtime_ns = inproc_now,
		.boottime_ns = inproc_now + 5,
		.gap_ns = 1,
	};
}

static void fixed_random(void *context, void *bytes, size_t count)
{
	(void)context;
	memset(bytes, 0x11, count);
}

struct gt_host_options inproc_options(void)
{
	static struct gt_sink *sinks[1];
	struct gt_host_options options = {
		.size = sizeof(options),
		.sinks = sinks,
		.sink_count = 1,
		.guest_name = "inproc",
		.vm_name = "test",
		.backend = "none",
		.read_clock = read_clock,
		.random = fixed_random,
	};

	sinks[0] = inproc_sink();
	options.memory_slots = process_memory_slots(options.memory);
	return options;
}

void inproc_doorbell(uint64_t operation, uint64_t control_gva)
{
	struct gt_exit exit = process_memory_exit();

	inproc_doorbells++;
	exit.r9 = control_gva;
	exit.r10 = operation;
	if (inproc_on_doorbell)
		inproc_on_doorbell();
	if (inproc_host)
		gt_host_exit(inproc_host, (uint32_t)(operation >> 32), &exit);
}

/* ---- The sink that writes lines ------------------------------------------ */

static char *text;
static size_t text_count, text_room;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list arguments;
	int length;

	if (text_room - text_count < 8192) {
		text_room = 2 * text_room + 65536;
		text = realloc(text, text_room);
	}
	va_start(arguments, format);
	length = vsnprintf(text + text_count, text_room - text_count, format,
	                   arguments);
	va_end(arguments);
	text_count += (size_t)length;
}

const char *inproc_text(void)
{
	return text_count ? text : "";
}

void inproc_clear(void)
{
	text_count = 0;
	free(text);
	text = NULL;
	text_room = 0;
}

static void say_field(const struct gt_field *field)
{
	say(" %.*s=", (int)field->key.count, field->key.bytes);
	switch (field->type) {
	case GT_TYPE_U64:
		say("%" PRIu64, field->value.u64);
		break;
	case GT_TYPE_POINTER:
		say("0x%" PRIx64, field->value.u64);
		break;
	case GT_TYPE_I64:
		say("%" PRId64, field->value.i64);
		break;
	case GT_TYPE_F64:
		say("%g", field->value.f64);
		break;
	case GT_TYPE_BOOL:
		say("%s", field->value.boolean ? "true" : "false");
		break;
	case GT_TYPE_BYTES:
		for (size_t i = 0; i < field->value.text.count; i++)
			say("%02x", (uint8_t)field->value.text.bytes[i]);
		break;
	default:
		say("%.*s", (int)field->value.text.count,
		    field->value.text.bytes);
		if (field->full_bytes > field->value.text.count)
			say("(of %u)", field->full_bytes);
		break;
	}
}

static void say_fields(const struct gt_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		say_field(&fields[i]);
	say("\n");
}

static void say_flags(unsigned flags)
{
	static const char *const names[] = {
		"interrupted", "close_lost", "adjusted",  "cut",
		"evicted",     "replaced",   "open_lost", "parent_guessed"};

	for (unsigned i = 0; i < 8; i++)
		if (flags & 1u << i)
			say(" !%s", names[i]);
}

static int on_open(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	say("open %.*s %" PRIu64 "<%" PRIu64, (int)span->site->name.count,
	    span->site->name.bytes, span->guest_id, span->guest_parent_id);
	say_fields(span->fields, span->field_count);
	return 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	(void)sink;
	(void)trace;
	say("close %.*s %" PRIu64, (int)span->site->name.count,
	    span->site->name.bytes, span->guest_id);
	say_flags(span->flags);
	if (span->status != GT_STATUS_UNSET)
		say(" status=%d(%.*s)", span->status,
		    (int)span->status_text.count, span->status_text.bytes);
	for (size_t i = 0; i < span->link_count; i++)
		say(" link=%02x..%" PRIx64, span->links[i].trace_id[0],
		    span->links[i].span_id);
	if (span->event_count)
		say(" events=%zu", span->event_count);
	say_fields(span->fields, span->field_count);
	return 0;
}

static int say_event(const char *what, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	uint64_t base = UINT64_C(0x1111111111111111);

	(void)trace;
	say("%s %.*s <%" PRIu64, what, (int)event->site->name.count,
	    event->site->name.bytes,
	    event->span_id ? event->span_id - base : 0);
	say_flags(event->flags);
	say_fields(event->fields, event->field_count);
	return 0;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)sink;
	return say_event("event", trace, event);
}

static int on_counter(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_event_view *event)
{
	(void)sink;
	return say_event("counter", trace, event);
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)sink;
	(void)trace;
	inproc_summary = *summary;
	inproc_summary.message = (struct gt_text){NULL, 0};
	inproc_summary.lost_records = NULL;
	return 0;
}

struct gt_sink *inproc_sink(void)
{
	static struct gt_sink sink = {
		.open = on_open,
		.close = on_close,
		.event = on_event,
		.counter = on_counter,
		.end = on_end,
	};

	return &sink;
}
