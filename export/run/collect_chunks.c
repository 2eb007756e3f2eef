/* SPDX-License-Identifier: MIT */
/* Memory of a collector that is freed with it: many small pieces of few large. */
#include "collect.h"

#define CHUNK_BYTES (256u << 10)

struct gt__chunk {
	struct gt__chunk *next;
	size_t used;
	size_t size;
	_Alignas(16) unsigned char bytes[];
};

static struct gt__chunk *add_chunk(struct gt__collect *c, size_t size)
{
	struct gt__chunk *chunk = malloc(sizeof *chunk + size);
	struct gt__chunk **at = &c->chunks;

	if (!chunk)
		return NULL;
	if (c->chunks && size != CHUNK_BYTES)
		at = &c->chunks->next; /* full at once: behind the one in use */
	chunk->used = 0;
	chunk->size = size;
	chunk->next = *at;
	*at = chunk;
	c->chunk_bytes += size;
	return chunk;
}

bool gt__collect_begin_chunk(struct gt__collect *c)
{
	return add_chunk(c, CHUNK_BYTES) != NULL;
}

void gt__collect_free_chunks(struct gt__collect *c, struct gt__chunk *from)
{
	struct gt__chunk **at = &c->chunks, *chunk;

	while (*at && *at != from)
		at = &(*at)->next;
	while ((chunk = *at)) {
		*at = chunk->next;
		c->chunk_bytes -= chunk->size;
		free(chunk);
	}
}

/* One allocation per chunk; larger pieces have one of their own. */
void *gt__collect_take(struct gt__collect *c, size_t count, size_t alignment)
{
	struct gt__chunk *chunk = c->chunks;
	size_t from = 0;

	if (chunk)
		from = (chunk->used + alignment - 1) & ~(alignment - 1);
	if (!chunk || from > chunk->size || chunk->size - from < count) {
		chunk = add_chunk(c, count > CHUNK_BYTES / 4 ? count
		                                             : CHUNK_BYTES);
		from = 0;
	}
	if (!chunk)
		return NULL;
	chunk->used = from + count;
	return chunk->bytes + from;
}
