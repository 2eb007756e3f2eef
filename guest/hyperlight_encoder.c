/* SPDX-License-Identifier: MIT */
/*
 * The recorder of the Hyperlight wires: call sites become events of a batch, at
 * once and in place, and full batches leave the VM. It keeps the stack of
 * entered spans, because these wires name each parent.
 *
 * Handlers may interrupt anything here. What they record while somebody is
 * inside is lost and counted. gt_call_end() works even then: the batch without
 * the interrupted event is whole at any moment, and that event is given up.
 *
 * compat_strict: exactly what Hyperlight's guest does, for comparison and for
 * hosts that rely on it. Otherwise
 *   - gt_exit() removes its span wherever it stands, not the last one entered;
 *   - closing a span exits it too;
 *   - explicit parents hold, and contexts (gt_switch()) have their own parents;
 *   - the end of a call sends the batch, the beginning of one discards nothing;
 *   - late fields that 0.11 cannot carry are counted.
 */
#include "doorbell.h"
#include "draft.h"
#include "encoder.h"
#include "hyperlight_event.h"

#ifndef GT_DEPTH_MAX
#define GT_DEPTH_MAX 128u
#endif
#define HYPERLIGHT_EVENTS 30u
#define HYPERLIGHT_BYTES  4096u

_Static_assert(GT_BATCH_BYTES_MIN >= 1024, "any site fits, cut");

static uint64_t own_memory[(HYPERLIGHT_BYTES + GT_BATCH_SLACK) / 8];

static struct {
	struct gt_batch batch;
	uint64_t free; /* 0: somebody is inside */
	uint64_t next_id;
	uint64_t start_tsc; /* 0.11 */
	uint32_t abandoned; /* rises when whoever is inside must not go on */
	uint32_t depth;     /* of the stack */
	uint32_t beyond;    /* entered, but deeper than the stack */
	bool is_strict;
	bool needs_cleanup; /* strict 0.11: what is in the batch is stale */
	struct {
		uint64_t id;
		uint64_t context;
	} stack[GT_DEPTH_MAX];
} state;

static bool is_0_11(void)
{
	return state.batch.wire == GT_WIRE_HYPERLIGHT_0_11;
}

static void count_lost(void)
{
	gt__count(&GT_THIS_VCPU()->lost);
}

static void send_batch(void)
{
	size_t bytes = gt_batch_finish(&state.batch, state.start_tsc);

	gt__batch_exit(state.batch.memory, bytes);
	gt_batch_clear(&state.batch);
}

static void send_if_any(void)
{
	if (state.batch.events > 0)
		send_batch();
}

/* ---- The stack ----------------------------------------------------------- */

/* `current` is the innermost span of this context. */
static void find_current(void)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();
	uint32_t i = state.depth;

	if (!state.is_strict)
		while (i > 0 && state.stack[i - 1].context != vcpu->context)
			i--;
	gt__store(&vcpu->current, i > 0 ? state.stack[i - 1].id : 0);
}

static void push(uint64_t id)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();

	if (state.depth == GT_DEPTH_MAX) {
		state.beyond++;
		count_lost();
		return;
	}
	state.stack[state.depth].id = id;
	state.stack[state.depth].context = vcpu->context;
	state.depth++;
	gt__store(&vcpu->current, id);
}

static void pop(void)
{
	if (state.beyond > 0)
		state.beyond--;
	else if (state.depth > 0)
		state.depth--;
	find_current();
}

static void leave(uint64_t id)
{
	uint32_t i = state.depth;

	while (i > 0 && state.stack[i - 1].id != id)
		i--;
	if (i == 0)
		return;
	for (; i < state.depth; i++)
		state.stack[i - 1] = state.stack[i];
	state.depth--;
	find_current();
}

/* ---- Events -------------------------------------------------------------- */

