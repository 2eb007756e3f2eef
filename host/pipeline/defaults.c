/* SPDX-License-Identifier: MIT */
/* Limits that nobody has set, and those that may be no higher. */
#include "pipeline_inside.h"

struct gt_limits gt__limits(const struct gt_limits *given)
{
	struct gt_limits limits = *given;

	if (!limits.open_spans)
		limits.open_spans = 65536;
	if (!limits.span_bytes)
		limits.span_bytes = (size_t)64 << 20;
	if (!limits.ring_bytes)
		limits.ring_bytes = (size_t)64 << 20;
	if (limits.ring_bytes > RING_BYTES_MAX)
		limits.ring_bytes = RING_BYTES_MAX;
	if (!limits.sites_bytes)
		limits.sites_bytes = (size_t)4 << 20;
	if (!limits.exits)
		limits.exits = 65536;
	if (limits.exits > UINT32_MAX / 4)
		limits.exits = UINT32_MAX / 4;
	if (!limits.contexts)
		limits.contexts = 4096;
	if (!limits.announcements)
		limits.announcements = 16;
	if (!limits.batch_bytes ||
	    limits.batch_bytes > GT_HYPERLIGHT_BATCH_BYTES)
		limits.batch_bytes = GT_HYPERLIGHT_BATCH_BYTES;
	if (!limits.name_bytes)
		limits.name_bytes = (size_t)16 << 20;
	if (!limits.fields)
		limits.fields = 4096;
	if (!limits.value_bytes)
		limits.value_bytes = 65536;
	if (!limits.rings_bytes)
		limits.rings_bytes = (size_t)256 << 20;
	if (limits.announcements > GT__SITE_TABLES_MAX)
		limits.announcements = GT__SITE_TABLES_MAX;
	return limits;
}
