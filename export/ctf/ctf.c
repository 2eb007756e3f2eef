/* SPDX-License-Identifier: MIT */
/*
 * The sink of CTF: a stream of records and one of the host's stretches per
 * vCPU, each in a file of its own.
 *
 * The times of a stream have to rise. Those of one vCPU do, but for ends that a
 * loss brought about; such a record keeps its place, and `late_ns` says by how
 * much its time is before that of the stream. A host's stretch is told when it
 * is over, with its start.
 */
#include "ctf.h"
#include "export/out/json_values.h"
#include "export/out/words.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct ctf_run {
	struct gt__run head;
	struct gt__ctf_classes classes;
	struct gt__ctf_stream *streams; /* two per vCPU */
	struct gt__out text;            /* fields of generic records */
};

struct ctf {
	struct gt_sink sink;
	struct gt_directory directory;
	struct gt__run *runs;
	bool many;
	int error;
};

static int done(struct ctf *x, int rc)
{
	if (rc && !x->error)
		x->error = rc;
	return x->error;
}

static int discard(void *context, const void *bytes, size_t count)
{
	(void)context;
	(void)bytes;
	(void)count;
	return -EINVAL; /* what is in memory is never handed on */
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	static const struct gt_output memory = {.write = discard};
	struct ctf *x = (struct ctf *)sink;
	struct ctf_run *run = gt__run_add(&x->runs, trace, sizeof *run);

	if (!run)
		return done(x, -ENOMEM);
	gt__out_init(&run->classes.metadata, &memory);
	gt__out_init(&run->classes.keys, &memory);
	run->classes.key = gt__hash_key();
	gt__out_init(&run->text, &memory);
	run->streams = calloc((size_t)trace->vcpus * 2, sizeof *run->streams);
	return done(x, run->streams ? 0 : -ENOMEM);
}

static int create(struct ctf *x, const struct gt_trace *trace, const char *name,
                  struct gt_output *ret_output)
{
	char path[80];

	if (x->many)
		snprintf(path, sizeof path, "run_%u/%s", trace->index, name);
	else
		snprintf(path, sizeof path, "%s", name);
	return x->directory.create(x->directory.context, path, ret_output);
}

/* The stream of a vCPU, made when it is first used; NULL after an error. */
static struct gt__ctf_stream *stream_of(struct ctf *x,
                                        const struct gt_trace *trace,
                                        uint32_t vcpu,
                                        enum gt__ctf_stream_id id)
{
	struct ctf_run *run = gt__run_find(&x->runs, trace);
	struct gt__ctf_stream *stream;
	struct gt_output output;
	char name[40];
	int rc;

	if (x->error || !run || vcpu >= trace->vcpus) {
		done(x, -EINVAL);
		return NULL;
	}
	stream = &run->streams[vcpu * 2 + (uint32_t)id];
	if (stream->open)
		return stream;
	snprintf(name, sizeof name, "vcpu_%u%s", vcpu,
	         id == GT__CTF_HOST ? "_host" : "");
	rc = create(x, trace, name, &output);
	if (done(x, rc))
		return NULL;
	gt__out_init(&stream->out, &output);
	stream->open = true;
	return stream;
}

/* ---- Records ------------------------------------------------------------- */

static void put_source(struct gt__out *o, const struct gt_site_view *site,
                       struct gt__out *text)
{
	text->used = 0;
	gt__put_bytes(text, site->file.bytes, site->file.count);
	gt__put_char(text, ':');
	gt__put_u64(text, site->line);
	gt__ctf_put_string(o, (struct gt_text){text->bytes, text->used});
}

/* What the class does not say of the site, and the fields. */
static int put_rest(struct ctf_run *run, struct gt__out *o, bool generic,
                    const struct gt_site_view *site,
                    const struct gt_field *fields, size_t count)
{
	const char *level = gt__level_word(site->level);
	struct gt__out *text = &run->text;
	size_t i;

	if (!generic) {
		gt__put_bytes(o, "\0\0", 3); /* target, level, source */
		for (i = 0; i < count; i++)
			gt__ctf_put_field(o, &fields[i]);
		return o->error;
	}
	gt__ctf_put_string(o, site->name);
	gt__ctf_put_string(o, site->target);
	gt__ctf_put_string(o, (struct gt_text){level, strlen(level)});
	put_source(o, site, text);
	text->used = 0;
	gt__put_char(text, '{');
	gt__put_json_members(text, fields, count, false);
	gt__put_char(text, '}');
	gt__ctf_put_string(o, (struct gt_text){text->bytes, text->used});
	return o->error ? o->error : text->error;
}

/* One record, from its class to the end of its packet. */
struct record {
	enum gt__ctf_kind kind;
	uint32_t vcpu;
	uint64_t time_ns;
	const struct gt_site_view *site;
	const struct gt_field *fields;
	size_t field_count;
};

