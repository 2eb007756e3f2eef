/* SPDX-License-Identifier: MIT */
/*
 * What is missing of a run: slices on a track of its own per vCPU, where it was
 * lost. How the run ended, and what it lost in all: an instant of the process.
 */
#include "export/out/losses.h"
#include "export/out/protobuf.h"
#include "export/out/words.h"
#include "perfetto_packets.h"
#include <errno.h>

static void put_count(struct gt__out *o, const char *key, uint64_t count)
{
	if (count)
		gt__pf_put_spelled_u64(o, key, count);
}

static void put_losses(struct gt__out *o, const struct gt_losses *losses)
{
	size_t i;

	for (i = 0; i < GT__LOSS_WORDS; i++)
		put_count(o, gt__loss_words[i].key, gt__loss(losses, i));
}

static void put_name(struct gt__out *o, const struct gt_loss_view *loss)
{
	size_t name = gt__pb_begin(o, GT__PF_EVENT_NAME);

	gt__put(o, "LOST ");
	gt__put_gap(o, loss);
	gt__pb_end(o, name);
	gt__pb_string(o, GT__PF_EVENT_CATEGORIES, "guesttrace.lost");
}

static void put_notes(struct gt__out *o, const struct gt_loss_view *loss,
                      uint64_t start_ns, uint64_t end_ns)
{
	const struct gt_losses losses = gt__losses_of(loss);

	gt__pf_put_spelled_u64(o, "guesttrace.vcpu", loss->vcpu);
	if (loss->span_id)
		gt__pf_put_own_id(o, GT__PF_KEY_PARENT_ID, loss->span_id);
	put_losses(o, &losses);
	put_count(o, "guesttrace.began_earlier_ns", start_ns - loss->from_ns);
	if (end_ns != loss->to_ns)
		gt__pf_put_own_u64(o, GT__PF_KEY_ENDED_EARLIER_NS,
		                   end_ns - loss->to_ns);
}

int gt__pf_put_loss(struct gt__out *o, struct gt__pf_run *run,
                    const struct gt_loss_view *loss)
{
	uint64_t start_ns, end_ns, uuid;
	struct gt__pf_event e;

	if (loss->vcpu >= run->head.vcpus)
		return -EINVAL;
	if (!run->gaps)
		run->gaps = calloc(run->head.vcpus, sizeof *run->gaps);
	if (!run->gaps)
		return -ENOMEM;
	gt__gap_place(&run->gaps[loss->vcpu], loss, &start_ns, &end_ns);
	uuid = gt__pf_lost_uuid(o, run, loss->vcpu);
	e = gt__pf_begin_event(o, run, GT__PF_BEGIN, uuid, start_ns);
	put_name(o, loss);
	put_notes(o, loss, start_ns, end_ns);
	gt__pf_end_event(o, run, e, NULL, 0);
	e = gt__pf_begin_event(o, run, GT__PF_END, uuid, end_ns);
	gt__pf_end_event(o, run, e, NULL, 0);
	return 0;
}

/* ---- The end of the run -------------------------------------------------- */

static void put_run_name(struct gt__out *o, const struct gt_summary *summary)
{
	size_t name = gt__pb_begin(o, GT__PF_EVENT_NAME);

	gt__put(o, "run ");
	gt__put_outcome(o, summary);
	gt__pb_end(o, name);
	gt__pb_string(o, GT__PF_EVENT_CATEGORIES, "guesttrace.run");
}

void gt__pf_put_outcome(struct gt__out *o, struct gt__pf_run *run,
                        const struct gt_summary *summary)
{
	const char *ending = gt__ending_word(summary->ending);
	struct gt__pf_event e = gt__pf_begin_event(
		o, run, GT__PF_INSTANT, run->uuid | GT__PF_UUID_PROCESS,
		summary->end_ns);

	put_run_name(o, summary);
	gt__pf_put_spelled_text(o, "guesttrace.outcome",
	                        (struct gt_text){ending, strlen(ending)});
	if (summary->ending == GT_ENDING_HALTED)
		gt__pf_put_spelled_u64(o, "guesttrace.exit_status",
		                       summary->status);
	if (summary->message.count)
		gt__pf_put_spelled_text(o, "guesttrace.message",
		                        summary->message);
	gt__pf_put_spelled_u64(o, "guesttrace.records", summary->records);
	put_losses(o, &summary->losses);
	gt__pf_end_event(o, run, e, NULL, 0);
}
