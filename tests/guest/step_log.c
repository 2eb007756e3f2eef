/* SPDX-License-Identifier: MIT */
#include "step_inside.h"

#include <string.h>

void step__check(struct step_machine *machine, bool holds, const char *what)
{
	if (!holds && !machine->wrong)
		machine->wrong = what;
}

static struct gt_vcpu vcpu_of(struct step_machine *machine)
{
	struct gt_vcpu vcpu;

	memcpy(&vcpu, machine->ram + step_board(machine)->vcpu_gva,
	       sizeof(vcpu));
	return vcpu;
}

/* ---- The log ------------------------------------------------------------- */

static bool has_token(unsigned kind)
{
	return kind == GT_RECORD_EVENT || kind == GT_RECORD_COUNTER ||
	       kind == GT_RECORD_OPEN || kind == GT_RECORD_SPAN;
}

/* The guest is about to store a ring's `pos`: what is below must be whole. */
static void log_record(struct step_machine *machine, unsigned level,
                       const struct gt_ring *ring, uint64_t pos)
{
	struct entry entry = {.pos = ring->pos, .level = level};
	uint64_t words[8] = {0}, bytes = pos - ring->pos;

	step__check(machine, pos > ring->pos && bytes <= ring->block_bytes,
	            "pos grows by at most a block");
	step__check(machine, machine->log_count < LOG_MAX, "the log has room");
	if (machine->wrong)
		return;
	memcpy(words, machine->ram + ring->base_gva + (ring->pos & ring->mask),
	       bytes < sizeof(words) ? bytes : sizeof(words));
	entry.kind = GT_RECORD_KIND(words[0]);
	step__check(machine, GT_RECORD_WORDS(words[0]) * 8 == bytes,
	            "what is published is as long as its head says");
	if (has_token(entry.kind)) {
		step__check(machine, words[2] == ~words[3],
		            "what is published is whole");
		entry.token = words[2];
		machine->parents[words[2] % TOKENS_MAX] = words[4];
	}
	machine->log[machine->log_count++] = entry;
}

void step__log(struct step_machine *machine, uint64_t at, int bytes,
               uint64_t value)
{
	struct gt_vcpu vcpu;

	if (bytes != 8 || value == 0)
		return; /* gt_init() */
	for (unsigned i = 0; i < GT_LEVELS; i++) {
		if (at != offsetof(struct gt_vcpu, ring) +
		                  i * sizeof(struct gt_ring) +
		                  offsetof(struct gt_ring, pos))
			continue;
		vcpu = vcpu_of(machine);
		log_record(machine, i, &vcpu.ring[i], value);
	}
}

void step__expect_drain(struct step_machine *machine)
{
	struct gt_vcpu vcpu = vcpu_of(machine);
	uint64_t from[GT_LEVELS];

	for (unsigned i = 0; i < GT_LEVELS; i++) {
		const struct gt_ring *ring = &vcpu.ring[i];
		uint64_t block = ring->block_bytes, bytes = ring->mask + 1;
		uint64_t end = block ? (ring->pos / block + 1) * block : 0;

		from[i] = machine->tail[i];
		if (ring->mode == GT_RING_OVERWRITE && end > bytes &&
		    end - bytes > from[i]) {
			machine->overwritten_bytes += end - bytes - from[i];
			from[i] = end - bytes;
		}
		machine->tail[i] = ring->pos;
	}
	for (unsigned i = 0; i < machine->log_count; i++) {
		struct entry *entry = &machine->log[i];

		if (entry->due || entry->pos < from[entry->level])
			continue;
		entry->due = true;
		if (entry->kind != GT_RECORD_PAD)
			machine->due++;
	}
}

void step__forget(struct step_machine *machine)
{
	machine->log_count = machine->booted_count;
	for (unsigned i = 0; i < machine->log_count; i++)
		machine->log[i].due = false;
	machine->due = machine->overwritten_bytes = 0;
	memset(machine->tail, 0, sizeof(machine->tail));
	memset(machine->shown, 0, sizeof(machine->shown));
	memset(&machine->result, 0, sizeof(machine->result));
	machine->wrong = NULL;
}