static int put_record(struct ctf *x, const struct gt_trace *trace,
                      const struct record *r,
                      void (*put_payload)(struct gt__out *, const void *),
                      const void *view)
{
	struct gt__ctf_stream *s =
		stream_of(x, trace, r->vcpu, GT__CTF_RECORDS);
	struct ctf_run *run = gt__run_find(&x->runs, trace);
	uint32_t id = 0;
	int rc;

	if (!s)
		return x->error;
	rc = gt__ctf_class(&run->classes, r->kind, r->site, r->fields,
	                   r->field_count, &id);
	if (rc)
		return done(x, rc);
	gt__ctf_begin_event(s, trace, GT__CTF_RECORDS, id, r->time_ns);
	put_payload(&s->out, view);
	rc = put_rest(run, &s->out, id < GT__CTF_FIRST, r->site, r->fields,
	              r->field_count);
	if (!rc)
		rc = gt__ctf_packet(s, trace, GT__CTF_RECORDS, r->vcpu, false);
	return done(x, rc);
}

static void put_opening(struct gt__out *o, const void *view)
{
	const struct gt_span_view *span = view;

	gt__ctf_put_u64(o, span->id);
	gt__ctf_put_u64(o, span->parent_id);
	gt__ctf_put_u64(o, span->guest_id);
	gt__ctf_put_u64(o, span->sequence);
	gt__ctf_put_u32(o, span->level);
	gt__ctf_put_u8(o, span->entered);
}

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	const struct record record = {
		.kind = GT__CTF_BEGIN,
		.vcpu = span->vcpu,
		.time_ns = span->start_ns,
		.site = span->site,
		.fields = span->fields,
		.field_count = span->field_count,
	};

	return put_record((struct ctf *)sink, trace, &record, put_opening,
	                  span);
}

static void put_closing(struct gt__out *o, const void *view)
{
	const struct gt_span_view *span = view;
	size_t i;

	gt__ctf_put_u64(o, span->id);
	gt__ctf_put_u64(o, span->end_ns - span->start_ns);
	gt__ctf_put_u32(o, span->vcpu);
	gt__ctf_put_u8(o, (uint8_t)span->status);
	gt__ctf_put_string(o, span->status_text);
	gt__ctf_put_u32(o, span->flags);
	gt__ctf_put_u64(o, span->dropped_events);
	gt__ctf_put_u64(o, span->dropped_fields);
	gt__ctf_put_u32(o, (uint32_t)span->link_count);
	for (i = 0; i < span->link_count; i++) {
		gt__put_bytes(o, span->links[i].trace_id, 16);
		gt__ctf_put_u64(o, span->links[i].span_id);
	}
}

/* All fields once more: which of them are late is not told. */
static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	const struct record record = {
		.kind = GT__CTF_END,
		.vcpu = span->close_vcpu,
		.time_ns = span->end_ns,
		.site = span->site,
		.fields = span->fields,
		.field_count = span->field_count,
	};

	return put_record((struct ctf *)sink, trace, &record, put_closing,
	                  span);
}

static void put_event_head(struct gt__out *o, const void *view)
{
	const struct gt_event_view *event = view;

	gt__ctf_put_u64(o, event->span_id);
	gt__ctf_put_u64(o, event->sequence);
	gt__ctf_put_u32(o, event->level);
	gt__ctf_put_u32(o, event->flags);
}

static int put_one(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_event_view *event, enum gt__ctf_kind kind)
{
	const struct record record = {
		.kind = kind,
		.vcpu = event->vcpu,
		.time_ns = event->time_ns,
		.site = event->site,
		.fields = event->fields,
		.field_count = event->field_count,
	};

	return put_record((struct ctf *)sink, trace, &record, put_event_head,
	                  event);
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	return put_one(sink, trace, event, GT__CTF_EVENT);
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *event)
{
	return put_one(sink, trace, event, GT__CTF_COUNTER);
}

/* ---- The host ------------------------------------------------------------ */

static int put_host(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_host_span_view *span)
{
	struct ctf *x = (struct ctf *)sink;
	struct gt__ctf_stream *s =
		stream_of(x, trace, span->vcpu, GT__CTF_HOST);
	bool work = span->kind == GT_HOST_WORK;
	struct gt__out *o;

	if (!s)
		return x->error;
	o = &s->out;
	gt__ctf_begin_event(s, trace, GT__CTF_HOST,
	                    work                          ? GT__CTF_WORK
	                    : span->kind == GT_HOST_GUEST ? GT__CTF_GUEST
	                                                  : GT__CTF_EXIT,
	                    span->start_ns);
	gt__ctf_put_u64(o, span->id);
	gt__ctf_put_u64(o, span->parent_id);
	gt__ctf_put_u64(o, span->start_ns);
	gt__ctf_put_u64(o, span->end_ns - span->start_ns);
	gt__ctf_put_u64(o, span->waiting_ns);
	gt__ctf_put_u32(o, span->flags);
	if (!work)
		gt__ctf_put_u8(o, (uint8_t)span->reason);
	if (span->kind == GT_HOST_EXIT) {
		gt__ctf_put_u32(o, span->port);
		gt__ctf_put_u8(o, span->tracing);
	}
	if (work)
		gt__ctf_put_string(o, span->name);
	return done(x,
	            gt__ctf_packet(s, trace, GT__CTF_HOST, span->vcpu, false));
}

