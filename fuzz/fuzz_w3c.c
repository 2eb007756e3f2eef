/* SPDX-License-Identifier: MIT */
/*
 * traceparent and tracestate, which come from requests of anybody.
 * What is taken of them is written again, and read as the same. The input: u8
 * bytes of the traceparent, the traceparent, u8 room, the tracestate.
 */
#include "host/decode/w3c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool good)
{
	if (!good)
		abort();
}

static void try_parent(struct gt_text text)
{
	uint8_t id[16], again[16];
	uint64_t span, span_again;
	uint32_t flags, flags_again;
	char written[56] = "00-";

	if (!gt__traceparent_parse(text, id, &span, &flags))
		return;
	check(text.count >= 55 && span != 0 && flags <= 3);
	for (unsigned i = 0; i < 16; i++)
		snprintf(written + 3 + 2 * i, 3, "%02x", id[i]);
	snprintf(written + 35, sizeof(written) - 35, "-%016llx-%02x",
	         (unsigned long long)span, flags);
	check(memcmp(written + 3, text.bytes + 3, 49) == 0);
	check(gt__traceparent_parse((struct gt_text){written, 55}, again,
	                            &span_again, &flags_again));
	check(memcmp(id, again, 16) == 0 && span == span_again &&
	      flags == flags_again);
}

static size_t members(const char *text)
{
	size_t count = *text != '\0';

	for (; *text; text++)
		count += *text == ',';
	return count;
}

static void try_state(struct gt_text text, size_t room)
{
	char *to = malloc(room);
	size_t used;

	check(to != NULL);
	if (gt__tracestate_is_good(text)) {
		gt__tracestate_fit(text, to, room);
		used = strlen(to);
		check(used < room && used <= text.count);
		check(gt__tracestate_is_good((struct gt_text){to, used}));
		check(text.count >= room ||
		      (used == text.count &&
		       memcmp(to, text.bytes, used) == 0));
		check(text.count < room || members(to) <= 32);
	}
	free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	size_t parent = count && bytes[0] < count ? bytes[0] : 0;

	if (count < parent + 2)
		return 0;
	try_parent((struct gt_text){(const char *)bytes + 1, parent});
	bytes += 1 + parent;
	count -= 1 + parent;
	try_state((struct gt_text){(const char *)bytes + 1, count - 1},
	          1 + (size_t)bytes[0] * 3);
	return 0;
}
