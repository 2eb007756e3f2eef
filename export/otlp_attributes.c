/* SPDX-License-Identifier: MIT */
/* Attributes of OTLP/JSON. */
#include "otlp_attributes.h"
#include "escape.h"
#include "json_values.h"
#include "words.h"

/* Looking for equal keys is quadratic: a larger list is put as it is. */
#define UNIQUE_MAX 256u

void gt__otlp_begin(struct gt__out *o, const char *key)
{
	gt__put(o, ",\"");
	gt__put(o, key);
	gt__put(o, "\":[");
}

static void put_comma(struct gt__out *o)
{
	if (!o->error && o->used && o->bytes[o->used - 1] != '[')
		gt__put_char(o, ',');
}

static void begin_value(struct gt__out *o, const char *key, const char *type)
{
	put_comma(o);
	gt__put(o, "{\"key\":\"");
	gt__put(o, key);
	gt__put(o, "\",\"value\":{\"");
	gt__put(o, type);
	gt__put(o, "\":");
}

static void put_u64_value(struct gt__out *o, uint64_t value)
{
	gt__put(o,
	        value > INT64_MAX ? "\"stringValue\":\"" : "\"intValue\":\"");
	gt__put_u64(o, value);
	gt__put_char(o, '"');
}

void gt__otlp_u64(struct gt__out *o, const char *key, uint64_t value)
{
	put_comma(o);
	gt__put(o, "{\"key\":\"");
	gt__put(o, key);
	gt__put(o, "\",\"value\":{");
	put_u64_value(o, value);
	gt__put(o, "}}");
}

void gt__otlp_word(struct gt__out *o, const char *key, const char *value)
{
	begin_value(o, key, "stringValue");
	gt__put_char(o, '"');
	gt__put(o, value);
	gt__put(o, "\"}}");
}

void gt__otlp_text(struct gt__out *o, const char *key, struct gt_text value)
{
	begin_value(o, key, "stringValue");
	gt__put_json(o, value);
	gt__put(o, "}}");
}

void gt__otlp_true(struct gt__out *o, const char *key)
{
	begin_value(o, key, "boolValue");
	gt__put(o, "true}}");
}

static void put_value(struct gt__out *o, const struct gt_field *f)
{
	switch (f->type) {
	case GT_TYPE_U64:
		put_u64_value(o, f->value.u64);
		return;
	case GT_TYPE_I64:
		gt__put(o, "\"intValue\":");
		break;
	case GT_TYPE_F64:
		gt__put(o, "\"doubleValue\":");
		break;
	case GT_TYPE_BOOL:
		gt__put(o, "\"boolValue\":");
		break;
	case GT_TYPE_STRING:
	case GT_TYPE_POINTER:
		gt__put(o, "\"stringValue\":");
		break;
	case GT_TYPE_BYTES:
		gt__put(o, "\"bytesValue\":");
		break;
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		return; /* never among a view's fields */
	}
	gt__put_json_value(o, f, true);
}

static bool comes_again(const struct gt_field *fields, size_t i, size_t count)
{
	size_t j;

	if (count > UNIQUE_MAX)
		return false;
	for (j = i + 1; j < count; j++)
		if (gt__same_text(fields[i].key, fields[j].key))
			return true;
	return false;
}

void gt__otlp_fields(struct gt__out *o, const struct gt_field *fields,
                     size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (comes_again(fields, i, count))
			continue;
		put_comma(o);
		gt__put(o, "{\"key\":");
		gt__put_json_guest_key(o, fields[i].key);
		gt__put(o, ",\"value\":{");
		put_value(o, &fields[i]);
		gt__put(o, "}}");
	}
}

void gt__otlp_site(struct gt__out *o, const struct gt_site_view *site)
{
	gt__otlp_text(o, "guesttrace.target", site->target);
	gt__otlp_word(o, "guesttrace.level", gt__level_word(site->level));
	if (!site->file.count)
		return;
	gt__otlp_text(o, "code.file.path", site->file);
	gt__otlp_u64(o, "code.line.number", site->line);
}

void gt__otlp_flags(struct gt__out *o, unsigned flags)
{
	static const char *const keys[GT__FLAG_WORDS] = {
		"guesttrace.interrupted",   "guesttrace.close_lost",
		"guesttrace.time_adjusted", "guesttrace.cut",
		"guesttrace.evicted",       "guesttrace.replaced",
		"guesttrace.open_lost",
	};
	size_t i;

	for (i = 0; i < GT__FLAG_WORDS; i++)
		if (flags & gt__flag_words[i].flag)
			gt__otlp_true(o, keys[i]);
}

static void put_numbered(struct gt__out *o, const char *prefix,
                         const char *word, uint64_t value)
{
	if (!value)
		return;
	put_comma(o);
	gt__put(o, "{\"key\":\"guesttrace.");
	gt__put(o, prefix);
	gt__put(o, word);
	gt__put(o, "\",\"value\":{\"intValue\":\"");
	gt__put_u64(o, value <= INT64_MAX ? value : INT64_MAX);
	gt__put(o, "\"}}");
}

void gt__otlp_outcome(struct gt__out *o, const struct gt_summary *s)
{
	unsigned i;

	gt__otlp_word(o, "guesttrace.outcome", gt__ending_word(s->ending));
	if (s->ending == GT_ENDING_HALTED)
		gt__otlp_u64(o, "guesttrace.exit_status", s->status);
	gt__otlp_u64(o, "guesttrace.error_bound_ns", s->clock.error_bound_ns);
	gt__otlp_u64(o, "guesttrace.records", s->records);
	for (i = 0; i < GT_EXIT_REASONS; i++)
		put_numbered(o, "exits.", gt__exit_word(i), s->exits[i]);
	for (i = 0; i < GT__LOSS_WORDS; i++)
		put_numbered(o, "lost.", gt__loss_words[i].word,
		             gt__loss(&s->losses, i));
}
