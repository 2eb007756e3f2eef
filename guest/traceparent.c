/* SPDX-License-Identifier: MIT */
/* A span's name in the rest of the world: W3C Trace Context, 3.2. */
#include <guesttrace/guest.h>

static char *put_hex(char *to, uint64_t value, unsigned digits)
{
	while (digits-- > 0) {
		unsigned digit = value >> 4 * digits & 15;

		*to++ = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
	}
	return to;
}

bool gt_traceparent(uint64_t id, char ret_text[GT_TRACEPARENT_BYTES])
{
	const struct gt_context *context = &gt_control.context;
	uint64_t exported = id ? context->id_base + id : context->parent_id;
	uint8_t any = 0;
	char *to = ret_text;

	if (id && !exported)
		exported = 1;
	for (unsigned i = 0; i < 16; i++)
		any |= context->trace_id[i];
	if (!any || !exported) {
		*ret_text = '\0';
		return false;
	}
	*to++ = '0', *to++ = '0', *to++ = '-';
	for (unsigned i = 0; i < 16; i++)
		to = put_hex(to, context->trace_id[i], 2);
	*to++ = '-';
	to = put_hex(to, exported, 16);
	*to++ = '-';
	to = put_hex(to, context->flags & 0xff, 2);
	*to = '\0';
	return true;
}

/* The host has written it behind the compiler's back. */
const char *gt_tracestate(void)
{
	uint64_t gva = *(volatile uint64_t *)&gt_control.tracestate_gva;

	return gva ? (const char *)(uintptr_t)gva : "";
}
