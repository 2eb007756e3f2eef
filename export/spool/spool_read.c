/* SPDX-License-Identifier: MIT */
/*
 * What waits in a spool: read in two places, out for a while, settled or given
 * back. A cursor goes past what is out; what is given back draws it back.
 */
#include "spool_inside.h"
#include <errno.h>
#include <stdlib.h>

/* ---- Out ----------------------------------------------------------------- */

static size_t find_out(const struct gt__spool *spool,
                       const struct gt__spool_segment *s, uint64_t offset)
{
	size_t i;

	for (i = 0; i < spool->out_count; i++)
		if (spool->out[i].segment == s &&
		    spool->out[i].offset == offset)
			break;
	return i;
}

static bool has_out(const struct gt__spool *spool,
                    const struct gt__spool_segment *s)
{
	size_t i;

	for (i = 0; i < spool->out_count; i++)
		if (spool->out[i].segment == s)
			return true;
	return false;
}

/* Whatever was in doubt while some were out is looked at once more. */
static void take_in(struct gt__spool *spool,
                    const struct gt__otlp_request *request)
{
	size_t i = find_out(spool, request->segment, request->offset);

	if (i < spool->out_count)
		spool->out[i] = spool->out[--spool->out_count];
	if (!request->segment->left || has_out(spool, request->segment))
		return;
	request->segment->left = false;
	spool->cursors[GT__SPOOL_OLD] =
		(struct gt__spool_position){spool->segments, 0};
}

void gt__spool_give_back(struct gt__spool *spool,
                         struct gt__otlp_request *request)
{
	take_in(spool, request);
	spool->cursors[GT__SPOOL_OLD] =
		(struct gt__spool_position){spool->segments, 0};
	free(request);
}

/* ---- Settled ------------------------------------------------------------- */

/* Whether the file says so now. */
static bool settle_frame(struct gt__spool *spool, struct gt__spool_segment *s,
                         uint64_t offset, uint64_t spans,
                         enum gt__spool_state state)
{
	uint64_t *waiting = s->found ? &spool->counts.found_waiting
	                             : &spool->counts.own_waiting;
	bool is_marked = gt__spool_segment_fd(spool, s) >= 0 &&
	                 gt__spool_mark(s->fd, offset, state) == 0;

	*waiting -= spans < *waiting ? spans : *waiting;
	s->waiting_spans -= spans < s->waiting_spans ? spans : s->waiting_spans;
	s->waiting_frames -= s->waiting_frames > 0;
	return is_marked;
}

/* What its file still calls waiting stays out: here it is not read again. */
static void settle_damaged(struct gt__spool *spool, struct gt__spool_segment *s,
                           const struct gt__spool_frame *frame)
{
	if (spool->out_count == GT__SPOOL_OUT_MAX)
		return; /* as if it waited */
	if (s->found)
		spool->counts.damaged_spans += frame->spans;
	else
		spool->counts.own_damaged += frame->spans;
	if (!settle_frame(spool, s, frame->offset, frame->spans,
	                  GT__SPOOL_DAMAGED))
		spool->out[spool->out_count++] =
			(struct gt__spool_position){s, frame->offset};
}

/*
 * What the segment still counts as waiting cannot be found any more: damage in
 * headers after it was found, or a file that is unreadable or gone. It stays
 * only if it may be read one day.
 */
static void leave(struct gt__spool *spool, struct gt__spool_position *at,
                  bool readable)
{
	struct gt__spool_segment *s = at->segment;
	bool is_old = at == &spool->cursors[GT__SPOOL_OLD];

	*at = (struct gt__spool_position){s->next, 0};
	if (is_old)
		s->left = has_out(spool, s);
	if (is_old && readable && s->waiting_frames && !s->left) {
		uint64_t spans = s->waiting_spans;
		uint64_t *waiting = s->found ? &spool->counts.found_waiting
		                             : &spool->counts.own_waiting;

		*waiting -= spans < *waiting ? spans : *waiting;
		if (s->found)
			spool->counts.damaged_spans += spans;
		else
			spool->counts.own_damaged += spans;
		s->waiting_frames = s->waiting_spans = 0;
	}
	if (is_old && gt__spool_is_settled(s))
		gt__spool_remove(spool, s);
	else
		gt__spool_rest(spool, s);
}

/* ---- Read ---------------------------------------------------------------- */

/* The next waiting request of the cursor's segment: 1, 0 or < 0. */
static int next_in_segment(struct gt__spool *spool,
                           struct gt__spool_position *at, bool is_old,
                           struct gt__otlp_request **ret_request)
{
	struct gt__spool_segment *s = at->segment;
	struct gt__spool_frame frame;
	uint64_t skipped;
	int rc = gt__spool_segment_fd(spool, s);

	while (rc >= 0) {
		rc = gt__spool_find(s->fd, s->seed, at->offset, s->end, &frame,
		                    &skipped);
		if (is_old && !s->found && rc >= 0)
			spool->counts.damaged_bytes += skipped;
		if (rc != 1) {
			at->offset = rc ? at->offset : s->end;
			break;
		}
		at->offset = frame.offset;
		if (frame.state == GT__SPOOL_WAITING &&
		    find_out(spool, s, frame.offset) == spool->out_count) {
			rc = gt__spool_read(s->fd, &frame, ret_request);
			if (rc != -EBADMSG)
				break;
			settle_damaged(spool, s, &frame);
		}
		at->offset = gt__spool_frame_end(&frame);
		rc = 0;
	}
	if (rc == 0 && at->offset < s->end) {
		(*ret_request)->segment = s;
		(*ret_request)->found = s->found;
		return 1;
	}
	return rc;
}

struct gt__otlp_request *gt__spool_next(struct gt__spool *spool,
                                        enum gt__spool_cursor cursor)
{
	struct gt__spool_position *at = &spool->cursors[cursor];
	struct gt__otlp_request *request = NULL;

	while (at->segment && spool->out_count < GT__SPOOL_OUT_MAX) {
		int rc = next_in_segment(spool, at, cursor == GT__SPOOL_OLD,
		                         &request);

		if (rc == 1) {
			spool->out[spool->out_count++] =
				(struct gt__spool_position){request->segment,
			                                    request->offset};
			return request;
		}
		if (rc == -ENOMEM || !at->segment->whole)
			return NULL;
		leave(spool, at, rc == 0 || rc == -ENOENT);
	}
	return NULL;
}

void gt__spool_settle(struct gt__spool *spool,
                      const struct gt__otlp_request *request)
{
	/* Where even this fails it comes again after a restart, not before. */
	if (settle_frame(spool, request->segment, request->offset,
	                 request->spans, GT__SPOOL_SETTLED))
		take_in(spool, request);
	if (request->segment->whole && gt__spool_is_settled(request->segment))
		gt__spool_remove(spool, request->segment);
}

void gt__spool_skip(struct gt__spool *spool)
{
	struct gt__spool_segment *current = spool->current;

	spool->cursors[GT__SPOOL_NEW] = (struct gt__spool_position){
		current, current ? current->end : 0};
}

struct gt__spool_counts gt__spool_counts(const struct gt__spool *spool)
{
	return spool->counts;
}
