/* SPDX-License-Identifier: MIT */
#include "mailbox.h"

#include <errno.h>

void gt__mailbox_forget(struct gt__mailbox *mailbox)
{
	memset(mailbox->known, 0, sizeof(mailbox->known));
}

/*
 * Their exits have other values in r8 to r10. All others put a batch there, of
 * releases to come as well: the ports of a release are not those of the next.
 */
static bool carries_none(uint16_t port)
{
	return port == GT_PORT_ALLOCATE || port == GT_PORT_FREE ||
	       port == GT_PORT_TIMER;
}

bool gt__mailbox_is_named(const struct gt_exit *exit, bool piggyback)
{
	if (exit->r8 != GT_BATCH_MAGIC)
		return false;
	if (exit->reason == GT_EXIT_HALT)
		return piggyback;
	if (exit->reason != GT_EXIT_IO || !exit->out || exit->count != 1)
		return false;
	return exit->port == GT_PORT_TRACE ||
	       (piggyback && !carries_none(exit->port));
}

/* Each step is a bijection: a change of one word always shows. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
	return hash ^ hash >> 32;
}

static uint64_t hash_of(const uint8_t *bytes, size_t count)
{
	uint64_t hash = count, word = 0;

	for (; count >= sizeof(word); count -= sizeof(word)) {
		hash = mix(hash, gt__load64(bytes));
		bytes += sizeof(word);
	}
	memcpy(&word, bytes, count);
	return mix(mix(hash, word), 0);
}

/* Whether it came before; else it is known from now on. */
static bool is_known(struct gt__mailbox *mailbox, uint64_t gva,
                     const uint8_t *bytes, size_t count)
{
	struct gt__known_batch batch = {gva, hash_of(bytes, count), count};

	for (uint32_t i = 0; i < GT__BATCHES_KNOWN; i++)
		if (mailbox->known[i].gva == batch.gva &&
		    mailbox->known[i].hash == batch.hash &&
		    mailbox->known[i].bytes == batch.bytes)
			return true;
	mailbox->known[mailbox->next++ % GT__BATCHES_KNOWN] = batch;
	return false;
}

/* Room for it in the buffer. */
static int make_room(size_t count, size_t bytes_max,
                     struct gt__frame_buffer *buffer, uint8_t **ret_to)
{
	if (count == 0)
		return -GT_ERROR_EMPTY_BATCH;
	if (count > bytes_max)
		return -GT_ERROR_BATCH_TOO_LONG;
	*ret_to = gt__frame_extend(buffer, count);
	return *ret_to ? 0 : -ENOMEM;
}

int gt__mailbox_take(struct gt__mailbox *mailbox,
                     const struct gt__memory *memory,
                     const struct gt__paging *paging,
                     const struct gt_exit *exit, size_t bytes_max,
                     struct gt__frame_buffer *buffer)
{
	size_t count = exit->r10;
	uint8_t *to;
	int r = make_room(count, bytes_max, buffer, &to);

	if (r == 0)
		r = gt__memory_read(memory, paging, exit->r9, to, count);
	if (r < 0)
		return r;
	if (is_known(mailbox, exit->r9, to, count)) {
		mailbox->repeated++;
		return 0;
	}
	return 1;
}

int gt__mailbox_put(const void *bytes, size_t count, size_t bytes_max,
                    struct gt__frame_buffer *buffer)
{
	uint8_t *to;
	int r = make_room(count, bytes_max, buffer, &to);

	if (r < 0)
		return r;
	memcpy(to, bytes, count);
	return 1;
}
