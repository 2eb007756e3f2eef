/* SPDX-License-Identifier: MIT */
/* A capture as JSON: ids and times are strings, exact in any reader. */
#include "decode_native.h"
#include "command.h"
#include "inputs.h"
#include "json.h"
#include "streams.h"

#include <guesttrace/host.h>

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* How many fields a span had at its opening; a node of a search tree. */
struct opening {
	uint64_t id;
	size_t field_count;
};

struct decoder {
	struct gt_sink sink; /* first: the two share an address */
	FILE *to;
	void *openings;
	struct gt_losses losses;
};

static int compare(const void *left, const void *right)
{
	const struct opening *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

static int remember(struct decoder *decoder, uint64_t id, size_t field_count)
{
	struct opening *opening = malloc(sizeof(*opening));
	struct opening *const *found;

	if (!opening)
		return -ENOMEM;
	*opening = (struct opening){id, field_count};
	found = tsearch(opening, &decoder->openings, compare);
	if (!found || *found != opening)
		free(opening);
	return found ? 0 : -ENOMEM;
}

/* As many fields as the span had when it was opened. */
static size_t forget(struct decoder *decoder, uint64_t id)
{
	struct opening key = {.id = id};
	struct opening *const *found = tfind(&key, &decoder->openings, compare);
	struct opening *opening;
	size_t field_count;

	if (!found)
		return 0;
	opening = *found;
	field_count = opening->field_count;
	tdelete(opening, &decoder->openings, compare);
	free(opening);
	return field_count;
}

static void put_head(const struct decoder *decoder, const char *type)
{
	fprintf(decoder->to, "{\"type\":\"%s\"", type);
}

static void put_site(const struct decoder *decoder,
                     const struct gt_site_view *site)
{
	static const char levels[][6] = {"off",  "error", "warn",
	                                 "info", "debug", "trace"};

	json_member_text(decoder->to, "name", site->name);
	json_member_text(decoder->to, "target", site->target);
	fprintf(decoder->to, ",\"level\":\"%s\"", levels[site->level]);
}

static void put_fields(const struct decoder *decoder,
                       const struct gt_field *fields, size_t count)
{
	fputs(",\"fields\":[", decoder->to);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ",[" : "[", decoder->to);
		json_text(decoder->to, fields[i].key);
		putc(',', decoder->to);
		json_value(decoder->to, &fields[i]);
		putc(']', decoder->to);
	}
	putc(']', decoder->to);
}

/* Ends the line. */
static int put_end(const struct decoder *decoder)
{
	fputs("}\n", decoder->to);
	return stream_error(decoder->to);
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	const struct decoder *decoder = (struct decoder *)sink;

	put_head(decoder, "start");
	json_member_exact(decoder->to, "ns", trace->start_ns);
	return put_end(decoder);
}

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	struct decoder *decoder = (struct decoder *)sink;

	(void)trace;
	put_head(decoder, "open");
	json_member_exact(decoder->to, "id", span->id);
	if (span->parent_id)
		json_member_exact(decoder->to, "parent", span->parent_id);
	else
		fputs(",\"parent\":null", decoder->to);
	put_site(decoder, span->site);
	json_member_exact(decoder->to, "ns", span->start_ns);
	json_member_u64(decoder->to, "vcpu", span->vcpu);
	put_fields(decoder, span->fields, span->field_count);
	if (remember(decoder, span->id, span->field_count) < 0)
		return -ENOMEM;
	return put_end(decoder);
}

static void put_edit(const struct decoder *decoder,
                     const struct gt_span_view *span, size_t from)
{
	put_head(decoder, "edit");
	json_member_exact(decoder->to, "id", span->id);
	put_fields(decoder, span->fields + from, span->field_count - from);
	put_end(decoder);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	struct decoder *decoder = (struct decoder *)sink;
	size_t field_count = forget(decoder, span->id);

	(void)trace;
	if (span->field_count > field_count)
		put_edit(decoder, span, field_count);
	put_head(decoder, "close");
	json_member_exact(decoder->to, "id", span->id);
	json_member_exact(decoder->to, "ns", span->end_ns);
	json_member_u64(decoder->to, "vcpu", span->close_vcpu);
	return put_end(decoder);
}

static int put_record(struct gt_sink *sink, const char *type,
                      const struct gt_event_view *event)
{
	const struct decoder *decoder = (struct decoder *)sink;

	put_head(decoder, type);
	if (event->span_id)
		json_member_exact(decoder->to, "parent_id", event->span_id);
	else
		fputs(",\"parent_id\":null", decoder->to);
	put_site(decoder, event->site);
	json_member_exact(decoder->to, "ns", event->time_ns);
	json_member_u64(decoder->to, "vcpu", event->vcpu);
	put_fields(decoder, event->fields, event->field_count);
	return put_end(decoder);
}

