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

/* 0: there is none. */
static uint64_t exported(uint64_t id)
{
	const struct gt_context *context = &gt_control.context;

	if (!id)
		return context->parent_id;
	return context->id_base + id ? context->id_base + id : 1;
}

/* Whether a host has spoken. */
static bool is_announced(void)
{
	uint8_t any = 0;

	for (unsigned i = 0; i < 16; i++)
		any |= gt_control.context.trace_id[i];
	return any != 0;
}

static bool put(char *to, const uint8_t trace_id[16], uint64_t span_id,
                uint32_t flags)
{
	*to++ = '0', *to++ = '0', *to++ = '-';
	for (unsigned i = 0; i < 16; i++)
		to = put_hex(to, trace_id[i], 2);
	*to++ = '-';
	to = put_hex(to, span_id, 16);
	*to++ = '-';
	to = put_hex(to, flags & 0xff, 2);
	*to = '\0';
	return true;
}

bool gt_traceparent(uint64_t id, char ret_text[GT_TRACEPARENT_BYTES])
{
	const struct gt_context *context = &gt_control.context;

	*ret_text = '\0';
	return is_announced() && exported(id) &&
	       put(ret_text, context->trace_id, exported(id), context->flags);
}

/* -1: none. */
static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two digits at `text`, which may end before them; -1: they are none. */
static int byte_of(const char *text)
{
	int high = digit_of(text[0]), low = high < 0 ? -1 : digit_of(text[1]);

	return low < 0 ? -1 : high << 4 | low;
}

/* What the host decides of such a trace, by the same rule. */
static uint32_t decided(const uint8_t trace_id[16], uint32_t flags)
{
	return (flags & ~(uint32_t)GT_TRACE_SAMPLED) |
	       gt_sampled_by_id(&gt_control.sampler, trace_id);
}

bool gt_traceparent_in(const char *remote, uint64_t id,
                       char ret_text[GT_TRACEPARENT_BYTES])
{
	uint8_t trace_id[16];
	int value;

	*ret_text = '\0';
	/* Up to the trace id; what is behind it is looked at by the host. */
	if (!is_announced() || !id || byte_of(remote) < 0 || remote[2] != '-')
		return false;
	for (unsigned i = 0; i < 16; i++) {
		value = byte_of(remote + 3 + 2 * i);
		if (value < 0)
			return false;
		trace_id[i] = (uint8_t)value;
	}
	for (unsigned i = 35; i < 53; i++)
		if (!remote[i])
			return false;
	value = byte_of(remote + 53);
	if (value < 0)
		return false;
	value &= GT_TRACE_SAMPLED | GT_TRACE_RANDOM;
	return put(ret_text, trace_id, exported(id),
	           gt_control.sampler.ignores_parent
	                   ? decided(trace_id, (uint32_t)value)
	                   : (uint32_t)value);
}

/* The host gives such a trace the same id: format.md. */
static uint64_t mix(uint64_t word)
{
	word = (word ^ word >> 33) * UINT64_C(0xff51afd7ed558ccd);
	word = (word ^ word >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return word ^ word >> 33;
}

bool gt_traceparent_new(uint64_t id, char ret_text[GT_TRACEPARENT_BYTES])
{
	uint64_t half[2];

	*ret_text = '\0';
	if (!is_announced() || !id)
		return false;
	__builtin_memcpy(half, gt_control.context.trace_id, sizeof(half));
	half[0] ^= mix(~exported(id));
	half[1] = mix(half[1] + exported(id));
	if (!(half[0] | half[1]))
		half[1] = 1;
	return put(ret_text, (const uint8_t *)half, exported(id),
	           decided((const uint8_t *)half, GT_TRACE_RANDOM));
}

/* The host has written it behind the compiler's back. */
const char *gt_tracestate(void)
{
	uint64_t gva = *(volatile uint64_t *)&gt_control.tracestate_gva;

	return gva ? (const char *)(uintptr_t)gva : "";
}