/* ---- The sink ------------------------------------------------------------ */

static struct step_machine *machine_of(struct gt_sink *sink)
{
	return (struct step_machine *)(void *)((char *)sink -
	                                       offsetof(struct step_machine,
	                                                sink));
}

static struct shown *show(struct step_machine *machine,
                          const struct gt_field *fields, size_t count)
{
	uint64_t token;

	step__check(machine,
	            count >= 3 && fields[0].value.u64 == ~fields[1].value.u64,
	            "what is shown is whole");
	token = machine->wrong ? 0 : fields[0].value.u64;
	step__check(machine, token < TOKENS_MAX, "the tokens have room");
	if (machine->wrong)
		return &machine->shown[0];
	machine->shown[token].times++;
	machine->shown[token].parents = fields[2].value.u64;
	return &machine->shown[token];
}

static int on_open(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_span_view *span)
{
	struct shown *shown =
		show(machine_of(sink), span->fields, span->field_count);

	(void)trace;
	shown->is_span = true;
	shown->id = span->id;
	shown->parent = span->parent_id;
	return 0;
}

static int on_close(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_span_view *span)
{
	struct step_result *result = &machine_of(sink)->result;

	(void)trace;
	result->spans++;
	result->interrupted += (span->flags & GT_SPAN_INTERRUPTED) != 0;
	result->close_lost += (span->flags & GT_SPAN_CLOSE_LOST) != 0;
	step__check(machine_of(sink),
	            !(span->flags &
	              ~(unsigned)(GT_SPAN_INTERRUPTED | GT_SPAN_CLOSE_LOST |
	                          GT_SPAN_PARENT_GUESSED)),
	            "a span ends because it was closed or the guest has died");
	return 0;
}

static int on_event(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_event_view *event)
{
	(void)trace;
	show(machine_of(sink), event->fields, event->field_count)->parent =
		event->span_id;
	return 0;
}

static int on_end(struct gt_sink *sink, const struct gt_trace *trace,
                  const struct gt_summary *summary)
{
	(void)trace;
	machine_of(sink)->summary = *summary;
	return 0;
}

struct gt_sink step__sink(void)
{
	return (struct gt_sink){.open = on_open,
	                        .close = on_close,
	                        .event = on_event,
	                        .counter = on_event,
	                        .end = on_end};
}

/* ---- What must hold ------------------------------------------------------ */

static bool is_shown(const struct step_machine *machine, uint64_t id)
{
	for (unsigned i = 0; i < TOKENS_MAX; i++)
		if (machine->shown[i].is_span && machine->shown[i].id == id)
			return true;
	return false;
}

static bool is_parent(const struct step_machine *machine, uint64_t id,
                      uint64_t tokens, unsigned depth);

/* The span of a token; of one that was overwritten, who was above it. */
static bool is_token(const struct step_machine *machine, uint64_t id,
                     uint64_t token, unsigned depth)
{
	const struct shown *span = &machine->shown[token % TOKENS_MAX];

	if (token == 0)
		return id == 0;
	if (span->is_span)
		return span->id == id;
	return machine->overwritten_bytes > 0 && depth < 8 &&
	       (id == 0 || !is_shown(machine, id) ||
	        is_parent(machine, id, machine->parents[token % TOKENS_MAX],
	                  depth + 1));
}

static bool is_parent(const struct step_machine *machine, uint64_t id,
                      uint64_t tokens, unsigned depth)
{
	for (unsigned i = 0; i < 4; i++, tokens >>= 16)
		if (is_token(machine, id, tokens & 0xffff, depth))
			return true;
	return false;
}

/*
 * Where the record of a thread's return is lost, a record that the thread had
 * under way may be shown in another context: see guest.h.
 */
static bool parents_are_known(const struct step_machine *machine)
{
	return !machine->result.took_turns ||
	       (machine->result.losses.records == 0 &&
	        machine->overwritten_bytes == 0);
}