/* The clock is read when all is formatted, as Hyperlight does. */
static bool write_event(struct gt__event *event, bool is_cutting,
                        uint32_t abandoned)
{
	struct gt_draft draft;

	gt__event_put(&draft, &state.batch, event, is_cutting);
	if (draft.is_full)
		return false;
	if (event->kind < GT_BATCH_EDIT)
		event->numbers.tsc = GT_TSC();
	if (abandoned != state.abandoned ||
	    !gt_draft_end(&draft, &event->numbers))
		return false;
	if (draft.cut_bytes)
		gt__count(&GT_THIS_VCPU()->cut);
	return true;
}

/* Into this batch, else into an empty one, else in part. */
static bool append(struct gt__event *event)
{
	const uint32_t abandoned = state.abandoned;
	bool is_written = write_event(event, false, abandoned);

	if (!is_written && abandoned == state.abandoned &&
	    state.batch.events > 0) {
		send_batch();
		is_written = write_event(event, false, abandoned);
	}
	if (!is_written && abandoned == state.abandoned)
		is_written = write_event(event, true, abandoned);
	if (!is_written)
		count_lost();
	else if (is_0_11() && state.batch.events == state.batch.events_max)
		send_batch();
	return is_written;
}

/* Strict 0.11: what was left behind at the end of a trace goes. */
static void clean_up(void)
{
	if (state.needs_cleanup)
		gt_batch_clear(&state.batch);
	state.needs_cleanup = false;
}

static void log_event(const struct gt_site *site, const uint64_t *arguments)
{
	struct gt__event event = {
		.kind = GT_BATCH_LOG,
		.site = site,
		.arguments = arguments + 1,
		.keeps_parent = state.is_strict,
		.numbers.id = gt__load(&GT_THIS_VCPU()->current),
	};

	clean_up();
	append(&event);
}

static void open_span(const struct gt_site *site, struct gt_span *span,
                      const uint64_t *arguments)
{
	uint64_t current = gt__load(&GT_THIS_VCPU()->current);
	struct gt__event event = {
		.kind = GT_BATCH_OPEN,
		.site = site,
		.arguments = arguments + 1,
		.keeps_parent = state.is_strict,
		.numbers = {.id = state.next_id,
	                    .parent = current,
	                    .has_parent = current != 0},
	};

	clean_up();
	state.next_id++;
	if (append(&event))
		span->id = event.numbers.id;
}

static void close_id(uint64_t id)
{
	struct gt__event event = {.kind = GT_BATCH_CLOSE, .numbers.id = id};

	append(&event);
}

static void start_event(uint64_t tsc)
{
	struct gt__event event = {.kind = GT_BATCH_START, .numbers.tsc = tsc};

	append(&event);
}

/* 0.11: into the event that opened the span, as long as that is here. */
static bool grow(struct gt__event *event)
{
	const uint32_t abandoned = state.abandoned;
	struct gt_draft draft;

	return gt__event_grow(&draft, &state.batch, event) &&
	       abandoned == state.abandoned && gt__batch_grown(&draft);
}

static void record(const struct gt_site *site, const uint64_t *arguments)
{
	struct gt__event event = {
		.kind = GT_BATCH_EDIT,
		.site = site,
		.arguments = arguments + 1,
		.keeps_parent = state.is_strict,
		.numbers.id = arguments[0],
	};

	/* Hyperlight's 0.12 sends it all the same. */
	if (gt__event_fields(site) == 0 && (is_0_11() || !state.is_strict))
		return;
	if (!is_0_11())
		append(&event);
	else if (!grow(&event) && !state.is_strict)
		count_lost();
}

/* ---- Calls and spans ----------------------------------------------------- */

static void close_span(struct gt_span *span)
{
	uint64_t id = span->id;

	span->id = 0;
	if (!state.is_strict)
		leave(id);
	else if (span->previous)
		pop();
	close_id(id);
}

/* A scope is left before it is closed, in strict mode too: see open_scope(). */
static void exit_span(struct gt_span *span)
{
	if (!state.is_strict)
		leave(span->id);
	else
		pop();
	span->previous = 0;
}

static void open_scope(const struct gt_site *site, struct gt_span *span,
                       const uint64_t *arguments)
{
	open_span(site, span, arguments);
	if (!span->id)
		return;
	span->previous = 1;
	push(span->id);
}

