/* SPDX-License-Identifier: MIT */
/*
 * Fields and their texts. Whatever a text is made from, it leaves as UTF-8: one
 * bad byte would make Hyperlight's host refuse the whole batch.
 */
#include "draft.h"
#include <guesttrace/utf8_sequence.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static uint64_t padded(uint64_t count)
{
	return (count + 4) & ~UINT64_C(3); /* with its NUL */
}

/* ---- Copying as UTF-8 ---------------------------------------------------- */

struct progress {
	size_t read;
	size_t written;
};

/* Character by character, as many as fit `room`. */
static struct progress copy_slowly(uint8_t *to, size_t room,
                                   const uint8_t *from, size_t count)
{
	struct progress done = {0, 0};

	while (done.read < count) {
		int length =
			gt__utf8_sequence(from + done.read, count - done.read);
		const uint8_t *bytes = from + done.read;
		size_t n = (size_t)length;

		if (length < 0) {
			bytes = (const uint8_t *)"\xef\xbf\xbd";
			n = 3;
		}
		if (n > room - done.written)
			break;
		for (size_t i = 0; i < n; i++)
			to[done.written + i] = bytes[i];
		done.written += n;
		done.read += (size_t)(length < 0 ? -length : length);
	}
	gt__put64(to + done.written, 0);
	return done;
}

/* The last 0 to 7 bytes as a word, the rest of it zero. Reads no others. */
static uint64_t tail(const uint8_t *from, size_t count)
{
	uint64_t last;

	if (count >= 4) {
		last = gt__get32(from + count - 4);
		return gt__get32(from) | last << 8 * (count - 4);
	}
	if (count == 0)
		return 0;
	last = (uint64_t)from[count - 1] << 8 * (count - 1);
	return from[0] | (uint64_t)from[count / 2] << 8 * (count / 2) | last;
}

/*
 * Copies what fits `room` and puts NULs behind. Writes up to 8 bytes more than
 * the room and a NUL: see GT_BATCH_SLACK.
 */
static struct progress copy(uint8_t *to, size_t room, const uint8_t *from,
                            size_t count)
{
	struct progress rest = {0, 0};
	size_t done = 0;
	uint64_t word = 0;

	if (count <= room) {
		for (; count - done >= 8; done += 8) {
			word = gt__get64(from + done);
			if (word & HIGH_BITS)
				break;
			gt__put64(to + done, word);
		}
		if (count - done < 8) {
			word = tail(from + done, count - done);
			gt__put64(to + done, word);
			if (!(word & HIGH_BITS))
				return (struct progress){count, count};
		}
	}
	rest = copy_slowly(to + done, room - done, from + done, count - done);
	return (struct progress){done + rest.read, done + rest.written};
}

/* ---- Strings of the batch ------------------------------------------------ */

/* How long a text at `draft->at` may be. */
static size_t room_for_text(const struct gt_draft *draft)
{
	if (draft->is_cutting)
		return GT__TEXT_BYTES_MIN - 5 + draft->spare_bytes;
	return (size_t)(draft->end - draft->at) - 5;
}

/* The text's bytes lie behind its length and are followed by NULs. */
static void end_text(struct gt_draft *draft, uint8_t *at, size_t count)
{
	gt__put32(draft->at, count);
	gt__link(at, draft->at);
	draft->at += 4 + padded(count);
	if (draft->is_cutting)
		draft->spare_bytes -=
			(uint32_t)padded(count) - (GT__TEXT_BYTES_MIN - 4);
}

void gt__draft_text(struct gt_draft *draft, uint8_t *at, const void *text,
                    size_t count)
{
	struct progress done;

	if (gt__does_not_fit(draft, GT__TEXT_BYTES_MIN) ||
	    (!draft->is_cutting && count > room_for_text(draft))) {
		gt__give_up(draft);
		return;
	}
	done = copy(draft->at + 4, room_for_text(draft), text, count);
	if (done.read < count) {
		draft->cut_bytes += count - done.read;
		if (!draft->is_cutting) {
			gt__give_up(draft);
			return;
		}
	}
	end_text(draft, at, done.written);
}

/* ---- Fields -------------------------------------------------------------- */

/* On 0.11 the vtable of fields is in front, on 0.12 in the preamble. */
static const uint8_t *field_vtable(const struct gt_draft *draft)
{
	return draft->batch->wire == GT_WIRE_HYPERLIGHT_0_11
	               ? draft->batch->memory + GT__FRONT_FIELD_VTABLE
	               : draft->start + GT__PREAMBLE_FIELD_VTABLE;
}