static int log_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	(void)trace;
	return put_record(sink, "log", event);
}

static int counter(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_event_view *event)
{
	(void)trace;
	return put_record(sink, "counter", event);
}

static int loss(struct gt_sink *sink, const struct gt_trace *trace,
                const struct gt_loss_view *view)
{
	const struct decoder *decoder = (struct decoder *)sink;

	(void)trace;
	put_head(decoder, "lost");
	if (view->span_id)
		json_member_exact(decoder->to, "parent_id", view->span_id);
	else
		fputs(",\"parent_id\":null", decoder->to);
	json_member_exact(decoder->to, "from_ns", view->from_ns);
	json_member_exact(decoder->to, "ns", view->to_ns);
	json_member_u64(decoder->to, "vcpu", view->vcpu);
	json_member_exact(decoder->to, "records", view->records);
	json_member_exact(decoder->to, "overwritten_bytes",
	                  view->overwritten_bytes);
	json_member_exact(decoder->to, "bad_records", view->bad_records);
	json_member_exact(decoder->to, "bad_bytes", view->bad_bytes);
	return put_end(decoder);
}

static void put_losses(FILE *to, const struct gt_losses *losses)
{
	static const struct {
		const char *name;
		size_t offset;
	} list[] = {
#define LOSS_(name) {#name, offsetof(struct gt_losses, name)}
		LOSS_(records),           LOSS_(strings_cut),
		LOSS_(overwritten_bytes), LOSS_(bad_records),
		LOSS_(bad_bytes),         LOSS_(bad_requests),
		LOSS_(unknown_spans),     LOSS_(replaced_spans),
		LOSS_(evicted_spans),     LOSS_(dropped_events),
		LOSS_(dropped_fields),    LOSS_(adjusted_records),
		LOSS_(late_records),      LOSS_(cut_bytes),
		LOSS_(repeated_batches),  LOSS_(unknown_kinds),
		LOSS_(crowded_names),     LOSS_(bad_contexts),
		LOSS_(quota_requests),    LOSS_(quota_exits),
#undef LOSS_
	};

	_Static_assert(sizeof(list) / sizeof(*list) * sizeof(uint64_t) ==
	                       sizeof(*losses),
	               "each loss has a name");
	fputs(",\"losses\":{", to);
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		uint64_t count;

		memcpy(&count, (const char *)losses + list[i].offset,
		       sizeof(count));
		fprintf(to, "%s\"%s\":\"%" PRIu64 "\"", i ? "," : "",
		        list[i].name, count);
	}
	putc('}', to);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	static const char outcomes[][12] = {
		"unknown", "halted",      "aborted", "shutdown",
		"timeout", "interrupted", "failed",  "snapshot"};
	struct decoder *decoder = (struct decoder *)sink;

	(void)trace;
	decoder->losses = summary->losses;
	put_head(decoder, "end");
	json_member_exact(decoder->to, "ns", summary->end_ns);
	fprintf(decoder->to, ",\"outcome\":\"%s\"", outcomes[summary->ending]);
	json_member_u64(decoder->to, "status", summary->status);
	json_member_text(decoder->to, "message", summary->message);
	json_member_exact(decoder->to, "records", summary->records);
	put_losses(decoder->to, &summary->losses);
	return put_end(decoder);
}

static int judge(const struct gt_losses *losses, const char *path)
{
	if (losses->bad_records + losses->bad_bytes + losses->cut_bytes == 0)
		return 0;
	complain("%s: %" PRIu64 " bad records or frames, %" PRIu64
	         " bytes skipped, cut %" PRIu64 " bytes behind the last frame",
	         path, losses->bad_records, losses->bad_bytes,
	         losses->cut_bytes);
	return COMMAND_FAILED;
}

int decode_native(int fd, const char *path)
{
	struct decoder decoder = {
		.sink = {.begin = begin,
	                 .open = open_span,
	                 .close = close_span,
	                 .event = log_event,
	                 .counter = counter,
	                 .loss = loss,
	                 .end = end},
		.to = stdout,
	};
	struct gt_sink *sinks[] = {&decoder.sink};
	struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_file,
		.context = &fd,
		.sinks = sinks,
		.sink_count = 1,
	};
	int r = gt_replay(&options);

	tdestroy(decoder.openings, free);
	if (r < 0) {
		if (ferror(decoder.to))
			complain_of_writing(NULL, r);
		else
			complain("%s: %s", path, code_text(r));
		return COMMAND_FAILED;
	}
	return judge(&decoder.losses, path);
}
