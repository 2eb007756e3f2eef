/* SPDX-License-Identifier: MIT */
#include "kept_keys.h"
#include "export/out/words.h"
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 256u

void gt__kept_keys_fini(struct gt__kept_keys *kept)
{
	free(kept->slots);
	memset(kept, 0, sizeof *kept);
}

static struct gt_text *slot_of(const struct gt__kept_keys *kept,
                               struct gt_text key)
{
	uint32_t i =
		(uint32_t)gt__hash_bytes(&kept->key, 0, key.bytes, key.count);

	for (;; i++) {
		struct gt_text *slot = &kept->slots[i & kept->mask];

		if (!slot->bytes || gt__same_text(*slot, key))
			return slot;
	}
}

/* Room for one more. */
static bool grow(struct gt__kept_keys *kept)
{
	uint32_t i, size = kept->slots ? kept->mask + 1 : 0;
	struct gt__kept_keys larger = {
		.mask = size ? size * 2 - 1 : SLOTS_MIN - 1,
	};

	if (kept->count < size / 2)
		return true;
	larger.key = gt__hash_key();
	larger.slots = calloc((size_t)larger.mask + 1, sizeof *larger.slots);
	if (!larger.slots)
		return false;
	for (i = 0; i < size; i++)
		if (kept->slots[i].bytes)
			*slot_of(&larger, kept->slots[i]) = kept->slots[i];
	free(kept->slots);
	kept->slots = larger.slots;
	kept->mask = larger.mask;
	kept->key = larger.key;
	return true;
}

struct gt_text *gt__kept_key(struct gt__kept_keys *kept, struct gt_text key)
{
	uintptr_t address = (uintptr_t)key.bytes ^ key.count;
	struct gt_text *recent =
		&kept->recent[(address ^ address >> 6) % GT__RECENT_KEYS];
	struct gt_text *slot;

	if (recent->bytes && gt__same_text(*recent, key))
		return recent;
	if (!grow(kept))
		return NULL;
	slot = slot_of(kept, key);
	kept->count += !slot->bytes;
	if (slot->bytes)
		*recent = *slot;
	return slot;
}
