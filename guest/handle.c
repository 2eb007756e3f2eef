/* SPDX-License-Identifier: MIT */
/*
 * What happens to a span after its opening. What is not for the rings goes from
 * here to the encoder.
 */
#include "doorbell.h"
#include "encoder.h"

#define ONE_WORD_BYTES (GT_RECORD_BYTES + 8u)

void gt__out_of_line(unsigned operation, const char *text, struct gt_span *span,
                     const uint64_t *arguments)
{
	const void *site = text - sizeof(struct gt_site);

	if (gt__encoder)
		gt__encoder(operation, site, span, arguments);
	else
		gt__count(&GT_THIS_VCPU()->lost);
}

static __attribute__((noinline)) bool tell_encoder(unsigned operation,
                                                   struct gt_span *span)
{
	if (gt__encoder)
		gt__encoder(operation, NULL, span, NULL);
	return gt__encoder != NULL;
}

/* Whether the span belongs to the encoder, which then knows by now. */
static bool is_far(unsigned operation, struct gt_span *span)
{
	return __builtin_expect(!span->site, 0) &&
	       tell_encoder(operation, span);
}

/*
 * Every function here takes its slot before it changes what is current: a sync
 * record that opens the slot's block must still name what was. And it reads the
 * TSC before: who interrupts between the two then always finds what was current
 * before the latest record below its own, and the host knows to expect that.
 */
static volatile uint64_t *begin_word(struct gt__slot slot, uint32_t site,
                                     uint32_t kind)
{
	return slot.ring ? gt__head(slot, site, kind, 0, ONE_WORD_BYTES) : NULL;
}

static void end_word(struct gt_vcpu *vcpu, struct gt__slot slot,
                     volatile uint64_t *at, uint64_t word)
{
	if (!slot.ring) {
		gt__unsaid(vcpu);
		return;
	}
	*at = word;
	gt__publish(slot, ONE_WORD_BYTES);
}

void gt_enter(struct gt_span *span)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();
	volatile uint64_t *at;
	struct gt__slot slot;

	if (!span->id || is_far(GT_RECORD_ENTER, span))
		return;
	GT_HOLD_(vcpu);
	slot = gt__take(vcpu, ONE_WORD_BYTES);
	at = begin_word(slot, span->site, GT_RECORD_ENTER);
	/* Entered once more: it must not become its own predecessor. */
	if (gt__load(&vcpu->current) == span->id) {
		span->again++;
	} else {
		if (span->entered > 0)
			vcpu->crossed++; /* what was before is forgotten */
		span->previous = gt__load(&vcpu->current);
		span->again = 0;
		gt__store(&vcpu->current, span->id);
	}
	span->entered++;
	end_word(vcpu, slot, at, span->id);
	GT_RELEASE_();
}

/*
 * It is not what is current: what is above leads back to it. A span that was
 * never entered stands nowhere; that the record is lost is told all the same.
 */
void gt__end_below(const struct gt_span *span, volatile uint64_t *at,
                   struct gt_ring *ring, uint64_t pos, uint64_t limit)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();

	if (span->entered > 0)
		vcpu->crossed++;
	if (!ring)
		gt__unsaid_below(vcpu);
	end_word(vcpu, (struct gt__slot){ring, pos, limit}, at, span->id);
}

static __attribute__((noinline)) void
end_stay(struct gt_vcpu *vcpu, struct gt_span *span, uint32_t kind)
{
	struct gt__slot slot = gt__take(vcpu, ONE_WORD_BYTES);
	volatile uint64_t *at = begin_word(slot, span->site, kind);

	if (__builtin_expect(gt__load(&vcpu->current) != span->id, 0)) {
		gt__end_below(span, at, slot.ring, slot.pos, slot.limit);
		return;
	}
	gt__store(&vcpu->current, span->previous);
	end_word(vcpu, slot, at, span->id);
}

void gt_exit(struct gt_span *span)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();
	uint64_t previous = span->previous;

	if (!span->id || is_far(GT_RECORD_EXIT, span))
		return;
	GT_HOLD_(vcpu);
	if (span->again > 0 && gt__load(&vcpu->current) == span->id) {
		span->again--;
		span->previous = span->id; /* it stays what is current */
	}
	end_stay(vcpu, span, GT_RECORD_EXIT);
	GT_RELEASE_();
	span->previous = previous;
	if (span->entered > 0)
		span->entered--;
}

static void end(struct gt_span *span)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();

	GT_HOLD_(vcpu);
	end_stay(vcpu, span, GT_RECORD_CLOSE);
	GT_RELEASE_();
}

void gt_close(struct gt_span *span)
{
	if (!span->id || is_far(GT_RECORD_CLOSE, span))
		return;
	end(span);
	span->id = 0;
}

void gt__end_scope(struct gt_span *span)
{
	if (is_far(GT_RECORD_CLOSE, span))
		return;
	span->entered = 1;
	end(span);
	span->id = 0;
}