/* ---- Losses -------------------------------------------------------------- */

/* Readers know of events that were discarded, but not of bytes. */
static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	struct ctf *x = (struct ctf *)sink;
	struct gt__ctf_stream *s = NULL;

	if (loss->records)
		s = stream_of(x, trace, loss->vcpu, GT__CTF_RECORDS);
	if (!s)
		return x->error;
	return done(x, gt__ctf_discard(s, trace, loss->vcpu, loss->records,
	                               loss->from_ns, loss->to_ns));
}

/* ---- The end ------------------------------------------------------------- */

/* How many are missing of which nobody knows when they were. */
static uint64_t lost_on(uint32_t vcpu, const struct gt_trace *trace,
                        const struct gt_summary *summary,
                        const struct ctf_run *run)
{
	uint64_t told = 0, lost = summary->losses.records;
	uint32_t i;

	if (summary->lost_records) {
		told = run->streams[vcpu * 2].discarded;
		lost = summary->lost_records[vcpu];
	} else {
		for (i = 0; i < trace->vcpus; i++)
			told += run->streams[i * 2].discarded;
	}
	return lost > told ? lost - told : 0;
}

/* A vCPU that has lost something and had nothing else has a stream now. */
static int end_streams(struct ctf *x, const struct gt_trace *trace,
                       const struct gt_summary *summary, struct ctf_run *run)
{
	struct gt__ctf_stream *stream;
	uint64_t count;
	uint32_t i;
	int rc = 0;

	for (i = 0; i < trace->vcpus * 2 && !rc && !x->error; i++)
		rc = gt__ctf_packet(&run->streams[i], trace,
		                    (enum gt__ctf_stream_id)(i & 1), i / 2,
		                    true);
	for (i = 0; i < trace->vcpus && !rc && !x->error; i++) {
		count = lost_on(i, trace, summary, run);
		stream = count ? stream_of(x, trace, i, GT__CTF_RECORDS) : NULL;
		if (stream)
			rc = gt__ctf_discard(stream, trace, i, count,
			                     trace->start_ns, summary->end_ns);
	}
	return rc;
}

static int put_metadata(struct ctf *x, const struct gt_trace *trace,
                        const struct gt_summary *summary,
                        const struct gt__ctf_classes *classes)
{
	struct gt_output output;
	struct gt__out o;
	int rc = create(x, trace, "metadata", &output);

	if (rc)
		return rc;
	gt__out_init(&o, &output);
	gt__ctf_put_metadata(&o, trace, summary, classes);
	rc = gt__out_flush(&o);
	gt__out_fini(&o);
	return rc;
}

static void free_run(struct ctf_run *run)
{
	uint32_t i;

	for (i = 0; run->streams && i < run->head.vcpus * 2; i++)
		gt__out_fini(&run->streams[i].out);
	free(run->streams);
	gt__ctf_classes_fini(&run->classes);
	gt__out_fini(&run->text);
	free(run);
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	struct ctf *x = (struct ctf *)sink;
	struct ctf_run *run = gt__run_find(&x->runs, trace);

	if (!run)
		return done(x, -EINVAL);
	if (!x->error)
		done(x, end_streams(x, trace, summary, run));
	if (!x->error)
		done(x, put_metadata(x, trace, summary, &run->classes));
	gt__run_remove(&x->runs, &run->head);
	free_run(run);
	return x->error;
}

static int finish(struct gt_sink *sink)
{
	return ((struct ctf *)sink)->error;
}

static void free_sink(struct gt_sink *sink)
{
	struct ctf *x = (struct ctf *)sink;
	struct gt__run *run;

	if (!x)
		return;
	while ((run = x->runs)) {
		x->runs = run->next;
		free_run((struct ctf_run *)run);
	}
	free(x);
}

int gt_ctf_new(const struct gt_directory *directory, bool many,
               struct gt_sink **ret_sink)
{
	struct ctf *x = calloc(1, sizeof *x);

	if (!x)
		return -ENOMEM;
	x->sink = (struct gt_sink){
		.begin = begin,
		.open = open_span,
		.close = close_span,
		.event = put_event,
		.counter = put_counter,
		.host_span = put_host,
		.loss = put_loss,
		.end = end,
		.finish = finish,
		.free = free_sink,
	};
	x->directory = *directory;
	x->many = many;
	*ret_sink = &x->sink;
	return 0;
}
