/* SPDX-License-Identifier: MIT */
#include "opentable.h"
#include "host/decode/bytes.h"

#include <stdlib.h>

#define CHUNK_BYTES        240u
#define SPANS_PER_BLOCK    4u
#define CHUNKS_PER_BLOCK   4u
#define BUFFER_SMALL_BYTES ((size_t)1 << 20)
#define INDEX_MIN          64u

struct gt__chunk {
	struct gt__chunk *next;
	uint32_t used_bytes;
	uint8_t bytes[CHUNK_BYTES];
};

struct block {
	struct block *next;
};

struct span_block {
	struct block block;
	struct gt__open_span spans[SPANS_PER_BLOCK];
};

struct chunk_block {
	struct block block;
	struct gt__chunk chunks[CHUNKS_PER_BLOCK];
};

void gt__open_table_init(struct gt__open_table *table, uint32_t count_max,
                         size_t bytes_max, struct gt__hash_key key)
{
	*table = (struct gt__open_table){
		.count_max = count_max, .bytes_max = bytes_max, .key = key};
}

void gt__open_table_fini(struct gt__open_table *table)
{
	struct block *block = table->blocks, *next;

	for (; block; block = next) {
		next = block->next;
		free(block);
	}
	free(table->index);
	gt__open_table_init(table, 0, 0, table->key);
}

static void own(struct gt__open_table *table, struct block *block)
{
	block->next = table->blocks;
	table->blocks = block;
}

/* ---- The index ----------------------------------------------------------- */

uint32_t gt__open_table_hash(const struct gt__open_table *table, uint64_t id)
{
	return (uint32_t)gt__hash_word(&table->key, id);
}

static void index_put(struct gt__open_table *table, struct gt__open_span *span)
{
	uint32_t i = span->hash & table->index_mask;

	while (table->index[i])
		i = (i + 1) & table->index_mask;
	table->index[i] = span;
}

/* Half full at most, so that searches end soon. */
static bool index_grow(struct gt__open_table *table)
{
	uint32_t old_size = table->index ? table->index_mask + 1 : 0;
	uint32_t size = old_size ? 2 * old_size : INDEX_MIN;
	struct gt__open_span **old = table->index;

	if (2 * (table->count + 1) <= old_size)
		return true;
	table->index = calloc(size, sizeof(struct gt__open_span *));
	if (!table->index) {
		table->index = old;
		return false;
	}
	table->index_mask = size - 1;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i])
			index_put(table, old[i]);
	free(old);
	return true;
}

/* Moves what follows the hole back, or a search would end at it. */
static void index_remove(struct gt__open_table *table,
                         const struct gt__open_span *span)
{
	uint32_t mask = table->index_mask;
	uint32_t hole = span->hash & mask;
	uint32_t i;

	while (table->index[hole] != span)
		hole = (hole + 1) & mask;
	for (i = (hole + 1) & mask; table->index[i]; i = (i + 1) & mask) {
		uint32_t home = table->index[i]->hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		table->index[hole] = table->index[i];
		hole = i;
	}
	table->index[hole] = NULL;
}

struct gt__open_span *gt__open_table_at(const struct gt__open_table *table,
                                        uint64_t id, uint32_t hash)
{
	if (table->count == 0)
		return NULL;
	for (uint32_t i = hash & table->index_mask; table->index[i];
	     i = (i + 1) & table->index_mask)
		if (table->index[i]->id == id)
			return table->index[i];
	return NULL;
}

struct gt__open_span *gt__open_table_find(const struct gt__open_table *table,
                                          uint64_t id)
{
	/* Spans often end in turn. */
	if (table->newest && table->newest->id == id)
		return table->newest;
	return table->count ? gt__open_table_at(table, id,
	                                        gt__open_table_hash(table, id))
	                    : NULL;
}

/* ---- Spans --------------------------------------------------------------- */

static bool refill_spans(struct gt__open_table *table)
{
	struct span_block *block;

	if (table->free_spans)
		return true;
	block = malloc(sizeof(*block));
	if (!block)
		return false;
	own(table, &block->block);
	for (uint32_t i = 0; i < SPANS_PER_BLOCK; i++) {
		block->spans[i].older = table->free_spans;
		table->free_spans = &block->spans[i];
	}
	return true;
}

