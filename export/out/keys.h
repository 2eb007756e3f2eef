/* SPDX-License-Identifier: MIT */
/*
 * Numbers for the texts of field keys, by content, so that a stream spells each
 * key once. Bounded in number and bytes: a key beyond that gets no number.
 */
#ifndef GUESTTRACE_KEYS_H
#define GUESTTRACE_KEYS_H

#include <guesttrace/export.h>
#include <guesttrace/keyed_hash.h>

#define GT__KEYS_MAX       (1u << 16)
#define GT__KEYS_BYTES_MAX (4u << 20)

struct gt__keys {              /* zeroed is a valid beginning */
	struct gt_text *texts; /* by number - 1; copies */
	uint32_t *slots;       /* numbers; 0 = empty */
	uint32_t count, mask;
	size_t bytes;
	struct gt__hash_key key; /* since there are slots */
};

void gt__keys_fini(struct gt__keys *keys);

/* The key's number from 1, 0 if it has none yet. */
uint32_t gt__keys_find(const struct gt__keys *keys, struct gt_text key);
/* The key's number from 1, 0 if there are too many; or -ENOMEM. */
int gt__keys_number(struct gt__keys *keys, struct gt_text key,
                    uint32_t *ret_number);

#endif
