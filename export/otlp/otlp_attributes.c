/* SPDX-License-Identifier: MIT */
/* The attributes of OTLP that the host sets. */
#include "otlp_attributes.h"
#include "export/out/keys.h"
#include "export/out/losses.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef GT_VERSION
#define GT_VERSION "0.1.0"
#endif

#define ERROR_TYPE "error.type"

#define KEY(text) ((struct gt_text){(text), sizeof(text) - 1})

static struct gt_text text_of(const char *text)
{
	return (struct gt_text){text, strlen(text)};
}

static void put_key(struct gt_field *to, struct gt_text key, enum gt_type type)
{
	to->key = key;
	to->type = type;
	to->full_bytes = 0;
}

static void put_u64(struct gt_field *to, struct gt_text key, uint64_t value)
{
	put_key(to, key, GT_TYPE_U64);
	to->value.u64 = value;
}

static void put_text(struct gt_field *to, struct gt_text key,
                     struct gt_text value)
{
	put_key(to, key, GT_TYPE_STRING);
	to->value.text = value;
	to->full_bytes = (uint32_t)value.count;
}

static void put_true(struct gt_field *to, struct gt_text key)
{
	put_key(to, key, GT_TYPE_BOOL);
	to->value.boolean = true;
}

size_t gt__otlp_site(struct gt_field *to, const struct gt_site_view *site)
{
	size_t n = 0;

	/* Hyperlight's wires have no level, and a target for spans alone. */
	if (site->target.count)
		put_text(&to[n++], KEY("guesttrace.target"), site->target);
	if (site->level)
		put_text(&to[n++], KEY("guesttrace.level"),
		         text_of(gt__level_word(site->level)));
	if (site->function.count)
		put_text(&to[n++], KEY("code.function.name"), site->function);
	if (!site->file.count)
		return n;
	put_text(&to[n++], KEY("code.file.path"), site->file);
	put_u64(&to[n++], KEY("code.line.number"), site->line);
	return n;
}

static size_t put_flags(struct gt_field *to, unsigned flags)
{
	static const char *const keys[GT__FLAG_WORDS] = {
		"guesttrace.interrupted",   "guesttrace.close_lost",
		"guesttrace.time_adjusted", "guesttrace.cut",
		"guesttrace.evicted",       "guesttrace.replaced",
		"guesttrace.open_lost",     "guesttrace.parent_guessed",
	};
	size_t i, n = 0;

	if (!flags)
		return 0;
	for (i = 0; i < GT__FLAG_WORDS; i++)
		if (flags & gt__flag_words[i].flag)
			put_true(&to[n++], text_of(keys[i]));
	return n;
}

size_t gt__otlp_place(struct gt_field *to, const struct gt__otlp_place *place)
{
	size_t n = 0;

	put_u64(&to[n++], KEY("guesttrace.vcpu"), place->vcpu);
	if (place->close_vcpu != place->vcpu)
		put_u64(&to[n++], KEY("guesttrace.close_vcpu"),
		        place->close_vcpu);
	if (place->level)
		put_u64(&to[n++], KEY("guesttrace.nesting"), place->level);
	return n + put_flags(to + n, place->flags);
}

static const char digits[] = "0123456789abcdef";

