/* SPDX-License-Identifier: MIT */
#include "mailbox.h"

#include <errno.h>

void gt__mailbox_fini(struct gt__mailbox *mailbox)
{
	free(mailbox->last);
	*mailbox = (struct gt__mailbox){0};
}

static bool is_port(uint16_t port)
{
	return port == GT_PORT_LOG ||
	       (port >= GT_PORT_CALL && port <= GT_PORT_HALT);
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
	       (piggyback && is_port(exit->port));
}

static int remember(struct gt__mailbox *mailbox, uint64_t gva,
                    const uint8_t *bytes, size_t count)
{
	uint8_t *copy = realloc(mailbox->last, count);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, count);
	mailbox->last = copy;
	mailbox->last_bytes = count;
	mailbox->last_gva = gva;
	return 0;
}

int gt__mailbox_take(struct gt__mailbox *mailbox,
                     const struct gt__memory *memory,
                     const struct gt__paging *paging,
                     const struct gt_exit *exit, size_t bytes_max,
                     struct gt__frame_buffer *buffer)
{
	size_t count = exit->r10;
	uint8_t *to;
	int r;

	if (count == 0)
		return -GT_ERROR_EMPTY_BATCH;
	if (count > bytes_max)
		return -GT_ERROR_BATCH_TOO_LONG;
	to = gt__frame_extend(buffer, count);
	if (!to)
		return -ENOMEM;
	r = gt__memory_read(memory, paging, exit->r9, to, count);
	if (r < 0)
		return r;
	if (exit->r9 == mailbox->last_gva && count == mailbox->last_bytes &&
	    memcmp(to, mailbox->last, count) == 0) {
		mailbox->repeated++;
		return 0;
	}
	r = remember(mailbox, exit->r9, to, count);
	return r < 0 ? r : 1;
}
