/* SPDX-License-Identifier: MIT */
/*
 * Batches of the Hyperlight wires on their way out of the guest: which exits
 * carry one, whether it is new, and the one copy of it.
 */
#ifndef GT_HOST_MAILBOX_H
#define GT_HOST_MAILBOX_H

#include "host/frames/frame.h"
#include "host/memory/memory.h"

/* Registers that nothing clears come back from where they were saved. */
#define GT__BATCHES_KNOWN 8u

struct gt__known_batch {
	uint64_t gva, hash;
	size_t bytes; /* 0: none */
};

struct gt__mailbox {
	struct gt__known_batch known[GT__BATCHES_KNOWN]; /* the latest */
	uint32_t next;                                   /* goes there */
	uint64_t repeated; /* came once more, and were left out */
};

/* What comes from now on comes from another life: it repeats nothing. */
void gt__mailbox_forget(struct gt__mailbox *mailbox);

/* `piggyback`: a batch may ride on any exit of Hyperlight's, not on 104 only.
 */
bool gt__mailbox_is_named(const struct gt_exit *exit, bool piggyback);

/*
 * Appends the batch that r9 and r10 name to `buffer`. 1; 0: the same bytes from
 * the same place as one of late (r8 is an ordinary register, and stays);
 * GT_ERROR_EMPTY_BATCH, _BATCH_TOO_LONG, codes of the memory door, -ENOMEM.
 */
int gt__mailbox_take(struct gt__mailbox *mailbox,
                     const struct gt__memory *memory,
                     const struct gt__paging *paging,
                     const struct gt_exit *exit, size_t bytes_max,
                     struct gt__frame_buffer *buffer);

/* The same of bytes that somebody else has copied, and none of which repeat. */
int gt__mailbox_put(const void *bytes, size_t count, size_t bytes_max,
                    struct gt__frame_buffer *buffer);

#endif
