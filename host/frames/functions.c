/* SPDX-License-Identifier: MIT */
/*
 * The names of the functions that sites lie in. A guest's site has the address
 * of its own; the payload of a SITES frame has them behind the table, and in
 * each site where in it. A name that is not to be had costs only itself.
 */
#include "functions.h"

#include <errno.h>

#define PAGE_BYTES UINT64_C(4096)
/* A guest may have as many addresses as sites: more are not looked at. */
#define READS_MAX  16384u

struct naming {
	const struct gt__functions *functions;
	uint64_t last_gva, last_at; /* sites of one function are neighbours */
	uint32_t reads;
};

static int read_at(const struct naming *n, uint64_t gva, void *to, size_t count)
{
	return n->functions->read(n->functions->context, gva, to, count);
}

/*
 * To `name`, up to the page's end first: behind it there may be nothing.
 * Returns its length, 0 for none.
 */
static size_t read_name(const struct naming *n, uint64_t gva,
                        uint8_t name[GT_SITE_FUNCTION_BYTES_MAX + 1])
{
	size_t room = GT_SITE_FUNCTION_BYTES_MAX + 1;
	size_t first = PAGE_BYTES - gva % PAGE_BYTES;

	if (first > room)
		first = room;
	if (read_at(n, gva, name, first) < 0)
		return 0;
	if (first < room && !memchr(name, 0, first) &&
	    read_at(n, gva + first, name + first, room - first) == 0)
		first = room;
	return gt__site_function_length(name, first);
}

/* Returns where the name is in the payload now; 0: nowhere. -ENOMEM. */
static int64_t append(struct naming *n, uint64_t gva,
                      struct gt__frame_buffer *buffer)
{
	uint8_t name[GT_SITE_FUNCTION_BYTES_MAX + 1];
	size_t length, at = buffer->count - GT__FRAME_HEAD;
	uint8_t *to;

	if (gva == 0)
		return 0;
	if (gva == n->last_gva)
		return (int64_t)n->last_at;
	if (at >= n->functions->room || n->reads++ >= READS_MAX)
		return 0;
	length = read_name(n, gva, name);
	if (length == 0 || length >= n->functions->room - at)
		return 0;
	to = gt__frame_extend(buffer, length + 1);
	if (!to)
		return -ENOMEM;
	memcpy(to, name, length + 1);
	n->last_gva = gva;
	n->last_at = at;
	return (int64_t)at;
}

/* The payload may move when it grows: it is found anew each time. */
static int name_site(struct naming *n, size_t at, struct gt_site *head,
                     struct gt__frame_buffer *buffer)
{
	size_t word = at + head->size - GT__SITE_FUNCTION_WORD;
	uint8_t *payload = buffer->bytes + GT__FRAME_HEAD;
	int64_t name = append(n, gt__load64(payload + word), buffer);

	if (name < 0)
		return (int)name;
	payload = buffer->bytes + GT__FRAME_HEAD;
	gt__store64(payload + word, (uint64_t)name);
	head->flags =
		(uint16_t)((head->flags & ~GT_SITE_FUNCTION) | GT_SITE_NAMED);
	memcpy(payload + at, head, sizeof(*head));
	return 0;
}

int gt__put_functions(struct gt__frame_buffer *buffer,
                      const struct gt__functions *functions)
{
	struct naming n = {.functions = functions};
	size_t count = buffer->count - GT__FRAME_HEAD;
	struct gt_site head;
	size_t at = 0;
	int r = 0;

	while (r == 0 && (at = gt__sites_next(buffer->bytes + GT__FRAME_HEAD,
	                                      count, at, &head)) < count) {
		if (head.flags & GT_SITE_FUNCTION)
			r = name_site(&n, at, &head, buffer);
		at = gt__sites_behind(at, &head);
	}
	return r;
}

int gt__sites_show(const uint8_t *payload, size_t count, gt_site_fn *show,
                   void *context)
{
	struct gt__sites *sites;
	int r = gt__sites_new(payload, count, 0, &sites);

	if (r < 0)
		return r;
	for (uint32_t i = 0; r == 0 && i < sites->count; i++)
		r = show(context, &sites->sites[i].view, sites->sites[i].kind);
	gt__sites_free(sites);
	return r;
}

int gt_sites_list(const void *bytes, size_t count,
                  int (*read)(void *context, uint64_t gva, void *to,
                              size_t count),
                  void *read_context, gt_site_fn *show, void *show_context)
{
	const struct gt__functions functions = {read, read_context,
	                                        GT_SITES_BYTES_MAX};
	struct gt__frame_buffer buffer = {0};
	int r = 0;

	if (count > GT_SITES_BYTES_MAX)
		return -GT_ERROR_BAD_SITES;
	gt__frame_begin(&buffer);
	gt__frame_put(&buffer, bytes, count);
	if (buffer.no_memory)
		r = -ENOMEM;
	else if (read)
		r = gt__put_functions(&buffer, &functions);
	if (r == 0)
		r = gt__sites_show(buffer.bytes + GT__FRAME_HEAD,
		                   buffer.count - GT__FRAME_HEAD, show,
		                   show_context);
	free(buffer.bytes);
	return r;
}
