/* SPDX-License-Identifier: MIT */
/* Lines of Chrome's JSON, and the threads that they are on. */
#include "chrome_lines.h"
#include "export/out/escape.h"
#include "export/out/words.h"

#define LANE_TID (1u << 30) /* above every gt__tid(): lanes of all runs */

struct gt__out *gt__chrome_next_line(struct gt__chrome *x)
{
	gt__put(&x->head.out, x->begun ? ",\n"
	                               : "{\"displayTimeUnit\":\"ns\","
	                                 "\"traceEvents\":[\n");
	x->begun = true;
	return &x->head.out;
}

void gt__chrome_put_us(struct gt__out *o, uint64_t ns)
{
	char digits[4] = {'.', (char)('0' + ns / 100 % 10),
	                  (char)('0' + ns / 10 % 10), (char)('0' + ns % 10)};

	gt__put_u64(o, ns / 1000);
	gt__put_bytes(o, digits, sizeof digits);
}

void gt__chrome_put_ids(struct gt__out *o, const struct gt__chrome_run *run,
                        uint32_t tid)
{
	gt__put(o, "\"pid\":");
	gt__put_u64(o, gt__pid(run->head.trace));
	gt__put(o, ",\"tid\":");
	gt__put_u64(o, tid);
}

/* Chrome knows no 64-bit ids: a lane's comes from its place in the table. */
static uint32_t tid_of(const struct gt__chrome_run *run, uint32_t index)
{
	const struct gt__track *track = &run->lanes.tracks[index];

	if (!track->lane)
		return gt__tid(run->head.trace, track->vcpu);
	return LANE_TID + (run->lane_tid + index) % LANE_TID;
}

static void name_track(struct gt__chrome *x, struct gt__chrome_run *run,
                       uint32_t index)
{
	struct gt__track *track = &run->lanes.tracks[index];
	struct gt__out *o;

	if (track->described)
		return;
	track->described = true;
	o = gt__chrome_next_line(x);
	gt__put(o, "{\"ph\":\"M\",\"name\":\"thread_name\",");
	gt__chrome_put_ids(o, run, tid_of(run, index));
	gt__put(o, ",\"args\":{\"name\":\"vCPU ");
	gt__put_u64(o, track->vcpu);
	if (track->lane) {
		gt__put(o, " lane ");
		gt__put_u64(o, track->lane);
	}
	gt__put(o, "\"}}");
}

void gt__chrome_begin_tid(struct gt__chrome *x,
                          const struct gt__chrome_run *run, uint32_t tid,
                          char phase, uint64_t time_ns)
{
	struct gt__out *o = gt__chrome_next_line(x);
	uint64_t at;

	gt__put(o, "{\"ph\":\"");
	gt__put_char(o, phase);
	gt__put(o, "\",");
	gt__chrome_put_ids(o, run, tid);
	gt__put(o, ",\"ts\":");
	at = gt__monotonic_ns(run->head.trace, time_ns);
	gt__chrome_put_us(o, at > run->zero_ns ? at - run->zero_ns : 0);
}

static void begin_line(struct gt__chrome *x, struct gt__chrome_run *run,
                       uint32_t track, char phase, uint64_t time_ns)
{
	name_track(x, run, track);
	gt__chrome_begin_tid(x, run, tid_of(run, track), phase, time_ns);
}

void gt__chrome_put_site(struct gt__out *o, const struct gt_site_view *site)
{
	gt__put(o, ",\"name\":");
	gt__put_json(o, site->name);
	gt__put(o, ",\"cat\":");
	gt__put_json(o, site->target);
}

void gt__chrome_begin_span(struct gt__chrome *x, struct gt__chrome_run *run,
                           uint32_t index)
{
	struct gt__lane_span *s = &run->lanes.spans[index];

	s->begun = true;
	name_track(x, run, s->track);
	gt__chrome_begin_tid(x, run, tid_of(run, s->track), 'B', s->begin_ns);
	gt__chrome_put_site(&x->head.out, s->site);
}

void gt__chrome_end_begin(struct gt__chrome *x, struct gt__chrome_run *run,
                          uint32_t index)
{
	const struct gt__lane_span *s = &run->lanes.spans[index];

	gt__put_char(&x->head.out, '}');
	if (!s->continued)
		gt__chrome_put_flow(x, run, s->track, 's', s->begin_ns, s->id);
}

static void begin_plainly(struct gt__chrome *x, struct gt__chrome_run *run,
                          uint32_t index)
{
	if (index == GT__NONE || run->lanes.spans[index].begun)
		return;
	gt__chrome_begin_span(x, run, index);
	gt__chrome_end_begin(x, run, index);
}

void gt__chrome_begin_below(struct gt__chrome *x, struct gt__chrome_run *run,
                            uint32_t index)
{
	begin_plainly(x, run, run->lanes.spans[index].below);
}

void gt__chrome_begin(struct gt__chrome *x, struct gt__chrome_run *run,
                      uint32_t track, char phase, uint64_t time_ns)
{
	if (phase == 'B' || phase == 'E')
		begin_plainly(x, run, run->lanes.tracks[track].top);
	begin_line(x, run, track, phase, time_ns);
}

void gt__chrome_put_flow(struct gt__chrome *x, struct gt__chrome_run *run,
                         uint32_t track, char phase, uint64_t time_ns,
                         uint64_t id)
{
	struct gt__out *o = &x->head.out;

	begin_line(x, run, track, phase, time_ns);
	gt__put(o, ",\"name\":\"flow\",\"cat\":\"guesttrace\",\"id\":\"0x");
	gt__put_hex(o, id, 16);
	gt__put(o, phase == 'f' ? "\",\"bp\":\"e\"}" : "\"}");
}

void gt__chrome_put_flags(struct gt__out *o, unsigned flags)
{
	size_t i;

	for (i = 0; i < GT__FLAG_WORDS; i++) {
		if (!(flags & gt__flag_words[i].flag))
			continue;
		gt__put(o, ",\"guesttrace.");
		gt__put(o, gt__flag_words[i].word);
		gt__put(o, "\":true");
	}
}
