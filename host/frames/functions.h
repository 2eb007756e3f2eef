/* SPDX-License-Identifier: MIT */
/* The payload of a SITES frame: a site table, and the names of functions. */
#ifndef GT_HOST_FUNCTIONS_H
#define GT_HOST_FUNCTIONS_H

#include "frame.h"
#include "host/decode/sites.h"

struct gt__functions {
	/* `count` bytes of the guest, at most two pages; 0 or a code < 0. */
	int (*read)(void *context, uint64_t gva, void *to, size_t count);
	void *context;
	size_t room; /* of the whole payload, bytes: names beyond are left out
	              */
};

/*
 * `buffer` holds the frame up to the end of the table; what the guest's
 * addresses name comes behind it, and the sites say where. -ENOMEM.
 */
int gt__put_functions(struct gt__frame_buffer *buffer,
                      const struct gt__functions *functions);

/* Shows each site of a payload; as gt_sites_list(). */
int gt__sites_show(const uint8_t *payload, size_t count, gt_site_fn *show,
                   void *context);

#endif