size_t gt__otlp_span_id(struct gt_field *to, uint64_t id,
                        const struct gt_span_trace *trace, char *hex)
{
	char *of_trace = hex + 16;
	unsigned i;

	for (i = 16; i--; id >>= 4)
		hex[i] = digits[id & 15];
	put_text(to, KEY("guesttrace.span_id"), (struct gt_text){hex, 16});
	if (!trace)
		return 1;
	for (i = 0; i < 32; i++)
		of_trace[i] =
			digits[trace->trace_id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	put_text(to + 1, KEY("guesttrace.trace_id"),
	         (struct gt_text){of_trace, 32});
	return 2;
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

/* ---- Failures ------------------------------------------------------------ */

static void say_status(struct gt__otlp_failure *failure, uint32_t status)
{
	snprintf(failure->status, sizeof failure->status, "%" PRIu32, status);
	snprintf(failure->words, sizeof failure->words, "exit status %" PRIu32,
	         status);
	failure->type = text_of(failure->status);
	failure->message = text_of(failure->words);
}

static struct gt_text words_of(enum gt_ending ending)
{
	switch (ending) {
	case GT_ENDING_TIMEOUT:
		return KEY("timed out");
	case GT_ENDING_SHUTDOWN:
		return KEY("triple fault");
	case GT_ENDING_FAILED:
		return KEY("the host failed");
	case GT_ENDING_ABORTED:
	case GT_ENDING_UNKNOWN:
	case GT_ENDING_HALTED:
	case GT_ENDING_INTERRUPTED:
	case GT_ENDING_SNAPSHOT:
		break;
	}
	return text_of(gt__ending_word(ending));
}

bool gt__otlp_failure(const struct gt_summary *summary,
                      struct gt__otlp_failure *failure)
{
	if (!summary)
		return false;
	switch (summary->ending) {
	case GT_ENDING_UNKNOWN:
	case GT_ENDING_INTERRUPTED:
	case GT_ENDING_SNAPSHOT:
		return false;
	case GT_ENDING_HALTED:
		if (!summary->status)
			return false;
		say_status(failure, summary->status);
		break;
	case GT_ENDING_ABORTED:
	case GT_ENDING_SHUTDOWN:
	case GT_ENDING_TIMEOUT:
	case GT_ENDING_FAILED:
		failure->type = text_of(gt__ending_word(summary->ending));
		failure->message = words_of(summary->ending);
	}
	if (summary->message.count)
		failure->message = summary->message;
	return true;
}

void gt__otlp_error_type(struct gt_field *to,
                         const struct gt__otlp_failure *failure)
{
	put_text(to, KEY(ERROR_TYPE), failure->type);
}

bool gt__otlp_has_error_type(const struct gt_field *fields, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (gt__same_text(fields[i].key, KEY(ERROR_TYPE)))
			return true;
	return false;
}

size_t gt__otlp_synthetic(struct gt_field *to, const struct gt_summary *s,
                          const struct gt__otlp_failure *failure)
{
	size_t n = 0;
	unsigned i;

	put_true(&to[n++], KEY("guesttrace.synthetic"));
	if (!s)
		return n;
	put_text(&to[n++], KEY("guesttrace.outcome"),
	         text_of(gt__ending_word(s->ending)));
	if (s->ending == GT_ENDING_HALTED)
		put_u64(&to[n++], KEY("guesttrace.exit_status"), s->status);
	if (failure)
		gt__otlp_error_type(&to[n++], failure);
	if (s->message.count) /* a status has one with an error only */
		put_text(&to[n++], KEY("guesttrace.message"), s->message);
	put_u64(&to[n++], KEY("guesttrace.error_bound_ns"),
	        s->clock.error_bound_ns);
	put_u64(&to[n++], KEY("guesttrace.records"), s->records);
	for (i = 0; i < GT_EXIT_REASONS; i++)
		if (s->exits[i])
			put_u64(&to[n++], exit_key(i), s->exits[i]);
	for (i = 0; i < GT__LOSS_WORDS; i++)
		if (gt__loss(&s->losses, i))
			put_u64(&to[n++], text_of(gt__loss_words[i].key),
			        gt__loss(&s->losses, i));
	return n;
}

size_t gt__otlp_loss(struct gt_field *to, const struct gt_loss_view *loss)
{
	const struct gt_losses losses = gt__losses_of(loss);
	size_t i, n = 0;

	put_u64(&to[n++], KEY("guesttrace.from_ns"), loss->from_ns);
	for (i = 0; i < GT__LOSS_WORDS; i++)
		if (gt__loss(&losses, i))
			put_u64(&to[n++], text_of(gt__loss_words[i].key),
			        gt__loss(&losses, i));
	return n;
}

static struct gt_text stretch_word(enum gt_host_span_kind kind)
{
	switch (kind) {
	case GT_HOST_GUEST:
		return KEY("guest");
	case GT_HOST_EXIT:
		return KEY("exit");
	case GT_HOST_WORK:
		break;
	}
	return KEY("work");
}

size_t gt__otlp_stretch(struct gt_field *to, const struct gt_host_span_view *h)
{
	const struct gt__otlp_place place = {h->vcpu, h->vcpu, 0, h->flags};
	size_t n = gt__otlp_synthetic(to, NULL, NULL);

	put_text(&to[n++], KEY("guesttrace.host_span"), stretch_word(h->kind));
	if (h->kind != GT_HOST_WORK)
		put_text(&to[n++], KEY("guesttrace.reason"),
		         text_of(gt__exit_word((unsigned)h->reason)));
	if (h->kind == GT_HOST_EXIT && h->reason == GT_EXIT_IO)
		put_u64(&to[n++], KEY("guesttrace.port"), h->port);
	if (h->tracing)
		put_true(&to[n++], KEY("guesttrace.tracing"));
	put_u64(&to[n++], KEY("guesttrace.waiting_ns"), h->waiting_ns);
	return n + gt__otlp_place(to + n, &place);
}

/* From the end on, so that the first of a key that is met is the last. */
int gt__otlp_last_of_each(const struct gt_field *fields, size_t count,
                          struct gt_field **ret_list, size_t *ret_from)
{
	struct gt_field *list = calloc(count, sizeof *list);
	struct gt__keys keys = {0};
	size_t i, from = count;
	int rc = list ? 0 : -ENOMEM;

	for (i = count; !rc && i--;) {
		uint32_t number, known = keys.count;

		rc = gt__keys_number(&keys, fields[i].key, &number);
		if (!rc && (!number || keys.count > known))
			list[--from] = fields[i];
	}
	gt__keys_fini(&keys);
	if (rc) {
		free(list);
		return rc;
	}
	*ret_list = list;
	*ret_from = from;
	return 0;
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
			put_text(&to[n++], key, text_of(given[i].value));
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
	put_text(&to[n], key, value);
	return n + 1;
}

size_t gt__otlp_resource(struct gt_field *to, const struct gt_trace *trace,
                         const struct gt_otlp_attribute *given, size_t count)
{
	struct gt_text guest = trace->guest_name;
	size_t n = put_given(to, given, count);

	n = put_default(to, n, KEY("service.name"),
	                guest.count ? guest : KEY("unknown_service"));
	if (trace->vm_id.count)
		n = put_default(to, n, KEY("service.instance.id"),
		                trace->vm_id);
	if (trace->host_name.count)
		n = put_default(to, n, KEY("host.name"), trace->host_name);
	n = put_default(to, n, KEY("host.arch"), KEY("amd64"));
	if (guest.count)
		n = put_default(to, n, KEY("process.executable.name"), guest);
	if (trace->guest_build_id.count)
		n = put_default(to, n, KEY("process.executable.build_id.gnu"),
		                trace->guest_build_id);
	n = put_default(to, n, KEY("telemetry.sdk.name"), KEY("guesttrace"));
	n = put_default(to, n, KEY("telemetry.sdk.language"), KEY("c"));
	n = put_default(to, n, KEY("telemetry.sdk.version"), KEY(GT_VERSION));
	put_text(&to[n++], KEY("guesttrace.guest"), guest);
	put_text(&to[n++], KEY("guesttrace.vm"), trace->vm_name);
	if (trace->vm_id.count)
		put_text(&to[n++], KEY("guesttrace.vm_id"), trace->vm_id);
	put_text(&to[n++], KEY("guesttrace.backend"), trace->backend);
	put_u64(&to[n++], KEY("guesttrace.vcpus"), trace->vcpus);
	return n;
}

int gt__otlp_fields_room(struct gt__otlp_fields *fields, size_t count)
{
	struct gt_field *larger;

	if (count <= fields->room)
		return 0;
	larger = realloc(fields->at, count * sizeof *larger);
	if (!larger)
		return -ENOMEM;
	fields->at = larger;
	fields->room = count;
	return 0;
}
