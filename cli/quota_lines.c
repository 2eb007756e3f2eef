/* SPDX-License-Identifier: MIT */
#include "quota_lines.h"
#include "command.h"
#include "monotonic.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define LOOK_NS (NS_PER_S / 5)
#define TELL_NS (5 * NS_PER_S)

static const struct {
	size_t offset;
	const char *what;
} kinds[] = {
#define KIND(member, what) {offsetof(struct gt_losses, member), what}
	KIND(quota_requests, "doorbells or batches were not served"),
	KIND(quota_exits, "exits were not shown"),
	KIND(evicted_spans, "spans were ended early"),
	KIND(dropped_events, "events were not kept in their spans"),
	KIND(dropped_fields, "fields were not kept in their spans"),
	KIND(crowded_names, "names are shown as a field"),
#undef KIND
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == QUOTA_KINDS,
               "a count for each");

void quota_lines_say(struct quota_lines *lines, const struct gt_losses *losses,
                     uint64_t now_ns)
{
	for (unsigned i = 0; i < QUOTA_KINDS; i++) {
		uint64_t count;

		memcpy(&count, (const char *)losses + kinds[i].offset,
		       sizeof(count));
		if (count == lines->told[i] ||
		    (lines->told[i] && now_ns - lines->told_ns[i] < TELL_NS))
			continue;
		lines->told[i] = count;
		lines->told_ns[i] = now_ns;
		complain("the guest is over a quota: %" PRIu64 " %s so far",
		         count, kinds[i].what);
	}
}

void quota_lines_look(struct quota_lines *lines, struct gt_host *host)
{
	uint64_t now_ns = monotonic_ns();
	struct gt_losses losses;

	if (now_ns - lines->looked_ns < LOOK_NS)
		return;
	lines->looked_ns = now_ns;
	gt_host_losses(host, &losses);
	quota_lines_say(lines, &losses, now_ns);
}
