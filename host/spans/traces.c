/* SPDX-License-Identifier: MIT */
#include "traces.h"
#include "host/decode/bytes.h"
#include "host/decode/foreign.h"

#include <stdlib.h>

/* ---- What spans say ------------------------------------------------------ */

static bool is(struct gt_text text, const char *word)
{
	return text.count == strlen(word) &&
	       memcmp(text.bytes, word, text.count) == 0;
}

/* An empty text says nothing, and that is no mistake; half of one does not. */
static bool read_text(unsigned saying, struct gt_text text,
                      struct gt__said *said)
{
	uint32_t flags = 0;

	switch (saying) {
	case GT__SAYS_TRACEPARENT:
		if (!gt__traceparent_parse(text, said->parent.trace_id,
		                           &said->parent.span_id, &flags))
			return false;
		said->parent.flags = (uint8_t)flags;
		said->parent.remote = true;
		return true;
	case GT__SAYS_TRACESTATE:
		if (!gt__tracestate_is_good(text))
			return false;
		said->state = text;
		return true;
	default:
		if (!is(text, "true") && !is(text, "false"))
			return false;
		said->new_root = is(text, "true");
		return true;
	}
}

static void take_text(unsigned saying, struct gt_text text, bool is_cut,
                      struct gt__said *said)
{
	if (saying == 0)
		return;
	if (text.count == 0 && !is_cut)
		said->empty |= saying;
	else if (!is_cut && read_text(saying, text, said))
		said->good |= saying;
	else
		said->bad |= saying;
}

static void read_pairs(const struct gt__record *record, struct gt__said *said)
{
	const uint8_t *body = record->body;
	size_t bytes, count = record->body_bytes;
	struct gt_text key, text;

	while ((bytes = gt__pair_read(body, count, &key, &text)) != 0) {
		take_text(gt__saying_of(key, GT_TYPE_STRING), text, false,
		          said);
		body += bytes;
		count -= bytes;
	}
}

static void read_values(const struct gt__record *record, struct gt__said *said)
{
	const uint8_t *body = record->body;
	size_t count = record->body_bytes;

	for (uint32_t i = 0; i < record->site->field_count; i++) {
		const struct gt__site_field *field = &record->site->fields[i];
		unsigned saying = gt__saying_of(field->key, field->type);
		struct gt__value value;
		size_t bytes = gt__value_read(field->type, body, count, &value);

		if (bytes > count)
			return;
		if (saying && field->type == GT_TYPE_BOOL) {
			said->good |= saying;
			said->new_root = value.word != 0;
		} else if (saying) {
			take_text(saying,
			          (struct gt_text){(const char *)value.bytes,
			                           value.stored_bytes},
			          value.stored_bytes != value.full_bytes, said);
		}
		body += bytes;
		count -= bytes;
	}
}

void gt__traces_read(const struct gt__record *record, struct gt__said *ret_said)
{
	*ret_said = (struct gt__said){0};
	if (record->site->pairs)
		read_pairs(record, ret_said);
	else
		read_values(record, ret_said);
	/* A tracestate belongs to its traceparent: alone it is but a field. */
	if (!(ret_said->good & GT__SAYS_TRACEPARENT))
		ret_said->good &= ~(unsigned)GT__SAYS_TRACESTATE;
}

/* ---- Traces -------------------------------------------------------------- */

/* The finalizer of MurmurHash3: what is different stays so. */
static uint64_t mix(uint64_t word)
{
	word = (word ^ word >> 33) * UINT64_C(0xff51afd7ed558ccd);
	word = (word ^ word >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return word ^ word >> 33;
}

/*
 * Who reads a capture gets the ids that were shown live. They are as random as
 * the run's id or the base of its spans' ids is, and no two of a run are equal.
 */
static void name_new(uint8_t to[16], const uint8_t run_trace_id[16],
                     uint64_t exported_id)
{
	uint64_t high = gt__load64(run_trace_id) ^ mix(~exported_id);
	uint64_t low = mix(gt__load64(run_trace_id + 8) + exported_id);

	if (high == 0 && low == 0)
		low = 1;
	memcpy(to, &high, sizeof(high));
	memcpy(to + 8, &low, sizeof(low));
}

struct gt__trace *gt__trace_new(struct gt__traces *traces,
                                const struct gt__said *said,
                                const struct gt_sampler *sampler,
                                const uint8_t run_trace_id[16],
                                uint64_t exported_id)
{
	bool begins = said->new_root;
	size_t room = begins ? 0 : said->state.count;
	struct gt__trace *trace;

	if (room > GT__TRACESTATE_BYTES)
		room = GT__TRACESTATE_BYTES;
	trace = malloc(sizeof(*trace) + room + 1);
	if (!trace)
		return NULL;
	*trace = (struct gt__trace){.references = 1};
	trace->state[0] = '\0';
	if (begins) {
		name_new(trace->shown.trace_id, run_trace_id, exported_id);
		trace->shown.flags = GT_TRACE_RANDOM;
		trace->caused = said->good & GT__SAYS_TRACEPARENT;
		trace->cause = said->parent;
	} else {
		memcpy(trace->shown.trace_id, said->parent.trace_id, 16);
		trace->shown.flags = said->parent.flags;
		if (room)
			gt__tracestate_fit(said->state, trace->state, room + 1);
	}
	if (begins || sampler->ignores_parent) {
		trace->shown.flags &= ~(uint32_t)GT_TRACE_SAMPLED;
		trace->shown.flags |=
			gt_sampled_by_id(sampler, trace->shown.trace_id);
	}
	trace->shown.trace_state =
		(struct gt_text){trace->state, strlen(trace->state)};
	traces->count++;
	return trace;
}

void gt__trace_give(struct gt__traces *traces, struct gt__trace *trace)
{
	if (!trace || --trace->references > 0)
		return;
	traces->count--;
	free(trace);
}

/* ---- Spans that have ended ----------------------------------------------- */

static struct gt__past_span *past_of(const struct gt__traces *traces,
                                     uint64_t id)
{
	return &traces->past[mix(id) & (GT__PAST_SPANS - 1)];
}

void gt__traces_ended(struct gt__traces *traces, uint64_t id,
                      struct gt__trace *trace)
{
	struct gt__past_span *past;

	if (!traces->past)
		traces->past = calloc(GT__PAST_SPANS, sizeof(*traces->past));
	if (!traces->past) {
		gt__trace_give(traces, trace);
		return;
	}
	past = past_of(traces, id);
	gt__trace_give(traces, past->trace);
	*past = (struct gt__past_span){id, trace};
}

struct gt__trace *gt__traces_past(const struct gt__traces *traces, uint64_t id)
{
	const struct gt__past_span *past;

	if (!traces->past)
		return NULL;
	past = past_of(traces, id);
	return past->id == id ? past->trace : NULL;
}

void gt__traces_forget(struct gt__traces *traces)
{
	for (uint32_t i = 0; traces->past && i < GT__PAST_SPANS; i++)
		gt__trace_give(traces, traces->past[i].trace);
	free(traces->past);
	traces->past = NULL;
}
