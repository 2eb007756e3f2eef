/* SPDX-License-Identifier: MIT */
#include "w3c.h"
#include "bytes.h"

#define VERSION_00_BYTES  55u
#define MEMBERS_MAX       32u
#define KEY_BYTES_MAX     256u
#define VALUE_BYTES_MAX   256u
#define LONG_MEMBER_BYTES 128u

/* ---- traceparent --------------------------------------------------------- */

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool parse_hex(const char *text, size_t bytes, uint8_t *ret_bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool any(const uint8_t *bytes, size_t count)
{
	uint8_t bits = 0;

	for (size_t i = 0; i < count; i++)
		bits |= bytes[i];
	return bits != 0;
}

/* Versions to come may have more behind the flags, after a dash. */
static bool ends_well(struct gt_text text, uint8_t version)
{
	return text.count == VERSION_00_BYTES ||
	       (version > 0 && text.bytes[VERSION_00_BYTES] == '-');
}

bool gt__traceparent_parse(struct gt_text text, uint8_t ret_trace_id[16],
                           uint64_t *ret_span_id, uint32_t *ret_flags)
{
	uint8_t version, trace_id[16], span_id[8], flags;

	if (text.count < VERSION_00_BYTES || text.bytes[2] != '-' ||
	    text.bytes[35] != '-' || text.bytes[52] != '-' ||
	    !parse_hex(text.bytes, 1, &version) || version == 0xff ||
	    !parse_hex(text.bytes + 3, 16, trace_id) || !any(trace_id, 16) ||
	    !parse_hex(text.bytes + 36, 8, span_id) || !any(span_id, 8) ||
	    !parse_hex(text.bytes + 53, 1, &flags) || !ends_well(text, version))
		return false;
	memcpy(ret_trace_id, trace_id, sizeof(trace_id));
	*ret_span_id = __builtin_bswap64(gt__load64(span_id));
	*ret_flags = flags & (version ? GT_TRACE_SAMPLED
	                              : GT_TRACE_SAMPLED | GT_TRACE_RANDOM);
	return true;
}

int gt_check_traceparent(const char *text)
{
	uint8_t trace_id[16];
	uint64_t span_id;
	uint32_t flags;

	return gt__traceparent_parse((struct gt_text){text, strlen(text)},
	                             trace_id, &span_id, &flags)
	               ? 0
	               : -GT_ERROR_BAD_TRACEPARENT;
}

/* ---- tracestate ---------------------------------------------------------- */

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key(struct gt_text key)
{
	if (key.count < 1 || key.count > KEY_BYTES_MAX ||
	    !is_lower(key.bytes[0]))
		return false;
	for (size_t i = 1; i < key.count; i++)
		if (!is_lower(key.bytes[i]) &&
		    !memchr("_-*/@", key.bytes[i], 5))
			return false;
	return true;
}

/* Its end is no blank: those were the list's. */
static bool is_value(struct gt_text value)
{
	if (value.count < 1 || value.count > VALUE_BYTES_MAX)
		return false;
	for (size_t i = 0; i < value.count; i++)
		if (value.bytes[i] < 0x20 || value.bytes[i] > 0x7e ||
		    value.bytes[i] == '=')
			return false;
	return true;
}

static struct gt_text trim(struct gt_text text)
{
	while (text.count > 0 && (*text.bytes == ' ' || *text.bytes == '\t')) {
		text.bytes++;
		text.count--;
	}
	while (text.count > 0 && (text.bytes[text.count - 1] == ' ' ||
	                          text.bytes[text.count - 1] == '\t'))
		text.count--;
	return text;
}

/* Takes the next member out of *rest; false: there is none. */
static bool next_member(struct gt_text *rest, struct gt_text *ret_member)
{
	const char *comma;
	size_t count;

	if (!rest->bytes)
		return false;
	comma = memchr(rest->bytes, ',', rest->count);
	count = comma ? (size_t)(comma - rest->bytes) : rest->count;
	*ret_member = trim((struct gt_text){rest->bytes, count});
	rest->bytes = comma ? comma + 1 : NULL;
	rest->count -= count + (comma ? 1 : 0);
	return true;
}

static struct gt_text key_of(struct gt_text member)
{
	const char *equals = memchr(member.bytes, '=', member.count);

	if (equals)
		member.count = (size_t)(equals - member.bytes);
	return member;
}

static bool is_member(struct gt_text member)
{
	struct gt_text key = key_of(member);

	return key.count < member.count && is_key(key) &&
	       is_value((struct gt_text){key.bytes + key.count + 1,
	                                 member.count - key.count - 1});
}

static bool has_key(const struct gt_text *keys, size_t count,
                    struct gt_text key)
{
	for (size_t i = 0; i < count; i++)
		if (keys[i].count == key.count &&
		    memcmp(keys[i].bytes, key.bytes, key.count) == 0)
			return true;
	return false;
}

bool gt__tracestate_is_good(struct gt_text text)
{
	struct gt_text keys[MEMBERS_MAX], member;
	size_t count = 0;

	while (next_member(&text, &member)) {
		if (member.count == 0)
			continue;
		if (count == MEMBERS_MAX || !is_member(member) ||
		    has_key(keys, count, key_of(member)))
			return false;
		keys[count++] = key_of(member);
	}
	return true;
}

int gt_check_tracestate(const char *text)
{
	return gt__tracestate_is_good((struct gt_text){text, strlen(text)})
	               ? 0
	               : -GT_ERROR_BAD_TRACESTATE;
}

void gt__tracestate_fit(struct gt_text text, char *to, size_t room)
{
	struct gt_text member;
	size_t used = 0;
	bool fits = text.count < room;

	if (fits)
		memcpy(to, text.bytes, used = text.count);
	while (!fits && next_member(&text, &member)) {
		if (member.count == 0 || member.count > LONG_MEMBER_BYTES)
			continue;
		if (member.count + 2 > room - used)
			break;
		if (used > 0)
			to[used++] = ',';
		memcpy(to + used, member.bytes, member.count);
		used += member.count;
	}
	to[used] = '\0';
}

/* ---- What spans say of their traces ---------------------------------------
 */

static bool is(struct gt_text text, const char *word, size_t count)
{
	return text.count == count && memcmp(text.bytes, word, count) == 0;
}

unsigned gt__saying_of(struct gt_text key, enum gt_type type)
{
	if (type != GT_TYPE_STRING && type != GT_TYPE_BOOL)
		return 0;
	if (is(key, GT__NEW_ROOT, sizeof(GT__NEW_ROOT) - 1))
		return GT__SAYS_NEW_ROOT;
	if (type == GT_TYPE_BOOL)
		return 0;
	if (is(key, "traceparent", sizeof("traceparent") - 1))
		return GT__SAYS_TRACEPARENT;
	if (is(key, "tracestate", sizeof("tracestate") - 1))
		return GT__SAYS_TRACESTATE;
	return 0;
}
