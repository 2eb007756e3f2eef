/* SPDX-License-Identifier: MIT */
/*
 * Open addressing with linear probing, at most half full. A key that has no
 * place near its own is not kept.
 */
#include "keys.h"
#include "words.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN  256u
#define PROBES_MAX 32u

void gt__keys_fini(struct gt__keys *keys)
{
	uint32_t i;

	for (i = 0; i < keys->count; i++)
		free((char *)(uintptr_t)keys->texts[i].bytes);
	free(keys->texts);
	free(keys->slots);
	memset(keys, 0, sizeof *keys);
}

/* Where the key is or would be; NULL if that is too far away. */
static uint32_t *slot_of(const struct gt__keys *keys, struct gt_text key)
{
	uint32_t i, from = (uint32_t)gt__hash_bytes(&keys->key, 0, key.bytes,
	                                            key.count);

	for (i = 0; i < PROBES_MAX; i++) {
		uint32_t *slot = &keys->slots[(from + i) & keys->mask];

		if (!*slot || gt__same_text(keys->texts[*slot - 1], key))
			return slot;
	}
	return NULL;
}

/* Room for one more in both tables. */
static int grow(struct gt__keys *keys)
{
	uint32_t i, slots = keys->slots ? (keys->mask + 1) * 2 : SLOTS_MIN;
	struct gt_text *texts;
	uint32_t *slot;

	if (keys->slots && keys->count < (keys->mask + 1) / 2)
		return 0;
	texts = realloc(keys->texts, slots / 2 * sizeof *texts);
	if (!texts)
		return -ENOMEM;
	keys->texts = texts;
	if (!keys->slots)
		keys->key = gt__hash_key();
	free(keys->slots);
	keys->slots = calloc(slots, sizeof *keys->slots);
	if (!keys->slots)
		return -ENOMEM;
	keys->mask = slots - 1;
	for (i = 0; i < keys->count; i++) {
		slot = slot_of(keys, texts[i]);
		if (slot)
			*slot = i + 1;
	}
	return 0;
}

uint32_t gt__keys_find(const struct gt__keys *keys, struct gt_text key)
{
	const uint32_t *slot = keys->slots ? slot_of(keys, key) : NULL;

	return slot ? *slot : 0;
}

int gt__keys_number(struct gt__keys *keys, struct gt_text key,
                    uint32_t *ret_number)
{
	uint32_t *slot;
	char *copy;
	int rc = grow(keys);

	if (rc)
		return rc;
	slot = slot_of(keys, key);
	*ret_number = slot ? *slot : 0;
	if (!slot || *slot || keys->count == GT__KEYS_MAX ||
	    key.count > GT__KEYS_BYTES_MAX - keys->bytes)
		return 0;
	copy = malloc(key.count + 1);
	if (!copy)
		return -ENOMEM;
	if (key.count)
		memcpy(copy, key.bytes, key.count);
	keys->bytes += key.count;
	keys->texts[keys->count] = (struct gt_text){copy, key.count};
	*ret_number = *slot = ++keys->count;
	return 0;
}
