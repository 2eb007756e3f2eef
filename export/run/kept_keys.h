/* SPDX-License-Identifier: MIT */
/*
 * Field keys that are kept, each text once: a key that a million spans have
 * must not take a million times its bytes.
 */
#ifndef GUESTTRACE_KEPT_KEYS_H
#define GUESTTRACE_KEPT_KEYS_H

#include <guesttrace/export.h>
#include <guesttrace/keyed_hash.h>

#define GT__RECENT_KEYS 64u

struct gt__kept_keys {         /* zeroed is a valid beginning */
	struct gt_text *slots; /* open addressing, at most half full */
	uint32_t count, mask;
	struct gt__hash_key key; /* since there are slots */
	/* Most keys are those of the span before: some, by their address. */
	struct gt_text recent[GT__RECENT_KEYS];
};

/* The slots alone: the texts are the caller's. */
void gt__kept_keys_fini(struct gt__kept_keys *kept);

/*
 * Where the key is kept, or, with no bytes there, where it is to be: the caller
 * stores a text of the same bytes before the next call. NULL: no memory.
 */
struct gt_text *gt__kept_key(struct gt__kept_keys *kept, struct gt_text key);

#endif
