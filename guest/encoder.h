/* SPDX-License-Identifier: MIT */
/*
 * Between the native recorder and an encoder: one pointer, so that a guest that
 * names no encoder links none.
 *
 * An encoder is told in `operation` what to do: a GT_RECORD_* or one of these.
 * `site` is NULL where there is none; `span` where the caller has no handle;
 * arguments[0] of GT_RECORD_FIELDS is the span's id, and the values of the site
 * follow it, a word each or, for texts, address and gt__text_word(). A handle
 * whose `site` stays 0 comes back here.
 */
#ifndef GT_GUEST_ENCODER_H
#define GT_GUEST_ENCODER_H

#include <guesttrace/guest.h>

enum gt__operation {
	GT__INIT = 64, /* arguments[0]: address of complete gt_options */
	GT__FLUSH,
	GT__CALL_BEGIN,
	GT__CALL_END,
};

/* NULL: the native wire. */
extern gt_encoder_fn *gt__encoder;

#endif