struct gt__open_span *gt__open_table_add(struct gt__open_table *table,
                                         uint64_t id, uint32_t hash)
{
	struct gt__open_span *span;

	if (table->count >= table->count_max || !refill_spans(table) ||
	    !index_grow(table))
		return NULL;
	span = table->free_spans;
	table->free_spans = span->older;
	*span = (struct gt__open_span){
		.id = id, .hash = hash, .older = table->newest};
	if (table->newest)
		table->newest->newer = span;
	else
		table->oldest = span;
	table->newest = span;
	index_put(table, span);
	table->count++;
	return span;
}

static void forget_items(struct gt__open_table *table,
                         struct gt__open_span *span)
{
	struct gt__chunk *chunk, *next;

	for (chunk = span->first; chunk; chunk = next) {
		next = chunk->next;
		chunk->next = table->free_chunks;
		table->free_chunks = chunk;
		table->bytes -= sizeof(*chunk);
	}
}

void gt__open_table_remove(struct gt__open_table *table,
                           struct gt__open_span *span)
{
	index_remove(table, span);
	forget_items(table, span);
	if (span->older)
		span->older->newer = span->newer;
	else
		table->oldest = span->newer;
	if (span->newer)
		span->newer->older = span->older;
	else
		table->newest = span->older;
	span->older = table->free_spans;
	table->free_spans = span;
	table->count--;
}

/* ---- Items --------------------------------------------------------------- */

static bool refill_chunks(struct gt__open_table *table)
{
	struct chunk_block *block;

	if (table->free_chunks)
		return true;
	block = malloc(sizeof(*block));
	if (!block)
		return false;
	own(table, &block->block);
	for (uint32_t i = 0; i < CHUNKS_PER_BLOCK; i++) {
		block->chunks[i].next = table->free_chunks;
		table->free_chunks = &block->chunks[i];
	}
	return true;
}

/* Chunks for `bytes` more, before any is written: all of an item or none. */
static bool reserve(struct gt__open_table *table, struct gt__open_span *span,
                    size_t bytes)
{
	size_t room = span->last ? CHUNK_BYTES - span->last->used_bytes : 0;
	struct gt__chunk *first_new = NULL, **end = &first_new;
	size_t bytes_before = table->bytes;

	for (; room < bytes; room += CHUNK_BYTES) {
		struct gt__chunk *chunk;

		if (table->bytes + sizeof(*chunk) > table->bytes_max ||
		    !refill_chunks(table)) {
			*end = table->free_chunks;
			table->free_chunks = first_new;
			table->bytes = bytes_before;
			return false;
		}
		chunk = table->free_chunks;
		table->free_chunks = chunk->next;
		table->bytes += sizeof(*chunk);
		chunk->used_bytes = 0;
		chunk->next = NULL;
		*end = chunk;
		end = &chunk->next;
	}
	if (!first_new)
		return true;
	if (span->last)
		span->last->next = first_new;
	else
		span->first = span->last = first_new;
	return true;
}

static void put(struct gt__open_span *span, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	span->item_bytes += count;
	while (count > 0) {
		struct gt__chunk *chunk = span->last;
		size_t piece = CHUNK_BYTES - chunk->used_bytes;

		if (piece == 0) {
			span->last = chunk->next;
			continue;
		}
		piece = piece < count ? piece : count;
		memcpy(chunk->bytes + chunk->used_bytes, from, piece);
		chunk->used_bytes += (uint32_t)piece;
		from += piece;
		count -= piece;
	}
}

bool gt__open_table_say(struct gt__open_table *table,
                        struct gt__open_span *span, const struct gt__item *item,
                        const void *body)
{
	if (!reserve(table, span, sizeof(*item) + item->body_bytes))
		return false;
	put(span, item, sizeof(*item));
	put(span, body, item->body_bytes);
	return true;
}

const uint8_t *gt__open_table_items(const struct gt__open_span *span,
                                    uint8_t **buffer, size_t *buffer_bytes)
{
	size_t done = 0;

	if (span->item_bytes == 0 ||
	    span->first->used_bytes == span->item_bytes)
		return span->first ? span->first->bytes : NULL;
	if (*buffer_bytes < span->item_bytes) {
		/* The next one may be larger; of large ones there are few. */
		size_t want = span->item_bytes < BUFFER_SMALL_BYTES
		                      ? 2 * span->item_bytes
		                      : span->item_bytes;
		uint8_t *grown = realloc(*buffer, want);

		if (!grown)
			return NULL;
		*buffer = grown;
		*buffer_bytes = want;
	}
	for (const struct gt__chunk *chunk = span->first; chunk;
	     chunk = chunk->next) {
		memcpy(*buffer + done, chunk->bytes, chunk->used_bytes);
		done += chunk->used_bytes;
	}
	return *buffer;
}
