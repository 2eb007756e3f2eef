/* SPDX-License-Identifier: MIT */
/* The attributes of OTLP that the host sets. */
#include "otlp_attributes.h"
#include <string.h>

#ifndef GT_VERSION
#define GT_VERSION "0.1.0"
#endif

/* Looking for equal keys is quadratic: a larger list is put as it is. */
#define UNIQUE_MAX 256u

#define KEY(text) ((struct gt_text){(text), sizeof(text) - 1})

static struct gt_text text_of(const char *text)
{
	return (struct gt_text){text, strlen(text)};
}

static struct gt_field u64_field(struct gt_text key, uint64_t value)
{
	return (struct gt_field){
		.key = key, .type = GT_TYPE_U64, .value.u64 = value};
}

static struct gt_field text_field(struct gt_text key, struct gt_text value)
{
	return (struct gt_field){
		.key = key, .type = GT_TYPE_STRING, .value.text = value};
}

static struct gt_field true_field(struct gt_text key)
{
	return (struct gt_field){
		.key = key, .type = GT_TYPE_BOOL, .value.boolean = true};
}

size_t gt__otlp_site(struct gt_field *to, const struct gt_site_view *site)
{
	size_t n = 0;

	to[n++] = text_field(KEY("guesttrace.target"), site->target);
	to[n++] = text_field(KEY("guesttrace.level"),
	                     text_of(gt__level_word(site->level)));
	if (!site->file.count)
		return n;
	to[n++] = text_field(KEY("code.file.path"), site->file);
	to[n++] = u64_field(KEY("code.line.number"), site->line);
	return n;
}

static size_t put_flags(struct gt_field *to, unsigned flags)
{
	static const char *const keys[GT__FLAG_WORDS] = {
		"guesttrace.interrupted",   "guesttrace.close_lost",
		"guesttrace.time_adjusted", "guesttrace.cut",
		"guesttrace.evicted",       "guesttrace.replaced",
		"guesttrace.open_lost",
	};
	size_t i, n = 0;

	if (!flags)
		return 0;
	for (i = 0; i < GT__FLAG_WORDS; i++)
		if (flags & gt__flag_words[i].flag)
			to[n++] = true_field(text_of(keys[i]));
	return n;
}

size_t gt__otlp_span(struct gt_field *to, const struct gt_span_view *span)
{
	size_t n = 0;

	to[n++] = u64_field(KEY("guesttrace.guest_id"), span->guest_id);
	to[n++] = u64_field(KEY("guesttrace.vcpu"), span->vcpu);
	if (span->close_vcpu != span->vcpu)
		to[n++] = u64_field(KEY("guesttrace.close_vcpu"),
		                    span->close_vcpu);
	if (span->level)
		to[n++] = u64_field(KEY("guesttrace.nesting"), span->level);
	return n + put_flags(to + n, span->flags);
}

static struct gt_text hex_text(uint64_t value, char *hex)
{
	unsigned i;

	for (i = 16; i--; value >>= 4)
		hex[i] = "0123456789abcdef"[value & 15];
	return (struct gt_text){hex, 16};
}

size_t gt__otlp_event(struct gt_field *to, const struct gt_event_view *event,
                      char *hex)
{
	size_t n = 0;

	to[n++] = u64_field(KEY("guesttrace.vcpu"), event->vcpu);
	if (event->level)
		to[n++] = u64_field(KEY("guesttrace.nesting"), event->level);
	if (hex && event->span_id)
		to[n++] = text_field(KEY("guesttrace.span_id"),
		                     hex_text(event->span_id, hex));
	return n + put_flags(to + n, event->flags);
}

static struct gt_text exit_key(unsigned reason)
{
	static const char *const keys[GT_EXIT_REASONS] = {
		"guesttrace.exits.other",       "guesttrace.exits.io",
		"guesttrace.exits.mmio",        "guesttrace.exits.halt",
		"guesttrace.exits.shutdown",    "guesttrace.exits.exception",
		"guesttrace.exits.interrupted", "guesttrace.exits.timeout",
		"guesttrace.exits.error",       "guesttrace.exits.reason_9",
		"guesttrace.exits.reason_10",   "guesttrace.exits.reason_11",
		"guesttrace.exits.reason_12",   "guesttrace.exits.reason_13",
		"guesttrace.exits.reason_14",   "guesttrace.exits.reason_15",
	};

	return text_of(keys[reason]);
}

size_t gt__otlp_synthetic(struct gt_field *to, const struct gt_summary *s)
{
	size_t n = 0;
	unsigned i;

	to[n++] = true_field(KEY("guesttrace.synthetic"));
	if (!s)
		return n;
	to[n++] = text_field(KEY("guesttrace.outcome"),
	                     text_of(gt__ending_word(s->ending)));
	if (s->ending == GT_ENDING_HALTED)
		to[n++] = u64_field(KEY("guesttrace.exit_status"), s->status);
	to[n++] = u64_field(KEY("guesttrace.error_bound_ns"),
	                    s->clock.error_bound_ns);
	to[n++] = u64_field(KEY("guesttrace.records"), s->records);
	for (i = 0; i < GT_EXIT_REASONS; i++)
		if (s->exits[i])
			to[n++] = u64_field(exit_key(i), s->exits[i]);
	for (i = 0; i < GT__LOSS_WORDS; i++)
		if (gt__loss(&s->losses, i))
			to[n++] = u64_field(text_of(gt__loss_words[i].key),
			                    gt__loss(&s->losses, i));
	return n;
}

/* ---- The resource -------------------------------------------------------- */

static size_t put_given(struct gt_field *to,
                        const struct gt_otlp_attribute *given, size_t count)
{
	size_t i, j, n = 0;

	for (i = 0; i < count; i++) {
		struct gt_text key = text_of(given[i].key);

		if (!strncmp(key.bytes, "guesttrace.", 11))
			continue; /* says what is so, not what is wished */
		for (j = 0; j < n && !gt__same_text(to[j].key, key); j++)
			;
		if (j == n)
			to[n++] = text_field(key, text_of(given[i].value));
	}
	return n;
}

static size_t put_default(struct gt_field *to, size_t n, struct gt_text key,
                          struct gt_text value)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (gt__same_text(to[i].key, key))
			return n;
	to[n] = text_field(key, value);
	return n + 1;
}

size_t gt__otlp_resource(struct gt_field *to, const struct gt_trace *trace,
                         const struct gt_otlp_attribute *given, size_t count)
{
	struct gt_text guest = trace->guest_name;
	size_t n = put_given(to, given, count);

	n = put_default(to, n, KEY("service.name"),
	                guest.count ? guest : KEY("unknown_service"));
	n = put_default(to, n, KEY("host.arch"), KEY("amd64"));
	n = put_default(to, n, KEY("telemetry.sdk.name"), KEY("guesttrace"));
	n = put_default(to, n, KEY("telemetry.sdk.language"), KEY("c"));
	n = put_default(to, n, KEY("telemetry.sdk.version"), KEY(GT_VERSION));
	to[n++] = text_field(KEY("guesttrace.guest"), guest);
	to[n++] = text_field(KEY("guesttrace.vm"), trace->vm_name);
	to[n++] = text_field(KEY("guesttrace.backend"), trace->backend);
	to[n++] = u64_field(KEY("guesttrace.vcpus"), trace->vcpus);
	return n;
}

bool gt__otlp_comes_again(const struct gt_field *fields, size_t i, size_t count)
{
	size_t j;

	if (count > UNIQUE_MAX)
		return false;
	for (j = i + 1; j < count; j++)
		if (gt__same_text(fields[i].key, fields[j].key))
			return true;
	return false;
}
