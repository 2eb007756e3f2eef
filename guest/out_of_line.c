/* SPDX-License-Identifier: MIT */
/*
 * Recording for sites that GT_OUT_OF_LINE keeps small: what GT_PUT_ of
 * guest_inline.h does where a site stands, in the same order.
 */
#include "doorbell.h"
#include "encoder.h"

/* A word for each field, two for a text, behind a span's id. */
#define WORDS_MAX (1u + 2u * GT_SITE_FIELDS_MAX)

struct request {
	struct gt_vcpu *vcpu;
	const char *text; /* of the site */
	uint32_t kind;    /* GT_RECORD_* */
	uint32_t shape;   /* GT_SHAPE_, without the kind */
	uint64_t subject;
};

static bool is_opening(const struct request *r)
{
	return r->kind == GT_RECORD_SPAN || r->kind == GT_RECORD_OPEN;
}

static uint64_t fixed_bytes(const struct request *r)
{
	return GT_RECORD_BYTES + (r->kind == GT_RECORD_FIELDS ? 8u : 0u);
}

/* Takes room and writes what comes before the values; NULL: there is none. */
GT__INLINE volatile uint64_t *begin(const struct request *r, uint64_t bytes,
                                    uint32_t flags, struct gt__slot *ret_slot)
{
	const uint32_t site =
		(uint32_t)(uintptr_t)(r->text - sizeof(struct gt_site));
	volatile uint64_t *at;

	*ret_slot = gt__take(r->vcpu, bytes);
	if (!ret_slot->ring)
		return NULL;
	at = gt__head(*ret_slot, site, r->kind, flags, bytes);
	if (is_opening(r))
		gt__opened((struct gt_span *)(uintptr_t)r->subject, *ret_slot,
		           r->vcpu, site, r->kind == GT_RECORD_SPAN);
	else if (r->kind == GT_RECORD_FIELDS)
		*at++ = r->subject;
	return at;
}

/* Values that are words alone go from the registers into the ring. */
static void put_words(const struct request *r, __builtin_va_list values)
{
	const uint32_t count = (uint32_t)__builtin_ctz(r->shape);
	const uint64_t bytes = fixed_bytes(r) + 8u * count;
	struct gt__slot slot;
	volatile uint64_t *at = begin(r, bytes, 0, &slot);

	if (!at)
		return;
	for (uint32_t i = 0; i < count; i++)
		at[i] = __builtin_va_arg(values, uint64_t);
	gt__publish(slot, bytes);
}

static struct gt__text text_of(const uint64_t *words)
{
	return (struct gt__text){(const void *)(uintptr_t)words[0],
	                         (uint32_t)words[1],
	                         (uint32_t)(words[1] >> 32)};
}

/* The values as an encoder wants them, texts cut. Returns their bytes. */
static uint64_t collect(const struct request *r, __builtin_va_list values,
                        struct gt__room *room, uint64_t *words)
{
	uint64_t bytes = 0;

	for (uint32_t shape = r->shape; shape > 1; shape >>= 1) {
		*words = __builtin_va_arg(values, uint64_t);
		if (shape & 1) {
			struct gt__text text;

			words[1] = __builtin_va_arg(values, uint64_t);
			text = gt__fit(text_of(words), room, r->vcpu);
			*++words = gt__text_word(text);
			bytes += gt__text_bytes(text) - 8;
		}
		words++;
		bytes += 8;
	}
	return bytes;
}

static GT__SMALL void put_any(const struct request *r, __builtin_va_list values)
{
	struct gt__room room = {r->vcpu->text_bytes_max, 0};
	uint64_t words[WORDS_MAX], *word = words + 1;
	const uint64_t bytes = fixed_bytes(r) + collect(r, values, &room, word);
	struct gt__slot slot;
	volatile uint64_t *at;

	if (gt__encoder) {
		words[0] = is_opening(r) ? 0 : r->subject;
		gt__encoder(r->kind,
		            (const void *)(r->text - sizeof(struct gt_site)),
		            is_opening(r) ? (void *)(uintptr_t)r->subject
		                          : NULL,
		            words);
		return;
	}
	at = begin(r, bytes, room.cut, &slot);
	if (!at)
		return;
	for (uint32_t shape = r->shape; shape > 1; shape >>= 1, word++) {
		if (shape & 1)
			at = gt__put_text(at, text_of(word++));
		else
			*at++ = *word;
	}
	gt__publish(slot, bytes);
}

void gt__record(const char *text, uint32_t shape, uint64_t subject, ...)
{
	struct request r = {
		.vcpu = GT_THIS_VCPU(),
		.text = text,
		.kind = shape >> GT_SHAPE_BITS_,
		.shape = shape & ((1u << GT_SHAPE_BITS_) - 1),
		.subject = subject,
	};
	__builtin_va_list values;

	GT_HOLD_(r.vcpu);
	__builtin_va_start(values, subject);
	if (!gt__encoder && (r.shape & (r.shape - 1)) == 0)
		put_words(&r, values);
	else
		put_any(&r, values);
	__builtin_va_end(values);
	GT_RELEASE_();
}
