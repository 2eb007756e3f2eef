/* SPDX-License-Identifier: MIT */
/*
 * A peer: protobuf-c writing finished spans as OTLP, from the code that its own
 * compiler makes of the schema. A message is filled and packed for each span.
 */
#include "harness.h"
#include "span_set.h"

#include <opentelemetry/proto/trace/v1/trace.pb-c.h>
#include <string.h>

typedef Opentelemetry__Proto__Trace__V1__Span span_message;
typedef Opentelemetry__Proto__Trace__V1__Span__Event event_message;
typedef Opentelemetry__Proto__Common__V1__KeyValue key_value;
typedef Opentelemetry__Proto__Common__V1__AnyValue any_value;

#define FIELDS_MAX 4u

/* Attributes of one span or event, where their messages lie. */
struct attributes {
	key_value pairs[FIELDS_MAX];
	any_value values[FIELDS_MAX];
	key_value *pointers[FIELDS_MAX];
};

/* The set's texts are literals, so that they end with a NUL. */
static char *text_of(struct gt_text text)
{
	return (char *)(uintptr_t)text.bytes;
}

static void fill_attributes(struct attributes *to,
                            const struct gt_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		opentelemetry__proto__common__v1__any_value__init(
			&to->values[i]);
		opentelemetry__proto__common__v1__key_value__init(
			&to->pairs[i]);
		if (fields[i].type == GT_TYPE_U64) {
			to->values[i].value_case =
				OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
			to->values[i].int_value = (int64_t)fields[i].value.u64;
		} else {
			to->values[i].value_case =
				OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
			to->values[i].string_value =
				text_of(fields[i].value.text);
		}
		to->pairs[i].key = text_of(fields[i].key);
		to->pairs[i].value = &to->values[i];
		to->pointers[i] = &to->pairs[i];
	}
}

static ProtobufCBinaryData id_of(uint64_t *id)
{
	*id = __builtin_bswap64(*id);
	return (ProtobufCBinaryData){*id ? 8 : 0, (uint8_t *)id};
}

static size_t pack(const struct gt_trace *trace,
                   const struct gt_span_view *span, uint8_t *bytes)
{
	struct attributes span_attributes, event_attributes;
	span_message message = OPENTELEMETRY__PROTO__TRACE__V1__SPAN__INIT;
	event_message event =
		OPENTELEMETRY__PROTO__TRACE__V1__SPAN__EVENT__INIT;
	event_message *events[] = {&event};
	uint64_t id = span->id, parent_id = span->parent_id;

	message.trace_id.data = (uint8_t *)(uintptr_t)trace->trace_id;
	message.trace_id.len = sizeof(trace->trace_id);
	message.span_id = id_of(&id);
	message.parent_span_id = id_of(&parent_id);
	message.name = text_of(span->site->name);
	message.kind =
		OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_INTERNAL;
	message.start_time_unix_nano = span->start_ns;
	message.end_time_unix_nano = span->end_ns;
	fill_attributes(&span_attributes, span->fields, span->field_count);
	message.attributes = span_attributes.pointers;
	message.n_attributes = span->field_count;
	if (span->event_count) {
		const struct gt_event_view *view = span->events;

		fill_attributes(&event_attributes, view->fields,
		                view->field_count);
		event.time_unix_nano = view->time_ns;
		event.name = text_of(view->site->name);
		event.attributes = event_attributes.pointers;
		event.n_attributes = view->field_count;
		message.events = events;
		message.n_events = 1;
	}
	return opentelemetry__proto__trace__v1__span__pack(&message, bytes);
}

static double encode(void)
{
	static uint8_t bytes[4096];
	const struct span_set *set = span_set();
	size_t count = 0;
	double start = bench_cpu_seconds();

	for (size_t i = 0; i < SPAN_SET_COUNT; i++) {
		count += pack(&set->trace, &set->spans[i], bytes);
		__asm__ volatile("" ::"r"(bytes) : "memory");
	}
	if (count < SPAN_SET_COUNT * 64)
		bench_fail("the spans were not packed");
	return SPAN_SET_COUNT / (bench_cpu_seconds() - start);
}

int main(int argc, char **argv)
{
	const struct bench bench = {"peer_protobuf_c_otlp", "spans/s",
	                            BENCH_RATE, encode};

	return bench_main(argc, argv, &bench, 1);
}
