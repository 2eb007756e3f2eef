/* SPDX-License-Identifier: MIT */
#include "span_set.h"

#define TEXT(string)                         \
	(struct gt_text)                     \
	{                                    \
		(string), sizeof(string) - 1 \
	}
#define START_NS UINT64_C(1795420800123456789)

static struct span_set set;
static struct gt_site_view span_site, event_site;
static struct gt_field span_fields[SPAN_SET_COUNT][2];
static struct gt_field event_fields[SPAN_SET_COUNT][1];
static struct gt_event_view events[SPAN_SET_COUNT];

static struct gt_field u64_field(struct gt_text key, uint64_t value)
{
	return (struct gt_field){
		.key = key, .type = GT_TYPE_U64, .value.u64 = value};
}

static void fill_span(uint64_t i)
{
	struct gt_span_view *span = &set.spans[i];

	span_fields[i][0] = u64_field(TEXT("count"), 1000000 + i);
	span_fields[i][1] = (struct gt_field){.key = TEXT("label"),
	                                      .type = GT_TYPE_STRING,
	                                      .value.text = TEXT("abcdefgh"),
	                                      .full_bytes = 8};
	*span = (struct gt_span_view){
		.id = UINT64_C(0x9d3c51ff00000000) + i,
		.parent_id =
			i % 10 ? UINT64_C(0x9d3c51ff00000000) + i / 10 * 10 : 0,
		.guest_id = i + 1,
		.guest_parent_id = i % 10 ? i / 10 * 10 + 1 : 0,
		.start_ns = START_NS + 1000 * i,
		.end_ns = START_NS + 1000 * i + 700,
		.sequence = 2 * i + 1,
		.site = &span_site,
		.fields = span_fields[i],
		.field_count = 2,
		.entered = true,
	};
	if (i % 3)
		return;
	event_fields[i][0] = u64_field(TEXT("key"), i);
	events[i] = (struct gt_event_view){
		.time_ns = span->start_ns + 100,
		.span_id = span->id,
		.sequence = 2 * i + 2,
		.site = &event_site,
		.fields = event_fields[i],
		.field_count = 1,
	};
	span->events = &events[i];
	span->event_count = 1;
}

const struct span_set *span_set(void)
{
	if (set.trace.start_ns)
		return &set;
	set.trace = (struct gt_trace){
		.trace_id = {0x4b, 0xf9, 0x2f, 0x35},
		.start_ns = START_NS,
		.vcpus = 1,
		.guest_name = TEXT("bench"),
		.vm_name = TEXT("vm"),
		.backend = TEXT("none"),
	};
	span_site = (struct gt_site_view){.name = TEXT("handle_request"),
	                                  .target = TEXT("app"),
	                                  .file = TEXT("app.c"),
	                                  .line = 20,
	                                  .level = GT_INFO};
	event_site = span_site;
	event_site.name = TEXT("cache_miss");
	for (uint64_t i = 0; i < SPAN_SET_COUNT; i++)
		fill_span(i);
	return &set;
}
