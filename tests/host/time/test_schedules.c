/* SPDX-License-Identifier: MIT */
/*
 * Every time of every schedule lies within the bound that its trace states, and
 * the capture says the same as the live run. Arguments: how many schedules, and
 * which is the first.
 */
#include "schedule.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t number, records, worst_ps, failures;

static void fail(const char *what, const struct schedule_seen *seen)
{
	printf("# schedule %" PRIu64 ", %s: %s %" PRIu64 " is %" PRIu64
	       " ps off, bound %" PRIu64 " ns, adjusted %" PRIu64
	       ", late %" PRIu64 ", outside %" PRIu64 "\n",
	       number, what, seen->worst_of, seen->worst_at, seen->worst_ps,
	       seen->summary.clock.error_bound_ns,
	       seen->summary.losses.adjusted_records,
	       seen->summary.losses.late_records, seen->summary.clock.outside);
	failures++;
}

/* Nobody lied: no time is anywhere but where it is told to be. */
static void judge(struct schedule_seen *seen, const char *what)
{
	const struct gt_summary *summary = &seen->summary;
	bool is_snapshot = summary->ending == GT_ENDING_SNAPSHOT;
	bool may_flag = schedule_moved || (is_snapshot && schedule_restored);

	if (!seen->ended || summary->clock.error_bound_ns == UINT64_MAX ||
	    seen->worst_ps > summary->clock.error_bound_ns * 1000 ||
	    (!may_flag && (summary->losses.adjusted_records ||
	                   summary->losses.late_records)) ||
	    summary->clock.outside)
		fail(what, seen);
	if (seen->worst_ps > worst_ps)
		worst_ps = seen->worst_ps;
}

static void check_capture(struct memfile *capture,
                          const struct schedule_seen *live)
{
	struct schedule_seen seen;

	schedule_replay(capture, &seen);
	if (seen.hash != live->hash || seen.records != live->records ||
	    seen.summary.clock.error_bound_ns !=
	            live->summary.clock.error_bound_ns)
		fail("capture, unlike the live run", &seen);
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
	uint64_t from = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

	printf("TAP version 13\n1..1\n");
	for (number = from; number < from + count && failures < 10; number++) {
		struct memfile capture = {.count = 0};
		struct schedule_seen seen;

		schedule_run(number, &seen, &capture, judge);
		judge(&seen, "live");
		if (number % 4 == 3)
			check_capture(&capture, &seen);
		records += seen.records;
		free(capture.bytes);
	}
	for (uint32_t i = 0; i < SCHEDULE_VCPUS; i++)
		free(schedule_turns[i].ps);
	printf("# %" PRIu64 " schedules, %" PRIu64
	       " records shown, the worst %" PRIu64 " ns off\n",
	       number - from, records, worst_ps / 1000);
	printf("%s 1 - every time of every schedule is within its bound\n",
	       failures ? "not ok" : "ok");
	return failures != 0;
}
