/* SPDX-License-Identifier: MIT */
/* One segment of a spool: begun, opened, ended, taken off the disk. */
#include "spool_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SEGMENTS_OF_CAP 8u /* at least so many fit under the cap */

int gt__spool_segment_fd(struct gt__spool *spool, struct gt__spool_segment *s)
{
	if (s->fd < 0)
		s->fd = gt__spool_open_file(spool, s->name, O_RDWR);
	return s->fd;
}

void gt__spool_rest(struct gt__spool *spool, struct gt__spool_segment *s)
{
	if (s->fd < 0 || s == spool->current ||
	    s == spool->cursors[GT__SPOOL_OLD].segment ||
	    s == spool->cursors[GT__SPOOL_NEW].segment)
		return;
	close(s->fd);
	s->fd = -1;
}

void gt__spool_remove(struct gt__spool *spool, struct gt__spool_segment *s)
{
	struct gt__spool_segment **at = &spool->segments;
	size_t i;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (spool->last == &s->next)
		spool->last = at;
	if (spool->current == s)
		spool->current = NULL;
	for (i = 0; i < GT__SPOOL_CURSORS; i++)
		if (spool->cursors[i].segment == s)
			spool->cursors[i] =
				(struct gt__spool_position){s->next, 0};
	for (i = spool->out_count; i-- > 0;)
		if (spool->out[i].segment == s)
			spool->out[i] = spool->out[--spool->out_count];
	if (unlinkat(spool->directory_fd, s->name, 0) == 0)
		spool->bytes -= s->end < spool->bytes ? s->end : spool->bytes;
	if (!s->found)
		spool->own_bytes -= s->end;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

uint64_t gt__spool_segment_bytes_max(const struct gt__spool *spool)
{
	uint64_t part = spool->bytes_max / SEGMENTS_OF_CAP;

	return part < GT__SPOOL_SEGMENT_BYTES ? part : GT__SPOOL_SEGMENT_BYTES;
}

int gt__spool_new_segment(struct gt__spool *spool)
{
	struct gt__spool_segment *s = calloc(1, sizeof *s);
	size_t i;

	if (!s)
		return -ENOMEM;
	s->number = spool->next_number++;
	gt__spool_segment_name(s->name, spool->writer, s->number);
	s->seed = gt__spool_seed(s->name);
	s->fd = gt__spool_open_file(spool, s->name, O_RDWR | O_CREAT | O_EXCL);
	if (s->fd < 0) {
		int rc = s->fd;

		free(s);
		return rc;
	}
	*spool->last = s;
	spool->last = &s->next;
	for (i = 0; i < GT__SPOOL_CURSORS; i++)
		if (!spool->cursors[i].segment)
			spool->cursors[i].segment = s;
	spool->current = s;
	gt__spool_syncer_add(&spool->syncer, spool->directory_fd);
	return 0;
}

void gt__spool_end_current(struct gt__spool *spool)
{
	struct gt__spool_segment *s = spool->current;

	if (!s)
		return;
	s->whole = true;
	spool->current = NULL;
	if (!s->waiting_frames) {
		gt__spool_remove(spool, s);
		return;
	}
	gt__spool_syncer_add(&spool->syncer, s->fd);
	gt__spool_rest(spool, s);
}
