/* SPDX-License-Identifier: MIT */
/*
 * What is missing of a run: slices on a thread of its own per vCPU, where it
 * was lost. How the run ended, and what it lost in all: an instant at its end,
 * and the label that viewers show beside the process's name.
 */
#include "chrome_lines.h"
#include "export/out/escape.h"
#include "export/out/json_values.h"
#include "export/out/losses.h"
#include "export/out/words.h"
#include <errno.h>

static uint32_t thread_of(uint32_t vcpu)
{
	return vcpu % GT__LOSS_THREADS;
}

static uint32_t tid_of(const struct gt__chrome_run *run, uint32_t vcpu)
{
	return gt__tid(run->head.trace,
	               GT__THREADS_PER_VCPU * GT_VCPUS_MAX + thread_of(vcpu));
}

static void name_thread(struct gt__chrome *x, struct gt__chrome_run *run,
                        uint32_t vcpu)
{
	struct gt__out *o = gt__chrome_next_line(x);

	gt__put(o, "{\"ph\":\"M\",\"name\":\"thread_name\",");
	gt__chrome_put_ids(o, run, tid_of(run, vcpu));
	gt__put(o, ",\"args\":{\"name\":\"vCPU ");
	gt__put_u64(o, thread_of(vcpu));
	gt__put(o, " lost\"}}");
}

static void put_moved(struct gt__out *o, const char *what, uint64_t ns)
{
	if (!ns)
		return;
	gt__put(o, ",\"guesttrace.");
	gt__put(o, what);
	gt__put(o, "_earlier_ns\":");
	gt__put_json_u64(o, ns);
}

/* Arguments are at the end of a slice, as with a guest's spans; `moved_ns`: how
 * much earlier the loss had begun than the slice, and had been noticed. */
static void put_notes(struct gt__out *o, const struct gt_loss_view *loss,
                      const uint64_t moved_ns[2])
{
	gt__put(o, ",\"args\":{");
	gt__put_gap_members(o, loss);
	if (loss->span_id) {
		gt__put(o, ",\"guesttrace.parent_id\":\"");
		gt__put_hex(o, loss->span_id, 16);
		gt__put_char(o, '"');
	}
	put_moved(o, "began", moved_ns[0]);
	put_moved(o, "ended", moved_ns[1]);
	gt__put_char(o, '}');
}

int gt__chrome_put_loss(struct gt__chrome *x, struct gt__chrome_run *run,
                        const struct gt_loss_view *loss)
{
	uint32_t vcpu = loss->vcpu, tid = tid_of(run, vcpu);
	struct gt__out *o = &x->head.out;
	struct gt__gap_track *track;
	uint64_t at[2], moved_ns[2];
	unsigned i;

	if (vcpu >= run->head.vcpus)
		return -EINVAL;
	if (!run->gaps)
		run->gaps = calloc(run->head.vcpus, sizeof *run->gaps);
	if (!run->gaps)
		return -ENOMEM;
	track = &run->gaps[thread_of(vcpu)];
	if (!track->described)
		name_thread(x, run, vcpu);
	track->described = true;
	gt__gap_place(track, loss, &at[0], &at[1]);
	moved_ns[0] = at[0] - loss->from_ns;
	moved_ns[1] = at[1] - loss->to_ns;
	for (i = 0; i < 2; i++) {
		gt__chrome_begin_tid(x, run, tid, i ? 'E' : 'B', at[i]);
		gt__put(o, ",\"cat\":\"guesttrace.lost\",\"name\":\"LOST ");
		gt__put_gap(o, loss);
		gt__put_char(o, '"');
		if (i || at[0] == at[1])
			put_notes(o, loss, moved_ns);
		gt__put_char(o, '}');
	}
	return 0;
}

/* ---- The end of the run -------------------------------------------------- */

static void put_label(struct gt__chrome *x, const struct gt__chrome_run *run,
                      const struct gt_summary *summary)
{
	struct gt__out *o = gt__chrome_next_line(x);

	gt__put(o, "{\"ph\":\"M\",\"name\":\"process_labels\",");
	gt__chrome_put_ids(o, run, gt__pid(run->head.trace));
	gt__put(o, ",\"args\":{\"labels\":\"");
	gt__put_outcome(o, summary);
	gt__put(o, "\"}}");
}

void gt__chrome_put_outcome(struct gt__chrome *x, struct gt__chrome_run *run,
                            const struct gt_summary *summary)
{
	struct gt__out *o = &x->head.out;

	put_label(x, run, summary);
	gt__chrome_begin_tid(x, run, gt__tid(run->head.trace, 0), 'i',
	                     summary->end_ns);
	gt__put(o, ",\"cat\":\"guesttrace.run\",\"name\":\"run ");
	gt__put_outcome(o, summary);
	gt__put(o, "\",\"s\":\"p\",\"args\":{");
	gt__put_outcome_members(o, summary);
	gt__put(o, "}}");
}