/* The offset that the next value needs. */
static uint8_t *next_value(struct gt_draft *draft)
{
	return gt__field(draft, draft->value_count++) + GT__VALUE_AT;
}

void gt__draft_key(struct gt_draft *draft, const void *key, size_t count)
{
	uint8_t *slot = draft->fields + 4 + 4 * (size_t)draft->field_count;
	uint8_t *field = gt__field(draft, draft->field_count);

	if (draft->field_count + draft->is_cutting >= draft->field_max ||
	    draft->is_full) {
		gt__give_up(draft);
		return;
	}
	gt__link(slot, field);
	gt__link_vtable(field, field_vtable(draft));
	gt__draft_text(draft, field + GT__KEY_AT, key, count);
	draft->field_count++;
}

void gt__draft_string(struct gt_draft *draft, const void *text, size_t count)
{
	if (!draft->is_full)
		gt__draft_text(draft, next_value(draft), text, count);
}

/* ---- Values that become text --------------------------------------------- */

/* Whether `bytes` can be written in place, with no thought of the room. */
static bool has_room_for(const struct gt_draft *draft, size_t bytes)
{
	return !draft->is_cutting &&
	       (uint64_t)(draft->end - draft->at) >= 4 + padded(bytes);
}

void gt__draft_u64(struct gt_draft *draft, uint64_t value)
{
	uint8_t text[GT__DECIMAL_BYTES];
	size_t count;

	if (draft->is_full)
		return;
	if (has_room_for(draft, GT__DECIMAL_BYTES)) {
		count = gt__decimal(draft->at + 4, value);
		gt__put32(draft->at + 4 + count, 0);
		end_text(draft, next_value(draft), count);
	} else {
		count = gt__decimal(text, value);
		gt__draft_string(draft, text, count);
	}
}

void gt__draft_i64(struct gt_draft *draft, int64_t value)
{
	uint8_t text[1 + GT__DECIMAL_BYTES] = {'-'};
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

	if (value < 0)
		gt__draft_string(draft, text,
		                 1 + gt__decimal(text + 1, magnitude));
	else
		gt__draft_u64(draft, magnitude);
}

void gt__draft_bool(struct gt_draft *draft, bool value)
{
	gt__draft_string(draft, value ? "true" : "false", value ? 4 : 5);
}

void gt__draft_pointer(struct gt_draft *draft, uint64_t value)
{
	uint8_t text[18] = {'0', 'x'};
	unsigned digits = (67 - (unsigned)__builtin_clzll(value | 1)) / 4;

	for (unsigned i = 0; i < digits; i++)
		text[2 + i] = (uint8_t) "0123456789abcdef"
			[value >> 4 * (digits - 1 - i) & 15];
	gt__draft_string(draft, text, 2 + digits);
}

void gt__draft_f64(struct gt_draft *draft, uint64_t bits)
{
	uint8_t text[GT__F64_BYTES];

	gt__draft_string(draft, text, gt__decimal_f64(text, bits));
}

/* A list of decimals, `[1, 2, 255]`, of as many bytes as fit. */
void gt__draft_bytes(struct gt_draft *draft, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;
	size_t room, done = 0;
	uint8_t *to = draft->at + 4;
	uint8_t *at = to;

	if (!draft->is_full && gt__does_not_fit(draft, GT__TEXT_BYTES_MIN))
		gt__give_up(draft);
	if (draft->is_full)
		return;
	room = room_for_text(draft);
	*at++ = '[';
	for (; done < count; done++) {
		unsigned digits = from[done] < 10    ? 1
		                  : from[done] < 100 ? 2
		                                     : 3;

		/* ", ", the digits, and the bracket that ends the list */
		if (room - (size_t)(at - to) < (done > 0 ? 3 : 1) + digits)
			break;
		if (done > 0) {
			*at++ = ',';
			*at++ = ' ';
		}
		at += gt__decimal(at, from[done]);
	}
	*at++ = ']';
	gt__put32(at, 0);
	if (done < count) {
		draft->cut_bytes += count - done;
		if (!draft->is_cutting) {
			gt__give_up(draft);
			return;
		}
	}
	end_text(draft, next_value(draft), (size_t)(at - to));
}