static void begin_call(void)
{
	uint64_t tsc;

	if (!state.is_strict)
		send_if_any();
	tsc = GT_TSC();
	state.start_tsc = tsc;
	if (is_0_11())
		return;
	gt_batch_clear(&state.batch);
	start_event(tsc);
}

/* Strict 0.11 leaves the batch to the next exit, whichever it is. */
static void end_call(void)
{
	while (state.depth > 0) {
		uint64_t id = state.stack[state.depth - 1].id;

		state.depth--;
		close_id(id);
	}
	state.beyond = 0;
	find_current();
	if (state.is_strict && is_0_11())
		state.needs_cleanup = true;
	else
		send_if_any();
}

/* Spans of this context are left, and stay open. */
static void abandon(void)
{
	uint64_t context = GT_THIS_VCPU()->context;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < state.depth; i++)
		if (state.stack[i].context != context)
			state.stack[kept++] = state.stack[i];
	state.depth = kept;
	find_current();
}

static void init(const struct gt_options *options, enum gt_wire wire)
{
	void *memory = options->batch ? options->batch : own_memory;
	size_t bytes =
		options->batch ? options->batch_bytes : sizeof(own_memory);

	state.depth = state.beyond = 0;
	state.next_id = 1;
	state.needs_cleanup = false;
	gt__event_forget();
	state.is_strict = options->compat_strict;
	gt_batch_init(&state.batch, wire, memory, bytes,
	              options->batch_events ? options->batch_events
	                                    : HYPERLIGHT_EVENTS);
	/* Texts are cut here, where it is known what room there is. */
	GT_THIS_VCPU()->text_bytes_max = UINT32_MAX & ~7u;
	begin_call();
	gt__store(&state.free, 1);
	gt_set_level(options->level == GT_OFF ? GT_TRACE : options->level);
}

static void perform(unsigned operation, const struct gt_site *site,
                    struct gt_span *span, const uint64_t *arguments)
{
	switch (operation) {
	case GT_RECORD_EVENT:
		log_event(site, arguments);
		break;
	case GT_RECORD_SPAN:
		open_scope(site, span, arguments);
		break;
	case GT_RECORD_OPEN:
		open_span(site, span, arguments);
		break;
	case GT_RECORD_FIELDS:
		record(site, arguments);
		break;
	case GT_RECORD_ENTER:
		push(span->id);
		break;
	case GT_RECORD_EXIT:
		exit_span(span);
		break;
	case GT_RECORD_CLOSE:
		close_span(span);
		break;
	case GT_RECORD_SWITCH:
		find_current();
		break;
	case GT_RECORD_ABANDON:
		abandon();
		break;
	case GT__FLUSH:
		send_if_any();
		break;
	case GT__CALL_BEGIN:
		begin_call();
		break;
	case GT__CALL_END:
		end_call();
		break;
	}
}

static void encode(enum gt_wire wire, unsigned operation,
                   const struct gt_site *site, struct gt_span *span,
                   const uint64_t *arguments)
{
	if (operation == GT__INIT) {
		init((const struct gt_options *)(uintptr_t)arguments[0], wire);
		return;
	}
	if (operation == GT_RECORD_COUNTER)
		return;
	if (!gt__grab(&state.free)) {
		if (operation != GT__CALL_END &&
		    operation != GT_RECORD_ABANDON) {
			count_lost();
			return;
		}
		state.abandoned++;
	}
	perform(operation, site, span, arguments);
	gt__barrier();
	gt__store(&state.free, 1);
}

void gt_hyperlight_0_11(unsigned operation, const struct gt_site *site,
                        struct gt_span *span, const uint64_t *arguments)
{
	encode(GT_WIRE_HYPERLIGHT_0_11, operation, site, span, arguments);
}

void gt_hyperlight_0_12(unsigned operation, const struct gt_site *site,
                        struct gt_span *span, const uint64_t *arguments)
{
	encode(GT_WIRE_HYPERLIGHT_0_12, operation, site, span, arguments);
}