static void check_shown(struct step_machine *machine)
{
	uint64_t due = 0, shown = 0;

	for (unsigned i = 0; i < machine->log_count; i++) {
		const struct entry *entry = &machine->log[i];

		if (!entry->due || !has_token(entry->kind))
			continue;
		due++;
		step__check(machine, machine->shown[entry->token].times == 1,
		            "what was published is shown once");
	}
	for (unsigned i = 0; i < TOKENS_MAX; i++) {
		if (!machine->shown[i].times)
			continue;
		shown++;
		step__check(machine,
		            !parents_are_known(machine) ||
		                    is_parent(machine, machine->shown[i].parent,
		                              machine->shown[i].parents, 0),
		            "parents are right");
	}
	step__check(machine, shown == due, "what is shown was published");
}

static void check_counts(struct step_machine *machine, bool killed)
{
	const struct step_board *board = step_board(machine);
	struct step_result *result = &machine->result;
	uint64_t under_way = board->attempts - board->done;
	uint64_t silent = board->quiet ? board->switches : 0;
	struct gt_vcpu vcpu = vcpu_of(machine);

	result->lost = vcpu.lost;
	for (unsigned i = 0; i < GT_LEVELS; i++)
		result->lost += vcpu.ring[i].lost;
	for (unsigned i = 0; i < machine->log_count; i++)
		result->records += machine->log[i].kind > GT_RECORD_SYNC;
	step__check(machine, !board->held_gva || vcpu.lost == 0,
	            "no thread that has lost its turn keeps a level");
	step__check(machine, killed || under_way == 0, "all attempts are done");
	step__check(machine, under_way <= GT_LEVELS, "one attempt at a time");
	step__check(machine,
	            result->records + result->lost + silent >= board->done,
	            "recorded + lost = attempted: less");
	step__check(machine, result->records + result->lost <= board->attempts,
	            "recorded + lost = attempted: more");
	step__check(machine, result->losses.records == result->lost,
	            "the host tells what the guest has counted");
	step__check(machine, machine->summary.records == machine->due,
	            "every published record decodes");
	step__check(machine,
	            result->losses.overwritten_bytes ==
	                    machine->overwritten_bytes,
	            "overwritten bytes are counted");
	for (unsigned i = 0; i < GT_LEVELS; i++)
		step__check(machine, killed || vcpu.ring[i].limit != 0,
		            "every ring is given back");
}

static void check_losses(struct step_machine *machine)
{
	const struct gt_losses *losses = &machine->result.losses;
	bool whole = machine->overwritten_bytes == 0 && losses->records == 0;

	step__check(machine, losses->bad_records == 0 && losses->bad_bytes == 0,
	            "nothing is torn");
	step__check(machine, losses->late_records == 0,
	            "records come in order");
	step__check(machine, losses->adjusted_records == 0,
	            "times are as recorded");
	step__check(machine, !whole || losses->unknown_spans == 0,
	            "every close has its opening");
	step__check(machine, !whole || machine->result.close_lost == 0,
	            "every opening has its close");
	step__check(machine,
	            losses->strings_cut == 0 && losses->bad_requests == 0 &&
	                    losses->replaced_spans == 0 &&
	                    losses->evicted_spans == 0 &&
	                    losses->dropped_events == 0 &&
	                    losses->dropped_fields == 0,
	            "nothing else is lost");
}

const char *step_finish(struct step_machine *machine, bool killed,
                        struct step_result *ret_result)
{
	bool flush = step_board(machine)->mode == GT_RING_FLUSH;

	step__expect_drain(machine);
	step__check(
		machine,
		gt_host_finish(machine->host,
	                       killed ? GT_ENDING_ABORTED : GT_ENDING_HALTED, 0,
	                       NULL) == 0,
		"the host finishes");
	machine->result.losses = machine->summary.losses;
	check_shown(machine);
	check_counts(machine, killed);
	check_losses(machine);
	step__check(machine, !flush || machine->result.lost == 0,
	            "a ring that is flushed loses nothing");
	step__check(machine,
	            !flush || killed || machine->result.interrupted == 0,
	            "every span is closed");
	*ret_result = machine->result;
	return machine->wrong;
}
